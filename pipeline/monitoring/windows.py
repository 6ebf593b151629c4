"""Rows to compare: everybody at index dates of the champion's training, and at index dates after it.

Both are of persons who are eligible at the index date and whose label may be looked up, with features from the same
functions; a label that cannot be decided by the day of the data is ``NOT_MATURE``. The training rows in the file are of the
chosen index dates only and do not say when a value was measured, so the reference is cut anew at the anniversaries of the
current index date that lie in the training period: the same season, and the same consent as today.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from data_contracts.analytes import ANALYTES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.readers.parquet_files import n_partitions, read_partition
from data_contracts.time_windows import calendar_date, day_number
from features.build import build_features, observation_days
from features.catalogue import FEATURE_NAMES
from features.histories import Histories
from features.workplace import companies_on
from features.workplace_context import WorkplaceContext
from models.cohorts import RESPONSE_FEATURES
from models.outcomes.outcome import ELIGIBLE, Labels, Outcome, Status
from models.risk_model import RiskModel
from models.row_accounts import row_weights
from models.splits import person_folds
from models.training_set import RESPONSE_FOLDS, index_dates

MEASURED: tuple[str, ...] = tuple(
    name
    for name in FEATURE_NAMES
    if name in {scale.name for one in INSTRUMENTS.values() for scale in one.scales} | {one.name for one in ANALYTES}
)
"""Scales and analytes: values that are new on some day, and not counted over a window."""

_MEASURED_AT = [FEATURE_NAMES.index(name) for name in MEASURED]


@dataclass(frozen=True, eq=False)
class Window:
    """Rows at some index dates.

    Parameters
    ----------
    X : float32 array, shape (n, n_features)
        Columns of the feature catalogue; NaN is missing.
    observed_on : int32 array, shape (n, len(MEASURED))
        Day of the answer or sample behind each of :data:`MEASURED`; ``NO_DAY`` where there is none.
    person, company : str arrays, shape (n,)
        Pseudonyms; company "" where it is not known.
    t, followed_days : int32 arrays, shape (n,)
    status : int8 array, shape (n,)
        :class:`~models.outcomes.outcome.Status` as of the day of the data.
    y, weight : float64 arrays, shape (n,)
        The label, NaN where it is not known, and how many rows each stands for: 0 where it cannot be known.
    needs_diagnosis : bool array, shape (n,)
        As in :class:`~models.outcomes.outcome.Labels`.
    """

    X: np.ndarray
    observed_on: np.ndarray
    person: np.ndarray
    company: np.ndarray
    t: np.ndarray
    followed_days: np.ndarray
    status: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    needs_diagnosis: np.ndarray

    def __len__(self) -> int:
        return len(self.t)

    def take(self, rows: np.ndarray) -> Window:
        """Return the chosen rows, by position or by a bool per row."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def column(self, feature: str) -> np.ndarray:
        """Return a feature of the rows, float32 (n,)."""
        return self.X[:, FEATURE_NAMES.index(feature)]

    def columns(self, names: Sequence[str]) -> np.ndarray:
        """Return features of the rows, float32 (n, len(names))."""
        return np.ascontiguousarray(self.X[:, [FEATURE_NAMES.index(name) for name in names]])

    @property
    def observed(self) -> np.ndarray:
        """True where the label is known, shape (n,)."""
        return self.status == Status.OBSERVED

    @property
    def n_persons(self) -> int:
        """Distinct persons."""
        return len(np.unique(self.person))


def joined(windows: Sequence[Window]) -> Window:
    """Put rows under each other; at least one window."""
    return Window(*(np.concatenate([getattr(one, field.name) for one in windows]) for field in fields(Window)))


def reference_dates(index_date: date, first: date, last: date, begun: date) -> list[date]:
    """Return the anniversaries of the index date in a training period: the same season, so that winter is no drift.

    Parameters
    ----------
    index_date : date
    first, last : date
        First and last index date of the training rows.
    begun : date
        Nothing is known from before: a window that reaches further back would look empty. Earlier dates are left out.

    Returns
    -------
    list of date, rising; ``[last]`` where no anniversary is left, which :func:`is_same_season` tells apart.
    """
    months = range(12, 12 * (index_date.year - first.year) + 13, 12)
    found = [_months_before(index_date, n) for n in months]
    return sorted(day for day in found if max(first, begun) <= day <= last) or [last]


