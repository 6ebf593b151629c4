"""Evidently's default drift test of each column on pairs of samples: what the data drift preset decides, without its pictures.

The pictures take most of the preset's time (20 s for 30 columns). Usage statistics, on by default, are turned off.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["DO_NOT_TRACK"] = "1"

import numpy as np
import pandas as pd
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType

NUMERICAL = ColumnType.Numerical


def drifts(reference: np.ndarray, current: np.ndarray) -> bool:
    """Return whether a column drifts by the test and threshold that are chosen for its size; missing values are dropped."""
    before, after = (pd.Series(values).dropna() for values in (reference, current))
    test = get_stattest(before, after, NUMERICAL, None)
    return bool(test(before, after, NUMERICAL, None).drifted)


if __name__ == "__main__":
    pairs = np.load(json.load(sys.stdin)["samples"])
    both = zip(pairs["reference"], pairs["current"], strict=True)
    print(json.dumps([[drifts(*columns) for columns in zip(*(one.T for one in pair), strict=True)] for pair in both]))
