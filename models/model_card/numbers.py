"""Numbers as a card prints them: three decimals, intervals in brackets, and no count of 1 to 9 persons."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

FEWEST_SHOWN = 10
"""A count below this, other than nought, is printed as "<10": a small group may be recognised."""

_COUNTS = {"persons", "rows", "events", "employees", "cases", "left", "lost"}
_NOT_COUNTS = ("missing_", "required_", "needed_", "per_")
_SMALLEST = 0.0005
"""What three decimals would call nought, though it is not."""
_WHOLE_FROM = 1000
"""From here on decimals say nothing."""

_THIN = "\N{NARROW NO-BREAK SPACE}"


_TOLD = re.compile(
    r"(?<!least )(?<!than )(?<!under )(?<!most )(?<![\d.,<-])[1-9](?= (?:test |training |held-out )?"
    r"(?:non-)?(?:event|person|row|case|employee)s?\b)"
)


class FactMissing(Exception):
    """A sentence or a number asks for a fact that the run did not leave; always caught, and shown as missing."""


def count(value: Any) -> str:
    """Return a number of persons, rows or events; raises FactMissing for what is no number."""
    whole = round(_finite(value))
    return f"<{FEWEST_SHOWN}" if is_small(whole) else f"{whole:,}".replace(",", _THIN)


def is_small(count: float) -> bool:
    """Tell whether so few persons, rows or events may be recognised, so that their number is not shown."""
    return 0 < count < FEWEST_SHOWN


def number(value: Any) -> str:
    """Return a number with three decimals, or an interval as ``0.696 (0.656 to 0.737)``; raises FactMissing."""
    if is_interval(value):
        shown = f"{_finite(value['value']):.3f}"
        ends = value.get("low"), value.get("high")
        return shown if None in ends else f"{shown} ({_finite(ends[0]):.3f} to {_finite(ends[1]):.3f})"
    return f"{_finite(value):.3f}"


def percent(value: Any) -> str:
    """Return a share as a percentage with one decimal; raises FactMissing."""
    return f"{100 * _finite(value):.1f} %"


def hundred(value: Any) -> str:
    """Return an interval as whole numbers out of a hundred, ``70 (95 % interval 66–74)``; raises FactMissing."""
    return _of_hundred(value, "95 % interval")


def hundred_nb(value: Any) -> str:
    """Return an interval as whole numbers out of a hundred, in Norwegian; raises FactMissing."""
    return _of_hundred(value, "95 % intervall")


def _of_hundred(value: Any, words: str) -> str:
    if not is_interval(value) or None in (value["value"], value.get("low"), value.get("high")):
        raise FactMissing
    middle, low, high = (round(100 * _finite(value[end])) for end in ("value", "low", "high"))
    return f"{middle} ({words} {low}–{high})"


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FactMissing
    return float(value)


def is_interval(value: Any) -> bool:
    """Tell whether a value is a number with its interval: ``{"value", "low", "high"}``."""
    return isinstance(value, dict) and {"value", "low", "high"} <= value.keys()


def words(name: str) -> str:
    """Return the name of a key as words."""
    return _WORDS.get(name, name.replace("_", " ").replace("auroc", "AUROC"))


_WORDS = {
    "auroc": "AUROC", "ici": "ICI", "ppv": "PPV", "npv": "NPV", "observed_to_expected": "O:E", "brier": "Brier score",
    "scaled_brier": "scaled Brier score", "mae": "mean absolute error", "e50": "E50", "e90": "E90", "emax": "Emax",
    "false_negative_rate": "false-negative rate", "label_en": "label",
}  # fmt: skip


def cell(name: str, value: Any) -> str:
    """Return any value of a report under the name of its key as text; counts of 1 to 9 are suppressed."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_interval(value):
        return number(value) if value["value"] is not None else f"– {value.get('reason', '')}".strip()
    if isinstance(value, int | float):
        return _plain(name, value)
    return str(value)


def _plain(name: str, value: float) -> str:
    if not math.isfinite(value):
        return "–"
    if float(value).is_integer() or abs(value) >= _WHOLE_FROM:
        return count(value) if is_count(name) else f"{round(value):,}".replace(",", _THIN)
    return f"{value:.3f}" if abs(value) >= _SMALLEST else f"{value:.1e}"


def veiled(value: Any) -> Any:
    """Return a fact with counts of 1 to 9 in its sentences ("5 events in the test rows") suppressed too, at any depth."""
    if isinstance(value, str):
        return _TOLD.sub(f"<{FEWEST_SHOWN}", value)
    if isinstance(value, Mapping):
        return {name: veiled(one) for name, one in value.items()}
    return [veiled(one) for one in value] if isinstance(value, list | tuple) else value


def is_count(name: str) -> bool:
    """Tell whether a key of a report names how many persons, rows or events there are."""
    if any(part in name for part in _NOT_COUNTS):
        return False
    return name == "n" or not _COUNTS.isdisjoint(name.split("_"))
