"""LightGBM without its companions: the one door through which models are parsed and evaluated.

LightGBM imports scikit-learn and pandas (and, through them, half of the data stack) whenever they are installed, only
to recognise their objects. We always pass NumPy arrays, so the import is done with those packages out of sight: it
takes half a second instead of four, and the scoring process holds far less code that could be attacked. Packages that
are imported already stay in use, so training code works in the same process; but whoever wants LightGBM's scikit-learn
classes or its Dask estimators must import those packages before this module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

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


with _out_of_sight(COMPANIONS):
    import lightgbm

ONE_THREAD = 1
"""A row takes 0.04 ms on one thread and ten times that on the default number; sums also keep their order."""


def parse(text: str) -> lightgbm.Booster:
    """Parse a LightGBM text model. Damaged text can end the process, see :mod:`models.bundle`."""
    return lightgbm.Booster(model_str=text)


def margins(booster: lightgbm.Booster, rows: np.ndarray) -> np.ndarray:
    """Return the raw score per row, float64 of shape (n_rows,)."""
    if len(rows) == 0:
        return np.empty(0)
    return np.asarray(booster.predict(rows, raw_score=True, num_threads=ONE_THREAD))


def margin_contributions(booster: lightgbm.Booster, rows: np.ndarray) -> np.ndarray:
    """Return path-dependent SHAP values per row, the expected margin in the last column; (n_rows, n_features + 1)."""
    if len(rows) == 0:
        return np.empty((0, booster.num_feature() + 1))
    return np.asarray(booster.predict(rows, pred_contrib=True, num_threads=ONE_THREAD))
