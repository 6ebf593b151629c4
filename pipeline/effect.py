"""Verb effect: whether the programme works, by a design with its interval; the published trial; what a design can see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_contracts.errors import MissingInputError, SettingsError
from models.effects.difference_in_differences import difference_in_differences
from models.effects.discontinuity import discontinuity
from models.effects.estimate import Estimate
from models.effects.event_study import draw_event_study, event_study
from models.effects.power import DESIGNS, Clusters, design_effect, design_matrix, least_effect, power
from models.effects.pre_post import pre_post
from models.effects.published import published_effect
from models.effects.stepped_wedge import stepped_wedge
from pipeline.console import progress, write_json
from pipeline.effect_csv import read_panel, read_scores
from pipeline.effect_lines import estimate_lines, period_lines, planned_lines, published_lines
from pipeline.effect_panel import ABSENCE, panel_of, risks_and_absence
from pipeline.settings import Settings
from pipeline.workspace import Workspace, is_synthetic, require

_ESTIMATORS: dict[str, Callable[[pd.DataFrame], Estimate]] = {
    "did": difference_in_differences,
    "pre-post": pre_post,
    "stepped-wedge": stepped_wedge,
}


@dataclass(frozen=True)
class Question:
    """What is asked: a design, of which measure, from the tables or from a CSV file (``panel``).

    ``threshold``, ``outcome`` and ``scored_on`` belong to the discontinuity: the number from which persons are alerted, the
    outcome whose risk that is, and the night of the scores (None: the earliest list there is).
    """

    design: str
    measure: str = ABSENCE
    panel: Path | None = None
    threshold: float | None = None
    outcome: str = "long_sick_leave"
    scored_on: date | None = None


def published() -> dict[str, Any]:
    """Return what the published trial says and leaves open; needs no data."""
    found = published_effect()
    return found | {"summary": "\n".join(published_lines(found))}


def planned(clusters: Clusters, periods: int, effect: float | None) -> dict[str, Any]:
    """Return what each clustered design can see; raises SettingsError if numbers do not make a design."""
    if clusters.companies < 4 or not 0 <= clusters.icc < 1 or not min(clusters.sd, clusters.persons) > 0:
        raise SettingsError(
            "--power needs 4 companies or more, --persons and --sd above 0, and --icc from 0 to below 1."
        )
    if not 3 <= periods <= clusters.companies + 1:
        raise SettingsError(f"--periods {periods}: a stepped wedge has 3 or more, and at most companies + 1.")
    rows = {}
    for design in DESIGNS:
        matrix = design_matrix(design, clusters.companies, periods)
        chance = None if effect is None else power(effect, matrix, clusters)
        rows[design] = {"periods": matrix.shape[1], "least_effect": least_effect(matrix, clusters), "power": chance}
    found = {"clusters": asdict(clusters), "effect": effect, "designs": rows, "design_effect": design_effect(clusters)}
    return found | {"summary": "\n".join(planned_lines(found))}


def run(workspace: Workspace, settings: Settings, question: Question) -> dict[str, Any]:
    """Estimate an effect; write data/effect/<design>.json (and a picture, of the event study); return the report."""
    if question.design == "regression-discontinuity":
        found = _at_the_threshold(workspace, settings, question)
    else:
        found = _from_panel(workspace, settings, question)
    path = _home(workspace) / f"{question.design}.json"
    document: dict[str, Any] = _as_json(found | {"design": question.design, "path": str(path)})
    write_json(path, document)
    return document


def _home(workspace: Workspace) -> Path:
    return workspace.root / "data" / "effect"


def _from_panel(workspace: Workspace, settings: Settings, question: Question) -> dict[str, Any]:
    if question.panel is not None:
        panel, about = read_panel(question.panel), _of_file(question.panel)
    else:
        panel, as_of = panel_of(_tables(workspace), question.measure, settings.training)
        about = _of_tables(workspace, "tables", question.measure, as_of)
    about |= {"cells": len(panel)}
    with progress(f"effect by {question.design}"):
        if question.design == "event-study":
            return about | _periods(panel, about, _home(workspace) / "event_study.png")
        estimate = _ESTIMATORS[question.design](panel)
    return about | {"estimate": asdict(estimate), "summary": "\n".join(estimate_lines(estimate, about))}


def _periods(panel: pd.DataFrame, about: dict[str, Any], picture: Path) -> dict[str, Any]:
    periods = event_study(panel)
    draw_event_study(periods, about["measure"], picture, synthetic=about["synthetic"])
    summary = "\n".join(period_lines(periods, about, picture))
    return {"periods": [asdict(one) for one in periods], "picture": str(picture), "summary": summary}


def _at_the_threshold(workspace: Workspace, settings: Settings, question: Question) -> dict[str, Any]:
    if question.threshold is None:
        raise SettingsError("A discontinuity needs --threshold, the number from which persons are alerted.")
    if question.panel is not None:
        frame, about = read_scores(question.panel), _of_file(question.panel)
    else:
        days = settings.outcomes.of("absence_days")["horizon_days"]
        scores = _list_of_scores(workspace, question.scored_on)
        frame, as_of = risks_and_absence(_tables(workspace), scores, question.outcome, days, settings.training)
        about = _of_tables(workspace, str(scores), f"{ABSENCE}, {days} days after", as_of)
        about |= {"left_out": left_out(frame, question.threshold)}
        frame = frame.dropna(subset="outcome")
    about |= {"threshold": question.threshold}
    score, outcome = (frame[name].to_numpy(float) for name in ("score", "outcome"))
    is_told = "contacted" in frame and bool(frame["contacted"].notna().all())
    contacted = frame["contacted"].to_numpy() == 1 if is_told else None
    with progress("effect by regression-discontinuity"):
        estimate = discontinuity(score, outcome, question.threshold, contacted=contacted)
    return about | {"estimate": asdict(estimate), "summary": "\n".join(estimate_lines(estimate, about))}


def left_out(frame: pd.DataFrame, threshold: float) -> dict[str, dict[str, int]]:
    """Count by side of the threshold who is listed, and who of them has no outcome."""
    is_above = frame["score"] >= threshold
    sides = {"below": frame[~is_above], "above": frame[is_above]}
    return {
        side: {"listed": len(rows), "without_outcome": int(rows["outcome"].isna().sum())}
        for side, rows in sides.items()
    }


def _of_file(path: Path) -> dict[str, Any]:
    return {"source": str(path), "measure": "outcome", "synthetic": False}


def _of_tables(workspace: Workspace, source: str, measure: str, as_of: date) -> dict[str, Any]:
    return {"source": source, "measure": measure, "as_of": as_of.isoformat(), "synthetic": is_synthetic(workspace)}


def _tables(workspace: Workspace) -> Path:
    return require(workspace.tables / "persons.parquet", "ingest (or name a CSV file with --panel)").parent


def _list_of_scores(workspace: Workspace, scored_on: date | None) -> Path:
    if scored_on is not None:
        return workspace.scores / f"{scored_on}.csv"
    lists = sorted(workspace.scores.glob("????-??-??.csv"))
    if not lists:
        raise MissingInputError(f"{workspace.scores}: no list of scores yet. Make one with: balance-risk score")
    return lists[0]


def _as_json(value: Any) -> Any:
    """Return the document with null for what is no number; JSON has none for it."""
    if isinstance(value, dict):
        return {name: _as_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
