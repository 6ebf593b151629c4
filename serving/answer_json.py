"""Answers of /v1/risk and /v1/explanation as JSON, written from what was computed.

The same bytes as those of the models of :mod:`serving.responses` (a test holds them against each other), sooner: what a model
in service always says is checked and turned into JSON values once, and what we have computed ourselves is not read again field
by field. What must hold of the numbers is asked here, too; where it does not, the models refuse it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from serving.notices import SafetyNotice
from serving.responses import OutcomeExplanation, OutcomeRisk

_SHARES = ("risk", "reference_risk")
_NOT_NEGATIVE = ("expected_days", "reference_days")
_NUMBERS = (*_SHARES, *_NOT_NEGATIVE, "log_odds", "base")
_PAIRS = ("interval", "expected_days_interval")


def always_said(**told: Any) -> dict[str, Any]:
    """Return the JSON values, in order, of an outcome of which only what never changes is told; all else is null."""
    nothing = dict.fromkeys(OutcomeRisk.model_fields) | {"target": "event", "reasons": (), "warnings": ()}
    return OutcomeRisk.model_validate(nothing | told).model_dump(mode="json")


def answer_json(
    index_date: date,
    safety_flags: tuple[SafetyNotice, ...],
    outcomes: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
) -> bytes:
    """Return the answer for one person.

    Parameters
    ----------
    index_date : date
    safety_flags : tuple of SafetyNotice
    outcomes : mapping of str to (dict, dict)
        For each outcome what its model always says, as :func:`always_said` gives it, and the fields of :class:`OutcomeRisk` or
        :class:`OutcomeExplanation` as their model takes them.

    Raises
    ------
    pydantic.ValidationError
        If a number is none or lies where it cannot.
    """
    told = {name: always | _changing(fields) for name, (always, fields) in outcomes.items()}
    return orjson.dumps({"index_date": index_date, "safety_flags": safety_flags, "outcomes": told})


_CONSTANT = ("label", "horizon_days", "model")


def _changing(fields: dict[str, Any]) -> dict[str, Any]:
    if not _is_sound(fields):
        (OutcomeExplanation if "log_odds" in fields else OutcomeRisk).model_validate(fields)
    band = fields["band"]
    changing = {name: value for name, value in fields.items() if name not in _CONSTANT}
    return changing | {"band": None if band is None else _BANDS.setdefault(band.name, band.model_dump(mode="json"))}


_BANDS: dict[str, dict[str, Any]] = {}


def _is_sound(fields: dict[str, Any]) -> bool:
    numbers = [fields[name] for name in _NUMBERS if fields.get(name) is not None]
    for name in _PAIRS:
        numbers += fields[name] or ()
    by_day = fields["risks_by_horizon"] or {}
    shares = [fields[name] for name in _SHARES if fields[name] is not None]
    least = [fields[name] for name in _NOT_NEGATIVE if fields[name] is not None]
    return (
        all(map(math.isfinite, (*numbers, *by_day.values())))
        and all(0 <= one <= 1 for one in shares)
        and all(one >= 0 for one in least)
    )
