"""NannyML's univariate drift, with its own defaults, on pairs of samples: columns with an alert in any current chunk.

A chunk is one index date. Rows come date by date. Usage statistics, on by default, are turned off.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import numpy as np
import pandas as pd


def found(reference: np.ndarray, current: np.ndarray, rows: int) -> list[bool]:
    """Return whether each column has an alert."""
    names = [f"column_{column}" for column in range(reference.shape[1])]
    calculator = nannyml.UnivariateDriftCalculator(column_names=names, chunk_size=rows)
    calculator.fit(pd.DataFrame(reference, columns=names))
    results = calculator.calculate(pd.DataFrame(current, columns=names)).filter(period="analysis").to_df()
    return [bool(results[name].xs("alert", axis=1, level=-1).to_numpy().any()) for name in names]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    request = json.load(sys.stdin)
    pairs = np.load(request["samples"])
    both = zip(pairs["reference"], pairs["current"], strict=True)
    print(json.dumps([found(*pair, request["rows"]) for pair in both]))
