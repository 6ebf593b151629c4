"""Held-out rows with a model that is good and one that knows nothing, without a training set behind them."""

from __future__ import annotations

from functools import cache

import numpy as np

from models.evaluation.held_out import HeldOut
from models.risk_model import risk_of


@cache
def held_out_rows(n: int = 2400, champion: str = "good", seed: int = 4) -> HeldOut:
    """Four rows of each person; ``good`` says the true log-odds, ``poor`` the same for everybody but for noise."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(-1.6, 1.1, n)
    return HeldOut(
        outcome="long_sick_leave",
        champion=champion,
        feature_names=("age_years",),
        X=random.normal(45, 10, (n, 1)).astype(np.float32),
        y=(random.random(n) < risk_of(log_odds)).astype(np.float64),
        weight=random.uniform(1.0, 1.3, n),
        person=np.arange(n) // 4,
        company=np.arange(n) // 80,
        t=np.full(n, 19000, dtype=np.int32),
        followed_days=np.full(n, 365, dtype=np.int32),
        linear={"good": log_odds, "poor": -1.4 + 0.02 * random.normal(size=n)},
    )
