"""Panels of companies by period without noise, for effects that can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

Cell = Callable[[int, int, float], float]


def panel(starts: Mapping[str, float], periods: int, cell: Cell) -> pd.DataFrame:
    """``cell`` gives the outcome of (number of the company, period, start); NaN as start is never. All weights are 1."""
    rows = [
        (company, period, cell(number, period, start), 1.0, start)
        for number, (company, start) in enumerate(starts.items())
        for period in range(periods)
    ]
    return pd.DataFrame(rows, columns=["company", "period", "outcome", "weight", "start"])


def arms(n_with: int, n_without: int, start: float) -> dict[str, float]:
    """Companies a0, a1, … that begin at ``start`` and b0, b1, … that never do."""
    return {f"a{n}": start for n in range(n_with)} | {f"b{n}": np.nan for n in range(n_without)}
