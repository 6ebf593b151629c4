"""Whether a model's important features work as the literature expects, and what its missing values add.

A surprise is no error by itself: features that go together share what they tell, and one of them may take the opposite
sign. It is listed so that a clinician looks at it before the model is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.records import TABLES
from features.catalogue import feature
from features.feature import Feature

IMPORTANT = 20
"""Features whose direction is looked at, by mean absolute contribution."""

CLEAR = 0.1
"""A rank correlation nearer to 0 has no direction."""

FEWEST_KNOWN = 50
FEWEST_PERSONS = 50

_WORDS = {
    1: {"nb": "høyere", "en": "higher"},
    -1: {"nb": "lavere", "en": "lower"},
}


def directions(
    feature_names: tuple[str, ...], X: np.ndarray, contributions: np.ndarray, refitted: list[np.ndarray]
) -> dict[str, Any]:
    """Compare the sign of the association between value and contribution with the catalogue's expectation.

    Parameters
    ----------
    feature_names : tuple of str
    X : float32 array, shape (n, n_features)
    contributions : float64 array, shape (n, n_features)
        Without the base.
    refitted : list of arrays
        First the rows, float32 (k, n_features), then the contributions of each refit to them, float64 (k, n_features).

    Returns
    -------
    ``features``: per important feature the rank correlation (Spearman), the expected and the found direction (-1, 0, 1) and
    the share of refits that found the same; ``surprises``: those that are against the expectation, with words for a clinician.
    """
    ranked = np.argsort(-np.abs(contributions).mean(axis=0), kind="stable")[:IMPORTANT].tolist()
    rows, *of_refits = refitted
    found, surprises = {}, []
    for j in ranked:
        one = feature(feature_names[j])
        association = rank_correlation(X[:, j], contributions[:, j])
        direction = _sign(association)
        again = [_sign(rank_correlation(rows[:, j], parts[:, j])) for parts in of_refits]
        found[one.name] = {
            "association": association,
            "direction": direction,
            "expected_direction": one.expected_direction,
            "same_in_refits": float(np.mean([sign == direction for sign in again])) if again else None,
        }
        if one.expected_direction * direction < 0:
            surprises.append({"feature": one.name, "association": association, "text": _surprise(one, direction)})
    return {"features": found, "surprises": surprises}


def rank_correlation(values: np.ndarray, contributions: np.ndarray) -> float | None:
    """Return Spearman's correlation over the known values; None with fewer than 50 or where either does not vary."""
    known = np.isfinite(values)
    if known.sum() < FEWEST_KNOWN or np.ptp(values[known]) == 0 or np.ptp(contributions[known]) == 0:
        return None
    return float(np.corrcoef(_ranks(values[known]), _ranks(contributions[known]))[0, 1])


def missing_by_source(
    feature_names: tuple[str, ...], X: np.ndarray, contributions: np.ndarray, weight: np.ndarray, person: np.ndarray
) -> dict[str, Any]:
    """Return what the missing values of each source (one consent each) add to the log-odds.

    Parameters
    ----------
    feature_names, X, contributions
        As in :func:`directions`.
    weight : float64 array, shape (n,)
    person : int array, shape (n,)

    Returns
    -------
    Per source: ``mean_contribution`` and ``mean_absolute`` of the sum over missing values; ``wholly_missing``: the share of
    rows in which nothing of it is known (not given, refused or not sent), and the mean sum there, which is what silence
    itself tells the model (None where fewer than 50 persons).
    """
    sources = [TABLES[feature(name).table].consent_source for name in feature_names]
    found: dict[str, Any] = {}
    for source in SOURCES:
        own = np.array([one == source for one in sources])
        if not own.any():
            continue
        missing = np.isnan(X[:, own])
        added = np.where(missing, contributions[:, own], 0.0).sum(axis=1)
        whole = missing.all(axis=1)
        enough = len(np.unique(person[whole])) >= FEWEST_PERSONS
        found[source] = {
            "features": int(own.sum()),
            "mean_contribution": float(np.average(added, weights=weight)),
            "mean_absolute": float(np.average(np.abs(added), weights=weight)),
            "wholly_missing": {
                "share": float(np.average(whole, weights=weight)) if enough or not whole.any() else None,
                "mean_contribution": float(np.average(added[whole], weights=weight[whole])) if enough else None,
            },
        }
    return found


def _sign(association: float | None) -> int:
    return 0 if association is None or abs(association) < CLEAR else int(np.sign(association))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Mean ranks, ties sharing theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def _surprise(one: Feature, direction: int) -> dict[str, str]:
    found, expected = _WORDS[direction], _WORDS[-direction]
    return {
        "nb": f"{one.label_nb}: en høyere verdi henger i modellen sammen med {found['nb']} risiko. Ventet var {expected['nb']} "
        f"({one.source}). Kan skyldes at flere opplysninger sier det samme; bør ses på av en kliniker.",
        "en": f"{one.label_en}: a higher value is associated in the model with {found['en']} risk. Expected was "
        f"{expected['en']} ({one.source}). May come from several features that tell the same; a clinician should look at it.",
    }
