"""Who is in a training set, partition by partition: eligible persons at index dates with features, labels and flow counts.

Partitions know nothing of each other, so they can be worked on anywhere and in any order. The features of a partition are
handed on date by date: they are never in memory for all dates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from features.build import build_features
from features.catalogue import FEATURE_NAMES
from features.histories import Histories
from features.workplace import companies_on
from features.workplace_context import WorkplaceContext, workplace_context
from models.outcomes.outcome import ELIGIBLE, Labels, Outcome, Status

RESPONSE_FEATURES = ("age_years", "is_female", "tenure_years", "days_doctor_365", "cbi_personal", "cbi_work")
"""Baseline features that may explain who answers a later survey."""

_RESPONSE_COLUMNS = [FEATURE_NAMES.index(name) for name in RESPONSE_FEATURES]


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of one partition without their features, ordered by index date, then person.

    Parameters
    ----------
    days : tuple of int
        Index dates as day numbers, also those without a row.
    n_persons : int
        Persons of the partition, with and without a row.
    person_ids : str array, shape (m,)
        Those with a row, sorted.
    person : int32 array, shape (n,)
        Position in ``person_ids``.
    company : str array, shape (n,)
        Company of the main job at the index date, "" where it is not known.
    t, followed_days : int32 arrays, shape (n,)
    y : float64 array, shape (n,)
    status : int8 array, shape (n,)
    needs_diagnosis : bool array, shape (n,)
    response : float32 array, shape (n, len(RESPONSE_FEATURES)); no columns where no answer is waited for.
    flow : dict
        Reason -> number of (person, index date) pairs that have no row.
    """

    days: tuple[int, ...]
    n_persons: int
    person_ids: np.ndarray
    person: np.ndarray
    company: np.ndarray
    t: np.ndarray
    y: np.ndarray
    status: np.ndarray
    followed_days: np.ndarray
    needs_diagnosis: np.ndarray
    response: np.ndarray
    flow: dict[str, int]

    def __len__(self) -> int:
        return len(self.y)


Context = Callable[[int], WorkplaceContext]
"""Gives the workplaces of everybody, in all partitions, on the morning of an index date."""


def published_contexts(histories: Histories) -> Context:
    """Return the workplaces as these histories alone tell of them, in the form in which a snapshot leaves the store."""
    return lambda t: workplace_context(histories, t).published()


def part_of(
    histories: Histories,
    outcome: Outcome,
    days: Sequence[int],
    data_as_of: int,
    context: Context,
    keep: Callable[[np.ndarray], object],
) -> Part:
    """Cut the histories of a partition at every index date and label what followed.

    Parameters
    ----------
    histories : Histories
        Everybody of the partition, sorted by pseudonym.
    outcome : Outcome
    days : sequence of int
        Index dates as day numbers, rising.
    data_as_of : int
        Day number; labels use everything known by then.
    context : callable
        How the workplaces of everybody were at an index date.
    keep : callable
        Is given the features of each index date's rows, float32, shape (n_rows, n_features), in the order of the dates.
    """
    cohorts = [_cohort(histories, outcome, t, data_as_of, context(t), keep) for t in days]
    position = np.concatenate([cohort.persons for cohort in cohorts])
    persons, person = np.unique(position, return_inverse=True)
    labels = {
        field.name: np.concatenate([getattr(cohort.labels, field.name) for cohort in cohorts])
        for field in fields(Labels)
    }
    return Part(
        days=tuple(days),
        n_persons=len(histories),
        person_ids=np.array([histories.person_ids[place] for place in persons], dtype=np.str_),
        person=person.astype(np.int32),
        company=np.concatenate([cohort.company for cohort in cohorts]),
        t=np.repeat(np.array(days, dtype=np.int32), [len(cohort.persons) for cohort in cohorts]),
        **labels,
        response=np.concatenate([cohort.response for cohort in cohorts]),
        flow={reason: sum(cohort.flow[reason] for cohort in cohorts) for reason in cohorts[0].flow},
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Cohort:
    """Eligible persons with a mature label at one index date, and the count of all others."""

    persons: np.ndarray
    company: np.ndarray
    labels: Labels
    response: np.ndarray
    flow: dict[str, int]


def _cohort(
    histories: Histories,
    outcome: Outcome,
    t: int,
    data_as_of: int,
    context: WorkplaceContext,
    keep: Callable[[np.ndarray], object],
) -> _Cohort:
    values = build_features(histories, t, context).values
    reason = outcome.eligibility(histories, t, values[:, FEATURE_NAMES.index("age_years")])
    labels = outcome.labels(histories, t, data_as_of)
    eligible, mature = reason == ELIGIBLE, labels.status != Status.NOT_MATURE
    consented = outcome.label_is_consented(histories)
    kept = np.flatnonzero(eligible & mature & consented)
    counts = np.bincount(reason[~eligible], minlength=len(outcome.reasons))
    flow = {name: int(count) for name, count in zip(outcome.reasons, counts, strict=True)}
    flow["label not mature"] = int((eligible & ~mature).sum())
    flow[f"no consent for {outcome.label_source} data, so no label"] = int((eligible & mature & ~consented).sum())
    values = values[kept]
    keep(values)
    waits = outcome.incomplete_because == "no survey in the window"
    company = np.array([*histories.companies, ""], dtype=np.str_)[companies_on(histories, t)[kept]]
    return _Cohort(kept, company, labels.take(kept), values[:, _RESPONSE_COLUMNS if waits else []], flow)
