"""From a training set to the champion: compare candidates, refit on all training rows, calibrate, resample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from data_contracts.errors import NotEnoughDataError
from data_contracts.time_windows import calendar_date
from models.comparison import Comparison, OutOfFold, TrainingRows, compare, out_of_fold
from models.estimators import EXTREMES_NOT_KEPT, TreeSize, candidates
from models.evaluation.intervals import resampled_weights
from models.outcomes.outcome import Outcome
from models.risk_model import RiskModel
from models.splits import Split, person_folds
from models.training_set import TrainingSet

FEWEST_ROWS = 200
FEWEST_EVENTS = 20
GOLDEN_ROWS = 24


@dataclass(frozen=True)
class Trained:
    """The champion, every candidate refitted on the same rows (for the evaluation), and why the champion was chosen."""

    champion: RiskModel
    candidates: dict[str, RiskModel]
    comparison: Comparison


def train(
    training_set: TrainingSet,
    split: Split,
    outcome: Outcome,
    *,
    folds: int = 5,
    refits: int = 10,
    trees: TreeSize | None = None,
    seed: int = 17,
    on_step: Callable[[str], None] = lambda step: None,
) -> Trained:
    """Train one outcome.

    Parameters
    ----------
    training_set : TrainingSet
    split : Split
        Only its training rows with an observed label are used.
    outcome : Outcome
    folds : int
        Persons are divided into this many folds for out-of-fold predictions.
    refits : int
        Refits of the champion on resampled persons, for the interval of each risk.
    trees : TreeSize, optional
    seed : int
    on_step : callable
        Called with what is being done, for progress.

    Returns
    -------
    Trained

    Raises
    ------
    NotEnoughDataError
        Too few rows or events to learn from.
    """
    rows = training_rows(training_set, split.train, folds)
    _refuse_too_few(rows, outcome.name)
    # Matrices this small are faster on one thread, and the last bits do not depend on the number of cores.
    with threadpool_limits(1, user_api="blas"):
        return _train(training_set, split, rows, outcome, refits, trees or TreeSize(), seed, on_step)


def _train(
    training_set: TrainingSet,
    split: Split,
    rows: TrainingRows,
    outcome: Outcome,
    refits: int,
    trees: TreeSize,
    seed: int,
    on_step: Callable[[str], None],
) -> Trained:
    fits = []
    for candidate in candidates(outcome, _varying(rows), trees, seed):
        on_step(f"comparing {candidate.name}")
        fits.append(out_of_fold(candidate, rows))
    comparison = compare(fits, rows)
    facts = _facts(training_set, split, rows, comparison) | {
        "label": {"nb": outcome.label_nb, "en": outcome.label_en},
        "horizon_days": outcome.horizon_days,
    }
    models = {fit.candidate.name: _refitted(fit, rows, outcome.name, facts, seed) for fit in fits}
    on_step(f"refitting {comparison.chosen.name} on resampled persons")
    (winner,) = [fit for fit in fits if fit.candidate.name == comparison.chosen.name]
    champion = models[winner.candidate.name]
    resampled = tuple(_resampled(champion, winner, rows, refits, seed))
    return Trained(replace(champion, refits=resampled), models, comparison)


def training_rows(training_set: TrainingSet, positions: np.ndarray, folds: int) -> TrainingRows:
    """Return the chosen rows whose label was observed, with the fold of their person."""
    chosen = positions[training_set.observed[positions]]
    person = training_set.person[chosen]
    return TrainingRows(
        feature_names=tuple(training_set.feature_names.tolist()),
        X=training_set.X[chosen],
        y=training_set.y[chosen],
        weight=training_set.weight[chosen],
        person=person,
        fold=person_folds(training_set.person_ids.tolist(), folds)[person],
    )


def _refuse_too_few(rows: TrainingRows, outcome: str) -> None:
    events, others = int(rows.y.sum()), int((1 - rows.y).sum())
    if len(rows.y) >= FEWEST_ROWS and min(events, others) >= FEWEST_EVENTS and len(np.unique(rows.fold)) > 1:
        return
    raise NotEnoughDataError(
        f"{outcome}: {len(rows.y)} training rows with {events} events and {others} non-events; at least {FEWEST_ROWS} "
        f"rows and {FEWEST_EVENTS} of each are needed. Bring more persons or earlier index dates "
        "(training.first_index_date), and read the flow counts of the training set: they say why pairs were left out."
    )


def _varying(rows: TrainingRows) -> tuple[str, ...]:
    """Names of the columns that take more than one value (missing counts as one) in the training rows."""
    varies = [len(np.unique(column)) > 1 for column in rows.X.T]
    return tuple(name for name, keep in zip(rows.feature_names, varies, strict=True) if keep)


def _refitted(fit: OutOfFold, rows: TrainingRows, outcome: str, facts: dict[str, Any], seed: int) -> RiskModel:
    names = fit.candidate.feature_names
    X = rows.columns(names)
    model = RiskModel(
        outcome=outcome,
        name=fit.candidate.name,
        feature_names=names,
        recalibration_intercept=fit.intercept,
        recalibration_slope=fit.slope,
        reference_risk=float(np.average(rows.y, weights=rows.weight)),
        facts=facts | {"training_range": _ranges(names, X)},
        **clone(fit.estimator).fit(X, rows.y, rows.weight).parts_,
    )
    return model.with_golden(_golden_rows(X, seed))


def _resampled(champion: RiskModel, fit: OutOfFold, rows: TrainingRows, refits: int, seed: int) -> list[RiskModel]:
    X = rows.columns(fit.candidate.feature_names)
    weightings = np.concatenate(list(resampled_weights(rows.person, rows.weight, refits, seed)))
    models = []
    for weights in weightings:
        drawn = weights > 0
        parts = clone(fit.estimator).fit(X[drawn], rows.y[drawn], weights[drawn]).parts_
        models.append(replace(champion, **parts, golden=None, facts={}))
    return models


def _ranges(names: tuple[str, ...], X: np.ndarray) -> dict[str, list[float]]:
    ranges = {}
    for name, column in zip(names, X.T, strict=True):
        known = np.sort(column[np.isfinite(column)])
        if len(known) > 2 * EXTREMES_NOT_KEPT:
            ranges[name] = [float(known[EXTREMES_NOT_KEPT]), float(known[-EXTREMES_NOT_KEPT - 1])]
    return ranges


def _golden_rows(X: np.ndarray, seed: int) -> np.ndarray:
    """Rows that are nobody: each column drawn on its own, so a model file never holds a person."""
    random = np.random.default_rng(seed)
    return np.stack([random.choice(column, GOLDEN_ROWS) for column in X.T], axis=1)


def _facts(training_set: TrainingSet, split: Split, rows: TrainingRows, comparison: Comparison) -> dict[str, Any]:
    first, last = (
        calendar_date(day).isoformat() for day in (training_set.t[split.train].min(), training_set.t[split.train].max())
    )
    return {
        **{name: training_set.facts[name] for name in ("data_as_of", "synthetic", "fingerprint", "weights")},
        "trained_on": {"first_index_date": first, "last_index_date": last},
        "n": len(rows.y),
        "persons": len(np.unique(rows.person)),
        "events": int(rows.y.sum()),
        "left_out_of_split": split.left_out,
        "flow": training_set.flow,
        "comparison": comparison.to_json(),
    }
