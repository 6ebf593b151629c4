"""LightGBM without its companions: the one door through which models are parsed and evaluated.

LightGBM imports scikit-learn and pandas (and, through them, half of the data stack) whenever they are installed, only
to recognise their objects. We always pass NumPy arrays, so the import is done with those packages out of sight: it
takes half a second instead of four, and the scoring process holds far less code that could be attacked. Packages that
are imported already stay in use, so training code works in the same process; but whoever wants LightGBM's scikit-learn
classes must import those packages before this module. Where Dask is at work nothing is hidden: a worker that builds
training sets today grows trees tomorrow, with the LightGBM that it loaded first.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import numpy as np

COMPANIONS = ("sklearn", "pandas", "matplotlib", "dask", "graphviz", "pyarrow", "polars", "cffi")


@contextmanager
def _out_of_sight(packages: tuple[str, ...]) -> Iterator[None]:
    absent = [name for name in packages if name not in sys.modules]
    # None in sys.modules makes `import name` raise ImportError, which LightGBM takes for "not installed".
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)


with _out_of_sight(() if "distributed" in sys.modules else COMPANIONS):
    import lightgbm
    from lightgbm.basic import _LIB, _safe_call

ONE_THREAD = 1
"""A row takes 0.04 ms on one thread and ten times that on the default number; sums also keep their order."""

_MARGIN, _CONTRIBUTIONS = 1, 3
"""``C_API_PREDICT_RAW_SCORE`` and ``C_API_PREDICT_CONTRIB`` of LightGBM's C interface."""
_FLOAT32 = 0
# Looked up by item, which makes a function of our own: its types are set for nobody else.
_PREDICT_ROW = _LIB["LGBM_BoosterPredictForMatSingleRowFast"]
_PREDICT_ROW.argtypes = (ctypes.c_void_p,) * 4


def parse(text: str) -> lightgbm.Booster:
    """Parse a LightGBM text model. Damaged text can end the process, see :mod:`models.bundle`."""
    return lightgbm.Booster(model_str=text)


class Trees:
    """Boosted trees, ready for any number of rows.

    One row goes through LightGBM's own door for single rows, whose settings are read once and not at every call: that takes a
    fifth of the time, and gives the same bits, because the trees are added up by the same code.
    """

    def __init__(self, text: str) -> None:
        self._booster = parse(text)

    def margins(self, rows: np.ndarray) -> np.ndarray:
        """Return the raw score per float32 row, float64 of shape (n_rows,)."""
        if len(rows) == 0:
            return np.empty(0)
        if len(rows) == 1:
            return margins_of_row([self], rows)
        return np.asarray(self._booster.predict(rows, raw_score=True, num_threads=ONE_THREAD))

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """Return path-dependent SHAP values per float32 row, the expected margin in the last column; (n_rows, n + 1)."""
        width = self._booster.num_feature() + 1
        if len(rows) == 0:
            return np.empty((0, width))
        if len(rows) == 1:
            found = np.empty((1, width))
            self._single_contributions.write(rows.ctypes.data, found.ctypes.data)
            return found
        return np.asarray(self._booster.predict(rows, pred_contrib=True, num_threads=ONE_THREAD))

    @cached_property
    def single_margin(self) -> _SingleRow:
        """The door for the margin of one row."""
        return _SingleRow(self._booster, _MARGIN)

    @cached_property
    def _single_contributions(self) -> _SingleRow:
        return _SingleRow(self._booster, _CONTRIBUTIONS)


def margins_of_row(ensembles: Sequence[Trees], row: np.ndarray) -> np.ndarray:
    """Return the raw score that each ensemble gives one float32 row of shape (1, n_features); float64, one per ensemble."""
    found = np.empty(len(ensembles))
    place, width, data = found.ctypes.data, found.itemsize, row.ctypes.data
    for position, trees in enumerate(ensembles):
        trees.single_margin.write(data, place + position * width)
    return found


class _SingleRow:
    """LightGBM's door for one contiguous float32 row at a time; threads may share it, it keeps a lock of its own."""

    def __init__(self, booster: lightgbm.Booster, kind: int) -> None:
        self._booster = booster  # what the door leads to must not be freed before it
        self._door = ctypes.c_void_p()
        _safe_call(
            _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster._handle,
                kind,
                0,
                booster.best_iteration,
                _FLOAT32,
                booster.num_feature(),
                f"num_threads={ONE_THREAD}".encode(),
                ctypes.byref(self._door),
            )
        )
        weakref.finalize(self, _LIB.LGBM_FastConfigFree, self._door)

    def write(self, row: int, result: int) -> None:
        """Read a row at one address and write its numbers to another, which must have room for them."""
        _safe_call(_PREDICT_ROW(self._door, row, ctypes.byref(ctypes.c_int64()), result))
