"""What a champion says of itself: what it rests on, whom it is told apart from, and how much is usually known.

Computed on the training rows when the model is fitted, and kept in its facts: aggregates of at least 50 persons only
(deciles of scales: 100).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from features.catalogue import feature
from models.abstention import limits_of
from models.out_of_fold import TrainingRows
from models.reference_groups import ALL_GROUPS, POPULATION, group_numbers
from models.risk_model import RiskModel
from models.scale_norms import SCALE_NAMES, scale_norms
from models.side_by_side import side_by_side

FEWEST_PERSONS = 50
MOST_ROWS = {"lightgbm": (3_000, 400)}
FAST = (20_000, 2_000)
"""Rows looked at with the champion, and with each refit; trees take a millisecond a row, other models nearly nothing."""

REFIT_QUANTILES = (0.05, 0.95)
_MEANING = {
    "nb": "Vektet gjennomsnitt av bidragets absoluttverdi på log-odds-skalaen. Intervallet er fra 5 til 95 % av de samme "
    "tallene i modeller tilpasset på nytt til trukne personer: hvor mye rangeringen avhenger av hvem som var med. "
    "Et domenes tall er gjennomsnittet av absoluttverdien av summen i domenet.",
    "en": "Weighted mean absolute contribution on the log-odds scale. The interval is 5 to 95 % of the same numbers in models "
    "refitted to resampled persons: how much the ranking depends on who took part. A domain's number is the mean absolute "
    "value of the sum in the domain.",
}


def describe(champion: RiskModel, rows: TrainingRows, seed: int = 17) -> dict[str, Any]:
    """Describe a fitted model by its training rows.

    Parameters
    ----------
    champion : RiskModel
        With its refits.
    rows : TrainingRows
        All columns (sex and age decide the group, whether or not the model asks for them), weights and persons.
    seed : int
        For the rows that are looked at where there are many.

    Returns
    -------
    dict of JSON values, to be merged into the champion's facts
        ``importance``: per feature and domain, in log-odds, with the interval of the refits.
        ``reference_groups``: mean contributions and log-odds of everybody and of like sex and age.
        ``typical_missing``: in how many rows each feature is known, and the limits of :mod:`models.abstention`.
        ``scale_norms``: how persons of like sex and age answer; see :mod:`models.scale_norms`.
    """
    most, most_refitted = MOST_ROWS.get(champion.kind, FAST)
    chosen = np.random.default_rng(seed).permutation(len(rows.y))[:most]
    X, weight = rows.columns(champion.feature_names)[chosen], rows.weight[chosen]
    terms = champion.contributions(X)
    importance = _importance(champion, X, terms[:, :-1], weight, most_refitted)
    is_female, age_years = rows.columns(("is_female", "age_years")).T
    groups = group_numbers(is_female[chosen], age_years[chosen])
    described = {
        "importance": importance,
        "reference_groups": _reference_groups(terms, weight, rows.person[chosen], groups),
        "typical_missing": {"known_share": _named(champion, np.average(np.isfinite(X), axis=0, weights=weight))},
        "scale_norms": scale_norms(rows.columns(SCALE_NAMES), is_female, age_years, rows.person),
    }
    aware = replace(champion, facts={**champion.facts, **described})
    described["typical_missing"] |= limits_of(aware, X)
    return described


def mean_absolute(feature_names: tuple[str, ...], terms: np.ndarray, weight: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the weighted mean absolute contribution per feature and per domain; terms (n, n_features) without the base."""
    domains = [feature(name).domain for name in feature_names]
    by_domain = {domain: terms[:, [one == domain for one in domains]].sum(axis=1) for domain in dict.fromkeys(domains)}
    features = np.average(np.abs(terms), axis=0, weights=weight).tolist()
    return {
        "features": dict(zip(feature_names, features, strict=True)),
        "domains": {domain: float(np.average(np.abs(total), weights=weight)) for domain, total in by_domain.items()},
    }


def _importance(
    champion: RiskModel, X: np.ndarray, terms: np.ndarray, weight: np.ndarray, most_refitted: int
) -> dict[str, Any]:
    few = slice(most_refitted)
    names = champion.feature_names
    value, same_rows = mean_absolute(names, terms, weight), mean_absolute(names, terms[few], weight[few])

    def of(refit: RiskModel) -> dict[str, dict[str, float]]:
        return mean_absolute(names, refit.contributions(X[few])[:, :-1], weight[few])

    refitted = list(side_by_side(of, champion.refits))
    named = {
        kind: {
            name: _with_interval(number, [one[kind][name] - same_rows[kind][name] for one in refitted])
            for name, number in numbers.items()
        }
        for kind, numbers in value.items()
    }
    return {"rows": len(X), "refits": len(refitted), "meaning": _MEANING, **named}


def _with_interval(value: float, differences: list[float]) -> dict[str, float | None]:
    """Put the refits' differences from the champion on the same, fewer rows around the value of all rows."""
    if not differences:
        return {"value": value, "low": None, "high": None}
    low, high = (value + np.quantile(differences, REFIT_QUANTILES)).tolist()
    return {"value": value, "low": max(0.0, low), "high": max(0.0, high)}


def _reference_groups(terms: np.ndarray, weight: np.ndarray, person: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    everybody = _group(terms, weight, person)
    found: dict[str, Any] = {"groups": {}, "fewest_persons": FEWEST_PERSONS, "rows": len(terms)}
    if everybody["persons"] < FEWEST_PERSONS:
        return found
    members = {ALL_GROUPS[number].name: groups == number for number in _shown(person, groups)}
    found["groups"] = {POPULATION: everybody} | {
        name: _group(terms[those], weight[those], person[those]) for name, those in members.items()
    }
    return found


def _shown(person: np.ndarray, groups: np.ndarray) -> list[int]:
    """Groups of at least 50 persons, less the smallest ones where the others could be told from everybody less the shown."""
    persons = {number: len(np.unique(person[groups == number])) for number in range(len(ALL_GROUPS))}
    shown = [number for number, n in persons.items() if n >= FEWEST_PERSONS]
    while shown and 0 < len(np.unique(person[~np.isin(groups, shown)])) < FEWEST_PERSONS:
        shown.remove(min(shown, key=lambda number: persons[number]))
    return shown


def _group(terms: np.ndarray, weight: np.ndarray, person: np.ndarray) -> dict[str, Any]:
    means = np.average(terms, axis=0, weights=weight)
    return {
        "persons": len(np.unique(person)),
        "log_odds": float(means.sum()),
        "contributions": means[:-1].tolist(),
    }


def _named(champion: RiskModel, numbers: np.ndarray) -> dict[str, float]:
    return dict(zip(champion.feature_names, numbers.tolist(), strict=True))
