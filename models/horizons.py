"""Risk by an earlier day than the end of the horizon, which never decreases with the number of days.

The champion says the log-odds of an event within the whole horizon. Going back from there, one day at a time, the risk by a day
is the risk by the next later day times the chance that an event by then came before: ``P_h = P_later * q_h`` with
``q_h = logistic(c_h + d_h * log-odds)``. As no q is above 1, no risk rises when days are taken away, whatever the person; and
each day has a slope of its own. On 50 000 synthetic persons, one shift of the log-odds per day instead gave risks too extreme
by day 30 (see decision 22).

Contributions are those of the log-odds of the whole horizon; an earlier day has none of its own. A negative d_h says that those
of high risk have their event later within it. The risk by an early day may fall a little, from person to person, where that
of the whole horizon is near 1.

The observed rows and their weights serve every earlier day as well. An event on day T weighs 1/G(T-), a row followed to the
end 1/G(end), where G is the chance not to have left by then; hence the weights of events before h add up, in expectation, to
the share of all rows with T < h, and so do those before the next day: their ratio is q.

Reference: Graf E et al. Stat Med 1999;18:2529 (weights); continuation ratios: Fienberg SE. The Analysis of Cross-Classified
Categorical Data. 1980, ch. 6. NumPy only: serving imports this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from models.calibration import fit_lines
from models.risk_model import risk_of

DAYS = (30, 90, 180)

FEWEST_PERSONS = 20
"""With fewer persons with an event before a day, or from it to the next, no line can be fitted: the day is left out."""

Horizons = dict[str, list[float] | None]
"""Day -> ``[c, d]``, and None for the last day, the whole horizon, whose risk is the champion's own."""


def fit_horizons(
    log_odds: np.ndarray,
    y: np.ndarray,
    followed_days: np.ndarray,
    weight: np.ndarray,
    person: np.ndarray,
    days: tuple[int, ...] = DAYS,
) -> Horizons:
    """Fit, among the events before each next later day, which came before this one.

    Only for outcomes whose event has a day of its own (``Outcome.is_dated``).

    Parameters
    ----------
    log_odds : float64 array, shape (n,)
        Calibrated, out of fold, of rows with an observed label.
    y, weight : float64 arrays, shape (n,)
        1 event, 0 no event; and how many rows each stands for.
    followed_days : int array, shape (n,)
        Days from the index date to the event, or to the end of the horizon.
    person : int array, shape (n,)
    days : tuple of int
        Earlier days, rising.

    Returns
    -------
    dict of day -> ``[c, d]``, rising, the last of the whole horizon with None. A day past the horizon is not there, nor is one
    with events of fewer than ``FEWEST_PERSONS`` persons before it, or from it to the next.
    """
    later = int(followed_days.max(initial=0))
    found: Horizons = {str(later): None}
    among = y == 1
    for day in reversed(days):
        is_before = among & (followed_days < day)
        sides = (is_before, among & ~is_before)
        if day >= later or min(len(np.unique(person[side])) for side in sides) < FEWEST_PERSONS:
            continue
        c, d = fit_lines(log_odds[among], is_before[among].astype(np.float64), weight[None, among])
        found[str(day)] = [float(c[0]), float(d[0])]
        later, among = day, is_before
    return {day: found[day] for day in rising(found)}


def events_before(y: np.ndarray, followed_days: np.ndarray, day: int) -> np.ndarray:
    """Return the label "event before day ``day``" of rows with an observed label, float64 (n,)."""
    return ((y == 1) & (followed_days < day)).astype(np.float64)


def rising(days: Iterable[str]) -> list[str]:
    """Return days, which are texts as the keys of JSON are, from the first to the last."""
    return sorted(days, key=int)


def risk_by_day(log_odds: np.ndarray, facts: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return each row's risk by each day that the model knows.

    Parameters
    ----------
    log_odds : float64 array, shape (n,)
        The model's calibrated log-odds of the whole horizon.
    facts : mapping
        Of the model; ``horizons`` as :func:`fit_horizons` returns it. Without, there is no risk by day.

    Returns
    -------
    dict of day -> float64 array, shape (n,); rising from day to day, the last is the risk of the whole horizon.
    """
    lines: Horizons = facts.get("horizons") or {}
    risks: dict[str, np.ndarray] = {}
    risk = risk_of(log_odds)
    for day in reversed(rising(lines)):
        line = lines[day]
        if line is not None:
            risk = risk * risk_of(line[0] + line[1] * log_odds)
        risks[day] = risk
    return {day: risks[day] for day in rising(risks)}
