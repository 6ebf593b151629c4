"""The champion and every other candidate on rows of later dates and other persons, each number with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from data_contracts.errors import NotEnoughDataError
from data_contracts.time_windows import calendar_date
from models.evaluation.calibration import MOST_LOESS_POINTS, smooth_curve
from models.evaluation.discrimination import Ranking
from models.evaluation.expected_days import days_curve, days_metrics_of
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.evaluation.leakage import leakage
from models.evaluation.metrics import metrics_of
from models.evaluation.sections import SECTIONS, Case
from models.outcomes.outcome import Outcome
from models.risk_model import RiskModel, risk_of
from models.side_by_side import side_by_side
from models.splits import Split
from models.training_set import TrainingSet

FEWEST_EVENTS_FOR_A_VERDICT = 100
"""Persons with an event; below this, nobody can tell good from bad. Collins GS et al. Stat Med 2016;35:214."""

CURVE_POINTS = 100
HISTOGRAM_EDGES = np.linspace(0.0, 1.0, 51)

CURRENT = "current_champion"
"""Name of the model that serves now, where one does and its features are still those of the catalogue."""


def evaluate(
    champion: RiskModel,
    candidates: Mapping[str, RiskModel],
    training_set: TrainingSet,
    split: Split,
    outcome: Outcome,
    *,
    current: RiskModel | None = None,
    repeats: int = 200,
    seed: int = 17,
    on_step: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Judge the champion and the other candidates on the test rows.

    Parameters
    ----------
    champion : RiskModel
    candidates : mapping of name to RiskModel
        All candidates fitted on the same training rows.
    training_set : TrainingSet
    split : Split
        Only its test rows with an observed label are used, with their observation weights.
    outcome : Outcome
        As configured for the training set.
    current : RiskModel, optional
        The model that serves now: compared on the same rows, under the name ``CURRENT``.
    repeats : int
        Resamples behind each interval.
    seed : int
    on_step : callable
        Called with what is being done, for progress.

    Returns
    -------
    dict of JSON values: ``test`` (what it was judged on), ``models`` (name -> metric -> value, low, high), ``curve``
    and ``histogram`` of the champion, ``leakage``, the parts of :data:`models.evaluation.sections.SECTIONS`, ``notes``
    (warnings first), ``methods``.

    Raises
    ------
    NotEnoughDataError
        The test rows have no event, or nothing but events.
    """
    models = {**candidates, champion.name: champion} | ({CURRENT: current} if current else {})
    held_out = HeldOut.of(training_set, split, models, champion.name)
    _refuse_one_class(held_out, outcome)
    names = frozenset(candidates)
    case = Case(champion, models, names, training_set, split, outcome, held_out, repeats, seed)
    report = _heading(case) | {"models": _judged(case, on_step)} | _shape(case)
    on_step("leakage")
    report["leakage"] = leakage(training_set, split, _areas(report["models"]))
    sections = SECTIONS[outcome.target]
    found = side_by_side(lambda one: one[1](case), sections)
    for title, _ in sections:
        on_step(title)
        report |= next(found)
    return report | {"notes": _notes(report, champion), "methods": _methods(case)}


def _judged(case: Case, on_step: Callable[[str], None]) -> dict[str, Any]:
    held_out = case.held_out
    of_model = metrics_of if case.outcome.target == "event" else days_metrics_of

    def judged(name: str) -> dict[str, Any]:
        statistic = of_model(held_out.linear[name], held_out.y)
        return with_intervals(statistic, held_out.cluster, held_out.weight, **case.drawn)

    found, metrics = side_by_side(judged, held_out.linear), {}
    for name in held_out.linear:
        on_step(f"judging {name}")
        metrics[name] = next(found)
    return metrics


def _areas(metrics: Mapping[str, Any]) -> dict[str, float]:
    """AUROC of what could be promoted: that of the model in service is no fault of the new one."""
    judged = {name: found for name, found in metrics.items() if "auroc" in found and name != CURRENT}
    return {f"{name}, test rows": found["auroc"]["value"] for name, found in judged.items()}


