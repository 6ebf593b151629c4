"""Who answers the survey, and who no longer does: non-response by group, reference against current."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.monitoring.comparison import Sample, Shift, shifts


@dataclass(frozen=True, eq=False)
class Invited:
    """Rows of persons who could have answered.

    Parameters
    ----------
    answered : bool array, shape (n,)
    person : int array, shape (n,)
        The same number is the same person in every set of rows.
    groups : mapping of str to str array, shape (n,)
        Attribute (sex, age, education, earlier absence) -> group of each row, "" where not known.
    """

    answered: np.ndarray
    person: np.ndarray
    groups: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class ResponseShift:
    """Answers of one group of one attribute; ``everybody`` of attribute ``all`` is the whole.

    Parameters
    ----------
    attribute, group : str
    reference, current : float or None
        Share who answered, each person counting once; None where the group has nobody.
    shift : Shift
        Of the share who did NOT answer, kind ``missing``; for :func:`models.monitoring.false_discovery.alarms`.
    """

    attribute: str
    group: str
    reference: float | None
    current: float | None
    shift: Shift


def response_shifts(reference: Invited, current: Invited) -> list[ResponseShift]:
    """Compare who answers, for everybody and for each group of each attribute.

    Returns
    -------
    list of ResponseShift, everybody first; a group that is in one of the two alone is there, not tested.
    """
    found = [_shift_of("all", "everybody", reference, current, _all(reference), _all(current))]
    for attribute, before in reference.groups.items():
        after = current.groups[attribute]
        for group in sorted({*before.tolist(), *after.tolist()} - {""}):
            found.append(_shift_of(attribute, group, reference, current, before == group, after == group))
    return found


def _all(rows: Invited) -> np.ndarray:
    return np.ones(len(rows.answered), dtype=bool)


def _shift_of(
    attribute: str, group: str, reference: Invited, current: Invited, before: np.ndarray, after: np.ndarray
) -> ResponseShift:
    name = f"{attribute}: {group}"
    samples = [_sample(name, rows, chosen) for rows, chosen in ((reference, before), (current, after))]
    _, missing = shifts(samples[0], samples[1], [attribute])
    return ResponseShift(attribute, group, _share(samples[0]), _share(samples[1]), missing)


def _sample(name: str, rows: Invited, chosen: np.ndarray) -> Sample:
    # An answer is a value, no answer a missing one: the test of missing shares is the test wanted.
    return Sample(np.where(rows.answered[chosen], 1.0, np.nan)[:, None], rows.person[chosen], (name,))


def _share(sample: Sample) -> float | None:
    if not len(sample.person):
        return None
    _, position = np.unique(sample.person, return_inverse=True)
    answered = np.bincount(position, weights=~np.isnan(sample.values[:, 0])) / np.bincount(position)
    return float(answered.mean())
