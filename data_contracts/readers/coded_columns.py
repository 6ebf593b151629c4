"""Arrow columns as :class:`Coded`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data_contracts.tables import Coded


def as_coded(values: pa.ChunkedArray) -> Coded:
    """Return a dictionary-encoded Arrow column as :class:`Coded`."""
    chunks = pa.table({"column": values}).unify_dictionaries()["column"].chunks
    if not chunks:
        return Coded(np.empty(0, dtype=np.int32), ())
    codes = [_codes(chunk.indices) for chunk in chunks]
    return Coded(codes[0] if len(codes) == 1 else np.concatenate(codes), tuple(chunks[0].dictionary.to_pylist()))


def _codes(indices: pa.Array) -> np.ndarray:
    if indices.null_count:
        indices = indices.fill_null(-1)
    return np.asarray(indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False))