def is_same_season(index_date: date, references: Sequence[date]) -> bool:
    """True where all dates are of the month of the index date, so that winter is not compared with summer."""
    return all(day.month == index_date.month for day in references)


def past_dates(after: date, index_date: date, months_between: int) -> list[date]:
    """Return the index dates whose labels are waited for: every ``months_between`` months after a day."""
    return [day for day in index_dates(after, index_date, months_between) if after < day <= index_date]


def window_start(day: date, months: int) -> date:
    """Return the first day of the months before an index date in which new values are looked for."""
    return _months_before(day, months)


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def window_of(
    tables: Path,
    outcome: Outcome,
    dates: Sequence[date],
    data_as_of: date,
    *,
    context: WorkplaceContext | None = None,
    advance: Callable[[int], None] = lambda steps: None,
) -> Window:
    """Build the rows of everybody in ingested tables at index dates, partition by partition.

    Parameters
    ----------
    tables : Path
        Directory of the ingested tables.
    outcome : Outcome
        As configured.
    dates : sequence of date
        Index dates, at least one, none after ``data_as_of``.
    data_as_of : date
        The store as it was on this morning; consent for training must be in force on it.
    context : WorkplaceContext, optional
        The champion's snapshot of the workplaces; used at dates that are not before it, as the service does.
    advance : callable
        Called with 1 after each partition.
    """
    windows = []
    for partition in range(n_partitions(tables)):
        part = read_partition(tables, partition)
        histories = Histories.from_tables(part, purpose="model_training", consent_on=data_as_of, data_as_of=data_as_of)
        windows += [rows_at(histories, outcome, t, data_as_of, context) for t in dates]
        advance(1)
    return weighted(joined(windows), outcome)


def weighted(window: Window, outcome: Outcome) -> Window:
    """Weight the rows whose labels are decided as a training set does; the others keep the weight 1."""
    mature = np.flatnonzero(window.status != Status.NOT_MATURE)
    decided = window.take(mature)
    labels = Labels(decided.status, decided.y, decided.followed_days, decided.needs_diagnosis)
    folds = person_folds(decided.person.tolist(), RESPONSE_FOLDS)
    weight = window.weight.copy()
    if len(mature):
        weight[mature] = row_weights(outcome, labels, decided.columns(RESPONSE_FEATURES), folds)
    return replace(window, weight=weight)


def rows_at(
    histories: Histories, outcome: Outcome, on: date, data_as_of: date, context: WorkplaceContext | None = None
) -> Window:
    """Build the rows of these persons at one index date, in the order of the persons."""
    t = day_number(on)
    is_usable = context is not None and context.day <= t
    values = build_features(histories, t, context if is_usable else None).values
    eligible = outcome.eligibility(histories, t, values[:, FEATURE_NAMES.index("age_years")]) == ELIGIBLE
    kept = np.flatnonzero(eligible & outcome.label_is_consented(histories))
    labels = outcome.labels(histories, t, day_number(data_as_of)).take(kept)
    companies = np.array([*histories.companies, ""], dtype=np.str_)[companies_on(histories, t)[kept]]
    return Window(
        X=values[kept],
        observed_on=observation_days(histories, t)[kept][:, _MEASURED_AT],
        person=np.array(histories.person_ids, dtype=np.str_)[kept],
        company=companies,
        t=np.full(len(kept), t, dtype=np.int32),
        followed_days=labels.followed_days,
        status=labels.status,
        y=labels.y,
        weight=np.ones(len(kept)),
        needs_diagnosis=labels.needs_diagnosis,
    )


def linear_scores(model: RiskModel, window: Window) -> np.ndarray:
    """Return what the model says on its linear scale (log-odds or log days), float64 (n,)."""
    return model.log_odds(window.columns(model.feature_names))


def matures_on(t: int, outcome: Outcome) -> date:
    """Return the first morning on which the labels of an index date are known."""
    return calendar_date(t) + timedelta(days=outcome.mature_after_days)
