"""The feature matrix: every group of the catalogue, for any number of persons, in chunks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_contracts.time_windows import NO_DAY, Days
from features.as_of import Known, as_of, index_dates
from features.catalogue import COLUMNS, FEATURE_NAMES
from features.histories import Histories
from features.workplace_context import GROUP as CONTEXT
from features.workplace_context import WorkplaceContext, context_features

CHUNK = 20_000
"""Persons per chunk: bounds the memory of the work in hand; between 2 000 and 40 000 the speed is the same."""

CONTEXT_COLUMNS = next(columns for group, columns in COLUMNS if group is CONTEXT)
"""Those that say how the others at the workplace are."""


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of N persons.

    Parameters
    ----------
    values : float32 array, shape (N, n_features)
        NaN where unknown.
    names : tuple of str
        Names of the columns, in the order of the catalogue.
    """

    values: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)


def build_features(histories: Histories, t: Days, context: WorkplaceContext | None = None) -> FeatureMatrix:
    """Number what was known at the index date.

    Parameters
    ----------
    histories : Histories of N persons
    t : int or int array of shape (N,)
        Index date as a day number, one for all or one per person.
    context : WorkplaceContext, optional
        How the workplaces were on a day not after any index date; without it the features of the others are NaN.

    Returns
    -------
    FeatureMatrix, rows in the order of ``histories``. A person's row has the same bits whoever else is asked for.

    Raises
    ------
    ValueError
        See :func:`~features.workplace_context.context_features`.
    """
    t = index_dates(histories, t)
    values = np.empty((len(histories), len(FEATURE_NAMES)), dtype=np.float32)
    for first in range(0, len(histories), CHUNK):
        end = min(first + CHUNK, len(histories))
        part = histories.between(first, end)
        known = as_of(part, t[first:end])
        number(known, values[first:end])
        if context is not None:
            values[first:end, CONTEXT_COLUMNS] = context_features(known, part, context)
    return FeatureMatrix(values, FEATURE_NAMES)


def number(known: Known, values: np.ndarray) -> None:
    """Write all features but those of the others, which are NaN, into float32 ``values`` of shape (N, n_features)."""
    for group, columns in COLUMNS:
        values[:, columns] = group.compute(known)


def days_behind(known: Known) -> np.ndarray:
    """Return what :func:`observation_days` does, without the others."""
    days = np.full((len(known), len(FEATURE_NAMES)), NO_DAY, dtype=np.int32)
    for group, columns in COLUMNS:
        if group.observed_on is not None:
            days[:, columns] = group.observed_on(known)
    return days


def observation_days(histories: Histories, t: Days, context: WorkplaceContext | None = None) -> np.ndarray:
    """Return the day of the answer or sample behind every feature.

    Parameters
    ----------
    histories : Histories of N persons
    t : int or int array of shape (N,)
    context : WorkplaceContext, optional

    Returns
    -------
    int32 array, shape (N, n_features); ``NO_DAY`` where nothing was observed, and for what has no day of its own, such as
    a count over a window. What is known of the others has the day of the context.

    Raises
    ------
    ValueError
        See :func:`~features.workplace_context.context_features`.
    """
    known = as_of(histories, t)
    days = days_behind(known)
    if context is not None:
        others = days[:, CONTEXT_COLUMNS]
        others[~np.isnan(context_features(known, histories, context))] = context.day
    return days
