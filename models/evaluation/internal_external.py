"""How far a model travels: learnt without some companies, judged in these, and pooled over companies.

The champion's estimator, with its choices made, is fitted once per fold of companies on the rows of the training period
of persons who are in none of them; its line of recalibration comes from the predictions for the other folds. A company
of which enough events are expected counts for itself in the average. What is shown of one company is rounded, and what is
not shown can be had from no total: see :mod:`models.evaluation.suppression`. References for internal-external validation:
Steyerberg EW, Harrell FE. J Clin Epidemiol 2016;69:245; Royston P et al. Stat Med 2004;23:907.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from models.calibration import fit_recalibration
from models.estimators import Candidate
from models.evaluation.cluster_folds import cluster_folds, drawn_rows, industries, learning_rows
from models.evaluation.cluster_performance import SCALES, design_effect, performance
from models.evaluation.meta_analysis import pool
from models.evaluation.suppression import COMPLEMENT, FEWEST, TOO_SMALL, Size, hidden_groups
from models.outcomes.outcome import Outcome
from models.risk_model import risk_of
from models.row_files import rows_of
from models.splits import Split
from models.training_set import TrainingSet

FOLDS = 5
"""The estimator is fitted so many times for companies, and again for industries."""

FEWEST_EVENTS = 10
"""Events, and non-events, that must be expected of a company to judge it by itself.

Expected, not observed: of small companies those with many events would be chosen by chance, and their O:E would be too
high. Expected events are divided by the design effect, as the rows of one person largely tell the same story.
"""

FEWEST_PERSONS = 10
"""A company with fewer persons is never judged by itself."""

NEAREST = 5
"""Counts of a company are rounded to it: exact ones tell who knows the company which one it is."""

DECIMALS = 3
"""Of the numbers of a company: an AUROC with all its digits is a fraction whose denominator tells the exact counts."""

_Z = 1.959963984540054
_FEW = "{there} {what}: at least {needed} are needed to leave some out."
_NONE_JUDGED = (
    "None of the {what} can be averaged: to be judged by itself it needs as much as {needed} independent rows with an event "
    "expected, and {needed} persons with and {needed} without one to be shown."
)
_ONLY_EVENTS = "Outcomes that count days have no AUROC and no calibration slope to pool."


@dataclass(frozen=True, eq=False)
class Rows:
    """Training rows that take part: X (n, n_columns) of the candidate; the others (n,), ``learns`` bool."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    person: np.ndarray
    learns: np.ndarray


def internal_external(
    training_set: TrainingSet,
    split: Split,
    candidate: Candidate,
    outcome: Outcome,
    *,
    seed: int = 17,
) -> dict[str, Any]:
    """Validate across companies and, where there are enough of them, across industries.

    Parameters
    ----------
    training_set : TrainingSet
    split : Split
        Only its training rows with an observed label and a known company are used.
    candidate : Candidate
        Of the champion, with one estimator (:func:`models.estimators.refittable`).
    outcome : Outcome
    seed : int
        Decides which companies are drawn.

    Returns
    -------
    dict of JSON values: ``persons``, ``companies``, ``rows``, ``rows_learnt_from``, ``by_company``, ``by_industry``. Each of
    the last two has ``clusters`` (numbered by their rounded size), ``pooled`` (number -> value, low, high,
    prediction_low, prediction_high, tau_squared, i_squared, clusters) and ``not_shown``, or a ``reason`` why not.
    """
    if outcome.target != "event":
        return {"reason": _ONLY_EVENTS}
    chosen = split.train[training_set.observed[split.train] & (training_set.company[split.train] >= 0)]
    chosen = drawn_rows(training_set, chosen, FOLDS, seed)
    names = training_set.feature_names.tolist()
    X = rows_of(training_set.X, chosen)
    columns = [names.index(name) for name in candidate.feature_names]
    y, weight, person, company = (getattr(training_set, part)[chosen] for part in ("y", "weight", "person", "company"))
    learns = learning_rows(training_set.t[chosen])
    rows = Rows(X[:, columns], y, weight, person, learns)
    industry, labels = industries(X, names)
    return {
        "persons": len(np.unique(person)),
        "companies": len(np.unique(company)),
        "rows": len(chosen),
        "rows_learnt_from": int(learns.sum()),
        "estimator": candidate.name,
        "by_company": _validated(rows, company, candidate, "companies", {}),
        "by_industry": _validated(rows, industry, candidate, "industries", labels),
    }


