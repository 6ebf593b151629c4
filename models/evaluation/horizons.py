"""Whether the risks by an earlier day hold: calibration and discrimination of the champion at each horizon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.calibration import calibration_slope, observed_to_expected
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import Statistic, with_intervals
from models.horizons import events_before, risk_by_day

FEWEST_EVENTS = 10
"""With fewer test rows with an event before a day nothing is measured of it."""

MOST_GROUPS = 1000
"""Test rows of neighbouring log-odds are taken together in so many groups; up to so many rows are each on its own."""

NO_HORIZONS = (
    "This outcome has no risk by an earlier day: its label is decided on one occasion, or it is a number of days."
)


def horizons_report(held_out: HeldOut, facts: Mapping[str, Any], repeats: int, seed: int) -> dict[str, Any]:
    """Judge the champion's risk by each day on the test rows.

    Parameters
    ----------
    held_out : HeldOut
    facts : mapping
        Of the champion; its ``horizons`` say the risk by each day, as serving does (:func:`models.horizons.risk_by_day`).
    repeats, seed : int
        Resamples behind each interval.

    Returns
    -------
    dict of JSON values: ``days`` (day -> events, mean risk, and ``observed_to_expected``, ``calibration_slope`` and
    ``auroc`` with intervals, or a ``reason`` instead of them), or a ``reason`` alone.
    """
    by_day = risk_by_day(held_out.linear[held_out.champion], facts)
    if not by_day:
        return {"reason": NO_HORIZONS}
    return {"days": {day: _judged(held_out, int(day), risks, repeats, seed) for day, risks in by_day.items()}}


def _judged(held_out: HeldOut, day: int, risks: np.ndarray, repeats: int, seed: int) -> dict[str, Any]:
    before = events_before(held_out.y, held_out.followed_days, day)
    mean = float(np.average(risks, weights=held_out.weight))
    found: dict[str, Any] = {"events": int(before.sum()), "mean_risk": mean}
    if found["events"] < FEWEST_EVENTS:
        return found | {"reason": f"{found['events']} events before this day; {FEWEST_EVENTS} are needed."}
    statistic = _statistic(risks, before)
    return found | with_intervals(statistic, held_out.cluster, held_out.weight, repeats, seed)


def _statistic(risks: np.ndarray, y: np.ndarray) -> Statistic:
    log_odds = np.log(risks) - np.log1p(-risks)
    groups = _groups(log_odds)
    centre = groups.sums(log_odds) / groups.sums(np.ones_like(log_odds))
    # A group is one row of events and one of the others.
    both, is_event = np.concatenate([centre, centre]), np.repeat([1.0, 0.0], len(centre))

    def numbers(weights: np.ndarray) -> dict[str, np.ndarray]:
        counts = np.concatenate([groups.sums(weights * y), groups.sums(weights * (1 - y))], axis=1)
        return {
            "observed_to_expected": observed_to_expected(risks, y, weights),
            "calibration_slope": calibration_slope(both, is_event, counts)[1],
            "auroc": auroc(groups, y, weights),
        }

    return numbers


def _groups(log_odds: np.ndarray) -> Ranking:
    """Put neighbours in rank together, never splitting equals: the same numbers to 1e-3, in a fifth of the time."""
    ranking = Ranking.of(log_odds)
    wanted = np.arange(MOST_GROUPS) * len(log_odds) // MOST_GROUPS
    places = np.searchsorted(ranking.starts, wanted, side="right") - 1
    return Ranking(ranking.order, ranking.starts[np.unique(places)])
