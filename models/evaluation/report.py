"""The champion and every other candidate on rows of later dates and other persons, each number with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from data_contracts.errors import NotEnoughDataError
from data_contracts.time_windows import calendar_date
from models.comparison import leakage_note, onset_note
from models.evaluation.calibration import (
    MOST_LOESS_POINTS,
    calibration_in_the_large,
    calibration_slope,
    integrated_calibration_index,
    observed_to_expected,
    smooth_curve,
)
from models.evaluation.discrimination import Ranking, auroc, average_precision, brier_score
from models.evaluation.intervals import Statistic, with_intervals
from models.risk_model import RiskModel, risk_of
from models.splits import Split
from models.training_set import TrainingSet

FEWEST_EVENTS_FOR_A_VERDICT = 100
"""Below this, an external validation cannot tell good from bad. Collins GS et al. Stat Med 2016;35:214."""

CURVE_POINTS = 100
HISTOGRAM_EDGES = np.linspace(0.0, 1.0, 51)


def evaluate(
    champion: RiskModel,
    candidates: Mapping[str, RiskModel],
    training_set: TrainingSet,
    split: Split,
    *,
    repeats: int = 200,
    seed: int = 17,
    on_step: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Judge the champion and the other candidates on the test rows.

    Parameters
    ----------
    champion : RiskModel
    candidates : mapping of name to RiskModel
        All candidates fitted on the same training rows.
    training_set : TrainingSet
    split : Split
        Only its test rows with an observed label are used, with their observation weights.
    repeats : int
        Resamples of persons behind each interval.
    seed : int
    on_step : callable
        Called with what is being done, for progress.

    Returns
    -------
    dict of JSON values: ``test`` (what it was judged on), ``models`` (name -> metric -> value, low, high), ``curve``
    and ``histogram`` of the champion, ``notes`` (warnings first), ``methods``.

    Raises
    ------
    NotEnoughDataError
        The test rows have no event, or nothing but events.
    """
    rows = split.test[training_set.observed[split.test]]
    y, weight, person = training_set.y[rows], training_set.weight[rows], training_set.person[rows]
    _refuse_one_class(y, training_set.outcome)
    metrics = {}
    for name, model in candidates.items():
        on_step(f"judging {name}")
        statistic = metrics_of(model.log_odds(_columns(model, training_set)[rows]), y)
        metrics[name] = with_intervals(statistic, person, weight, repeats, seed)
    log_odds = champion.log_odds(_columns(champion, training_set)[rows])
    return {
        "outcome": training_set.outcome,
        "champion": champion.name,
        "synthetic": training_set.facts["synthetic"],
        "data_as_of": training_set.facts["data_as_of"],
        "test": _about(training_set, split, rows),
        "models": metrics,
        "curve": _curve(risk_of(log_odds), y, weight),
        "histogram": _histogram(risk_of(log_odds), y, weight),
        "notes": _notes(metrics, int(y.sum()), onset_note(y, training_set.followed_days[rows])),
        "methods": _methods(repeats),
    }


def metrics_of(log_odds: np.ndarray, y: np.ndarray) -> Statistic:
    """Return a function from weights (n_weightings, n) to every metric of a model, each (n_weightings,).

    Parameters
    ----------
    log_odds : float64 array, shape (n,)
        Calibrated log-odds of the test rows.
    y : float64 array, shape (n,)
    """
    risks, ranking = risk_of(log_odds), Ranking.of(log_odds)

    def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
        intercept, slope = calibration_slope(log_odds, y, weights)
        return {
            "auroc": auroc(ranking, y, weights),
            "average_precision": average_precision(ranking, y, weights),
            "brier": brier_score(risks, y, weights),
            "observed_to_expected": observed_to_expected(risks, y, weights),
            "calibration_in_the_large": calibration_in_the_large(log_odds, y, weights),
            "calibration_intercept": intercept,
            "calibration_slope": slope,
            "ici": integrated_calibration_index(ranking, risks, y, weights),
        }

    return metrics


def _columns(model: RiskModel, training_set: TrainingSet) -> np.ndarray:
    positions = {name: position for position, name in enumerate(training_set.feature_names.tolist())}
    return training_set.X[:, [positions[name] for name in model.feature_names]]


def _refuse_one_class(y: np.ndarray, outcome: str) -> None:
    if 0 < y.sum() < len(y):
        return
    raise NotEnoughDataError(
        f"{outcome}: the {len(y)} test rows hold {int(y.sum())} events; both events and non-events are needed. "
        "Raise training.test_share or training.test_months, or bring more persons."
    )


def _about(training_set: TrainingSet, split: Split, rows: np.ndarray) -> dict[str, Any]:
    y, weight = training_set.y[rows], training_set.weight[rows]
    return {
        "first_index_date": calendar_date(int(training_set.t[rows].min())).isoformat(),
        "last_index_date": calendar_date(int(training_set.t[rows].max())).isoformat(),
        "rows": len(rows),
        "persons": len(np.unique(training_set.person[rows])),
        "events": int(y.sum()),
        "weighted_event_share": float(np.average(y, weights=weight)),
        "rows_without_label": len(split.test) - len(rows),
        "left_out_of_split": split.left_out,
    }


def _curve(risks: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, list[float]]:
    points = smooth_curve(Ranking.of(risks), risks, y, weight)
    chosen = np.unique(np.linspace(0, points.shape[1] - 1, CURVE_POINTS).astype(int))
    return {"risk": points[0, chosen].tolist(), "observed": points[1, chosen].tolist()}


def _histogram(risks: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, list[float]]:
    counts = {
        name: np.histogram(risks[y == label], HISTOGRAM_EDGES, weights=weight[y == label])[0].tolist()
        for name, label in (("events", 1), ("non_events", 0))
    }
    return {"edges": HISTOGRAM_EDGES.tolist(), **counts}


def _notes(metrics: dict[str, dict[str, dict[str, float]]], events: int, onset: str) -> list[str]:
    notes = [onset, *(leakage_note(f"{name}, test rows", found["auroc"]["value"]) for name, found in metrics.items())]
    if events < FEWEST_EVENTS_FOR_A_VERDICT:
        notes.append(
            f"Only {events} events in the test rows: under {FEWEST_EVENTS_FOR_A_VERDICT} no verdict on calibration is "
            "possible, and the intervals say so."
        )
    return [note for note in notes if note]


def _methods(repeats: int) -> list[str]:
    return [
        "Test rows: other persons at later index dates, after an embargo as long as the horizon.",
        "Every number uses the observation weights (inverse probability of being observed).",
        f"Intervals: 2.5 and 97.5 percentiles of {repeats} resamples of persons with all their index dates; the "
        "weights and the models are held fixed.",
        "ICI: loess as R's (span 0.75, degree 2, interpolation) in the estimate and in every resample; above "
        f"{MOST_LOESS_POINTS} distinct risks neighbours are averaged first. It cannot be negative, so its interval "
        "lies high when calibration is good.",
    ]
