"""What an outcome is: who may be predicted at an index date, and what came true afterwards.

Eligibility uses only what is known at t, so that training and scoring share it; labels use everything known by
``data_as_of``. NumPy and the standard library only: serving imports this module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import ClassVar, Literal, NotRequired, TypedDict

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.records import Source
from features.histories import Histories
from features.workplace import employed_on

ELIGIBLE = -1
"""Stands for "no reason applies" where reasons are numbered."""

YOUNGEST, OLDEST = 18, 70

Incomplete = Literal["left employment", "no survey in the window"]
"""Why the label of an eligible person with a mature label may still be unknown; decides how the others are weighted."""


class Anticipated(TypedDict):
    """What a model can be expected to reach, never taken from the data that the model is made of, and why."""

    source: str
    c_statistic: NotRequired[float]
    r2: NotRequired[float]


GENERAL_REASONS = ("no consent for any source", "not employed", "age outside 18-70 or unknown")


class Status(IntEnum):
    """What is known about the label of an eligible person at an index date."""

    NOT_MATURE = 0
    OBSERVED = 1
    CENSORED = 2
    NOT_OBSERVED = 3


@dataclass(frozen=True)
class Labels:
    """Labels of n persons at one index date; what they say about persons who are not eligible means nothing.

    Parameters
    ----------
    status : int8 array, shape (n,)
        Values of :class:`Status`.
    y : float64 array, shape (n,)
        1 event, 0 no event (or a number of days, see :attr:`Outcome.target`), NaN unless ``status`` is OBSERVED.
    followed_days : int32 array, shape (n,)
        Days from t to the event, to the day of censoring, to what left the label unknown, or to the end of the horizon.
    needs_diagnosis : bool array, shape (n,)
        True where the label hangs on the diagnosis of every absence that came; not where an event is known whatever one
        without a diagnosis was.
    """

    status: np.ndarray
    y: np.ndarray
    followed_days: np.ndarray
    needs_diagnosis: np.ndarray

    @classmethod
    def not_mature(cls, n: int) -> Labels:
        """Labels of n persons of which none can be decided yet, events already seen included."""
        return cls(np.full(n, Status.NOT_MATURE, np.int8), np.full(n, np.nan), np.zeros(n, np.int32), np.zeros(n, bool))

    def take(self, persons: np.ndarray) -> Labels:
        """Return the labels of the chosen persons."""
        cut = (getattr(self, field.name)[persons] for field in fields(self))
        return Labels(*cut)


@dataclass(frozen=True)
class Outcome(ABC):
    """One thing that is predicted.

    Parameters
    ----------
    name, label_nb, label_en : str
    horizon_days : int
        The label is decided within this many days after t.
    registration_lag_days : int
        How late a row about the horizon's last day may still become known.
    extra_short_features : tuple of str
        Features that the ``short`` baseline of this outcome has besides age, sex, self-rated health and prior absence.
    """

    name: str
    label_nb: str
    label_en: str
    horizon_days: int
    registration_lag_days: int = 14
    extra_short_features: tuple[str, ...] = ()

    parameters: ClassVar[dict[str, tuple[int, int]]] = {}
    """Fields that ``params.yaml`` may set, with the smallest and the largest value allowed."""
    anticipated: ClassVar[Anticipated]
    usual_level: ClassVar[float]
    """Share with the event within the horizon (mean, of days), to plan by before there are data."""
    own_reasons: ClassVar[tuple[str, ...]]
    label_source: ClassVar[Source]
    incomplete_because: ClassVar[Incomplete]
    target: ClassVar[Literal["event", "days"]] = "event"
    """What ``Labels.y`` is: whether an event came, or how many days."""
    is_dated: ClassVar[bool] = False
    """Whether the event has a day of its own, so that there is a risk by an earlier day than the end of the horizon."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a person may not be eligible, in the order in which the flow counts name the first that applies."""
        return (*GENERAL_REASONS, *self.own_reasons)

    @property
    def embargo_days(self) -> int:
        """A row may train when ``t + embargo_days`` is not after the first test date."""
        return self.horizon_days

    @property
    def asks_diagnosis(self) -> bool:
        """True where the label depends on the diagnosis of an absence, which a certificate may leave out."""
        return False

    @property
    @abstractmethod
    def mature_after_days(self) -> int:
        """The label is mature when ``data_as_of >= t + mature_after_days``."""

    @abstractmethod
    def own_eligibility(self, histories: Histories, t: int) -> np.ndarray:
        """One bool column per own reason, shape (n_persons, n_own_reasons); True where the reason applies."""

    @abstractmethod
    def labels(self, histories: Histories, t: int, data_as_of: int) -> Labels:
        """What came true after ``t``, from everything known by ``data_as_of``."""

    def eligibility(self, histories: Histories, t: int, age_years: np.ndarray) -> np.ndarray:
        """Say who may be predicted at ``t``.

        Parameters
        ----------
        histories : Histories
        t : int
            Index date as a day number.
        age_years : float array, shape (n_persons,)
            The feature of that name at ``t``; NaN (unknown) is not eligible.

        Returns
        -------
        int8 array, shape (n_persons,): position in :attr:`reasons` of the first that applies, or ``ELIGIBLE``.
        """
        return self.eligibility_given(general_eligibility(histories, t, age_years), histories, t)

    def eligibility_given(self, general: np.ndarray, histories: Histories, t: int) -> np.ndarray:
        """As :meth:`eligibility`, with :func:`general_eligibility` computed before, once for all outcomes."""
        applies = np.concatenate([general, self.own_eligibility(histories, t)], axis=1)
        return np.where(applies.any(axis=1), applies.argmax(axis=1), ELIGIBLE).astype(np.int8)

    def label_is_consented(self, histories: Histories) -> np.ndarray:
        """True for persons whose label may be looked up, shape (n_persons,); for the others it would silently be 0."""
        return histories.consented[:, SOURCES.index(self.label_source)]

    def is_mature(self, t: int, data_as_of: int) -> bool:
        """True when every event of the horizon can be known by ``data_as_of``."""
        return data_as_of >= t + self.mature_after_days


def general_eligibility(histories: Histories, t: int, age_years: np.ndarray) -> np.ndarray:
    """One bool column per general reason, shape (n_persons, 3); True where the reason applies at ``t``."""
    no_source = ~histories.consented.any(axis=1)
    not_employed = ~employed_on(histories, t)
    outside = ~((age_years >= YOUNGEST) & (age_years <= OLDEST))
    return np.stack([no_source, not_employed, outside], axis=1)
