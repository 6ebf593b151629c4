"""What the findings speak for: nothing, a look at the source, recalibration or retraining. It only says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.monitoring.calibration_drift import CalibrationState
from models.monitoring.false_discovery import Alarm

Step = Literal["nothing", "look at the source", "recalibrate", "retrain"]

LEAST_FALL = 0.03
"""Fall of AUROC that matters: all of the 95 % interval must lie this far below the sealed evaluation."""

MANY_GROUPS = 1 / 3
"""Share of the feature groups tested whose shift speaks for retraining."""


@dataclass(frozen=True)
class Findings:
    """What monitoring found.

    Parameters
    ----------
    input_alarms : sequence of Alarm
    groups_tested : int
        Feature groups that could be tested.
    late_tables : sequence of str
        Tables whose records arrive later than they did, or not at all.
    calibration : CalibrationState or None
        None before anything has matured.
    auroc : mapping or None
        ``value``, ``low``, ``high`` of matured rows; None before there are enough.
    reference_auroc : float or None
        Of the sealed evaluation.
    """

    input_alarms: Sequence[Alarm] = ()
    groups_tested: int = 0
    late_tables: Sequence[str] = ()
    calibration: CalibrationState | None = None
    auroc: Mapping[str, Any] | None = None
    reference_auroc: float | None = None


@dataclass(frozen=True)
class Proposal:
    """The first thing to do, and everything that speaks for it and for what may come after.

    Parameters
    ----------
    step : str
    evidence : tuple of (step, sentence)
        Every finding with the step that it alone would speak for.
    """

    step: Step
    evidence: tuple[tuple[Step, str], ...]


def propose(findings: Findings) -> Proposal:
    """Say what to do first: late or missing data come before any change of a model, retraining before recalibrating."""
    evidence = (*_of_sources(findings), *_of_ranking(findings), *_of_inputs(findings), *_of_calibration(findings))
    order: tuple[Step, ...] = ("look at the source", "retrain", "recalibrate")
    named = {step for step, _ in evidence}
    return Proposal(next((step for step in order if step in named), "nothing"), evidence)


def _of_sources(findings: Findings) -> list[tuple[Step, str]]:
    late = [f"Records of {table} arrive later than they did, or not at all." for table in findings.late_tables]
    missing = [
        f"{one.group}: {name} is missing {_points(difference)} than in the reference."
        for one in findings.input_alarms
        for name, difference in ((each.name, each.difference or 0.0) for each in one.leading if each.kind == "missing")
    ]
    return [("look at the source", sentence) for sentence in (*late, *missing)]


def _points(difference: float) -> str:
    return f"{abs(100 * difference):.0f} percentage points {'more' if difference > 0 else 'less'} often"


def _of_ranking(findings: Findings) -> list[tuple[Step, str]]:
    if findings.auroc is None or findings.reference_auroc is None or findings.auroc["high"] is None:
        return []
    if findings.auroc["high"] > findings.reference_auroc - LEAST_FALL:
        return []
    now = "{value:.3f} ({low:.3f} to {high:.3f})".format(**findings.auroc)
    return [("retrain", f"AUROC of matured rows is {now}; it was {findings.reference_auroc:.3f}.")]


def _of_inputs(findings: Findings) -> list[tuple[Step, str]]:
    moved = [one.group for one in findings.input_alarms if any(each.kind == "level" for each in one.leading)]
    if not moved or len(moved) < MANY_GROUPS * findings.groups_tested:
        return []
    return [("retrain", f"{len(moved)} of {findings.groups_tested} feature groups have moved: {', '.join(moved)}.")]


def _of_calibration(findings: Findings) -> list[tuple[Step, str]]:
    state = findings.calibration
    if state is None or not state.is_alarm:
        return []
    ratio = f"{state.observed} events observed, {state.expected:.1f} expected in {state.rows} rows"
    return [("recalibrate", f"Risks no longer mean what they say: {ratio} (e-value {state.highest:.3g}).")]
