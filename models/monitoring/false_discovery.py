"""Which shifts are worth an alarm: one per feature group, with the false-discovery rate held, and large enough to matter.

120 correlated features are not 120 alarms. The tests of a group are combined (Simes), groups are selected
(Benjamini-Hochberg), and within a selected group the features that lead are found at the rate times the share of groups
selected (Benjamini-Bogomolov). Where nothing has moved, an alarm of any kind comes with probability ``rate`` at most. Where
something has, the rate is of what is selected before the least relevant size is asked for: of what is left, more may be false.
References: Simes RJ. Biometrika 1986;73:751. Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289. Benjamini Y, Bogomolov M.
J R Stat Soc B 2014;76:297.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.multitest import multipletests

from models.monitoring.comparison import Shift

SMALLEST: Mapping[str, float] = {"level": 0.2, "missing": 0.1}
"""Least difference that matters: Cohen's small effect of 0.2 standard deviations, and 10 percentage points missing."""


@dataclass(frozen=True)
class Alarm:
    """A feature group that has moved.

    Parameters
    ----------
    group : str
    p : float
        Of the group, after Benjamini-Hochberg over all groups.
    leading : tuple of Shift
        The features that moved, and far enough; the farthest first, never empty.
    """

    group: str
    p: float
    leading: tuple[Shift, ...]


def alarms(
    shifts: Sequence[Shift],
    rate: float = 0.05,
    smallest: Mapping[str, float] = SMALLEST,
    method: str = "fdr_bh",
) -> list[Alarm]:
    """Return the groups that moved, lowest p first.

    Parameters
    ----------
    shifts : sequence of Shift
        Those not tested (``p`` None) count neither for nor against.
    rate : float
        False-discovery rate over groups.
    smallest : mapping
        Least absolute difference that matters, for each kind of shift.
    method : str
        Name of ``statsmodels.stats.multitest.multipletests``: ``fdr_by`` (Benjamini-Yekutieli) holds under any dependence.
    """
    families = _families(shifts)
    if not families:
        return []
    combined = np.array([simes([_p(one) for one in family]) for family in families.values()])
    selected, adjusted, *_ = multipletests(combined, rate, method)
    within = rate * selected.mean()
    found = [
        Alarm(group, float(p), _leading(family, within, smallest, method))
        for (group, family), p, chosen in zip(families.items(), adjusted, selected, strict=True)
        if chosen
    ]
    return sorted((one for one in found if one.leading), key=lambda one: one.p)


def simes(p: Sequence[float]) -> float:
    """Return the p that none of several hypotheses is wrong; valid for independent and for positively dependent tests."""
    ordered = np.sort(p)
    return float((ordered * len(ordered) / np.arange(1, len(ordered) + 1)).min())


def groups_tested(shifts: Sequence[Shift]) -> list[str]:
    """Return the groups of which at least one feature could be tested."""
    return list(_families(shifts))


def _families(shifts: Sequence[Shift]) -> dict[str, list[Shift]]:
    found: dict[str, list[Shift]] = {}
    for one in shifts:
        if one.p is not None:
            found.setdefault(one.group, []).append(one)
    return found


def _leading(family: Sequence[Shift], rate: float, smallest: Mapping[str, float], method: str) -> tuple[Shift, ...]:
    moved = multipletests([_p(one) for one in family], rate, method)[0]
    far = [one for one, chosen in zip(family, moved, strict=True) if chosen and _size(one) >= smallest[one.kind]]
    return tuple(sorted(far, key=_size, reverse=True))


def _p(shift: Shift) -> float:
    assert shift.p is not None  # only tested shifts come here
    return shift.p


def _size(shift: Shift) -> float:
    assert shift.difference is not None
    return abs(shift.difference)
