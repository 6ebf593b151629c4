"""Arrow columns as NumPy arrays and :class:`Coded`, without Arrow's own conversion: that loads pandas, half a second."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data_contracts.tables import Coded

_NO_DAY = -(2**31)


def as_coded(values: pa.ChunkedArray) -> Coded:
    """Return a dictionary-encoded Arrow column as :class:`Coded`."""
    chunks = pa.table({"column": values}).unify_dictionaries()["column"].chunks
    if not chunks:
        return Coded(np.empty(0, dtype=np.int32), ())
    indices = pa.chunked_array([chunk.indices for chunk in chunks], type=chunks[0].indices.type)
    return Coded(_filled(indices, pa.int32(), -1), tuple(chunks[0].dictionary.to_pylist()))


def as_numbers(values: pa.ChunkedArray) -> np.ndarray:
    """Return a column of numbers as float64; missing is NaN."""
    return _filled(values, pa.float64(), np.nan)


def as_days(values: pa.ChunkedArray) -> np.ndarray:
    """Return a column of dates as ``datetime64[D]``; missing is NaT."""
    numbers = _filled(values.cast(pa.int32()), pa.int32(), _NO_DAY)
    days = numbers.astype("datetime64[D]")
    days[numbers == _NO_DAY] = np.datetime64("NaT")
    return days


def _filled(values: pa.ChunkedArray, kind: pa.DataType, missing: float) -> np.ndarray:
    """Return the values as they lie in memory, missing ones filled in."""
    dtype = {pa.int32(): np.int32, pa.float64(): np.float64}[kind]
    parts = [_in_memory(chunk, dtype, missing) for chunk in values.cast(kind).chunks if len(chunk)]
    return parts[0] if len(parts) == 1 else np.concatenate([*parts, np.empty(0, dtype=dtype)])


def _in_memory(array: pa.Array, dtype: type, missing: float) -> np.ndarray:
    here = slice(array.offset, array.offset + len(array))
    is_valid, values = array.buffers()
    numbers: np.ndarray = np.frombuffer(values, dtype=dtype)[here]
    if not array.null_count:
        return numbers
    # One bit a value, the lowest first.
    bits = np.unpackbits(np.frombuffer(is_valid, dtype=np.uint8), bitorder="little")[here]
    return np.where(bits == 1, numbers, dtype(missing))
