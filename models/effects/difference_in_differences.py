"""Difference in differences between companies with and without the intervention, and how they moved before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from models.effects.clustered import coefficients, fit, weighted_mean
from models.effects.estimate import Estimate
from models.effects.panel import arms, stacked, starts

FEW_COMPANIES = 10
"""In the smaller arm: below, it is said, and the arms are permuted as well. A large other arm is no help, as
``did, 43 workplaces, 3 with`` of benchmarks/effects/coverage.py shows."""

_PERMUTATIONS = 9_999


def difference_in_differences(panel: pd.DataFrame, *, seed: int = 17) -> Estimate:
    """Estimate the average effect on companies with the intervention, from the start on.

    Parameters
    ----------
    panel : DataFrame, see :mod:`models.effects.panel`
    seed : int
        Of the permutations of arms, which are drawn where companies are few.

    Raises
    ------
    NotEnoughDataError
        If an arm has too few companies.
    """
    frame = stacked(panel)
    n_with, n_without = arms(frame)
    found = coefficients(fit(frame, ["treated"]), ["treated"]).iloc[0]
    trend, begins = pre_trend(frame), starts(frame)
    details: dict[str, Any] = {"pre_trend": trend, "starts": len(begins)}
    fewer = min(n_with, n_without)
    notes = _notes(trend, len(begins), fewer)
    if fewer < FEW_COMPANIES and len(begins) == 1:
        details["p_by_permuted_arms"] = permuted_arms(frame, seed)
    return Estimate(
        design="did", effect=float(found["effect"]), standard_error=float(found["standard_error"]), low=float(found["low"]),
        high=float(found["high"]), p=float(found["p"]), counted="companies", n=n_with + n_without, n_with=n_with,
        method="stacked two-way fixed effects, weighted; cluster jackknife (CRV3) by company, t(G - 1)",
        notes=notes, details=details,
    )  # fmt: skip


def pre_trend(frame: pd.DataFrame) -> dict[str, float] | None:
    """Return how much faster the outcome rose per period before the start in the companies with the intervention.

    One number with its interval, not one test per period: with few companies a joint test of many periods finds trends
    where none are. None where there are fewer than three periods before a start. A wide interval is no proof of equal trends.
    """
    before = frame[frame["relative"] < 0].copy()
    if before["relative"].nunique() <= 2:
        return None
    before["slope"] = before["is_treated"] * before["relative"]
    found = coefficients(fit(before, ["slope"]), ["slope"]).iloc[0]
    return {name: float(found[name]) for name in ("effect", "low", "high", "p")}


def permuted_arms(frame: pd.DataFrame, seed: int) -> float:
    """Return the p value of the difference in mean change when arms are dealt to companies anew (one start only)."""
    sides = frame.assign(side=frame["relative"] >= 0).groupby(["company", "is_treated", "side"])
    means = sides[["outcome", "weight"]].apply(weighted_mean).unstack("side")
    change = (means[True] - means[False]).dropna()
    is_treated = change.index.get_level_values("is_treated") == 1
    found = stats.permutation_test(
        (change[is_treated].to_numpy(), change[~is_treated].to_numpy()), _difference, vectorized=True,
        n_resamples=_PERMUTATIONS, rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.pvalue)


def _difference(with_it: np.ndarray, without: np.ndarray, axis: int = 0) -> Any:
    return with_it.mean(axis=axis) - without.mean(axis=axis)


def _notes(trend: dict[str, float] | None, n_starts: int, fewer: int) -> tuple[str, ...]:
    notes = []
    if n_starts > 1:
        notes.append(
            f"Companies begin in {n_starts} different periods: each start is compared with companies that never begin "
            "(stacked), as one regression over all would take companies that have begun for controls."
        )
    if trend is None:
        notes.append("Fewer than three periods before the start: whether the arms moved alike before cannot be said.")
    elif trend["p"] < 0.05:
        notes.append(
            "The arms moved apart already before the start: the difference afterwards is not the effect alone."
        )
    if fewer < FEW_COMPANIES:
        notes.append(
            f"Only {fewer} companies in one arm: the interval may be too narrow; read the permuted p where there is one."
        )
    return tuple(notes)
