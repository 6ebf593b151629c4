"""Leaving employment as a competing event: how many go, by when, and what that does to the risk.

Two questions have two answers. The risk *if nobody left* counts leaving as censoring (Kaplan-Meier; the weights of the
training set estimate the same): it is what the model predicts, and what a person who means to stay should hear. The share
who *have the event before they leave* counts leaving as an event that competes (Aalen-Johansen): it is what an employer
will see, and it is lower. The difference grows with the horizon and with turnover.

References: Aalen OO, Johansen S. Scand J Stat 1978;5:141. Andersen PK et al. Int J Epidemiol 2012;41:861 (which of the two
answers what).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.evaluation.held_out import clusters
from models.evaluation.intervals import with_intervals
from models.outcomes import OUTCOMES
from models.outcomes.outcome import Status
from models.row_accounts import EARLIER_DAYS
from models.splits import Split
from models.training_set import TrainingSet

EVENT, LEFT = 0, 1
"""Positions of the two ways out; -1 is neither: followed to the end, or lost for another reason."""

NOT_DATED = (
    "The event of this outcome has no day of its own, so no curve by day exists; exits are counted in the training set."
)


def competing_exits(training_set: TrainingSet, split: Split, repeats: int, seed: int) -> dict[str, Any]:
    """Put the share who have the event before they leave beside the risk if nobody left.

    Parameters
    ----------
    training_set : TrainingSet
    split : Split
        All its test rows are used, those censored included.
    repeats, seed : int
        Resamples behind each interval, of the clusters of every other number.

    Returns
    -------
    dict of JSON values: ``rows``, ``persons``, ``events``, ``left``, ``lost`` (unknown diagnosis) and ``days``: day ->
    ``event_before_leaving`` (Aalen-Johansen), ``event_if_nobody_left`` (Kaplan-Meier), ``difference``,
    ``left_before_event``, each with its interval. For an outcome without dated events, a ``reason`` alone.
    """
    if not OUTCOMES[training_set.outcome].is_dated:
        return {"reason": NOT_DATED}
    rows, horizon = split.test, int(training_set.facts["horizon_days"])
    status, person = training_set.status[rows], training_set.person[rows]
    is_event, left = training_set.y[rows] == 1, status == Status.CENSORED
    way_out = np.select([is_event, left], [EVENT, LEFT], -1)
    followed = training_set.followed_days[rows]
    days = np.array([*(day for day in EARLIER_DAYS if day < horizon), horizon])
    found = with_intervals(
        lambda weights: _curves(followed, way_out, weights, days), clusters(person, training_set.company[rows]),
        np.ones(len(rows)), repeats, seed,
    )  # fmt: skip
    return {
        "rows": len(rows), "persons": len(np.unique(person)), "events": int(is_event.sum()), "left": int(left.sum()),
        "lost": int((status == Status.NOT_OBSERVED).sum()),
        "days": {str(day): _at(found, place) for place, day in enumerate(days.tolist())},
    }  # fmt: skip


def _at(found: dict[str, dict[str, Any]], place: int) -> dict[str, dict[str, Any]]:
    return {name: {part: values[place] for part, values in curve.items()} for name, curve in found.items()}


def _curves(followed: np.ndarray, way_out: np.ndarray, weights: np.ndarray, days: np.ndarray) -> dict[str, np.ndarray]:
    """Return each curve before each of the days, (n_weightings, n_days)."""
    exits, at_risk = daily_counts(followed, way_out, weights, int(days[-1]))
    before = days - 1
    with_exits = aalen_johansen(exits, at_risk)[:, :, before]
    # Whoever leaves on a day could have had the event on it: leaving ends the following, the event comes first.
    alone = aalen_johansen(exits[:, [EVENT]], at_risk)[:, 0, before]
    return {
        "event_before_leaving": with_exits[:, EVENT],
        "event_if_nobody_left": alone,
        "difference": alone - with_exits[:, EVENT],
        "left_before_event": with_exits[:, LEFT],
    }


def daily_counts(
    followed: np.ndarray, way_out: np.ndarray, weights: np.ndarray, n_days: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count, for every weighting, who goes which way on each day and who is there before it.

    Parameters
    ----------
    followed : int array, shape (n,)
        Day on which each row ends, 0 or later.
    way_out : int array, shape (n,)
        0, 1, ... for the competing events, -1 for rows that end without one.
    weights : float64 array, shape (n_weightings, n)
    n_days : int
        Days 0 to ``n_days - 1`` are counted; rows may end later.

    Returns
    -------
    exits : float64 array, shape (n_weightings, n_ways, n_days)
    at_risk : float64 array, shape (n_weightings, n_days)
    """
    day, n_ways = np.minimum(followed, n_days), int(way_out.max(initial=LEFT)) + 1
    cell = (way_out + 1) * (n_days + 1) + day
    counts = np.array([np.bincount(cell, row, (n_ways + 1) * (n_days + 1)) for row in weights])
    by_way = counts.reshape(len(weights), n_ways + 1, n_days + 1)
    at_risk = by_way.sum(axis=1)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return by_way[:, 1:, :n_days], at_risk[:, :n_days]


def aalen_johansen(exits: np.ndarray, at_risk: np.ndarray) -> np.ndarray:
    """Return the cumulative incidence of each way out, up to and including each day.

    With one way out it is one minus the Kaplan-Meier curve.

    Parameters
    ----------
    exits : float64 array, shape (n_weightings, n_ways, n_days)
    at_risk : float64 array, shape (n_weightings, n_days)

    Returns
    -------
    float64 array, shape (n_weightings, n_ways, n_days)
    """
    hazard = exits / np.maximum(at_risk, np.finfo(float).tiny)[:, None]
    stays = np.cumprod(1 - hazard.sum(axis=1), axis=1)
    there_before = np.concatenate([np.ones((len(stays), 1)), stays[:, :-1]], axis=1)
    return np.cumsum(hazard * there_before[:, None], axis=2)
