"""Eligible persons at index dates: features, labels, weights, and a count of everybody who is not there.

Features of a row use only what was known before its index date, labels everything known by ``data_as_of``. Files are
the same bytes for the same data, so that any past training set can be rebuilt bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import MissingInputError, NotEnoughDataError
from data_contracts.tables import Table
from data_contracts.time_windows import NO_DAY, day_number
from features.catalogue import FEATURE_NAMES
from features.histories import Histories
from models.cohorts import Part, part_of, published_contexts
from models.outcomes.outcome import Labels, Outcome, Status
from models.row_accounts import flow_counts, row_facts, row_weights
from models.row_files import mapped, whole_or_nothing, write_npz
from models.splits import person_folds

RESPONSE_FOLDS = 5

_SMALL = (
    "y",
    "status",
    "person",
    "company",
    "t",
    "followed_days",
    "weight",
    "person_ids",
    "company_ids",
    "feature_names",
)
"""The arrays without the features, in the order of the file."""


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Rows of one outcome, ordered by index date, then person.

    Parameters
    ----------
    outcome : str
    feature_names : str array, shape (n_features,)
    person_ids : str array, shape (n_persons,)
        Pseudonyms of the persons who have a row.
    company_ids : str array, shape (n_companies,)
        Companies of the rows, sorted.
    X : float32 array, shape (n, n_features)
    y : float64 array, shape (n,)
        1 event, 0 no event, or a number of days (``facts["target"]``); NaN where it could not be observed.
    status : int8 array, shape (n,)
        :class:`~models.outcomes.outcome.Status`.
    person : int32 array, shape (n,)
        Position in ``person_ids``.
    company : int32 array, shape (n,)
        Position in ``company_ids`` of the company of the main job at t; -1 where it is not known.
    t : int32 array, shape (n,)
        Index dates as day numbers.
    followed_days : int32 array, shape (n,)
        Days from t to the event, the censoring, what left the label unknown, or the end of the horizon.
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
    company_ids: np.ndarray
    X: np.ndarray
    y: np.ndarray
    status: np.ndarray
    person: np.ndarray
    company: np.ndarray
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
        arrays = {name: getattr(self, name) for name in _SMALL}
        Rows(self.outcome, arrays, self.flow, self.facts, np.zeros(len(self), dtype=np.int32)).save(stem, [self.X])

    @classmethod
    def load(cls, stem: Path) -> TrainingSet:
        """Read what :meth:`save` wrote, the features as they are asked for; raises MissingInputError."""
        if not _with_suffix(stem, ".npz").exists():
            raise MissingInputError(
                f"{_with_suffix(stem, '.npz')}: not there yet. Run: balance-risk build-training-set"
            )
        about = json.loads(_with_suffix(stem, ".json").read_text(encoding="utf-8"))
        with np.load(_with_suffix(stem, ".npz"), allow_pickle=False) as arrays:
            small = {name: arrays[name] for name in _SMALL}
        return cls(**about, X=mapped(_with_suffix(stem, ".npz"), "X"), **small)


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
    X: list[np.ndarray] = []
    days = [day_number(t) for t in sorted(dates)]
    part = part_of(histories, outcome, days, day_number(data_as_of), published_contexts(histories), X.append)
    rows = assembled(outcome, [part], {"data_as_of": data_as_of.isoformat(), "synthetic": synthetic})
    return TrainingSet(rows.outcome, X=np.concatenate(X), **rows.arrays, flow=rows.flow, facts=rows.facts)


@dataclass(frozen=True, eq=False)
class Rows:
    """A training set but for its features, which stay where the parts have put them.

    Parameters
    ----------
    outcome : str
    arrays : dict of array
        All arrays of :class:`TrainingSet` except X.
    flow, facts : dict
    part : int32 array, shape (n,)
        The part that each row comes from; the rows of a part keep their order.
    """

    outcome: str
    arrays: dict[str, np.ndarray]
    flow: dict[str, int]
    facts: dict[str, Any]
    part: np.ndarray

    def __len__(self) -> int:
        return len(self.part)

    def save(self, stem: Path, X: Iterable[np.ndarray]) -> None:
        """Write the training set with its features, which come piece by piece in the order of the rows."""
        stem.parent.mkdir(parents=True, exist_ok=True)
        about = {"outcome": self.outcome, "flow": self.flow, "facts": self.facts}
        _with_suffix(stem, ".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        shape = (len(self), len(self.arrays["feature_names"]))
        with whole_or_nothing(_with_suffix(stem, ".npz")) as partial:
            write_npz(partial, X, shape, self.arrays)


def assembled(outcome: Outcome, parts: Sequence[Part], facts: dict[str, Any]) -> Rows:
    """Bring the rows of all parts into one order and weight them over all.

    Parameters
    ----------
    outcome : Outcome
    parts : sequence of Part
        Of disjoint persons; at least one. The result does not depend on how persons are divided into parts.
    facts : dict
        What the set is of; facts about the rows are added.
    """
    ids = np.concatenate([part.person_ids for part in parts])
    by_name = np.argsort(ids)
    rank = np.empty(len(ids), dtype=np.int32)
    rank[by_name] = np.arange(len(ids), dtype=np.int32)
    firsts = np.cumsum([0, *(len(part.person_ids) for part in parts)])
    person = np.concatenate([rank[first:][part.person] for first, part in zip(firsts, parts, strict=False)])
    t = np.concatenate([part.t for part in parts])
    order = np.lexsort((person, t))
    of_part = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])[order]
    labels = Labels(*(np.concatenate([getattr(part, one.name) for part in parts])[order] for one in fields(Labels)))
    response = np.concatenate([part.response for part in parts])[order]
    person_ids, person, t = ids[by_name], person[order], t[order]
    company_ids, company = _companies(np.concatenate([part.company for part in parts])[order])
    folds = person_folds(person_ids.tolist(), RESPONSE_FOLDS)[person]
    weight = row_weights(outcome, labels, response, folds)
    arrays = {"y": labels.y, "status": labels.status, "person": person, "company": company, "t": t,
              "followed_days": labels.followed_days, "weight": weight, "person_ids": person_ids,
              "company_ids": company_ids, "feature_names": np.array(FEATURE_NAMES, dtype=np.str_)}  # fmt: skip
    return Rows(outcome.name, arrays, flow_counts(outcome, parts, labels),
                facts | row_facts(outcome, parts, labels, weight), of_part)  # fmt: skip


def _companies(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted names but "", and each row's position among them, -1 for ""."""
    known = np.unique(names[names != ""])
    return known, np.where(names == "", -1, np.searchsorted(known, names)).astype(np.int32)
