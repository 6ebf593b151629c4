"""Stepped wedge: all companies begin, one after the other in drawn order; the mixed model of Hussey & Hughes (2007)."""

from __future__ import annotations

import warnings

import pandas as pd

from data_contracts.errors import NotEnoughDataError
from models.effects.clustered import coefficients, fit
from models.effects.estimate import Estimate, t_interval
from models.effects.panel import arms, starts, treated

FEWEST = 6
"""Companies; with fewer, t(G - 2) gives intervals that say nothing."""


def stepped_wedge(panel: pd.DataFrame) -> Estimate:
    """Estimate the effect with periods fixed and companies random (REML on cell means), t with G - 2 degrees of freedom.

    Parameters
    ----------
    panel : DataFrame, see :mod:`models.effects.panel`
        Every cell counts alike: that keeps the interval right where cells differ for reasons other than their size.

    Raises
    ------
    NotEnoughDataError
        With fewer than ``FEWEST`` companies, or where none begins while another has not.
    """
    # Slow to import.
    import statsmodels.formula.api as smf
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, SingularMatrixWarning

    frame = panel.assign(treated=treated(panel))
    _refuse_if_no_wedge(frame)
    with warnings.catch_warnings():
        # At the boundary companies do not differ at all, and the model is the ordinary regression.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        warnings.filterwarnings("ignore", category=SingularMatrixWarning)
        found = smf.mixedlm("outcome ~ treated + C(period)", frame, groups="company").fit(reml=True)
    companies = frame["company"].nunique()
    between, within = float(found.cov_re.iloc[0, 0]), float(found.scale)
    effect, error = float(found.params["treated"]), float(found.bse["treated"])
    robust = coefficients(fit(frame, ["treated"]), ["treated"]).iloc[0]
    return Estimate(
        design="stepped-wedge", effect=effect, standard_error=error, **t_interval(effect, error, companies - 2),
        counted="companies", n=companies, n_with=arms(panel)[0],
        method="mixed model: periods fixed, companies random (REML on cell means); t(G - 2)",
        notes=(
            "The effect is taken to be there at once and to stay; where it grows, the number is not its mean.",
            "Cells of a company are taken to be equally alike however far apart; the fixed-effects number beside it, with "
            "clustered errors, does not need that.",
        ),
        details={
            "variance_between_companies": between, "variance_of_cells": within,
            "fixed_effects": {name: float(robust[name]) for name in ("effect", "low", "high", "p")},
        },
    )  # fmt: skip


def _refuse_if_no_wedge(frame: pd.DataFrame) -> None:
    companies, share = frame["company"].nunique(), frame.groupby("period")["treated"].mean()
    if companies < FEWEST or not ((share > 0) & (share < 1)).any() or len(starts(frame)) < 2:
        raise NotEnoughDataError(
            f"A stepped wedge needs {FEWEST} companies that begin in different periods; here are {companies} with "
            f"{len(starts(frame))} start(s). Where some never begin, choose --design did."
        )
