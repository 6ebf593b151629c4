"""The leakage alarm: what would be too good to be true, or cannot be true, in the rows, the split and the models.

That no feature knows the future is made sure of elsewhere, by how features are computed and by tests on random histories.
These checks look for what passes through all of that: an outcome that a source wrote into the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from features.catalogue import feature
from models.comparison import MOST_AT_ONCE, PUBLISHED_CEILING, leakage_note, onset_note
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.refits import MOST_ROWS, at_most, learning_rows, shares_of
from models.out_of_fold import TrainingRows
from models.splits import Split
from models.training_set import TrainingSet

MOST_OF_ONE_FEATURE = 0.76
"""The best single score published reaches 0.75 (distress, for mental absence: van Hoffen 2015)."""

MOST_OF_MISSINGNESS = 0.68
"""That a value is there tells something (who was never absent has no last absence: 0.63 to 0.65 in the synthetic cohort), but
not more than the best predictors' values do."""

FEWEST_EVENTS = 100
"""Events and non-events with a known value, below which the AUROC of one feature of hundreds is high by chance."""

_SHOWN = 5


def leakage(
    training_set: TrainingSet, split: Split, areas: Mapping[str, float], *, most_rows: int = MOST_ROWS
) -> dict[str, Any]:
    """Run every check.

    Parameters
    ----------
    training_set : TrainingSet
    split : Split
    areas : mapping of where to AUROC
        Of every model that was judged, for example ``{"lightgbm, test rows": 0.74}``.
    most_rows : int
        Training rows behind the AUROC of single features, of persons drawn by a hash.

    Returns
    -------
    dict: ``alarms`` (sentences, empty where nothing is suspect) and ``checks`` (name, rule, result, and whether it alarms).
    """
    rows = learning_rows(training_set, split)
    judged = np.concatenate([split.train, split.test])
    onset = onset_note((training_set.y[judged] > 0).astype(float), training_set.followed_days[judged])
    is_event = training_set.facts.get("target", "event") == "event"
    found = [
        *_single_features(at_most(rows, shares_of(training_set, rows), most_rows)),
        _models(areas),
        _check(
            "events on the index date", f"at most {MOST_AT_ONCE:.0%} of the events", onset if is_event else "", onset
        ),
        _valid_range(rows),
        _persons(training_set, split),
        _followed(training_set, split),
    ]
    return {"alarms": [one["result"] for one in found if one["alarm"]], "checks": found}


def _check(name: str, rule: str, alarm: str, result: str) -> dict[str, Any]:
    return {"name": name, "rule": rule, "alarm": bool(alarm), "result": alarm or result or "nothing found"}


def single_feature_areas(rows: TrainingRows) -> tuple[np.ndarray, np.ndarray]:
    """Return how well each feature alone, and that it is missing alone, tell events from the rest.

    Parameters
    ----------
    rows : TrainingRows

    Returns
    -------
    float64 arrays, shape (n_features,): AUROC among the rows where it is known, and AUROC of the missing indicator, both
    turned so that they are at least 0.5; 0.5 under ``FEWEST_EVENTS`` events or non-events with (or without) a value.
    """
    event = (rows.y > 0).astype(float)
    known = np.isfinite(rows.X)
    alone = [_area(column[there], event[there], rows.weight[there])
             for column, there in zip(rows.X.T, known.T, strict=True)]  # fmt: skip
    weights = np.stack([rows.weight * event, rows.weight * (1 - event)])
    missing = (weights @ ~known) / weights.sum(axis=1, keepdims=True)
    counts = np.stack([event, 1 - event]) @ ~known
    enough = (counts.sum(axis=0) >= FEWEST_EVENTS) & (counts.sum(axis=0) <= len(event) - FEWEST_EVENTS)
    return np.array(alone), np.where(enough, 0.5 + np.abs(missing[0] - missing[1]) / 2, 0.5)


def _area(values: np.ndarray, event: np.ndarray, weight: np.ndarray) -> float:
    events = event.sum()
    if min(events, len(event) - events) < FEWEST_EVENTS:
        return 0.5
    area = float(auroc(Ranking.of(values), event, weight[None])[0])
    return max(area, 1 - area)


