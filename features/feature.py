"""What a feature is, and what a group of features is."""

from __future__ import annotations

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

    ``age_feature`` names the feature that holds the age in days of the observation behind this one, so that its date
    can be shown as index date minus age.
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
    age_feature: str | None = None


@dataclass(frozen=True)
class FeatureGroup:
    """Features that are computed together from one cut of the histories.

    ``compute`` returns a float32 array of shape (n_persons, n_features), NaN where unknown. ``version`` is raised when
    ``compute`` changes a number while names, units and meanings stay: it is part of the catalogue's fingerprint.
    """

    name: str
    features: tuple[Feature, ...]
    compute: Callable[[Known], np.ndarray]
    version: int = 1
