"""Eligible persons at index dates: features, labels, weights, and a count of everybody who is not there.

Features of a row use only what was known before its index date, labels everything known by ``data_as_of``. Files are
the same bytes for the same data, so that any past training set can be rebuilt bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import MissingInputError, NotEnoughDataError
from data_contracts.tables import Table
from data_contracts.time_windows import NO_DAY, calendar_date, day_number
from features.build import build_features
from features.catalogue import FEATURE_NAMES, FINGERPRINT
from features.histories import Histories
from models.observation_weights import censoring_weights, effective_sample_size, response_weights
from models.outcomes.outcome import ELIGIBLE, Labels, Outcome, Status
from models.splits import person_folds

RESPONSE_FEATURES = ("age_years", "is_female", "tenure_years", "days_doctor_365", "cbi_personal", "cbi_work")
"""Baseline features that may explain who answers a later survey."""

RESPONSE_FOLDS = 5

_ARRAYS = ("X", "y", "status", "person", "t", "followed_days", "weight", "person_ids", "feature_names")


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Rows of one outcome, ordered by index date, then person.

    Parameters
    ----------
    outcome : str
    feature_names : str array, shape (n_features,)
    person_ids : str array, shape (n_persons,)
        Pseudonyms of the persons who have a row.
    X : float32 array, shape (n, n_features)
    y : float64 array, shape (n,)
        1 event, 0 no event, NaN where it could not be observed.
    status : int8 array, shape (n,)
        :class:`~models.outcomes.outcome.Status`.
    person : int32 array, shape (n,)
        Position in ``person_ids``.
    t : int32 array, shape (n,)
        Index dates as day numbers.
    followed_days : int32 array, shape (n,)
        Days from t to the event, the censoring or the end of the horizon.
    weight : float64 array, shape (n,)
        How many rows each stands for; 0 where the label could not be observed.
    flow : dict
        Reason -> number of (person, index date) pairs; adds up to all pairs.
    facts : dict
        JSON values: where the rows come from and how they were weighted.
    """

    outcome: str
    feature_names: np.ndarray
    person_ids: np.ndarray
    X: np.ndarray
    y: np.ndarray
    status: np.ndarray
    person: np.ndarray
    t: np.ndarray
    followed_days: np.ndarray
    weight: np.ndarray
    flow: dict[str, int]
    facts: dict[str, Any]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def observed(self) -> np.ndarray:
        """True where the label is known, shape (n,)."""
        return self.status == Status.OBSERVED

    @property
    def censored_on(self) -> np.ndarray:
        """Day of censoring, ``NO_DAY`` where there was none, shape (n,)."""
        return np.where(self.status == Status.CENSORED, self.t + self.followed_days, NO_DAY).astype(np.int32)

    def save(self, stem: Path) -> None:
        """Write ``stem.npz`` (arrays) and ``stem.json`` (flow counts and facts)."""
        stem.parent.mkdir(parents=True, exist_ok=True)
        # numpy.savez gives every member the same date (1980), so equal arrays are equal bytes.
        np.savez(_with_suffix(stem, ".npz"), **{name: getattr(self, name) for name in _ARRAYS})
        about = {"outcome": self.outcome, "flow": self.flow, "facts": self.facts}
        _with_suffix(stem, ".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, stem: Path) -> TrainingSet:
        """Read what :meth:`save` wrote; raises MissingInputError."""
        if not _with_suffix(stem, ".npz").exists():
            raise MissingInputError(
                f"{_with_suffix(stem, '.npz')}: not there yet. Run: balance-risk build-training-set"
            )
        about = json.loads(_with_suffix(stem, ".json").read_text(encoding="utf-8"))
        with np.load(_with_suffix(stem, ".npz"), allow_pickle=False) as arrays:
            return cls(**about, **{name: arrays[name] for name in _ARRAYS})


def _with_suffix(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def index_dates(first: date, last: date, months_between: int) -> list[date]:
    """First days of months from ``first`` on, every ``months_between`` months, none after ``last``."""
    month = first.year * 12 + first.month - 1 + (first.day > 1)
    end = last.year * 12 + last.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(month, end + 1, months_between)]


def build_training_set(
    tables: dict[str, Table],
    outcome: Outcome,
    dates: Sequence[date],
    data_as_of: date,
    *,
    synthetic: bool = False,
) -> TrainingSet:
    """Build the training set of one outcome.

    Parameters
    ----------
    tables : dict of Table
        Checked tables by name.
    outcome : Outcome
    dates : sequence of date
        Index dates.
    data_as_of : date
        Use the store as it was on this morning; consent for training must be in force on this day.
    synthetic : bool
        True for simulated persons; carried into every model and report.

    Returns
    -------
    TrainingSet

    Raises
    ------
    NotEnoughDataError
        No index date was given.
    """
    if not dates:
        raise NotEnoughDataError(
            f"No index date for {outcome.name}: a label takes {outcome.mature_after_days} days to be known. "
            "Set training.first_index_date earlier, or bring data over a longer time."
        )
    histories = Histories.from_tables(tables, purpose="model_training", consent_on=data_as_of, data_as_of=data_as_of)
    known_by = day_number(data_as_of)
    cohorts = [_cohort(histories, outcome, day_number(t), known_by) for t in sorted(dates)]
    return _assemble(histories, outcome, cohorts, {"data_as_of": data_as_of.isoformat(), "synthetic": synthetic})


@dataclass(frozen=True)
class _Cohort:
    """Eligible persons with a mature label at one index date, and the count of all others."""

    t: int
    persons: np.ndarray
    values: np.ndarray
    labels: Labels
    flow: dict[str, int]


def _cohort(histories: Histories, outcome: Outcome, t: int, data_as_of: int) -> _Cohort:
    matrix = build_features(histories, t)
    reason = outcome.eligibility(histories, t, matrix.values[:, FEATURE_NAMES.index("age_years")])
    labels = outcome.labels(histories, t, data_as_of)
    eligible, mature = reason == ELIGIBLE, labels.status != Status.NOT_MATURE
    consented = outcome.label_is_consented(histories)
    kept = np.flatnonzero(eligible & mature & consented)
    counts = np.bincount(reason[~eligible], minlength=len(outcome.reasons))
    flow = {name: int(count) for name, count in zip(outcome.reasons, counts, strict=True)}
    flow["label not mature"] = int((eligible & ~mature).sum())
    flow[f"no consent for {outcome.label_source} data, so no label"] = int((eligible & mature & ~consented).sum())
    return _Cohort(t, kept, matrix.values[kept], labels.take(kept), flow)


def _assemble(histories: Histories, outcome: Outcome, cohorts: list[_Cohort], facts: dict[str, Any]) -> TrainingSet:
    status, y, followed_days = (
        np.concatenate([getattr(cohort.labels, name) for cohort in cohorts])
        for name in ("status", "y", "followed_days")
    )
    persons, person = np.unique(np.concatenate([cohort.persons for cohort in cohorts]), return_inverse=True)
    person_ids = np.array([histories.person_ids[position] for position in persons], dtype=np.str_)
    X = np.concatenate([cohort.values for cohort in cohorts])
    weight = _weights(outcome, X, status, y, followed_days, person_folds(person_ids.tolist(), RESPONSE_FOLDS)[person])
    t = np.concatenate([np.full(len(cohort.persons), cohort.t, dtype=np.int32) for cohort in cohorts])
    return TrainingSet(
        outcome=outcome.name, feature_names=np.array(FEATURE_NAMES, dtype=np.str_), person_ids=person_ids,
        X=X, y=y, status=status, person=person.astype(np.int32), t=t, followed_days=followed_days, weight=weight,
        flow=_flow(outcome, cohorts, status, y),
        facts=facts | _facts(histories, outcome, cohorts, weight, y),
    )  # fmt: skip


def _weights(
    outcome: Outcome, X: np.ndarray, status: np.ndarray, y: np.ndarray, followed_days: np.ndarray, fold: np.ndarray
) -> np.ndarray:
    if outcome.incomplete_because == "left employment":
        return censoring_weights(followed_days, y == 1, status == Status.CENSORED, outcome.horizon_days)
    columns = [FEATURE_NAMES.index(name) for name in RESPONSE_FEATURES]
    return response_weights(X[:, columns], status == Status.OBSERVED, fold)


def _flow(outcome: Outcome, cohorts: list[_Cohort], status: np.ndarray, y: np.ndarray) -> dict[str, int]:
    left_out = {reason: sum(cohort.flow[reason] for cohort in cohorts) for reason in cohorts[0].flow}
    unknown = int((status != Status.OBSERVED).sum())
    return left_out | {
        outcome.incomplete_because: unknown,
        "no event": int((y == 0).sum()),
        "event": int((y == 1).sum()),
    }


def _facts(
    histories: Histories, outcome: Outcome, cohorts: list[_Cohort], weight: np.ndarray, y: np.ndarray
) -> dict[str, Any]:
    observed = weight[np.isfinite(y)]
    return {
        "index_dates": [calendar_date(cohort.t).isoformat() for cohort in cohorts],
        "horizon_days": outcome.horizon_days,
        "embargo_days": outcome.embargo_days,
        "registration_lag_days": outcome.registration_lag_days,
        "fingerprint": FINGERPRINT,
        "persons_in_store": len(histories),
        "weights": {
            "because": outcome.incomplete_because,
            "largest": float(observed.max(initial=0.0)),
            "effective_sample_size": effective_sample_size(observed),
        },
    }
