"""Which rows train and which test: forward in time, an embargo as long as the horizon, and no person on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from data_contracts.errors import NotEnoughDataError


@dataclass(frozen=True)
class Split:
    """Positions of training and test rows, and how many rows are in neither, by reason."""

    train: np.ndarray
    test: np.ndarray
    first_test_day: int
    left_out: dict[str, int]


def person_shares(person_ids: Sequence[str], purpose: str) -> np.ndarray:
    """Place each person at a fixed point in [0, 1), by a hash of the pseudonym and what the draw is for.

    Parameters
    ----------
    person_ids : sequence of str
    purpose : str
        Draws for different purposes are independent.

    Returns
    -------
    float64 array, shape (n_persons,): the same for a person whoever else is there.
    """
    digests = (blake2b(f"{purpose}:{person}".encode(), digest_size=8).digest() for person in person_ids)
    return np.array([int.from_bytes(digest, "big") / 2**64 for digest in digests], dtype=np.float64)


def person_folds(person_ids: Sequence[str], folds: int) -> np.ndarray:
    """Assign each person to one of ``folds`` folds, shape (n_persons,); all rows of a person share the fold."""
    return (person_shares(person_ids, "fold") * folds).astype(np.int8)


def temporal_split(
    t: np.ndarray,
    person: np.ndarray,
    person_ids: Sequence[str],
    *,
    embargo_days: int,
    test_months: int,
    test_share: float,
) -> Split:
    """Hold out the last index dates of a share of the persons.

    Parameters
    ----------
    t : int32 array, shape (n_rows,)
        Index dates.
    person : int32 array, shape (n_rows,)
        Position of each row's person in ``person_ids``.
    person_ids : sequence of str
    embargo_days : int
        A training row's horizon ends before the first test date: ``t + embargo_days <= first_test_day``.
    test_months : int
        Index dates within this many months of the last one are test dates.
    test_share : float
        Share of persons that test.

    Raises
    ------
    NotEnoughDataError
        No row is left for training or for testing.
    """
    first_test_day = _first_test_day(t, test_months)
    tests = (person_shares(person_ids, "test") < test_share)[person]
    late, early = t >= first_test_day, t + embargo_days <= first_test_day
    split = Split(
        train=np.flatnonzero(~tests & early),
        test=np.flatnonzero(tests & late),
        first_test_day=first_test_day,
        left_out={
            "embargo: horizon reaches into the test period": int((~tests & ~early & ~late).sum()),
            "training person at a test date": int((~tests & late).sum()),
            "test person before the test period": int((tests & ~late).sum()),
        },
    )
    _refuse_empty(split, embargo_days)
    return split


def _first_test_day(t: np.ndarray, test_months: int) -> int:
    if len(t) == 0:
        raise NotEnoughDataError(
            "The training set has no rows. Read its flow counts: they say why each pair was left out."
        )
    last = np.datetime64(int(t.max()), "D")
    month = last.astype("datetime64[M]")
    boundary = (month - test_months).astype("datetime64[D]") + (last - month.astype("datetime64[D]"))
    return int(t[t > boundary.astype(np.int64)].min())


def _refuse_empty(split: Split, embargo_days: int) -> None:
    for name, rows in (("training", split.train), ("test", split.test)):
        if len(rows) == 0:
            raise NotEnoughDataError(
                f"No {name} row is left: index dates must span more than the embargo of {embargo_days} days plus the "
                "test period. Use earlier index dates (training.first_index_date) or fewer training.test_months."
            )
