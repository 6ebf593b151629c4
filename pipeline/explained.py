"""One person's explained risks, for people and for machines."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

RAISING, LOWERING = 5, 3
"""How many reasons of each direction are shown to people; machines get all."""


def explained(told: dict[str, Any], index_date: date, flag_days: list[str]) -> dict[str, Any]:
    """Return the report of one person from what the process that scores has told.

    Parameters
    ----------
    told : dict
        ``answer``, the JSON text of an explanation, and ``why_not`` by outcome; or ``refused``.
    index_date : date
    flag_days : list of str
        When the person gave answers that a human must look at.
    """
    lines = [f"score at {index_date}"]
    lines += [f"  SAFETY: an answer of {day} must be looked at by a clinician today" for day in flag_days]
    outcomes: dict[str, Any] = {}
    if "refused" in told:
        lines.append(f"  no number, because: {told['refused']}")
    for name, found in json.loads(told.get("answer", '{"outcomes": {}}'))["outcomes"].items():
        outcomes[name] = _outcome(found, told["why_not"].get(name))
        lines += _in_words(name, outcomes[name])
    return {
        "index_date": index_date.isoformat(),
        "safety_flags": flag_days,
        "refused": told.get("refused"),
        "outcomes": outcomes,
        "summary": "\n".join(lines),
    }


def _outcome(found: dict[str, Any], why_not: str | None) -> dict[str, Any]:
    if why_not:
        return {"risk": None, "expected_days": None, "not_scored_because": why_not}
    reference, interval = ("reference_risk", "interval") if found["target"] == "event" else _OF_DAYS
    return {
        "risk": found["risk"],
        "expected_days": found["expected_days"],
        "interval": found[interval],
        reference: found[reference],
        "band": found["band"]["name"],
        "log_odds": found["log_odds"],
        "base": found["base"],
        "reasons": found["reasons"],
    }


_OF_DAYS = ("reference_days", "expected_days_interval")


def _in_words(name: str, found: dict[str, Any]) -> list[str]:
    if "not_scored_because" in found:
        return [f"  {name}: no number, because: {found['not_scored_because']}"]
    is_risk = found["risk"] is not None
    number = found["risk"] if is_risk else found["expected_days"]
    reference = found["reference_risk"] if is_risk else found["reference_days"]
    ends = found["interval"]
    between = f"90 % interval of refits {_shown(ends[0], is_risk)} to {_shown(ends[1], is_risk)}; " if ends else ""
    line = f"  {name}: {_shown(number, is_risk)} ({between}reference group {_shown(reference, is_risk)})"
    return [line, *(f"    {reason['contribution']:+.3f}  {reason['text']['en']}" for reason in _strongest(found))]


def _shown(number: float, is_risk: bool) -> str:
    return f"{number:.1%}" if is_risk else f"{number:.1f} days"


def _strongest(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the strongest reasons of each direction, in the order in which all are given: the largest first."""
    raising = [reason for reason in found["reasons"] if reason["contribution"] > 0][:RAISING]
    lowering = [reason for reason in found["reasons"] if reason["contribution"] < 0][:LOWERING]
    return [reason for reason in found["reasons"] if reason in raising or reason in lowering]
