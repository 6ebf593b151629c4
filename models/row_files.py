"""Feature rows on disk, written and read piece by piece: nobody holds the rows of a whole population."""

from __future__ import annotations

import mmap
import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np

_LENGTHS_AT = 26
"""Where the header of a member of a zip file says how long its name and its extra field are."""

_COPIED_AT_ONCE = 20_000
"""Rows: about 30 MB of features."""


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


def rows_of(X: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return a copy of the rows at these positions; of rows on the disk (:func:`mapped`) little stays in memory beside it."""
    mapping = _mapping_of(X)
    if mapping is None:
        return np.asarray(X[positions])
    found = np.empty((len(positions), *X.shape[1:]), dtype=X.dtype)
    for first in range(0, len(positions), _COPIED_AT_ONCE):
        found[first : first + _COPIED_AT_ONCE] = X[positions[first : first + _COPIED_AT_ONCE]]
        mapping.madvise(mmap.MADV_DONTNEED)
    return found


def _mapping_of(X: np.ndarray) -> mmap.mmap | None:
    base = X.base
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def mapped(path: Path, name: str) -> np.ndarray:
    """Return an array of a file that :func:`write_npz` has written; it stays on the disk, and what is read of it comes.

    The file may be replaced meanwhile, as everything here writes a new one: the rows of the old stay readable.
    """
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        member = archive.getinfo(f"{name}.npy")
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{path}: {name} is compressed")
        file.seek(member.header_offset + _LENGTHS_AT)
        name_length, extra_length = struct.unpack("<HH", file.read(4))
        file.seek(name_length + extra_length, os.SEEK_CUR)
        np.lib.format.read_magic(file)
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
        where = np.memmap(path, dtype, "r", file.tell(), shape, "F" if is_fortran else "C") if 0 not in shape else ()
    return np.asarray(where, dtype=dtype).reshape(shape)
