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
    acted_upon : mapping or None
        As :func:`models.monitoring.acted_upon.acted_upon` returns it; None where nobody was contacted, or too few.
    """

    input_alarms: Sequence[Alarm] = ()
    groups_tested: int = 0
    late_tables: Sequence[str] = ()
    calibration: CalibrationState | None = None
    auroc: Mapping[str, Any] | None = None
    reference_auroc: float | None = None
    acted_upon: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Proposal:
    """The first thing to do, and everything that speaks for it and for what may come after.

    Parameters
    ----------
    step : str
    evidence : tuple of (step, sentence)
        Every finding with the step that it alone would speak for; "nothing" where contacts may have made it.
    performance, calibration : str or None
        What the fall of the AUROC, and the calibration test, speak for; None where there is no such finding.
    """

    step: Step
    evidence: tuple[tuple[Step, str], ...]
    performance: Step | None = None
    calibration: Step | None = None


def propose(findings: Findings) -> Proposal:
    """Say what to do first: late or missing data come before any change of a model, retraining before recalibrating."""
    ranking, calibration = _of_ranking(findings), _of_calibration(findings)
    evidence = (*_of_sources(findings), *ranking, *_of_inputs(findings), *calibration)
    order: tuple[Step, ...] = ("look at the source", "retrain", "recalibrate")
    named = {step for step, _ in evidence if step != "nothing"}
    step: Step = next((step for step in order if step in named), "nothing")
    return Proposal(step, evidence, *(found[0][0] if found else None for found in (ranking, calibration)))


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
    if not _has_fallen(findings.auroc, findings.reference_auroc):
        return []
    said = f"AUROC of matured rows is {_interval(findings.auroc)}; it was {findings.reference_auroc:.3f}."
    alone = _of_not_contacted(findings, "auroc")
    if findings.acted_upon is None or _has_fallen(alone, findings.reference_auroc):
        return [("retrain", said)]
    return [("nothing", f"{said} {_contacts(findings.acted_upon)} {_interval(alone)}.")]


def _has_fallen(auroc: Mapping[str, Any] | None, reference: float | None) -> bool:
    """True where all of the interval lies so far below that it matters."""
    if auroc is None or reference is None or auroc["high"] is None:
        return False
    return bool(auroc["high"] <= reference - LEAST_FALL)


def _of_inputs(findings: Findings) -> list[tuple[Step, str]]:
    moved = [one.group for one in findings.input_alarms if any(each.kind == "level" for each in one.leading)]
    if not moved or len(moved) < MANY_GROUPS * findings.groups_tested:
        return []
    return [("retrain", f"{len(moved)} of {findings.groups_tested} feature groups have moved: {', '.join(moved)}.")]


def _of_calibration(findings: Findings) -> list[tuple[Step, str]]:
    state = findings.calibration
    if state is None or not state.is_alarm:
        return []
    # Without an AUROC there are too few persons with the event, or without it, to tell how many.
    counts = f"{state.observed} events observed, {state.expected:.1f} expected in {state.rows} rows"
    ratio = counts if findings.auroc is not None else "too few persons to tell how many"
    said = f"Risks no longer mean what they say: {ratio} (e-value {state.highest:.3g})."
    if findings.acted_upon is None or state.observed >= state.expected or _is_too_low_anyway(findings):
        return [("recalibrate", said)]
    alone = _of_not_contacted(findings, "observed_to_expected")
    return [("nothing", f"{said} {_contacts(findings.acted_upon)} {_interval(alone)}.")]


def _is_too_low_anyway(findings: Findings) -> bool:
    """True where fewer events came than expected without contact too, or more are lacking than there were contacts."""
    bound = ((findings.acted_upon or {}).get("if_every_contact_prevented") or {}).get("observed_to_expected")
    found = (bound, _of_not_contacted(findings, "observed_to_expected"))
    return any(one is not None and one["high"] is not None and one["high"] < 1 for one in found)


def _of_not_contacted(findings: Findings, metric: str) -> Mapping[str, Any] | None:
    return ((findings.acted_upon or {}).get("not_contacted") or {}).get(metric)


def _contacts(acted_upon: Mapping[str, Any]) -> str:
    persons = acted_upon["contacted"]["persons"]
    return f"{persons} persons were contacted after a score, and contact that works does this; of those not contacted it is"


def _interval(found: Mapping[str, Any] | None) -> str:
    if found is None or found["high"] is None:
        return "not known"
    return "{value:.3f} ({low:.3f} to {high:.3f})".format(**found)
