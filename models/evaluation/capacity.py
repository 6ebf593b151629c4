"""What a given number of talks buys: how many of the persons contacted have the event, and how many events are found.

A service that can talk to 10 of 100 talks to the 10 with the highest risks. Where several have the same risk at the end of
the list, chance decides among them, and the numbers are the expectation: they do not depend on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.evaluation.discrimination import Ranking
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.evaluation.net_benefit import WORKING_THRESHOLDS, positives
from models.risk_model import risk_of

ALERTS_PER_100 = (1, 2, 5, 10, 15, 20, 30)
CONTACTS_A_WEEK = (1, 2, 5, 10)
WEEKS_A_YEAR = 46
"""Working weeks: 52 less five weeks of holiday by law and about one of public holidays."""

PROGRAMME_PERSONS = 1000
"""Persons of a programme in the table of contacts a week; each is scored once a year."""

_Counts = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def capacity(
    held_out: HeldOut,
    *,
    programme_persons: int = PROGRAMME_PERSONS,
    thresholds: Sequence[float] = WORKING_THRESHOLDS,
    repeats: int = 200,
    seed: int = 17,
) -> dict[str, Any]:
    """Say what the champion's risks give at a capacity, and which capacity a threshold asks for.

    Parameters
    ----------
    held_out : HeldOut
        Of an outcome that is an event; one row is one person at one index date.
    programme_persons : int
        Persons among whom the weekly contacts of a year are shared out.
    thresholds : sequence of float
        Of ``by_threshold``.
    repeats, seed : int
        Resamples of clusters behind each interval; the capacity (or threshold) is the same in each.

    Returns
    -------
    dict of JSON values. ``by_alerts``, ``by_contacts`` (without capacities beyond everybody) and ``by_threshold``: rows with
    ``alerts_per_100``, ``threshold``, ``ppv``, ``sensitivity``, ``specificity``, ``number_needed_to_talk_to`` (1 / PPV), the
    last four with value, low, high.
    """
    risks, y = risk_of(held_out.linear[held_out.champion]), held_out.y
    contacts = {k: k * WEEKS_A_YEAR / programme_persons for k in CONTACTS_A_WEEK}
    affordable = {k: share for k, share in contacts.items() if share <= 1}

    def table(counts: _Counts, n: int) -> list[dict[str, Any]]:
        return _rows(counts, n, held_out, repeats, seed)

    def ranked(shares: Sequence[float]) -> list[dict[str, Any]]:
        at = [threshold_of(risks, held_out.weight, share) for share in shares]
        rows = table(_at_shares(risks, y, np.array(shares)), len(shares))
        return [{"threshold": cut, "alerts_per_100": 100 * share, **row}
                for cut, share, row in zip(at, shares, rows, strict=True)]  # fmt: skip

    by_threshold = table(lambda weights: positives(risks, y, weights, np.array(thresholds)), len(thresholds))
    return {
        "by_alerts": ranked([one / 100 for one in ALERTS_PER_100]),
        "by_contacts": [{"contacts_a_week": k, **row} for k, row in zip(affordable, ranked([*affordable.values()]),
                                                                        strict=True)],
        "by_threshold": [{"threshold": cut, "alerts_per_100": 100 * float(np.average(risks >= cut, weights=held_out.weight)),
                          **row} for cut, row in zip(thresholds, by_threshold, strict=True)],
        "programme": {"persons": programme_persons, "weeks_a_year": WEEKS_A_YEAR, "scored": "once a year"},
    }  # fmt: skip


def threshold_of(risks: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the risk of the last person who is contacted when the highest ``share`` of (weighted) rows is."""
    order = np.argsort(-risks, kind="stable")
    reached = np.cumsum(weights[order])
    last = np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))
    return float(risks[order[min(last, len(order) - 1)]])


def positives_at_shares(
    ranking: Ranking, y: np.ndarray, weights: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return true and false positives when the highest share of the rows is contacted, each (n_weightings, n_shares).

    Parameters
    ----------
    ranking : Ranking
        Of the n risks; of equal risks at the end of the list everybody counts with the same part.
    y : float64 array, shape (n,)
    weights : float64 array, shape (n_weightings, n)
    shares : float64 array, shape (n_shares,)
        Within 0..1, of the sum of weights.
    """
    everybody = np.cumsum(ranking.sums(weights)[:, ::-1], axis=1)
    events = np.cumsum(ranking.sums(weights * y)[:, ::-1], axis=1)
    contacted = everybody[:, -1:] * shares
    true = np.stack([np.interp(at, np.r_[0.0, reached], np.r_[0.0, found])
                     for at, reached, found in zip(contacted, everybody, events, strict=True)])  # fmt: skip
    return true, contacted - true


def _at_shares(risks: np.ndarray, y: np.ndarray, shares: np.ndarray) -> _Counts:
    ranking = Ranking.of(risks)
    return lambda weights: positives_at_shares(ranking, y, weights, shares)


def _rows(counts: _Counts, n: int, held_out: HeldOut, repeats: int, seed: int) -> list[dict[str, Any]]:
    """Return PPV, sensitivity, specificity and number needed, with intervals, for each of the n columns of ``counts``."""
    y = held_out.y

    def shares(weights: np.ndarray) -> dict[str, np.ndarray]:
        true, false = counts(weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "ppv": true / (true + false),
                "sensitivity": true / (weights @ y)[:, None],
                "specificity": 1 - false / (weights @ (1 - y))[:, None],
            }

    found = with_intervals(shares, held_out.cluster, held_out.weight, repeats, seed)
    rows = [{name: {part: values[place] for part, values in number.items()} for name, number in found.items()}
            for place in range(n)]  # fmt: skip
    return [row | {"number_needed_to_talk_to": _reciprocal(row["ppv"])} for row in rows]


def _reciprocal(ppv: dict[str, float | None]) -> dict[str, float | None]:
    """Return 1 / PPV with the interval of the PPV turned over; None where nobody of those contacted has the event."""
    turned = {"value": ppv["value"], "low": ppv["high"], "high": ppv["low"]}
    return {part: 1 / number if number else None for part, number in turned.items()}
