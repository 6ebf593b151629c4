"""The numbers of a report under names that MLflow accepts, without counts of 1 to 9 persons."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from models.model_card.numbers import count, is_count, is_small

LONGEST_NAME = 250

_ENDS = ("value", "low", "high")
_NOT_ALLOWED = re.compile(r"[^\w\-. ]", re.ASCII)


def flat_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Name every number of an evaluation report that has a name of its own.

    ``models`` leads to ``champion.auroc``, ``champion.auroc.low``, ``champion.auroc.high`` and ``prior_absence.auroc``; other
    parts keep their path (``differences.prior_absence.auroc.low``). Lists, such as curves, are left to the report itself,
    and so are counts of 1 to 9: a metric is read by whoever may open the registry's pages.
    """
    models = {
        "champion" if name == report.get("champion") else name: numbers
        for name, numbers in report.get("models", {}).items()
    }
    return flat(models) | flat({name: part for name, part in report.items() if name != "models"})


def flat(numbers: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the finite numbers of nested mappings by their path; an estimate's ``value`` has the path of its parent.

    A count of 1 to 9, which its key tells, is left out.
    """
    return {plain_name(path): number for path, number in _walk(numbers, prefix) if not _tells_of_few(path, number)}


def flat_counts(counts: Mapping[str, int], prefix: str) -> dict[str, float]:
    """Return counts by reason, whatever the reasons are called; those of 1 to 9 are left out."""
    return {name: number for name, number in flat(counts, prefix).items() if not is_small(number)}


def shown(name: str, value: Any) -> str:
    """Return a value as text; a count of 1 to 9 as "<10"."""
    return count(value) if _tells_of_few(name, value) else str(value)


def _tells_of_few(path: str, value: Any) -> bool:
    *_, name = [part for part in path.split(".") if part not in _ENDS] or [path]
    return isinstance(value, int | float) and is_count(name) and float(value).is_integer() and is_small(value)


def _walk(part: Mapping[str, Any], path: str) -> Iterator[tuple[str, float]]:
    for name, found in part.items():
        below = path if name == "value" and path else f"{path}.{name}" if path else str(name)
        if isinstance(found, Mapping):
            yield from _walk(found, below)
        elif isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found):
            yield below, float(found)


def plain_name(path: str) -> str:
    """Return a name that MLflow takes; signs that it refuses become their number, so that ``<30`` and ``>30`` stay apart."""
    return _NOT_ALLOWED.sub(lambda sign: f":{ord(sign.group()):x}", path)[:LONGEST_NAME]