def _validated(
    rows: Rows, cluster: np.ndarray, candidate: Candidate, what: str, labels: dict[int, str]
) -> dict[str, Any]:
    there = len(np.unique(cluster[cluster >= 0]))
    if there < 2:
        return {"reason": _FEW.format(there=there, what=what, needed=2)}
    linear = out_of_cluster(rows, cluster, candidate, min(FOLDS, there))
    if linear is None:
        return {
            "reason": f"Without some {what} the rest holds under {FEWEST_EVENTS} events or non-events to learn from."
        }
    found = _summary(rows, linear, cluster, labels)
    return found if found["pooled"] else found | {"reason": _NONE_JUDGED.format(what=what, needed=FEWEST_EVENTS)}


def out_of_cluster(rows: Rows, cluster: np.ndarray, candidate: Candidate, folds: int) -> np.ndarray | None:
    """Return log-odds by models that learnt from neither the row's cluster nor any person of its fold, on a line.

    The two numbers of the line come from predictions for the other folds, by models that may have learnt from the row's
    cluster; the row's own fold has no part in the events that they are fitted to, but for persons who moved between folds.
    An estimator that says of itself that it is not recalibrated (``recalibrates`` is False) gets no line.

    Parameters
    ----------
    rows : Rows
    cluster : int array, shape (n,)
        Rows of cluster -1 only help to learn.
    candidate : Candidate
    folds : int

    Returns
    -------
    float64 array, shape (n,), NaN for rows of cluster -1; None if the rest of a fold is too little to learn from.
    """
    fold = cluster_folds(cluster, folds)
    raw = np.full(len(rows.y), np.nan)
    for place in range(folds):
        held_out = fold == place
        rest = rows.learns & ~np.isin(rows.person, rows.person[held_out])
        y = rows.y[rest]
        if min(y.sum(), (1 - y).sum()) < FEWEST_EVENTS:
            return None
        fitted = clone(candidate.estimators[0]).fit(rows.X[rest], y, rows.weight[rest], groups=rows.person[rest])
        raw[held_out] = fitted.decision_function(rows.X[held_out])
    if not getattr(candidate.estimators[0], "recalibrates", True):
        return raw
    linear = np.full(len(raw), np.nan)
    for place in range(folds):
        others = (fold != place) & (fold >= 0)
        intercept, slope = fit_recalibration(raw[others], rows.y[others], rows.weight[others])
        linear[fold == place] = intercept + slope * raw[fold == place]
    return linear


def _summary(rows: Rows, linear: np.ndarray, cluster: np.ndarray, labels: dict[int, str]) -> dict[str, Any]:
    known = cluster >= 0
    effect = design_effect(linear[known], rows.y[known], rows.weight[known], rows.person[known])
    judged = [
        one for one in np.unique(cluster[known]).tolist() if _enough_expected(rows, linear, cluster == one, effect)
    ]
    members = [cluster == one for one in judged]
    numbers = [_performance(rows, linear, inside, effect) for inside in members]
    hidden = _hidden(rows, members, ~np.isin(cluster, judged))
    shown = [place for place in range(len(judged)) if place not in hidden]
    own = [({"name": labels[judged[place]]} if labels else {}) | _about(rows, members[place]) | _shown(numbers[place])
           for place in shown]  # fmt: skip
    # By nothing but what is shown: exact counts, or the order of the pseudonyms, would tell which company is which.
    own.sort(key=_as_shown, reverse=True)
    return {
        "clusters": [{"number": place + 1} | one for place, one in enumerate(own)],
        "pooled_but_not_shown": len(hidden),
        "pooled": {} if len(numbers) == len(hidden) == 1 else _pooled(numbers),
        "not_shown": _not_shown(rows, linear, cluster, ~np.isin(cluster, [judged[place] for place in shown]), effect),
        "design_effect": effect,
        "fewest_events": FEWEST_EVENTS,
        "fewest_persons": FEWEST_PERSONS,
        "fewest_persons_with_and_without_event": FEWEST,
        "counts_rounded_to": NEAREST,
    }


