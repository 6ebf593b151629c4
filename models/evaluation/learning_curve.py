"""Whether more persons would still help: the champion's estimator on growing, nested sets of persons, on the same test rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from models.estimators import Candidate
from models.evaluation.differences import differences
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.evaluation.refits import FEWEST_EVENTS, MOST_ROWS, learning_rows, predict_anew, shares_of, take, too_few
from models.splits import Split
from models.target import EVENT, Target
from models.training_set import TrainingSet

SHARES = (0.10, 0.20, 0.40, 0.70)
"""Of the training persons; all of them is the champion as it is."""

_ALL = 1.0


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
    """Refit on shares of the training persons; the last point is the champion itself.

    Parameters
    ----------
    training_set : TrainingSet
    split : Split
    held_out : HeldOut
    candidate : Candidate
        The champion, unfitted; see :func:`models.estimators.refittable`.
    most_rows : int
        Shares with more rows than this are left out, for time.
    repeats, seed : int
        Resamples of clusters behind each interval. The intervals are of the test rows; which persons were drawn for
        training is not resampled.

    Returns
    -------
    dict: ``points`` (share, persons, rows, events, and auroc and loss with intervals), ``gain`` (what all persons have over
    the share nearest to half, paired), ``still_helps`` (True, False or None) and ``note``; or a ``reason``.
    """
    rows = learning_rows(training_set, split)
    if reason := too_few(rows, held_out):
        return {"points": [], "reason": reason}
    place = shares_of(training_set, rows)
    linear, points = {}, []
    for share in (*SHARES, _ALL):
        chosen = place < share
        about = {"share": share, "persons": len(np.unique(rows.person[chosen])), "rows": int(chosen.sum()),
                 "events": int((rows.y[chosen] > 0).sum())}  # fmt: skip
        name = f"{share:.2f}"
        if share == _ALL:
            linear[name] = held_out.linear[held_out.champion]
        elif about["events"] >= FEWEST_EVENTS and about["rows"] <= most_rows:
            linear[name] = predict_anew(candidate, take(rows, chosen), held_out)
        else:
            continue
        points.append(about | _judged(linear[name], held_out, rows.target, repeats, seed))
    curve = replace(held_out, linear=linear, champion=f"{_ALL:.2f}")
    return {"points": points, **_verdict(curve, rows.target, repeats, seed)}


def _judged(linear: np.ndarray, held_out: HeldOut, target: Target, repeats: int, seed: int) -> dict[str, Any]:
    losses, ranking = target.losses(linear, held_out.y), Ranking.of(linear)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = {"loss": weights @ losses / weights.sum(axis=1)}
        return found | ({"auroc": auroc(ranking, held_out.y, weights)} if target is EVENT else {})

    return with_intervals(statistic, held_out.cluster, held_out.weight, repeats, seed)


def _verdict(curve: HeldOut, target: Target, repeats: int, seed: int) -> dict[str, Any]:
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
        "note": f"All persons {words} (log loss or deviance) than {half:.0%} of them: {loss['value']:+.4f} "
        f"({loss['low']:+.4f} to {loss['high']:+.4f}). "
        + ("More persons can be expected to help further." if helps else "More persons alone promise little."),
    }
