"""A block: the rows of one source as flat arrays, sorted by owner, with one offset per owner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.segments import expanded_ranges, order_of, repeats

FOREVER = np.iinfo(np.int32).max
"""``known_until`` of a version that nothing has replaced."""


@dataclass(frozen=True)
class Block:
    """Rows of one source, each with the days on which it was the version to believe.

    A row counts at ``t`` iff ``known_from < t <= known_until``: the next version of the fact is visible from the day
    after ``known_until``. Deletions have no row of their own; they end the version before them.

    Parameters
    ----------
    offsets : int64 array, shape (n_owners + 1,)
        Rows ``offsets[i]:offsets[i + 1]`` belong to owner ``i`` (a person; for workplace events a company).
    columns : dict of arrays, shape (n_rows,)
        Always with ``known_from`` and ``known_until`` (int32 days).
    """

    offsets: np.ndarray
    columns: dict[str, np.ndarray]

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def owners(self) -> np.ndarray:
        """Return the owner of every row, int32."""
        return np.arange(len(self.offsets) - 1, dtype=np.int32).repeat(self.counts())

    def counts(self) -> np.ndarray:
        """Return the number of rows of every owner."""
        return self.offsets[1:] - self.offsets[:-1]

    def between(self, first: int, end: int) -> Block:
        """Return the owners ``first:end`` as views, without copying a row."""
        start, stop = self.offsets[first], self.offsets[end]
        columns = {name: column[start:stop] for name, column in self.columns.items()}
        return Block(self.offsets[first : end + 1] - start, columns)

    def take(self, owners: np.ndarray) -> Block:
        """Return the chosen owners in the given order; an owner may be asked for more than once."""
        counts = self.counts()[owners]
        rows = expanded_ranges(self.offsets[owners], counts)
        return Block(_offsets(counts), {name: column[rows] for name, column in self.columns.items()})


def block(owner: np.ndarray, n_owners: int, columns: dict[str, np.ndarray], sort_by: tuple[np.ndarray, ...]) -> Block:
    """Sort rows by owner and then ``sort_by``, and set the offsets."""
    order = order_of(owner, *sort_by)
    return sorted_block(owner, n_owners, {name: column[order] for name, column in columns.items()})


def sorted_block(owner: np.ndarray, n_owners: int, columns: dict[str, np.ndarray]) -> Block:
    """Set the offsets of rows that are sorted already; of ``owner`` only the counts matter."""
    return Block(_offsets(np.bincount(owner, minlength=n_owners)), columns)


def _offsets(counts: np.ndarray) -> np.ndarray:
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    counts.cumsum(out=offsets[1:])
    return offsets


def versions(
    fact: tuple[np.ndarray, ...], known_from: np.ndarray, is_deleted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows that are ever the version to believe, and until when.

    Parameters
    ----------
    fact : tuple of int arrays, shape (n_rows,)
        Equal in all columns for the versions of one fact.
    known_from : int32 array; is_deleted : bool array

    Returns
    -------
    rows : int64 array, positions of the rows to keep; known_until : int32 array. Of identical rows one is kept.
    """
    order = order_of(*fact, known_from)
    known_from = known_from[order]
    known_until = until_next(repeats(*(column[order] for column in fact)), known_from)
    keep = (~is_deleted[order] & (known_from < known_until)).nonzero()[0]
    return order[keep], known_until[keep]


def until_next(is_version: np.ndarray, known_from: np.ndarray) -> np.ndarray:
    """Return ``known_until`` of versions sorted by fact and ``known_from``.

    ``is_version`` tells of every row but the first whether it is another version of the fact before it.
    """
    known_until = np.full(len(known_from), FOREVER, dtype=np.int32)
    known_until[:-1][is_version] = known_from[1:][is_version]
    return known_until