def _refuse_one_class(held_out: HeldOut, outcome: Outcome) -> None:
    events = int((held_out.y > 0).sum())
    if 0 < events < len(held_out):
        return
    what = "events" if outcome.target == "event" else "rows with a day of absence"
    raise NotEnoughDataError(
        f"{outcome.name}: the {len(held_out)} test rows hold {events} {what}; rows with and without are needed. "
        "Raise training.test_share or training.test_months, or bring more persons."
    )


def _heading(case: Case) -> dict[str, Any]:
    held_out, facts = case.held_out, case.training_set.facts
    return {
        "outcome": case.outcome.name,
        "target": case.outcome.target,
        "label": case.champion.facts.get("label"),
        "champion": case.champion.name,
        "synthetic": facts["synthetic"],
        "data_as_of": facts["data_as_of"],
        "threshold": case.threshold if case.outcome.target == "event" else None,
        "sample_size": case.champion.facts.get("sample_size"),
        "refits": len(case.champion.refits),
        "test": {
            "first_index_date": calendar_date(int(held_out.t.min())).isoformat(),
            "last_index_date": calendar_date(int(held_out.t.max())).isoformat(),
            "rows": len(held_out),
            "persons": len(np.unique(held_out.person)),
            "companies": len(np.unique(held_out.company[held_out.company >= 0])),
            "events": int((held_out.y > 0).sum()),
            "persons_with_event": len(np.unique(held_out.person[held_out.y > 0])),
            "weighted_event_share" if case.outcome.target == "event" else "mean_days": float(
                np.average(held_out.y, weights=held_out.weight)
            ),
            "rows_without_label": len(case.split.test) - len(held_out),
            "left_out_of_split": case.split.left_out,
        },
    }


def _shape(case: Case) -> dict[str, Any]:
    """How expected and observed go together along the champion's predictions."""
    held_out = case.held_out
    linear = held_out.linear[held_out.champion]
    if case.outcome.target == "days":
        return {"curve": days_curve(linear, held_out.y, held_out.weight)}
    risks = risk_of(linear)
    return {
        "curve": _curve(risks, held_out.y, held_out.weight),
        "histogram": _histogram(risks, held_out.y, held_out.weight),
    }


def _curve(risks: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, list[float]]:
    points = smooth_curve(Ranking.of(risks), risks, y, weight)
    chosen = np.unique(np.linspace(0, points.shape[1] - 1, CURVE_POINTS).astype(int))
    return {"risk": points[0, chosen].tolist(), "observed": points[1, chosen].tolist()}


def _histogram(risks: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, list[float]]:
    counts = {
        name: np.histogram(risks[y == label], HISTOGRAM_EDGES, weights=weight[y == label])[0].tolist()
        for name, label in (("events", 1), ("non_events", 0))
    }
    return {"edges": HISTOGRAM_EDGES.tolist(), **counts}


def _notes(report: Mapping[str, Any], champion: RiskModel) -> list[str]:
    # Persons, not rows: one absence stands in the rows of up to four quarters.
    notes, persons = list(report["leakage"]["alarms"]), report["test"]["persons_with_event"]
    if persons < FEWEST_EVENTS_FOR_A_VERDICT:
        notes.append(
            f"Only {persons} persons with an event among the test rows: under {FEWEST_EVENTS_FOR_A_VERDICT} no verdict on "
            "calibration is possible, and the intervals say so."
        )
    of_training = champion.facts.get("comparison", {}).get("notes", ())
    return notes + [_harm(one) for one in report["harm"]] + [one for one in of_training if one not in notes]


def _harm(found: Mapping[str, Any]) -> str:
    return f"HARM: {found['attribute']}, {found['group']}: {found['finding'].replace('_', ' ')}. See subgroups and mitigation."


def _methods(case: Case) -> list[str]:
    drawn = "persons with all their index dates" if case.held_out.cluster is case.held_out.person else "companies"
    return [
        "Test rows: other persons at later index dates, after an embargo as long as the horizon.",
        "Every number uses the observation weights (inverse probability of being observed).",
        f"Intervals: 2.5 and 97.5 percentiles of {case.repeats} resamples of {drawn}; weights and models are held fixed.",
        f"ICI, E50, E90: loess as R's (span 0.75, degree 2, interpolation); above {MOST_LOESS_POINTS} distinct risks "
        "neighbours are averaged first. They cannot be negative, so their intervals lie high when calibration is good.",
        "Working threshold: the share of events among the training rows, where acting on all and on none are equally good.",
    ]
