"""The whole check: tallies and fitted models in, report.json, report.md and figures out."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.simulation.parameters import read_parameters
from pipeline.simulation_check.judge import Judged, judge, rounded, summary
from pipeline.simulation_check.measured import Measured
from pipeline.simulation_check.page import render
from pipeline.simulation_check.page_texts import INFORMATION
from pipeline.simulation_check.tallies import Tallies, statistics
from pipeline.simulation_check.truth_tallies import auroc_error

DIRECTORY = "check"
FITTED = ("auroc.survey_and_history", "auroc.history", "auroc.survey", "auroc.mental_only")
"""Targets that need fitted models: their values come from outside."""

MOST_FITTED, TESTED_SHARE, EVENT_SHARE = 20_000, 0.3, 0.17
"""Models are judged on half of at most so many persons, of whom about 60 % answered and 17 % have the event."""


def run_check(
    tallies: Tallies, discrimination: Mapping[str, float], facts: dict[str, Any], directory: Path
) -> dict[str, Any]:
    """Judge a run, write its report into ``directory/check`` and return the summary.

    Parameters
    ----------
    tallies : Tallies
        Of all blocks.
    discrimination : mapping
        AUROC of fitted models by target id; a missing one is too few to tell; those in ``INFORMATION`` are shown without
        a verdict, others left out.
    facts : dict
        persons, seed, start, end, scenarios and parameters_sha256 of the run.
    directory : Path
        Where the cohort was written.
    """
    from pipeline.simulation_check.figures import draw_figures  # matplotlib takes a second to import

    facts = facts | {"parameters_version": read_parameters(tallies.scenarios).cohort.version}
    measured = statistics(tallies) | fitted(discrimination, facts["persons"])
    judged = judge(measured)
    place = directory / DIRECTORY
    place.mkdir(parents=True, exist_ok=True)
    figures = draw_figures(judged, tallies, place)
    information = _information(discrimination)
    (place / "report.md").write_text(render(judged, facts, figures, information), encoding="utf-8")
    report = {
        "synthetic": True,
        "facts": facts,
        "summary": summary(judged),
        "targets": [_as_json(one) for one in judged],
        "information": {one: rounded(value) for one, value in information.items()},
    }
    text = json.dumps(report, indent=2, allow_nan=False, ensure_ascii=False)
    (place / "report.json").write_text(text + "\n", encoding="utf-8")
    return summary(judged)


def fitted(discrimination: Mapping[str, float], persons: int) -> dict[str, Measured]:
    """Return the AUROC of fitted models, with a rough error from the number of persons that they are judged on."""
    tested = TESTED_SHARE * min(persons, MOST_FITTED)
    counts = tested * EVENT_SHARE, tested * (1 - EVENT_SHARE)
    values = {one: discrimination.get(one, math.nan) for one in FITTED}
    return {
        one: Measured.nothing() if math.isnan(value) else Measured(value, auroc_error(value, *counts))
        for one, value in values.items()
    }


def _information(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers that are shown without a target."""
    return {one: numbers[one] for texts in INFORMATION.values() for one in texts if one in numbers}


def _as_json(one: Judged) -> dict[str, Any]:
    numbers = {name: value for name, value in asdict(one.target).items() if not _is_open(value)}
    return numbers | {
        "simulated": rounded(one.measured.value), "standard_error": rounded(one.measured.standard_error),
        "verdict": one.verdict,
    }  # fmt: skip


def _is_open(value: Any) -> bool:
    return isinstance(value, float) and math.isinf(value)


def copy_to_documentation(report: Path, documentation: Path) -> None:
    """Put a run's report.md and figures into the documentation as simulation_check.md and its images."""
    images = documentation / "images"
    images.mkdir(parents=True, exist_ok=True)
    text = (report / "report.md").read_text(encoding="utf-8")
    for figure in sorted(report.glob("*.png")):
        name = f"simulation_check_{figure.name}"
        shutil.copyfile(figure, images / name)
        text = text.replace(f"]({figure.name})", f"](images/{name})")
    (documentation / "simulation_check.md").write_text(text, encoding="utf-8")
