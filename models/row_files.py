"""Feature rows on disk, written and read piece by piece: nobody holds the rows of a whole population."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """Yield a place to write that takes the place of ``path`` when the block ends well, and else goes.

    Several processes may write the same file at once: each has a place of its own, and each puts a whole file there.
    """
    partial = path.with_name(f"{path.name}.{uuid4().hex}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def rows_kept_in(path: Path) -> Iterator[Callable[[np.ndarray], object]]:
    """Yield what appends float32 rows to a file without a header, which is there when the block has ended well."""
    with whole_or_nothing(path) as partial, partial.open("wb") as file:
        yield lambda rows: file.write(rows.astype("<f4", copy=False).tobytes())


def rows_between(path: Path, n_columns: int, first: int, end: int) -> np.ndarray:
    """Return the rows ``first:end`` of a file that :func:`rows_kept_in` has written; raises OSError if it has fewer."""
    rows = np.fromfile(path, dtype="<f4", count=(end - first) * n_columns, offset=first * n_columns * 4)
    if len(rows) < (end - first) * n_columns:
        raise OSError(f"{path} ends before row {end}")
    return rows.reshape(-1, n_columns)


def merged_rows(
    part: np.ndarray, n_columns: int, read: Callable[[int, int, int], np.ndarray], rows: int = 20_000
) -> Iterator[np.ndarray]:
    """Yield the rows of several parts in their common order.

    Parameters
    ----------
    part : int array, shape (n,)
        The part that each row comes from; the rows of a part are in the common order already.
    n_columns : int
    read : callable
        ``read(part, first, end)`` gives rows of a part.
    rows : int
        Rows of one piece: what is in memory.

    Yields
    ------
    float32 arrays, shape (at most ``rows``, n_columns); at least one.
    """
    taken: dict[int, int] = {}
    for first in range(0, max(1, len(part)), rows):
        piece = part[first : first + rows]
        found = np.empty((len(piece), n_columns), dtype=np.float32)
        for one in np.unique(piece).tolist():
            places = np.flatnonzero(piece == one)
            start = taken.get(one, 0)
            taken[one] = start + len(places)
            found[places] = read(one, start, taken[one])
        yield found


def write_npz(path: Path, rows: Iterable[np.ndarray], shape: tuple[int, int], others: Mapping[str, np.ndarray]) -> None:
    """Write the bytes of ``numpy.savez(path, X=rows, **others)``, with the rows of X coming piece by piece.

    Zip members opened by name have the date 1980-01-01, so equal arrays are equal bytes.
    """
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        with archive.open("X.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, header)
            for piece in rows:
                member.write(piece.astype("<f4", copy=False).tobytes())
        for name, values in others.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)
