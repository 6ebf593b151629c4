"""Contributions in percentage points (or days), printed so that base plus parts is exactly the printed number.

Contributions add up in log-odds. A part's share of the way from base to number is told in percentage points:
``(number - base) * contribution / sum of contributions``. Printed with one decimal each, they would miss the number by some
tenths: those left over go to the largest remainders (Hamilton's method), first among base and domains, then within each.
Where the shares do not stand for anything (the contributions cancel out, or the raising ones alone would lead past
everybody), the log-odds themselves are printed, in the same manner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.risk_model import inverse_link
from serving.responses import OutcomeExplanation

Unit = Literal["points", "days", "log_odds"]

_DIGITS: dict[Unit, int] = {"points": 1, "days": 1, "log_odds": 2}
_NOTHING = 1e-9


@dataclass(frozen=True)
class Part:
    """What one feature or domain adds; ``printed`` is in ``units`` of the allocation's last digit."""

    name: str
    contribution: float
    printed: int


@dataclass(frozen=True)
class DomainPart(Part):
    """What one domain adds; its features add up to it."""

    features: tuple[Part, ...]


@dataclass(frozen=True)
class Allocation:
    """Base and domains that add up to the number: ``base + sum of printed == number``, all in the same last digit."""

    unit: Unit
    base: int
    number: int
    domains: tuple[DomainPart, ...]

    @property
    def digits(self) -> int:
        """How many decimals are printed."""
        return _DIGITS[self.unit]

    @property
    def printed(self) -> dict[str, int]:
        """What each feature adds, in units of the last digit."""
        return {one.name: one.printed for domain in self.domains for one in domain.features}

    def value(self, printed: int) -> float:
        """Return a printed number as a number."""
        return printed / 10**self.digits


def allocation(explained: OutcomeExplanation) -> Allocation | None:
    """Return the parts of the number of an explanation, None where the model has given no number."""
    if explained.log_odds is None or explained.base is None:
        return None
    unit, base, number, factor = _scale(explained, explained.log_odds, explained.base)
    per_unit = 10 ** _DIGITS[unit]
    # The base is a part like the others: all parts then add up to the number itself, not only to within two roundings.
    sums = [base * per_unit, *(one.contribution * factor * per_unit for one in explained.domains)]
    printed_number = round(number * per_unit)
    printed_base, *of_domains = shared(sums, printed_number)
    domains = []
    for domain, printed in zip(explained.domains, of_domains, strict=True):
        parts = [one for one in explained.reasons if one.group == domain.group]
        of_parts = shared([one.contribution * factor * per_unit for one in parts], printed)
        features = tuple(Part(one.feature, one.contribution, n) for one, n in zip(parts, of_parts, strict=True))
        domains.append(DomainPart(domain.group, domain.contribution, printed, features))
    return Allocation(unit, printed_base, printed_number, tuple(domains))


def shared(values: Sequence[float], total: int) -> list[int]:
    """Round values to whole numbers, each up or down, that add up to their rounded sum ``total``: the largest remainders up."""
    if not values:
        return []
    floors = [math.floor(value) for value in values]
    each, rest = divmod(total - sum(floors), len(values))
    ranked = sorted(range(len(values)), key=lambda place: (floors[place] - values[place], place))
    more = set(ranked[:rest])
    return [floor + each + (place in more) for place, floor in enumerate(floors)]


def _scale(explained: OutcomeExplanation, log_odds: float, base: float) -> tuple[Unit, float, float, float]:
    """Return the unit, base and number in it, and how much of it stands for one unit of log-odds."""
    is_event = explained.target == "event"
    start, end = inverse_link("logit" if is_event else "log", np.array([base, log_odds])).tolist()
    most = 1.0 if is_event else float(explained.horizon_days)
    total = sum(one.contribution for one in explained.domains)
    raising = sum(one.contribution for one in explained.domains if one.contribution > 0)
    if abs(total) < _NOTHING or start + raising * (end - start) / total > most:
        return "log_odds", base, log_odds, 1.0
    per_log_odds = (end - start) / total
    return ("points", 100 * start, 100 * end, 100 * per_log_odds) if is_event else ("days", start, end, per_log_odds)
