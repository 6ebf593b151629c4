"""What is left where there are too few persons for a model of their own: a published one, updated as far as they carry.

The rungs of the ladder, simplest first: the formula as published, its level shifted, a line through it, its coefficients
shrunken towards it. Each is judged on persons it has not seen; the simplest within one standard error of the best is kept.
Partial pooling by company is judged beside them but never served: a new person's company has no known effect.

Reference: Steyerberg EW et al. Stat Med 2004;23:2567 (which update needs how many persons).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from data_contracts.errors import NotEnoughDataError
from models.company_effects import FEWEST_COMPANIES, SPREADS, CompanyEffects, fit_company_effects
from models.comparison import Comparison, compare, described
from models.estimators.candidates import Candidate
from models.evaluation.discrimination import log_losses
from models.evaluation.intervals import resampled_weights
from models.model_updating import Rung, UpdatedRoelen
from models.out_of_fold import OutOfFold, TrainingRows, clustered_standard_error
from models.published_models import ROELEN_CAUTION, ROELEN_FEATURES
from models.risk_model import RiskModel
from models.sample_size import Verdict

OUTCOMES_WITH_A_FORMULA = ("long_sick_leave",)
"""For the others no published formula could be had in full: there is nothing to update."""

NAMES: dict[Rung, str] = {
    "as_published": "roelen_as_published",
    "intercept": "roelen_intercept",
    "line": "roelen_line",
    "shrunken": "roelen_shrunken",
}

FEWEST_EVENTS: dict[Rung, int] = {"as_published": 1, "intercept": 10, "line": 20, "shrunken": 20}
"""Events, and persons without, that a rung takes: ten for each number it adds, a convention and no more."""

_MEANING: dict[Rung, str] = {
    "as_published": "nothing is learnt",
    "intercept": "the level is learnt",
    "line": "level and slope are learnt",
    "shrunken": "coefficients are learnt, held near the published",
}

_Z = 1.96
_GOLDEN = np.array([[age, days, health] for age in (25, 40, 55, np.nan) for days, health in
                    ((0, 5), (10, 4), (60, 2), (200, 1), (0, np.nan), (np.nan, 3))], dtype=np.float32)  # fmt: skip
"""Rows that are nobody, to check a loaded model by: with so few persons none of their values leaves the training rows."""


def fallback(
    rows: TrainingRows,
    outcome: str,
    smallest: Verdict,
    facts: Callable[[Comparison], dict[str, Any]],
    *,
    refits: int,
    seed: int,
) -> tuple[RiskModel, dict[str, RiskModel], Comparison]:
    """Climb the ladder as far as the rows carry.

    Parameters
    ----------
    rows : TrainingRows
    outcome : str
    smallest : Verdict
        Of the least demanding candidate that is fitted to data alone; it was not enough.
    facts : callable
        What to store about the training, given the comparison.
    refits : int
        Refits on resampled persons, for the interval of each risk. As published there are none, and so no interval.
    seed : int

    Returns
    -------
    champion : RiskModel
    models : dict of RiskModel
        Every rung that was climbed, by name.
    comparison : Comparison

    Raises
    ------
    NotEnoughDataError
        No formula is published for the outcome, or there is no event, or nothing but events, to hold one against.
    """
    _refuse_without_formula(rows, outcome, smallest)
    fits = [_out_of_fold(rung, rows) for rung in _carried(rows)]
    comparison = compare(fits, rows)
    # An area under the curve of a few events is high or low by chance: no alarm is read from it.
    alarms = comparison.notes if len(fits) == len(FEWEST_EVENTS) else ()
    reason = _reason(len(fits), comparison.chosen.name, rows)
    comparison = replace(comparison, reason=reason, notes=(smallest.sentence(), ROELEN_CAUTION, *alarms))
    about = facts(comparison) | {"small_data": _told(fits, comparison, rows)}
    models = {fit.candidate.name: _refitted(fit, rows, outcome, about) for fit in fits}
    (winner,) = [fit for fit in fits if fit.candidate.name == comparison.chosen.name]
    champion = models[winner.candidate.name]
    return replace(champion, refits=_refits(champion, winner, rows, refits, seed)), models, comparison


def _refuse_without_formula(rows: TrainingRows, outcome: str, smallest: Verdict) -> None:
    if outcome not in OUTCOMES_WITH_A_FORMULA:
        raise NotEnoughDataError(
            f"{smallest.sentence()}. No published formula of this outcome can stand in meanwhile.", smallest.to_json()
        )
    if len(np.unique(rows.y)) < 2:
        raise NotEnoughDataError(
            f"{smallest.sentence()}. {int(rows.y.sum())} events in {len(rows.y)} rows: not even a published formula can be "
            "held against that.", smallest.to_json(),
        )  # fmt: skip


def _persons_with_event(rows: TrainingRows) -> int:
    """Persons, not rows: one who falls ill thrice tells less than three."""
    return len(np.unique(rows.person[rows.y == 1]))


def _reason(n_rungs: int, chosen: str, rows: TrainingRows) -> str:
    events = _persons_with_event(rows)
    if n_rungs == 1:
        return f"{chosen} is all there is: {events} persons with an event are too few to learn even a level from."
    return (
        f"{chosen} is the simplest of {n_rungs} within one standard error of the best; {events} persons had an event."
    )


def _carried(rows: TrainingRows) -> list[Rung]:
    """The rungs with events enough."""
    events = _persons_with_event(rows)
    others = len(np.unique(rows.person[rows.y == 0]))
    rests = [rows.y[rows.fold != fold] for fold in np.unique(rows.fold)]
    can_learn = all(len(np.unique(rest)) == 2 for rest in rests)
    return [rung for rung, fewest in FEWEST_EVENTS.items()
            if rung == "as_published" or (min(events, others) >= fewest and can_learn)]  # fmt: skip


def _out_of_fold(rung: Rung, rows: TrainingRows) -> OutOfFold:
    """Predict every row by a fit that never saw its person. A rung is its own recalibration: no line is put on top."""
    estimator, X = UpdatedRoelen(rung), rows.columns(ROELEN_FEATURES)
    log_odds = np.empty(len(X))
    for rest in _rests(rows):
        fitted = clone(estimator).fit(X[rest], rows.y[rest], rows.weight[rest], groups=rows.person[rest])
        log_odds[~rest] = fitted.decision_function(X[~rest])
    return OutOfFold(Candidate(NAMES[rung], ROELEN_FEATURES, (estimator,)), estimator, 0.0, 1.0, log_odds)


def _rests(rows: TrainingRows) -> list[np.ndarray]:
    return [rows.fold != held_out for held_out in np.unique(rows.fold)]


def _told(fits: Sequence[OutOfFold], comparison: Comparison, rows: TrainingRows) -> dict[str, Any]:
    """What the model card says about the ladder."""
    plain = next((fit for fit in fits if fit.candidate.name == NAMES["line"]), fits[-1])
    climbed = {fit.estimator.rung for fit in fits}
    return {
        "levels": [
            {"name": NAMES[rung], "meaning": _MEANING[rung], "fewest_events": fewest, "tried": rung in climbed}
            for rung, fewest in FEWEST_EVENTS.items()
        ],
        "persons_with_event": _persons_with_event(rows),
        "gains": {
            "over": plain.candidate.name,
            "unit": "log loss per row, out of fold; positive is better; 95 % interval clustered by person",
            "by_level": {fit.candidate.name: gain(plain.log_odds, fit.log_odds, rows) for fit in fits},
            "partially pooled by company": _by_company(plain, rows),
        },
        "chosen": comparison.chosen.name,
        "reason": comparison.reason,
        "caution": ROELEN_CAUTION,
    }


def gain(plain: np.ndarray, updated: np.ndarray, rows: TrainingRows) -> dict[str, float]:
    """Return how much lower the log loss of ``updated`` is than that of ``plain``, with a 95 % interval.

    Parameters
    ----------
    plain, updated : float64 arrays, shape (n,)
        Log-odds out of fold.
    rows : TrainingRows
    """
    lower = log_losses(plain, rows.y) - log_losses(updated, rows.y)
    value = float(np.average(lower, weights=rows.weight))
    error = clustered_standard_error(lower, rows.weight, rows.person)
    return {"value": value, "low": value - _Z * error, "high": value + _Z * error, "standard_error": error}


def _by_company(plain: OutOfFold, rows: TrainingRows) -> dict[str, Any]:
    """The spread between companies beyond the formula, and what knowing a person's company would gain."""
    companies, company = np.unique(rows.company, return_inverse=True)
    company = np.where(rows.company < 0, -1, company)
    n_companies = len(companies)
    about = {"companies": int((companies >= 0).sum()), "served": False}
    if plain.estimator.rung != "line" or about["companies"] < FEWEST_COMPANIES:
        needed = f"{FEWEST_COMPANIES} companies and {FEWEST_EVENTS['line']} persons with and without an event"
        return about | {"spread": None, "gain": None, "reason": f"takes {needed}"}
    whole = _pooled(rows, company, n_companies, np.ones(len(company), dtype=bool))
    pooled = np.empty(len(company))
    for rest in _rests(rows):
        fitted = _pooled(rows, company, n_companies, rest)
        pooled[~rest] = fitted.log_odds(_published(rows)[~rest], company[~rest])
    return about | {
        "spread": {"value": whole.spread, "low": whole.low, "high": whole.high}
        | ({"note": f"the interval reaches to {SPREADS[-1]:g} or beyond"} if whole.high is None else {}),
        "meaning": "standard deviation between companies of the log-odds that the formula leaves unexplained",
        "gain": gain(plain.log_odds, pooled, rows),
        "reason": "a new person's company has no known effect: the line of all persons is served",
    }


