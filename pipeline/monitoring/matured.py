"""What came true: how many labels are known, how good the champion was on them, and whether its risks still hold."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np

from data_contracts.time_windows import calendar_date
from features.catalogue import FEATURE_NAMES
from models.evaluation.attributes import ATTRIBUTES, group_rows
from models.evaluation.calibration import calibration_slope, observed_to_expected
from models.evaluation.discrimination import Ranking, auroc, scaled_brier_score
from models.evaluation.expected_days import days_metrics_of
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import Statistic, with_intervals
from models.evaluation.subgroups import PERSONAL
from models.evaluation.suppression import FEWEST, TOO_SMALL, Size
from models.monitoring.acted_upon import acted_upon
from models.monitoring.calibration_drift import CalibrationState, CalibrationTest, censoring_shift
from models.outcomes.outcome import Outcome, Status
from models.risk_model import RiskModel, risk_of
from models.training_set import index_dates
from pipeline.monitoring.windows import Window, linear_scores, matures_on

SHOWN = {
    "event": ("auroc", "scaled_brier", "observed_to_expected", "calibration_slope"),
    "days": ("d2", "mae", "observed_to_expected", "calibration_slope"),
}
"""Numbers of matured rows, of an outcome that is an event or a number of days."""

FEWEST_PERSONS = FEWEST
"""Persons of whom anything is told."""


def maturity(window: Window, outcome: Outcome, index_date: date) -> dict[str, Any]:
    """Count, for each index date, how many labels are known; and say when the next will be.

    Parameters
    ----------
    window : Window
        Rows at index dates after the training, labels as of ``index_date``.
    outcome : Outcome
    index_date : date
    """
    dates, mature = [], []
    for t in np.unique(window.t):
        status = window.status[window.t == t]
        on = matures_on(int(t), outcome)
        mature.append(on)
        told: dict[str, Any] = {"index_date": calendar_date(int(t)).isoformat(), "matures_on": on.isoformat()}
        if len(status) < FEWEST_PERSONS:
            told["why_not"] = TOO_SMALL
        else:
            told |= {"rows": len(status), "labels_known": int((status == Status.OBSERVED).sum()),
                     "never_known": int(np.isin(status, (Status.CENSORED, Status.NOT_OBSERVED)).sum())}  # fmt: skip
        dates.append(told)
    following = [on for on in mature if on > index_date]
    return {
        "index_dates": dates,
        "mature_dates": sum(on <= index_date for on in mature),
        "next_matures_on": min(following).isoformat() if following else None,
    }


def held_out(window: Window, model: RiskModel, outcome: Outcome) -> HeldOut:
    """Return the rows with a known label as evaluation takes them, with what the champion says."""
    known = window.take(window.observed)
    _, person = np.unique(known.person, return_inverse=True)
    _, company = np.unique(known.company, return_inverse=True)
    company = np.where(known.company == "", -1, company)
    return HeldOut(
        outcome.name, model.name, FEATURE_NAMES, known.X, known.y, known.weight, person, company, known.t,
        known.followed_days, {model.name: linear_scores(model, known)},
    )  # fmt: skip


def performance(rows: HeldOut, target: str, repeats: int, seed: int) -> dict[str, Any]:
    """Judge the champion on matured rows with the metrics and intervals of ``evaluate``."""
    size = Size.of(rows.y, rows.person, np.ones(len(rows), dtype=bool))
    if size.least < FEWEST:
        return {"why_not": TOO_SMALL}
    of_model = event_metrics_of if target == "event" else days_metrics_of
    found = with_intervals(of_model(rows.linear[rows.champion], rows.y), rows.cluster, rows.weight, repeats, seed)
    return asdict(size) | {"metrics": {name: found[name] for name in SHOWN[target]}}


def event_metrics_of(log_odds: np.ndarray, y: np.ndarray) -> Statistic:
    """Return a function from weights (n_weightings, n) to the numbers shown: no smooth curve, which takes a minute."""
    risks, ranking = risk_of(log_odds), Ranking.of(log_odds)

    def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "auroc": auroc(ranking, y, weights),
            "scaled_brier": scaled_brier_score(risks, y, weights),
            "observed_to_expected": observed_to_expected(risks, y, weights),
            "calibration_slope": calibration_slope(log_odds, y, weights)[1],
        }

    return metrics


def acted_upon_performance(
    rows: HeldOut, contact_after: np.ndarray, outcome: Outcome, repeats: int, seed: int
) -> dict[str, Any]:
    """Return what the contacts may have done to the numbers; of few contacted nothing but that they are few.

    Parameters
    ----------
    rows : HeldOut
    contact_after : float64 array, shape (n,)
        Days from the index date to the first contact, as :func:`models.monitoring.acted_upon.acted_upon` takes them.
    outcome : Outcome
        An event.
    repeats, seed : int
    """
    found = acted_upon(
        risk_of(rows.linear[rows.champion]), rows.y, contact_after, rows.followed_days, rows.person, weight=rows.weight,
        horizon_days=outcome.horizon_days if outcome.is_dated else None, repeats=repeats, seed=seed,
    )  # fmt: skip
    if found["contacted"]["persons"] < FEWEST_PERSONS:
        return {"why_not": f"fewer than {FEWEST_PERSONS} persons were contacted"}
    return found


def streams_of(outcome: Outcome, months_between: int) -> int:
    """Return how many index dates of a regular calendar start within one horizon, the first included."""
    days = [one.toordinal() for one in index_dates(date(2000, 1, 1), date(2007, 12, 1), months_between)]
    return max(sum(0 <= other - first < outcome.horizon_days for other in days) for first in days)


def leaving_share(window: Window) -> float:
    """Return the share of those without the event who left before it could be known, rounded up to a hundredth."""
    left = int((window.status == Status.CENSORED).sum())
    stayed = int((window.observed & (window.y == 0)).sum())
    return math.ceil(100 * left / (left + stayed)) / 100 if left else 0.0


def tolerance_of(tolerance: float, leaving: float) -> float:
    """Return the tolerated shift of the log-odds where some leave: what leaving alone does to known labels is no drift."""
    return tolerance + censoring_shift(leaving)


def calibration(
    rows: HeldOut, outcome: Outcome, months_between: int, alpha: float, tolerance: float
) -> CalibrationState | None:
    """Test, date by date as the labels matured, whether the risks mean what they say; None before any label is known."""
    test = CalibrationTest(alpha, outcome.horizon_days, streams_of(outcome, months_between), tolerance)
    risks, state = risk_of(rows.linear[rows.champion]), None
    for t in np.unique(rows.t):
        here = rows.t == t
        state = test.update(int(t), risks[here], rows.y[here])
    return state


def by_subgroup(rows: HeldOut, target: str, repeats: int, seed: int) -> list[dict[str, Any]]:
    """Judge the champion for each sex, age band and education; small groups hidden, and what they could be worked out from."""
    found = []
    for attribute in ATTRIBUTES:
        if attribute.name not in PERSONAL:
            continue
        members, hidden = group_rows(attribute, rows)
        for place, (group, chosen) in enumerate(members):
            told: dict[str, Any] = {"attribute": attribute.name, "group": group.name, "label": group.label_en}
            if place in hidden:
                told["why_not"] = hidden[place]
            else:
                told |= performance(rows.take(np.flatnonzero(chosen)), target, repeats, seed)
            found.append(told)
    return found


def series(window: Window, linear: np.ndarray, model: RiskModel) -> list[dict[str, Any]]:
    """Return, for each index date, the mean of what the champion says and, once all is known, of what came."""
    told = risk_of(linear) if model.link == "logit" else np.exp(linear)
    points = []
    for t in np.unique(window.t):
        here = window.t == t
        if here.sum() < FEWEST_PERSONS:
            continue
        points.append({
            "index_date": calendar_date(int(t)).isoformat(),
            "expected": float(told[here].mean()),
            "observed": _observed(window.take(here)),
        })  # fmt: skip
    return points


def _observed(rows: Window) -> float | None:
    """Weighted mean label; None while labels mature, and where so few have the event, or have none, that it tells of them."""
    known = rows.observed
    events = int((rows.y[known] > 0).sum())
    if (rows.status == Status.NOT_MATURE).any() or min(events, int(known.sum()) - events) < FEWEST_PERSONS:
        return None
    return float(np.average(rows.y[known], weights=rows.weight[known]))


def told_state(state: CalibrationState | None, persons_with_event: int, persons_without: int) -> dict[str, Any]:
    """Return the calibration test as JSON; counts of few persons are left out, the verdict never."""
    if state is None:
        return {"why_not": "no label is known yet"}
    found = asdict(state)
    first = found.pop("first_alarm")
    if min(persons_with_event, persons_without) < FEWEST_PERSONS:
        for name in ("observed", "ratio", "low", "high"):
            found[name] = None
    return found | {"first_alarm": None if first is None else calendar_date(first).isoformat()}
