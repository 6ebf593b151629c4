"""Whether more persons have helped: the champion's estimator on growing, nested sets of persons, on the same test rows.

Every point, the last one too, is a refit made in one and the same way (see :mod:`models.evaluation.refits`): the champion's
own line is from more folds, and beside it every share would look as if persons were lacking. What more persons than there
are would give is not observed and not said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from models.estimators import Candidate
from models.evaluation.differences import differences
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.evaluation.refits import (
    FEWEST_EVENTS,
    MOST_ROWS,
    at_most,
    learning_rows,
    predict_anew,
    shares_of,
    take,
    too_few,
)
from models.out_of_fold import TrainingRows
from models.splits import Split
from models.target import EVENT, Target
from models.training_set import TrainingSet

SHARES = (0.10, 0.20, 0.40, 0.70, 1.00)
"""Of the persons that refits learn from."""


def learning_curve(
    training_set: TrainingSet,
    split: Split,
    held_out: HeldOut,
    candidate: Candidate,
    *,
    most_rows: int = MOST_ROWS,
    repeats: int = 200,
    seed: int = 17,
) -> dict[str, Any]:
    """Refit on shares of the training persons, and on all of them.

    Parameters
    ----------
    training_set : TrainingSet
    split : Split
    held_out : HeldOut
    candidate : Candidate
        The champion, unfitted; see :func:`models.estimators.refittable`.
    most_rows : int
        So many rows are "all" at most, of persons drawn by a hash, for time: the note says it.
    repeats, seed : int
        Resamples of clusters behind each interval. The intervals are of the test rows; which persons were drawn for
        training is not resampled.

    Returns
    -------
    dict: ``points`` (share, persons, rows, events, and auroc and loss with intervals), ``training_persons`` (how many there
    are, refitted on or not), ``gain`` (what all persons have over the share nearest to half, paired), ``still_helps``
    (whether that step lowered the loss with its whole interval; None where there was no step) and ``note``; or a ``reason``.
    """
    found = learning_rows(training_set, split)
    there = len(np.unique(found.person))
    rows = at_most(found, shares_of(training_set, found), most_rows)
    del found  # the features of all rows are much more than those of the rows that are refitted on
    if reason := too_few(rows, held_out):
        return {"points": [], "reason": reason}
    curve, points = _points(candidate, rows, shares_of(training_set, rows), held_out, repeats, seed)
    tried = len(np.unique(rows.person))
    who = "All persons" if tried == there else f"{tried} of {there} persons"
    return {"points": points, "training_persons": there, **_verdict(curve, who, rows.target, repeats, seed)}


def _points(
    candidate: Candidate, rows: TrainingRows, place: np.ndarray, held_out: HeldOut, repeats: int, seed: int
) -> tuple[HeldOut, list[dict[str, Any]]]:
    """Every refit as a model of the held-out rows, and as a point of the curve."""
    linear: dict[str, np.ndarray] = {}
    points = []
    place = place / np.nextafter(place.max(), 2.0)  # the last share is of everybody who is refitted on
    for share in SHARES:
        chosen = place < share
        about = {"share": share, "persons": len(np.unique(rows.person[chosen])), "rows": int(chosen.sum()),
                 "events": int((rows.y[chosen] > 0).sum())}  # fmt: skip
        if about["events"] >= FEWEST_EVENTS:
            linear[f"{share:.2f}"] = predict_anew(candidate, take(rows, chosen), held_out)
            points.append(about | _judged(linear[f"{share:.2f}"], held_out, rows.target, repeats, seed))
    return replace(held_out, linear=linear, champion=f"{SHARES[-1]:.2f}"), points


def _judged(linear: np.ndarray, held_out: HeldOut, target: Target, repeats: int, seed: int) -> dict[str, Any]:
    losses, ranking = target.losses(linear, held_out.y), Ranking.of(linear)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = {"loss": weights @ losses / weights.sum(axis=1)}
        return found | ({"auroc": auroc(ranking, held_out.y, weights)} if target is EVENT else {})

    return with_intervals(statistic, held_out.cluster, held_out.weight, repeats, seed)


def _verdict(curve: HeldOut, who: str, target: Target, repeats: int, seed: int) -> dict[str, Any]:
    shares = [float(name) for name in curve.linear if name != curve.champion]
    if not shares:
        return {"gain": None, "still_helps": None, "note": "No smaller share of persons could be tried."}
    half = min(shares, key=lambda share: abs(share - 0.5))
    pair = replace(curve, linear={name: curve.linear[name] for name in (f"{half:.2f}", curve.champion)})
    gain = differences(pair, target=target, thresholds=(), repeats=repeats, seed=seed)[f"{half:.2f}"]
    loss = gain["log_loss" if target is EVENT else "loss"]
    helps = loss["high"] < 0
    words = "lost less" if helps else "did not lose measurably less"
    return {
        "gain": {"over_share": half, **gain},
        "still_helps": helps,
        "note": f"{who} {words} (log loss or deviance) than {half:.0%} of them: {loss['value']:+.4f} "
        f"({loss['low']:+.4f} to {loss['high']:+.4f}). More persons than these were not tried.",
    }
