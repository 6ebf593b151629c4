"""Weighted regression with effects of companies and periods, standard errors clustered by company.

The intervals are those of the cluster jackknife, CRV3, with t(G - 1) (MacKinnon, Nielsen & Webb 2023): with few companies
the usual sandwich is too sure. The squares are added up without the factor (G - 1) / G, a little on the safe side. pyfixest
computes it; in one step, not with one fit per company, only where no fixed effects are absorbed. So the effects of companies
are taken out before, by centring within company: that touches no other company, and leaving one out stays exact.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from data_contracts.errors import NotEnoughDataError

_PERIOD = "in_period_"


def fit(frame: pd.DataFrame, terms: list[str]) -> Any:
    """Regress ``outcome`` on ``terms`` within companies and periods.

    Parameters
    ----------
    frame : DataFrame
        Columns ``company``, ``period``, ``outcome``, ``weight``, the terms, and ``stack`` where panels are stacked:
        companies and periods then have an effect per stack, the cluster stays the company.
    terms : list of str
        Names of columns.

    Returns
    -------
    pyfixest.Feols
        Coefficients in the order of ``terms`` come first.
    """
    # About a second to import.
    import pyfixest
    from threadpoolctl import threadpool_limits

    centred, periods = _centred(frame, terms)
    formula = f"outcome ~ 0 + {' + '.join([*terms, *periods])}"
    # One small inversion per company: threads would wait for each other longer than they work.
    with warnings.catch_warnings(), threadpool_limits(1):
        # pyfixest 0.60 calls pandas 3.1 in a way that pandas will drop.
        warnings.filterwarnings("ignore", message="The inplace keyword")
        # A period that only companies with one cell tell of says nothing, and is dropped.
        warnings.filterwarnings("ignore", message=r"[\s\S]*dropped due to multicollinearity")
        return pyfixest.feols(
            formula, centred, vcov={"CRV3": "company"}, weights="weight", ssc=pyfixest.ssc(k_adj=False, G_adj=False)
        )


def coefficients(model: Any, terms: list[str]) -> pd.DataFrame:
    """Return effect, standard_error, low, high and p of the terms, one row each.

    Raises
    ------
    NotEnoughDataError
        If a term cannot be told from the periods, as where no company is left to compare with.
    """
    estimated = model.tidy()
    if not set(terms) <= set(estimated.index):
        raise NotEnoughDataError("In some periods no companies are left to compare with; leave those periods out.")
    found = estimated.loc[terms, ["Estimate", "Std. Error", "2.5%", "97.5%", "Pr(>|t|)"]]
    return found.set_axis(["effect", "standard_error", "low", "high", "p"], axis=1)


def _centred(frame: pd.DataFrame, terms: list[str]) -> tuple[pd.DataFrame, list[str]]:
    stack = frame["stack"] if "stack" in frame else pd.Series(0, index=frame.index)
    cell = stack.astype(str) + "_" + frame["period"].astype(str)
    dummies = pd.get_dummies(cell, prefix=_PERIOD, dtype=float)
    # One period per stack is the reference: after centring, the dummies of a stack add up to nought.
    first = {f"{_PERIOD}_{name}" for name in cell.groupby(stack).min()}
    dummies = dummies.drop(columns=sorted(first))
    numbers = pd.concat([frame[["outcome", *terms]].astype(float), dummies], axis=1)
    group, weight = [frame["company"], stack], frame["weight"]
    mean = numbers.mul(weight, axis=0).groupby(group).transform("sum")
    centred = numbers - mean.div(weight.groupby(group).transform("sum"), axis=0)
    company = pd.Series(pd.factorize(frame["company"])[0], index=frame.index, name="company")
    centred = pd.concat([centred, company, weight], axis=1)
    return centred, dummies.columns.tolist()


def weighted_mean(values: pd.DataFrame) -> float:
    """Return the mean of ``outcome`` by ``weight``."""
    return float(np.average(values["outcome"], weights=values["weight"]))
