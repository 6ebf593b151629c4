"""Which rows take part when a model is judged in companies and industries that it has not seen, and how these are divided."""

from __future__ import annotations

import numpy as np

from models.splits import person_shares
from models.training_set import TrainingSet

MOST_PERSONS = 20_000
"""More persons than this are not needed to see how companies differ."""

MOST_ROWS = 40_000
"""Above this, a model learns from some index dates only: rows of one person a quarter apart tell mostly the same."""

INDUSTRY = "industry_"


def drawn_rows(training_set: TrainingSet, rows: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return the rows that take part: those of whole companies, in an order by hash, until enough persons are reached.

    Parameters
    ----------
    training_set : TrainingSet
    rows : int array, shape (n,)
        Rows with a known company.
    folds : int
        Of a company that is larger than a fold's part of ``MOST_PERSONS``, so many persons take part.
    seed : int
        Another draws other companies.
    """
    return np.asarray(rows[_whole_companies(training_set, rows, max(1, MOST_PERSONS // folds), seed)])


def learning_rows(t: np.ndarray) -> np.ndarray:
    """Say which rows a model learns from, bool (n,): every so many index dates, counted from the last; ``t`` (n,)."""
    every = max(1, -(-len(t) // MOST_ROWS))
    return np.isin(t, np.unique(t)[::-every])


def _whole_companies(training_set: TrainingSet, rows: np.ndarray, most_of_one: int, seed: int) -> np.ndarray:
    """Say which rows are of companies that are drawn, bool (n,)."""
    pairs, place = np.unique(
        np.stack([training_set.company[rows], training_set.person[rows]]), axis=1, return_inverse=True
    )
    turn = person_shares(training_set.company_ids.tolist(), f"internal-external {seed}")[pairs[0]]
    within = person_shares(training_set.person_ids.tolist(), f"internal-external {seed}")[pairs[1]]
    order = np.lexsort((within, turn))
    starts = np.flatnonzero(np.diff(turn[order], prepend=-1.0))
    number = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    taken = number < most_of_one
    taken &= np.cumsum(taken) <= MOST_PERSONS
    keep = np.empty(len(order), dtype=bool)
    keep[order] = taken
    return np.asarray(keep[place.ravel()])


def industries(X: np.ndarray, names: list[str]) -> tuple[np.ndarray, dict[int, str]]:
    """Return the industry of each row, -1 where it is not known, and the names of the industries.

    Parameters
    ----------
    X : float32 array, shape (n, n_features)
    names : list of str
        Of the features; those that begin with ``industry_`` are 1 in the rows of that industry.
    """
    columns = [place for place, name in enumerate(names) if name.startswith(INDUSTRY)]
    labels = [names[place].removeprefix(INDUSTRY) for place in columns] + ["other"]
    is_in = np.column_stack([X[:, columns] == 1, np.ones(len(X), dtype=bool)])
    unknown = np.isnan(X[:, columns]).any(axis=1)
    return np.where(unknown, -1, is_in.argmax(axis=1)), dict(enumerate(labels))


def cluster_folds(cluster: np.ndarray, folds: int) -> np.ndarray:
    """Return the fold of each row, -1 for those of cluster -1: the largest clusters first, each to the fold with fewest rows.

    Parameters
    ----------
    cluster : int array, shape (n,)
    folds : int
        At most as many as there are clusters.
    """
    known, count = np.unique(cluster[cluster >= 0], return_counts=True)
    filled, fold_of = np.zeros(folds, dtype=np.int64), np.empty(len(known), dtype=np.int64)
    for place in np.argsort(-count, kind="stable"):
        fold_of[place] = filled.argmin()
        filled[fold_of[place]] += count[place]
    return np.where(cluster < 0, -1, fold_of[np.searchsorted(known, np.maximum(cluster, known[0]))])