def _single_features(rows: TrainingRows) -> list[dict[str, Any]]:
    events = (rows.y > 0).sum()
    if min(events, len(rows.y) - events) < FEWEST_EVENTS:
        why = f"not judged: under {FEWEST_EVENTS} events or non-events in the training rows"
        return [_check("single features", "", "", why), _check("missingness", "", "", why)]
    alone, missing = single_feature_areas(rows)
    return [
        _areas_check("single features", "AUROC of a feature alone", rows.feature_names, alone, MOST_OF_ONE_FEATURE),
        _areas_check("missingness", "AUROC of knowing only whether a feature is missing", rows.feature_names, missing,
                     MOST_OF_MISSINGNESS),
    ]  # fmt: skip


def _areas_check(name: str, what: str, names: tuple[str, ...], areas: np.ndarray, limit: float) -> dict[str, Any]:
    best = np.argsort(-areas, kind="stable")
    above = [f"{names[place]} {areas[place]:.3f}" for place in best if areas[place] > limit]
    alarm = f"SUSPECT LEAKAGE: {what} is above {limit:.2f} in the training rows: {', '.join(above)}." if above else ""
    check = _check(name, f"{what} at most {limit:.2f}", alarm, f"highest: {names[best[0]]} {areas[best[0]]:.3f}")
    return check | {"highest": [{"feature": names[place], "auroc": float(areas[place])} for place in best[:_SHOWN]]}


def _models(areas: Mapping[str, float]) -> dict[str, Any]:
    notes = [note for where, area in areas.items() if (note := leakage_note(where, area))]
    highest = f"highest: {max(areas.values()):.3f}" if areas else "no model was judged"
    return _check("models", f"AUROC at most {PUBLISHED_CEILING}, the published ceiling", " ".join(notes), highest)


def _valid_range(rows: TrainingRows) -> dict[str, Any]:
    """A count of days above its window, or an observation 0 days old, would be from within the outcome's window."""
    low, high = np.array([(feature(name).low, feature(name).high) for name in rows.feature_names], dtype=np.float32).T
    outside = ((low > rows.X) | (high < rows.X)).sum(axis=0)
    named = [f"{rows.feature_names[place]} in {outside[place]} rows" for place in np.flatnonzero(outside)]
    alarm = (
        f"SUSPECT LEAKAGE: values outside what is possible before the index date: {', '.join(named)}." if named else ""
    )
    rule = "no value outside the catalogue's range: nothing observed on or after the index date, no window exceeded"
    return _check("observed before the index date", rule, alarm, "")


def _persons(training_set: TrainingSet, split: Split) -> dict[str, Any]:
    both = np.intersect1d(training_set.person[split.train], training_set.person[split.test])
    alarm = f"LEAKAGE: {len(both)} persons have rows in training and in testing." if len(both) else ""
    shared = np.intersect1d(training_set.company[split.train], training_set.company[split.test])
    result = f"no person; {(shared >= 0).sum()} companies are on both sides (see internal_external for new companies)"
    return _check("persons on both sides", "no person trains and tests", alarm, result)


def _followed(training_set: TrainingSet, split: Split) -> dict[str, Any]:
    """The days that the labels looked at, as the rows tell them: the rule of the split is not asked again.

    Whether the labels could be known on the first test date is told and alarms nobody: the embargo is the horizon, and a
    label matures some weeks later.
    """
    rule = "what came true of training rows did so before the first test date"
    train = split.train[training_set.observed[split.train]]
    first_test_day = int(training_set.t[split.test].min())
    last = training_set.t[train].astype(np.int64) + training_set.followed_days[train]
    overlap = int(last.max(initial=first_test_day)) - first_test_day
    alarm = f"LEAKAGE: labels of training rows look {overlap} days into the test period." if overlap > 0 else ""
    return _check("embargo", rule, alarm, _maturity(training_set, train, first_test_day))


def _maturity(training_set: TrainingSet, train: np.ndarray, first_test_day: int) -> str:
    days = training_set.facts.get("mature_after_days")
    if days is None:
        return "nothing found; when labels mature is not stated by the training set"
    late = int((training_set.t[train] + days > first_test_day).sum())
    return (
        f"nothing found; {late} of {len(train)} training labels were not yet mature on the first test date (that takes {days} "
        "days): a model trained on that day would have lacked them"
    )
