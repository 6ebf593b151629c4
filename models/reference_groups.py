"""With whom a person is compared in an explanation: all persons of the training rows, or those of like sex and age.

A model's facts hold the mean contribution of each feature in a group. The difference from it tells a person apart from the
group, and the differences add up to the difference in log-odds. For a model that is a sum over features (linear, additive)
they are the Shapley values with the rows of the group as background (interventional: Lundberg SM, Lee S-I. NeurIPS 2017;
Janzing D, Minorics L, Bloebaum P. AISTATS 2020). For boosted trees they are differences of path-dependent TreeSHAP values:
additive all the same, but not the interventional values, which would need the rows themselves to be served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from data_contracts.errors import ArtifactError

POPULATION = "population"
BAND_STARTS = (18, 30, 40, 50, 60)
LAST_AGES = (29, 39, 49, 59, 70)
"""First and last age of each band, from and to the ages that the models are about."""


class SexAndAge(NamedTuple):
    """The key of a group: sex, and first and last age."""

    is_female: bool
    first_age: int
    last_age: int

    @property
    def name(self) -> str:
        """Name of the group in the facts, such as ``female_40_49``."""
        return f"{'female' if self.is_female else 'male'}_{self.first_age}_{self.last_age}"

    @property
    def label(self) -> dict[str, str]:
        """The group in words."""
        ages = f"{self.first_age}–{self.last_age}"
        nb, en = ("kvinner", "women") if self.is_female else ("menn", "men")
        return {"nb": f"{nb} på {ages} år", "en": f"{en} aged {ages}"}


ALL_GROUPS = tuple(
    SexAndAge(is_female, *ages) for is_female in (False, True) for ages in zip(BAND_STARTS, LAST_AGES, strict=True)
)
_LABELS = {POPULATION: {"nb": "alle modellen er trent på", "en": "everybody the model was trained on"}} | {
    group.name: group.label for group in ALL_GROUPS
}


@dataclass(frozen=True, eq=False)
class ReferenceGroup:
    """The mean of a group: of at least 50 persons, so that nobody is told of.

    Parameters
    ----------
    name : str
        ``population`` or that of a :class:`SexAndAge`.
    persons : int
    log_odds : float
        Mean calibrated log-odds (log days for a model of days).
    contributions : float64 array, shape (n_features,)
        Mean contribution of each feature, in the model's order.
    """

    name: str
    persons: int
    log_odds: float
    contributions: np.ndarray

    @property
    def label(self) -> dict[str, str]:
        """The group in words."""
        return _LABELS[self.name]


def group_numbers(is_female: np.ndarray, age_years: np.ndarray) -> np.ndarray:
    """Return the position in ``ALL_GROUPS`` of each row, int (n,); -1 where sex or age is unknown or outside 18 to 70."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(is_female) & (age_years >= BAND_STARTS[0]) & (age_years <= LAST_AGES[-1])
    band = np.searchsorted(BAND_STARTS, np.where(known, age_years, BAND_STARTS[0]), side="right") - 1
    return np.where(known, np.nan_to_num(is_female).astype(np.intp) * len(BAND_STARTS) + band, -1)


def reference_groups(feature_names: Sequence[str], facts: Mapping[str, Any]) -> dict[str, ReferenceGroup]:
    """Read the groups of a model's facts; none where the facts have none.

    Raises
    ------
    ArtifactError
        If the facts are not numbers for each feature of the model.
    """
    try:
        found = {name: _group(name, one) for name, one in facts.get("reference_groups", {}).get("groups", {}).items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ArtifactError("The model's reference groups are damaged. Train again.") from None
    if any(one.contributions.shape != (len(feature_names),) or name not in _LABELS for name, one in found.items()):
        raise ArtifactError("The model's reference groups are of other features or persons. Train again.")
    return found


def groups_of(groups: Mapping[str, ReferenceGroup], is_female: float, age_years: float) -> tuple[ReferenceGroup, ...]:
    """Return everybody, then the persons of like sex and age, as far as the model has them."""
    position = int(group_numbers(np.array([is_female]), np.array([age_years]))[0])
    names = (POPULATION, *([ALL_GROUPS[position].name] if position >= 0 else []))
    return tuple(groups[name] for name in names if name in groups)


def _group(name: str, one: Mapping[str, Any]) -> ReferenceGroup:
    means = np.array(one["contributions"], dtype=np.float64)
    return ReferenceGroup(name, int(one["persons"]), float(one["log_odds"]), means)