def _enough_expected(rows: Rows, linear: np.ndarray, inside: np.ndarray, effect: float) -> bool:
    """Say whether enough persons are there, and enough independent events and non-events expected of them."""
    events = risk_of(linear[inside]) / effect
    enough = min(events.sum(), (1 - events).sum()) >= FEWEST_EVENTS
    return bool(enough and len(np.unique(rows.person[inside])) >= FEWEST_PERSONS)


def _hidden(rows: Rows, members: Sequence[np.ndarray], others: np.ndarray) -> set[int]:
    """Return the positions of the judged clusters that are not shown.

    ``others`` (n,) are the rows of no judged cluster: what is hidden must be enough with them to be shown as one, so that
    all less the shown tells nothing. And no small one is hidden alone: the average would tell its numbers.
    """
    apart = len(members)
    everybody = [*members, others] if others.any() else members
    reasons = hidden_groups(rows.y, rows.person, everybody, never=(apart,))
    hidden = {place: reason for place, reason in reasons.items() if place != apart}
    shown = [place for place in range(apart) if place not in hidden]
    if list(hidden.values()) == [TOO_SMALL] and shown:
        hidden[min(shown, key=lambda place: Size.of(rows.y, rows.person, members[place]).least)] = COMPLEMENT
    return set(hidden)


def _performance(rows: Rows, linear: np.ndarray, inside: np.ndarray, effect: float) -> dict[str, tuple[float, float]]:
    return performance(linear[inside], rows.y[inside], rows.weight[inside], rows.person[inside], effect)


def _about(rows: Rows, inside: np.ndarray) -> dict[str, int]:
    size = asdict(Size.of(rows.y, rows.person, inside))
    return {name: NEAREST * round(n / NEAREST) for name, n in size.items()}


def _as_shown(one: dict[str, Any]) -> tuple[float, ...]:
    auroc = one["auroc"]["value"]
    return one["persons"], one["rows"], one["events"], -1.0 if auroc is None else auroc


def _shown(numbers: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """Return each number on its own scale with its interval, None where it does not exist."""
    found: dict[str, Any] = {}
    for scale in SCALES:
        value, error = numbers.get(scale.name, (np.nan, np.nan))
        ends = {"value": value, "low": value - _Z * error, "high": value + _Z * error}
        found[scale.name] = _on_scale(scale.back, ends)
    return found


def _pooled(numbers: list[dict[str, tuple[float, float]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for scale in SCALES:
        known = np.array([one[scale.name] for one in numbers if scale.name in one]).reshape(-1, 2)
        if not len(known):
            continue
        pooled = pool(*known.T)
        ends = {"value": pooled.mean, "low": pooled.low, "high": pooled.high,
                "prediction_low": pooled.prediction_low, "prediction_high": pooled.prediction_high}  # fmt: skip
        found[scale.name] = _on_scale(scale.back, ends)
        found[scale.name] |= {"tau_squared": pooled.tau_squared, "i_squared": pooled.i_squared, "clusters": pooled.k}
    return found


def _not_shown(
    rows: Rows, linear: np.ndarray, cluster: np.ndarray, unshown: np.ndarray, effect: float
) -> dict[str, Any]:
    """Judge the clusters that are not shown together; numbers only if they are enough, and the rows of no cluster too."""
    known, unknown = unshown & (cluster >= 0), cluster < 0
    about: dict[str, Any] = {"clusters": len(np.unique(cluster[known]))}
    parts = [part for part in (known, unknown) if part.any()]
    if not known.any() or any(Size.of(rows.y, rows.person, part).least < FEWEST for part in parts):
        return about
    return about | _about(rows, known) | _shown(_performance(rows, linear, known, effect))


def _on_scale(back: Callable[[float], float], ends: dict[str, float]) -> dict[str, Any]:
    return {part: round(back(end), DECIMALS) if np.isfinite(end) else None for part, end in ends.items()}
