"""Arrow columns as :class:`Coded`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data_contracts.tables import Coded


def as_coded(values: pa.ChunkedArray) -> Coded:
    """Return a dictionary-encoded Arrow column as :class:`Coded`."""
    table = pa.table({"column": values}).unify_dictionaries()
    chunks = table["column"].chunks
    codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32) for chunk in chunks]
    vocabulary = tuple(chunks[0].dictionary.to_pylist()) if chunks else ()
    return Coded(np.concatenate(codes) if codes else np.empty(0, dtype=np.int32), vocabulary)
