"""What the cohort is held against: targets.yaml, read and checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("targets.yaml")
_INDUSTRY = "certified_percent.industry_"


class Kind(StrEnum):
    """Where a number comes from."""

    PUBLISHED = "published"
    CALCULATED = "calculated"
    GOAL = "goal"


@dataclass(frozen=True)
class Target:
    """One published, calculated or specified number and how far a simulated one may lie from it."""

    id: str
    section: str
    kind: Kind
    what: str
    unit: str
    published: float
    low: float
    high: float
    tolerance: str
    source: str
    reason: str | None = None

    @property
    def leeway(self) -> float:
        """Half the width of what is allowed; infinite where one side is open. Sampling error is held against it."""
        return (self.high - self.low) / 2


@cache
def read_targets() -> tuple[Target, ...]:
    """Return all targets in their order.

    Raises
    ------
    ValueError
        An id stands there twice, a kind is unknown, or a tolerance is not exactly one of abs, rel and low/high.
    """
    return targets_of(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def targets_of(rows: list[dict[str, Any]]) -> tuple[Target, ...]:
    """Turn rows of the file into targets."""
    targets = tuple(_target(dict(row)) for row in rows)
    ids = [target.id for target in targets]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise ValueError(f"targets.yaml: listed more than once: {', '.join(twice)}")
    return targets


def _target(row: dict[str, Any]) -> Target:
    published, kind = float(row.pop("published")), Kind(row.pop("kind"))
    given = {name: float(row.pop(name)) for name in ("abs", "rel", "low", "high") if name in row}
    match sorted(given):
        case ["abs"]:
            low, high, tolerance = published - given["abs"], published + given["abs"], f"± {given['abs']:g}"
        case ["rel"]:
            distance = given["rel"] * abs(published)
            low, high, tolerance = published - distance, published + distance, f"± {100 * given['rel']:g} %"
        case ["high", "low"]:
            low, high, tolerance = given["low"], given["high"], f"{given['low']:g} to {given['high']:g}"
        case ["low"]:
            low, high, tolerance = given["low"], math.inf, f"at least {given['low']:g}"
        case _:
            raise ValueError(f"targets.yaml: {row['id']} needs one of abs, rel, low, and low with high")
    return Target(**row, kind=kind, published=published, low=low, high=high, tolerance=tolerance)


def industries_with_target() -> frozenset[str]:
    """Return the divisions of industry with a published absence rate."""
    return frozenset(one.id.removeprefix(_INDUSTRY) for one in read_targets() if one.id.startswith(_INDUSTRY))
