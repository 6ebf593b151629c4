"""The explainable boosting machine without interactions: boosted step functions, one per feature, each in turn.

A second glass box beside the elastic net: it finds bends and steps by itself. Its work is bounded: few bins, one bag whose
validation persons are others than those it learns from, and a limit of rounds. Events only: days have no such
candidate (interpret's Tweedie machine has not been tried against the sums that this project stores).

Reference: Lou Y et al. Accurate intelligible models with pairwise interactions. KDD 2013. https://interpret.ml/docs/ebm.html.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from models.additive import AdditiveTerms
from models.estimators.columns import EXTREMES_NOT_KEPT, numbered, person_folds_of
from models.side_by_side import without_expected_warnings

MOST_BINS = 24
VALIDATION_FOLDS = 7
"""One seventh of the persons stop the boosting."""

MANY_ROWS = 150_000
"""Above this, half of the other persons teach and half rest: steps this coarse need no more. See docs/decisions/30."""

LEAST_PERSONS_PER_STEP = 2 * EXTREMES_NOT_KEPT
"""Steps that fewer teaching persons stand on become one with their neighbours; the machine itself counts rows."""

_TRAIN, _VALIDATE = 1, -1


class ExplainableBoostingEstimator(BaseEstimator):
    """A sum of step functions.

    Parameters
    ----------
    rounds : int
        Most passes over all features.
    learning_rate : float
    seed : int
        Of the validation persons.
    """

    def __init__(self, rounds: int = 250, learning_rate: float = 0.04, seed: int = 0) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray, *, groups: np.ndarray | None = None
    ) -> ExplainableBoostingEstimator:
        """Fit on X, shape (n, n_columns), NaN for missing; persons (groups) teach or stop; of very many some rest."""
        from interpret.glassbox import ExplainableBoostingClassifier

        known = np.flatnonzero(np.isfinite(X).any(axis=0))  # the machine warns of a column that nobody has
        fold = person_folds_of(groups, len(X), 2 * VALIDATION_FOLDS, self.seed)
        stops = fold % VALIDATION_FOLDS == 0
        teaches = ~stops & ((fold < VALIDATION_FOLDS) | (len(X) <= MANY_ROWS))
        machine = ExplainableBoostingClassifier(
            feature_types=["continuous"] * len(known),
            interactions=0,
            max_bins=MOST_BINS,
            outer_bags=1,
            learning_rate=self.learning_rate,
            greedy_ratio=0.0,
            smoothing_rounds=0,
            max_rounds=self.rounds,
            early_stopping_rounds=20,
            min_samples_leaf=LEAST_PERSONS_PER_STEP,
            n_jobs=1,
            random_state=self.seed,
        )
        with without_expected_warnings():
            bags = np.select([stops, teaches], [_VALIDATE, _TRAIN])[:, None]
            machine.fit(X[:, known], y.astype(np.int64), sample_weight=sample_weight, bags=bags)
        taught = np.flatnonzero(teaches)
        person = numbered(None if groups is None else groups[taught], len(taught))
        curves = _curves(machine, known, X.shape[1])
        curves = [_of_many(curve, X[taught, j], sample_weight[taught], person) for j, curve in enumerate(curves)]
        terms, moved = _centred(curves, X, sample_weight)
        self.parts_: dict[str, Any] = {
            "kind": "additive",
            "intercept": float(machine.intercept_[0]) + moved,
            "terms": terms,
        }
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return raw log-odds, shape (n,)."""
        return np.asarray(self.parts_["intercept"] + self.parts_["terms"].of(X).sum(axis=1))


Curve = tuple[np.ndarray, np.ndarray, float]


def _curves(machine: Any, known: np.ndarray, n_columns: int) -> list[Curve]:
    """One curve per column of X; nothing for a column without a value."""
    curves: list[Curve] = [(np.empty(0), np.zeros(1), 0.0)] * n_columns
    for position, column in enumerate(known):
        curves[column] = _curve(machine, position)
    return curves


def _curve(machine: Any, j: int) -> Curve:
    """Cuts, values of the steps between them, and the value for missing; interpret keeps missing first, unknown last."""
    if (j,) not in machine.term_features_:
        return np.empty(0), np.zeros(1), 0.0
    scores = machine.term_scores_[machine.term_features_.index((j,))]
    return np.asarray(machine.bins_[j][0], dtype=np.float64), scores[1:-1], float(scores[0])


def _of_many(curve: Curve, column: np.ndarray, weight: np.ndarray, person: np.ndarray) -> Curve:
    """Merge steps until each stands on persons enough; a value for missing that does not becomes the curve's mean."""
    cuts, values, gap = curve
    known = np.isfinite(column)
    step = np.searchsorted(cuts, column[known], side="right")
    mass = np.bincount(step, weight[known], len(values))
    seen = np.zeros((len(values), int(person.max(initial=-1)) + 1), dtype=bool)
    seen[step, person[known]] = True
    first = _first_steps(seen)
    weighed = np.add.reduceat(mass, first)
    sums, plain = np.add.reduceat(mass * values, first), np.maximum.reduceat(values, first)
    merged = np.where(np.diff([*first, len(values)]) > 1, sums / np.where(weighed > 0, weighed, 1.0), plain)
    if len(np.unique(person[~known])) < LEAST_PERSONS_PER_STEP:
        gap = float(mass @ values / mass.sum()) if mass.sum() > 0 else 0.0
    if seen.any(axis=0).sum() < LEAST_PERSONS_PER_STEP:
        merged = np.array([gap])
    return cuts[np.array(first[1:], dtype=np.intp) - 1], merged, gap


def _first_steps(seen: np.ndarray) -> list[int]:
    """First of the steps that become one, for each that is left; seen is bool, (n_steps, n_persons)."""
    first, together = [0], np.zeros(seen.shape[1], dtype=bool)
    for step, persons in enumerate(seen):
        if together.sum() >= LEAST_PERSONS_PER_STEP:
            first.append(step)
            together = np.zeros_like(together)
        together |= persons
    if together.sum() < LEAST_PERSONS_PER_STEP and len(first) > 1:
        first.pop()
    return first


def _centred(curves: list[Curve], X: np.ndarray, weight: np.ndarray) -> tuple[AdditiveTerms, float]:
    """Give every curve the weighted mean 0 over the rows; return them and what the intercept gains by it."""
    means = np.average(AdditiveTerms.from_curves(curves).of(X), axis=0, weights=weight)
    shifted = [(cuts, values - mean, gap - mean) for (cuts, values, gap), mean in zip(curves, means, strict=True)]
    return AdditiveTerms.from_curves(shifted), float(means.sum())
