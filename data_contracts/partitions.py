"""Which partition a person is in: a fixed hash of the pseudonym, so that a partition can be read and worked on alone."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

import numpy as np

from data_contracts.records import Record, columns
from data_contracts.tables import Coded, Table, take

PARTITION_PERSONS = 20_000
"""Persons of one partition, about. Not a setting: no result depends on it, only how much memory one process needs."""


def partitions_for(n_persons: int) -> int:
    """Return how many partitions so many persons make, at least one."""
    return max(1, -(-n_persons // PARTITION_PERSONS))


def has_persons(record: type[Record]) -> bool:
    """True for a table with one person per row; what belongs to companies is not divided."""
    return any(column.name == "person_id" for column in columns(record))


def partition_of(person_ids: Coded, n_partitions: int) -> np.ndarray:
    """Return the partition of each row's person.

    Parameters
    ----------
    person_ids : Coded, length n
    n_partitions : int

    Returns
    -------
    int32 array, shape (n,): CRC-32 of the pseudonym's UTF-8 bytes modulo ``n_partitions``; the same on every machine and
    whoever else is there.
    """
    hashes = np.array([crc32(text.encode()) for text in person_ids.vocabulary] + [0], dtype=np.int64)
    return (hashes % n_partitions).astype(np.int32)[person_ids.codes]


def divided(table: Table, n_partitions: int) -> Iterator[Table]:
    """Yield a table with persons partition by partition, empty ones too; in each, rows keep their order."""
    if n_partitions == 1:
        yield table
        return
    partition = partition_of(table["person_id"], n_partitions)
    order = np.argsort(partition, kind="stable")
    ends = np.cumsum(np.bincount(partition, minlength=n_partitions))
    for rows in np.split(order, ends[:-1]):
        yield take(table, rows)
