"""How good the explanations of a champion are: exact, stable, short, and as a clinician would expect.

Everything is computed on test rows, with the contributions that are served.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from features.catalogue import feature
from models.evaluation.explanation_directions import directions, missing_by_source
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.evaluation.shapash_metrics import CLOSE_ENOUGH, NEIGHBOURS, distance_reached, features_needed, stability
from models.risk_model import RiskModel

LARGEST_GAP = 1e-9
TOP = 5
"""Reasons that a reader is shown first, as ``/v1/risk`` shows five that raise."""

LISTED = 20
"""Features in lists: less important ones are read by nobody."""

FEWEST_PERSONS = 50
_MOST_ROWS = {"lightgbm": (3_000, 200)}
_FAST = (20_000, 1_000)
"""Rows explained by the champion, and by each refit; trees take a millisecond a row."""

_JUDGED = 100
_REPEATS = 200


def explanation_quality(champion: RiskModel, held_out: HeldOut, seed: int = 17) -> dict[str, Any]:
    """Measure a champion's explanations on test rows.

    Parameters
    ----------
    champion : RiskModel
        With its refits.
    held_out : HeldOut
        Its ``champion`` is this model.
    seed : int
        For the rows that are explained where there are many, and for the resamples behind intervals.

    Returns
    -------
    dict of JSON values
        ``additivity``: the largest of ``|base + sum of contributions - log-odds shown|``. ``refits``: how the first five
        reasons differ in models refitted on other persons. ``stability``, ``compacity``: as Shapash defines them.
        ``importance``: mean absolute contributions on test rows. ``directions`` with the surprises among them.
        ``missing``: what missing values of each source add to the log-odds.
        Only ``reason`` where there are fewer than 50 persons.
    """
    if len(np.unique(held_out.person)) < FEWEST_PERSONS:
        return {"reason": f"Fewer than {FEWEST_PERSONS} persons in the test rows."}
    most, most_refitted = _MOST_ROWS.get(champion.kind, _FAST)
    chosen = np.random.default_rng(seed).permutation(len(held_out))[:most]
    rows = held_out.take(chosen)
    X = np.stack([rows.column(name) for name in champion.feature_names], axis=1)
    terms = champion.contributions(X)
    refitted = [refit.contributions(X[:most_refitted])[:, :-1] for refit in champion.refits]
    parts = terms[:, :-1]
    return {
        "rows": len(rows),
        "additivity": _additivity(terms, rows.linear[rows.champion]),
        "refits": _across_refits(
            parts[:most_refitted], refitted, rows.take(np.arange(len(rows))[:most_refitted]), seed
        ),
        "stability": _stability(champion, X, parts),
        "compacity": _compacity(parts, rows, seed),
        "importance": _importance(champion.feature_names, parts, rows, seed),
        "directions": directions(champion.feature_names, X, parts, [X[:most_refitted], *refitted]),
        "missing": missing_by_source(champion.feature_names, X, parts, rows.weight, rows.person),
    }


def _additivity(terms: np.ndarray, shown: np.ndarray) -> dict[str, Any]:
    largest = float(np.abs(terms.sum(axis=1) - shown).max())
    return {"rows": len(terms), "largest_gap": largest, "limit": LARGEST_GAP, "holds": largest < LARGEST_GAP}


def top_reasons(contributions: np.ndarray, top: int = TOP) -> np.ndarray:
    """Return the positions of the largest absolute contributions, int (n, top), the largest first."""
    return np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :top]


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the Jaccard index of the sets in each row of two int arrays (n, k) of distinct positions; float64 (n,)."""
    shared = (first[:, :, None] == second[:, None, :]).any(axis=2).sum(axis=1)
    return shared / (first.shape[1] + second.shape[1] - shared)


def _across_refits(parts: np.ndarray, refitted: list[np.ndarray], rows: HeldOut, seed: int) -> dict[str, Any]:
    if not refitted:
        return {"reason": "The champion has no refits."}
    own = top_reasons(parts)
    jaccard = np.mean([overlap(own, top_reasons(one)) for one in refitted], axis=0)
    signs = np.sign(np.take_along_axis(parts, own, axis=1))
    agrees = np.mean(
        [(np.sign(np.take_along_axis(one, own, axis=1)) == signs).mean(axis=1) for one in refitted], axis=0
    )
    first = np.mean([(top_reasons(one) == own[:, :1]).any(axis=1) for one in refitted], axis=0)
    found = _means({"jaccard": jaccard, "same_sign": agrees, "first_stays_in_top": first}, rows, seed)
    return {"rows": len(parts), "refits": len(refitted), "top": own.shape[1], **found}


def _stability(champion: RiskModel, X: np.ndarray, parts: np.ndarray) -> dict[str, Any]:
    few = slice(_FAST[1] * 2)
    filled = np.where(np.isnan(X[few]), _medians(X[few]), X[few])
    judged = np.arange(min(_JUDGED, len(filled)))
    variability, amplitude = stability(judged, filled, champion.risks(X[few]), parts[few])
    by_feature, size = variability.mean(axis=0), amplitude.mean(axis=0)
    ranked = np.argsort(-size, kind="stable")[:LISTED]
    return {
        "rows": len(judged),
        "neighbours": NEIGHBOURS,
        "variability": float(np.average(by_feature, weights=size)) if size.any() else 0.0,
        "features": {
            champion.feature_names[j]: {"variability": float(by_feature[j]), "amplitude": float(size[j])}
            for j in ranked
        },
    }


def _compacity(parts: np.ndarray, rows: HeldOut, seed: int) -> dict[str, Any]:
    needed, reached = features_needed(parts), distance_reached(parts, TOP)
    values = {"features_needed": needed, "distance_with_top": reached, "close_with_top": reached < CLOSE_ENOUGH}
    return {"close_enough": CLOSE_ENOUGH, "top": TOP, **_means(values, rows, seed)}


def _importance(names: tuple[str, ...], parts: np.ndarray, rows: HeldOut, seed: int) -> dict[str, Any]:
    domains = [feature(name).domain for name in names]
    sums = {domain: parts[:, [one == domain for one in domains]].sum(axis=1) for domain in dict.fromkeys(domains)}
    by_domain = _means({domain: np.abs(total) for domain, total in sums.items()}, rows, seed)
    listed = np.argsort(-(np.abs(parts) * rows.weight[:, None]).sum(axis=0), kind="stable")[:LISTED]
    by_feature = _means({names[j]: np.abs(parts[:, j]) for j in listed}, rows, seed)
    return {"features": by_feature, "domains": dict(sorted(by_domain.items(), key=lambda one: -one[1]["value"]))}


def _means(values: dict[str, np.ndarray], rows: HeldOut, seed: int) -> dict[str, dict[str, Any]]:
    """Weighted means of numbers per row, with intervals from resampled clusters."""
    table = np.column_stack([*values.values()]).astype(np.float64)

    def means(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = (weights @ table) / weights.sum(axis=1, keepdims=True)
        return dict(zip(values, found.T, strict=True))

    return with_intervals(means, rows.cluster, rows.weight, _REPEATS, seed)


def _medians(X: np.ndarray) -> np.ndarray:
    """Medians per column, 0 where nothing is known."""
    known = np.isfinite(X).any(axis=0)
    medians = np.zeros(X.shape[1])
    medians[known] = np.nanmedian(X[:, known], axis=0)
    return medians
