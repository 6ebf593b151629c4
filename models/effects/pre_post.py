"""Before against after in the companies with the intervention alone: a description, with what it cannot tell apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from data_contracts.errors import NotEnoughDataError
from models.effects.clustered import coefficients, fit, weighted_mean
from models.effects.estimate import Estimate
from models.effects.panel import FEWEST_COMPANIES, with_both_sides
from models.effects.regression_to_the_mean import expected_change

FEWEST_FOR_CORRELATION = 10
"""Companies without the intervention; the correlation of fewer says nothing."""

_WARNING = (
    "A change from before to after is no effect: it holds the trend of the years, and the return to the mean of companies "
    "chosen, or come forward, in a bad period. Use companies without the intervention (--design did)."
)


def pre_post(panel: pd.DataFrame) -> Estimate:
    """Return the mean change in companies with the intervention, beside what regression to the mean would bring.

    Parameters
    ----------
    panel : DataFrame, see :mod:`models.effects.panel`
        Companies that never start serve as the population that the others come from, and for the correlation.

    Raises
    ------
    NotEnoughDataError
        If fewer than ``FEWEST_COMPANIES`` companies have cells before and after their start.
    """
    usable = with_both_sides(panel)
    mine = usable[usable["start"].notna()].copy()
    companies = mine["company"].nunique()
    if companies < FEWEST_COMPANIES:
        raise NotEnoughDataError(
            f"{companies} companies have periods before and after; at least {FEWEST_COMPANIES} needed."
        )
    mine["after"] = (mine["period"] >= mine["start"]).astype(float)
    # The periods are what changes here, so they have no effects of their own.
    found = coefficients(fit(mine.assign(period=0), ["after"]), ["after"]).iloc[0]
    expected = _expected(usable, mine)
    return Estimate(
        design="pre-post", effect=float(found["effect"]), standard_error=float(found["standard_error"]),
        low=float(found["low"]), high=float(found["high"]), p=float(found["p"]), counted="companies", n=companies,
        n_with=companies, method="mean change within companies, weighted; cluster jackknife (CRV3), t(G - 1)",
        notes=(_WARNING, *(() if expected else (_NOTHING_TO_COMPARE,))), details={"regression_to_the_mean": expected},
    )  # fmt: skip


_NOTHING_TO_COMPARE = (
    f"How much of it is regression to the mean cannot be said: that takes {FEWEST_FOR_CORRELATION} companies without the "
    "intervention, with periods before and after."
)


def _expected(usable: pd.DataFrame, mine: pd.DataFrame) -> dict[str, Any] | None:
    """Split the others' periods at the middle start, and take mean and correlation from there."""
    middle = mine["start"].median()
    others = usable[usable["start"].isna()]
    sides = others.assign(side=others["period"] >= middle).groupby(["company", "side"])[["outcome", "weight"]]
    means = sides.apply(weighted_mean).unstack("side")
    if means.shape[1] < 2 or len(means := means.dropna()) < FEWEST_FOR_CORRELATION:
        return None
    correlation = float(np.corrcoef(means[False], means[True])[0, 1])
    baseline = weighted_mean(mine[mine["after"] == 0])
    population = weighted_mean(usable[usable["period"] < usable["start"].fillna(middle)])
    return {
        "baseline": baseline, "mean_of_all_companies_before": population, "correlation": correlation,
        "companies_without": len(means), "expected_change": expected_change(baseline, population, correlation),
        "trend_of_companies_without": float((means[True] - means[False]).mean()),
    }  # fmt: skip
