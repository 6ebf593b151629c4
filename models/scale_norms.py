"""How the programme's own persons answer, by sex and age: deciles of each scale, for a percentile where none is published.

Kept in a champion's facts. A group of fewer than 100 persons gives nothing, and neither the lowest nor the highest score is
ever told: only nine deciles, in hundredths of the scale's range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from features.catalogue import feature
from features.sheet_layouts import SCALES
from models.reference_groups import SexAndAge

FEWEST_PERSONS = 100
AGES = ((18, 29), (30, 44), (45, 59), (60, 70))
"""First and last age of each group; wider than those of explanations, as each scale needs 100 persons who have it."""

GROUPS = tuple(SexAndAge(is_female, *ages) for is_female in (False, True) for ages in AGES)
WhyNone = Literal["sex_unknown", "age_unknown", "outside_ages", "too_few"]
SCALE_NAMES = tuple(scale.name for scale in SCALES)
_SHARES = np.arange(1, 10) / 10


class OwnPercentile(NamedTuple):
    """Of 100 persons of a group how many score lower, counting half of those who score the same: 5, 10, ... 95."""

    value: int
    group: SexAndAge


def scale_norms(scores: np.ndarray, is_female: np.ndarray, age: np.ndarray, person: np.ndarray) -> dict[str, Any]:
    """Return the deciles of every scale by sex and age, one row per person: the last.

    Parameters
    ----------
    scores : float32 array, shape (n, n_scales)
        In the order of ``SCALE_NAMES``; NaN where there is none. The rows of a person stand in the order of their index dates.
    is_female, age : float32 arrays, shape (n,)
    person : int array, shape (n,)

    Returns
    -------
    dict of JSON values
        ``deciles``: name of the group -> name of the scale -> nine whole numbers, in hundredths of the scale's range, as one
        text: all scales of all groups are less than 40 kB of an artifact.
    """
    last = len(person) - 1 - np.unique(person[::-1], return_index=True)[1]
    scores, is_female, age = scores[last], is_female[last], age[last]
    found = {
        group.name: dict(_deciles(scores[(is_female == group.is_female) & _between(age, group)])) for group in GROUPS
    }
    return {"fewest_persons": FEWEST_PERSONS, "deciles": {name: scales for name, scales in found.items() if scales}}


def own_percentile(
    norms: Mapping[str, Any], scale: str, score: float, is_female: float, age: float
) -> OwnPercentile | WhyNone:
    """Return the percentile of a score among persons of like sex and age, or why there is none.

    With F the share of the group that scores at most as high, and G the share that scores lower, ``10 F`` and ``10 G`` are
    known to a whole number from the deciles: what is returned is at most 5 from the exact 50 (F + G).

    Parameters
    ----------
    norms : dict
        What :func:`scale_norms` returned.
    scale : str
    score : float
    is_female : float
        1 female, 0 male, anything else unknown.
    age : float
        In years; NaN if unknown.
    """
    if is_female not in (0, 1):
        return "sex_unknown"
    if np.isnan(age):
        return "age_unknown"
    group = next((one for one in GROUPS if one.is_female == is_female and _between(age, one)), None)
    if group is None:
        return "outside_ages"
    told = norms["deciles"].get(group.name, {}).get(scale)
    if told is None:
        return "too_few"
    deciles, place = [int(one) for one in told.split()], hundredths(scale, np.array(score))
    lower, at_most = np.searchsorted(deciles, place, side="left"), np.searchsorted(deciles, place, side="right")
    return OwnPercentile(5 * (int(lower) + int(at_most) + 1), group)


def hundredths(scale: str, scores: np.ndarray) -> np.ndarray:
    """Return where scores lie in the range of their scale, 0 to 100, rounded; of 32 bits first, as training rows are."""
    one = feature(scale)
    return np.rint(100 * (scores.astype(np.float32).astype(np.float64) - one.low) / (one.high - one.low)).astype(int)


def _between(age: Any, group: SexAndAge) -> Any:
    return (age >= group.first_age) & (age <= group.last_age)


def _deciles(scores: np.ndarray) -> Iterator[tuple[str, str]]:
    """Yield the deciles of each scale that enough persons have; scores (n_persons, n_scales)."""
    for scale, column in zip(SCALE_NAMES, scores.T, strict=True):
        answered = column[np.isfinite(column)]
        if len(answered) >= FEWEST_PERSONS:
            places = hundredths(scale, answered)
            yield scale, " ".join(map(str, np.quantile(places, _SHARES, method="inverted_cdf")))