def _pooled(rows: TrainingRows, company: np.ndarray, n_companies: int, chosen: np.ndarray) -> CompanyEffects:
    weight = rows.weight[chosen]
    # Rows of one person are not independent: together they count for as much as there are persons.
    weight = weight * len(np.unique(rows.person[chosen])) / weight.sum()
    return fit_company_effects(_published(rows)[chosen], rows.y[chosen], weight, company[chosen], n_companies)


def _published(rows: TrainingRows) -> np.ndarray:
    X = rows.columns(ROELEN_FEATURES)
    return UpdatedRoelen("as_published").fit(X, rows.y, rows.weight).decision_function(X)


def _refitted(fit: OutOfFold, rows: TrainingRows, outcome: str, facts: dict[str, Any]) -> RiskModel:
    estimator = clone(fit.estimator).fit(rows.columns(ROELEN_FEATURES), rows.y, rows.weight, groups=rows.person)
    model = RiskModel(
        outcome=outcome,
        name=fit.candidate.name,
        feature_names=ROELEN_FEATURES,
        reference_risk=float(np.average(rows.y, weights=rows.weight)),
        facts=facts | {"estimator": described(fit.estimator)},
        **estimator.parts_,
    )
    return model.with_golden(_GOLDEN)


def _refits(champion: RiskModel, fit: OutOfFold, rows: TrainingRows, refits: int, seed: int) -> tuple[RiskModel, ...]:
    if fit.estimator.rung == "as_published":
        return ()
    X = rows.columns(ROELEN_FEATURES)
    models: list[RiskModel] = []
    for weights in np.concatenate(list(resampled_weights(rows.person, rows.weight, 2 * refits, seed))):
        drawn = weights > 0
        if len(np.unique(rows.y[drawn])) == 2 and len(models) < refits:
            parts = clone(fit.estimator).fit(X[drawn], rows.y[drawn], weights[drawn], groups=rows.person[drawn]).parts_
            models.append(replace(champion, **parts, golden=None, facts={}))
    return tuple(models)
