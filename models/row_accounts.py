"""What is told of the rows of a training set: what each stands for, who left, and where everybody else has gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from data_contracts.time_windows import calendar_date
from features.catalogue import FINGERPRINT
from models.cohorts import Part
from models.observation_weights import (
    censoring_weights,
    effective_sample_size,
    known_diagnosis_weights,
    response_weights,
)
from models.outcomes.outcome import Labels, Outcome, Status

EARLIER_DAYS = (30, 90, 180)
"""Days, beside the end of the horizon, by which exits are counted and risks are given."""

MANY_LEAVE = 0.1
"""Share of rows that are left early from which on it is said: they cannot show what the rest stand for."""

DIAGNOSIS_UNKNOWN = "diagnosis of a long absence not known"


def row_weights(outcome: Outcome, labels: Labels, response: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return how many rows each observed label stands for.

    Parameters
    ----------
    outcome : Outcome
    labels : Labels
        Of all n rows.
    response : float array, shape (n, k)
        What may explain who answers a later survey; unused where none is waited for.
    fold : int array, shape (n,)
        The model of answering that weights a fold never saw its persons.

    Returns
    -------
    float64 array, shape (n,): 0 where the label is not known.
    """
    if outcome.incomplete_because != "left employment":
        return response_weights(response, labels.status == Status.OBSERVED, fold)
    is_lost = labels.status == Status.NOT_OBSERVED
    # A number of days is decided by the horizon's end, whatever it is: 1 is a day and no event.
    ended = is_lost | ((labels.y == 1) & (outcome.target == "event"))
    left = labels.status == Status.CENSORED
    weights = censoring_weights(labels.followed_days, ended, left, outcome.horizon_days)
    return known_diagnosis_weights(weights, labels.needs_diagnosis, ~is_lost)


def flow_counts(outcome: Outcome, parts: Sequence[Part], labels: Labels) -> dict[str, int]:
    """Return reason -> (person, index date) pairs, in the order in which they leave; the last two are observed rows."""
    counts = {reason: sum(part.flow[reason] for part in parts) for reason in parts[0].flow}
    is_lost, left = labels.status == Status.NOT_OBSERVED, labels.status == Status.CENSORED
    if outcome.asks_diagnosis:
        counts |= {outcome.incomplete_because: int(left.sum()), DIAGNOSIS_UNKNOWN: int(is_lost.sum())}
    else:
        counts[outcome.incomplete_because] = int((left | is_lost).sum())
    nothing, something = ("no event", "event") if outcome.target == "event" else ("no absence", "absence")
    return counts | {nothing: int((labels.y == 0).sum()), something: int((labels.y > 0).sum())}


def row_facts(outcome: Outcome, parts: Sequence[Part], labels: Labels, weight: np.ndarray) -> dict[str, Any]:
    """Return JSON values: of what the rows are, how they were weighted, who left before the end of the horizon."""
    observed = weight[labels.status == Status.OBSERVED]
    return {
        "index_dates": [calendar_date(t).isoformat() for t in parts[0].days],
        "target": outcome.target,
        "horizon_days": outcome.horizon_days,
        "embargo_days": outcome.embargo_days,
        "mature_after_days": outcome.mature_after_days,
        "registration_lag_days": outcome.registration_lag_days,
        "fingerprint": FINGERPRINT,
        "persons_in_store": sum(part.n_persons for part in parts),
        "weights": {
            "because": outcome.incomplete_because,
            "largest": float(observed.max(initial=0.0)),
            "effective_sample_size": effective_sample_size(observed),
        },
        "exits": _exits(outcome, labels),
    }


def _exits(outcome: Outcome, labels: Labels) -> dict[str, Any] | None:
    """Count who left employment, which ends what is seen of them; None where leaving does not end it."""
    if outcome.incomplete_because != "left employment":
        return None
    left_after = labels.followed_days[labels.status == Status.CENSORED]
    days = (*(day for day in EARLIER_DAYS if day < outcome.horizon_days), outcome.horizon_days)
    return {"rows": len(labels.status), "left_within_days": {str(day): int((left_after < day).sum()) for day in days}}


def exits_note(exits: dict[str, Any] | None) -> str:
    """Return a note when many leave employment before it is known what came, else an empty string."""
    left = max(exits["left_within_days"].values()) if exits else 0
    if not exits or left <= MANY_LEAVE * exits["rows"]:
        return ""
    return (
        f"{left / exits['rows']:.0%} of the rows end by leaving employment, a competing exit: what is predicted is what comes "
        "to a person who stays, and the rows that stay stand for those that left."
    )
