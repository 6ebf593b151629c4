"""What a feature is, and what a group of features is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from data_contracts.domains import Domain

if TYPE_CHECKING:
    from features.as_of import Known


Direction = Literal[-1, 0, 1]
"""How the risk is expected to move when a number rises: up, down, or no expectation."""


@dataclass(frozen=True)
class Feature:
    """One number per person at the index date.

    Parameters
    ----------
    name, unit : str
        The unit in UCUM where there is one; ``1`` is a count, a share or yes/no, ``score`` the points of a scale.
    label_nb, label_en : str
        What a clinician reads.
    domain : Domain
    modifiable : bool
        True where a person, a clinician or a workplace can do something about it.
    expected_direction : {-1, 0, 1}
        How the risk is expected to move when the number rises.
    table : str
        The table from which the number comes.
    meaning : str
        The formula in words, with its window.
    low, high : float
        The valid range, both included; infinite where there is no bound.
    source : str
        Where the expected direction comes from; empty where none is expected.
    valid_days : int, optional
        For how many days after the observation the number is called current. None: it is a fact about t itself.
    """

    name: str
    unit: str
    label_nb: str
    label_en: str
    domain: Domain
    modifiable: bool
    expected_direction: Direction
    table: str
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    source: str = ""
    valid_days: int | None = None


@dataclass(frozen=True)
class FeatureGroup:
    """Features that are computed together from one cut of the histories.

    ``compute`` returns a float32 array of shape (n_persons, n_features), NaN where unknown. ``observed_on``, where there is
    one, returns the day of the answer or sample behind each of them: int32, the same shape, ``NO_DAY`` where none.
    ``version`` is raised when ``compute`` changes a number while names, units and meanings stay: it is part of the
    catalogue's fingerprint.
    """

    name: str
    features: tuple[Feature, ...]
    compute: Callable[[Known], np.ndarray]
    observed_on: Callable[[Known], np.ndarray] | None = None
    version: int = 1
