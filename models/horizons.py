"""Risk by an earlier day than the end of the horizon, which never decreases with the number of days.

The champion says the log-odds of an event within the whole horizon. By day h they are lower by a number that is the same
for everybody: an intercept for the label "event before day h", with the calibrated out-of-fold log-odds as offset. One
number per horizon needs few events and keeps contributions additive; what it cannot say is that one person's risk comes
earlier in the year than another's. The calibration slopes by horizon in the evaluation show what that costs: for the best
attainable risks of 50 000 synthetic persons they are 0.92, 0.95 and 0.97 by day 30, 90 and 180. Shifts of the log hazard,
the other choice with one number, gave 1.12, 1.10 and 1.05.

The observed rows and their weights serve every earlier day as well. An event on day T weighs 1/G(T-), a row followed to the
end 1/G(end), where G is the chance not to have left by then; hence the weights of events before h add up, in expectation, to
the share of all rows with T < h, and those of all other observed rows (later events, and none) to the rest.

Reference: Graf E et al. Stat Med 1999;18:2529 (weights). NumPy only: serving imports this module.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from models.calibration import fit_intercepts
from models.risk_model import RiskModel, risk_of

DAYS = (30, 90, 180)

FEWEST_EVENTS = 10
"""With fewer events before a day the standard error of its log-odds is above 0.3: the day is left out."""


def fit_horizon_shifts(
    log_odds: np.ndarray, y: np.ndarray, followed_days: np.ndarray, weight: np.ndarray, days: tuple[int, ...] = DAYS
) -> dict[str, float]:
    """Fit how much lower the log-odds of an event before each day are than those of the whole horizon.

    Only for outcomes whose event has a day of its own (``Outcome.is_dated``).

    Parameters
    ----------
    log_odds : float64 array, shape (n,)
        Calibrated, out of fold, of rows with an observed label.
    y, weight : float64 arrays, shape (n,)
        1 event, 0 no event; and how many rows each stands for.
    followed_days : int array, shape (n,)
        Days from the index date to the event, or to the end of the horizon.
    days : tuple of int
        Earlier days, rising.

    Returns
    -------
    dict of day -> shift, the last of the whole horizon with shift 0. The shifts do not decrease: an event before a day is one
    before every later day. A day with fewer than ``FEWEST_EVENTS`` events before it, or past the horizon, is not there.
    """
    whole = int(followed_days.max(initial=0))
    shifts: dict[str, float] = {}
    lowest = -np.inf
    for day in days:
        before = events_before(y, followed_days, day)
        if day >= whole or before.sum() < FEWEST_EVENTS:
            continue
        # Fits of nested events on the same rows can only rise; the bounds hold that against rounding.
        lowest = min(0.0, max(lowest, float(fit_intercepts(log_odds, before, weight[None])[0])))
        shifts[str(day)] = lowest
    return shifts | {str(whole): 0.0}


def events_before(y: np.ndarray, followed_days: np.ndarray, day: int) -> np.ndarray:
    """Return the label "event before day ``day``" of rows with an observed label, float64 (n,)."""
    return ((y == 1) & (followed_days < day)).astype(np.float64)


def rising(days: Iterable[str]) -> list[str]:
    """Return days, which are texts as the keys of JSON are, from the first to the last."""
    return sorted(days, key=int)


def risks_by_horizon(model: RiskModel, X: np.ndarray) -> dict[str, np.ndarray]:
    """Return each row's risk by each day that the model knows.

    Parameters
    ----------
    model : RiskModel
        With ``facts["horizons"]`` as :func:`fit_horizon_shifts` returns it; without, there is no risk by day.
    X : float32 array, shape (n, n_features of the model)

    Returns
    -------
    dict of day -> float64 array, shape (n,); rising from day to day, the last is the risk of the whole horizon.
    """
    shifts: dict[str, float] = model.facts.get("horizons", {})
    if not shifts:
        return {}
    log_odds = model.log_odds(X)
    return {day: risk_of(log_odds + shifts[day]) for day in rising(shifts)}
