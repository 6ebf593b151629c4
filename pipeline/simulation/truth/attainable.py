"""The best possible risk given only what a model may see: E[true risk | features], by large-sample estimation.

A second cohort of another seed, with the same scenarios and dates, goes through ingest, histories and features. There
the *true* risks are regressed on the features, and the fit is applied to the cohort at hand. The conditional
expectation of the truth is also that of the event, P(event | x), which no function of the same features can beat in
AUROC, Brier score, log-likelihood or net benefit; the fit comes as close to it as its sample allows, and needs far fewer
rows than a model of events, whose labels are noisy.

How close: the model is fitted to half of the persons too. Both are judged, by expected AUROC and cross-entropy under
the true risks, on persons that neither has seen. Errors of estimation fall about as 1/n, so what is still missing is
about what the second half has gained; for trees and penalties, whose errors fall more slowly, that is a lower bound.
Limits: "what a model may see" is this feature catalogue; a model of raw records might see a little more. The reference
persons include times after the test period began (later waves, sessions), which a model trained on earlier dates cannot
have. A cohort with consents for other purposes, or an index date that is not the first day of a
quarter, has no row.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.time_windows import calendar_date
from features.histories import Histories
from models.outcomes import OUTCOMES
from models.splits import person_shares
from pipeline.console import read_json
from pipeline.simulation.cohort import simulate
from pipeline.simulation.truth.known_risks import ABSENT, KnownRisks
from pipeline.simulation.truth.soft_regression import SoftRegression, cross_entropy, expected_auroc, fit, probabilities
from pipeline.simulation.truth.visible import Period, Visible, visible, visible_histories

DEFAULT_PERSONS = 20_000
FILE = "attainable.csv"
SEED_OFFSET = 1_000_003
"""Added to the seed of the cohort at hand, so that nobody is in both."""

MONTHS_BEFORE_FIRST, MONTHS_BETWEEN_TRAINING = 6, 6
SHARE_JUDGING = 0.2
_DECIMALS = 5


@dataclass(frozen=True)
class _Reference:
    """Rows of one outcome in the reference cohort: features, true risks, persons and their place in 0..1."""

    X: np.ndarray
    p: np.ndarray
    person: np.ndarray
    place: np.ndarray


def attainable(
    directory: Path, persons: int = DEFAULT_PERSONS, workers: int = 1,
    progress: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:  # fmt: skip
    """Write ``truth/attainable.csv`` of the simulated cohort in ``directory``; return how it was found and how well.

    Parameters
    ----------
    directory : Path
        Source files of a simulated cohort, in any format.
    persons : int
        Size of the reference cohort. 20 000 take one to three minutes on two cores and 2.2 GB.
    workers : int
        Processes that draw the reference cohort.
    progress : callable
        Called with what is being done.
    """
    progress(f"draw {persons} reference persons")
    rows = _reference_rows(directory, persons, workers)
    models, outcomes = {}, {}
    for name, reference in rows.items():
        progress(f"fit {name}")
        models[name], outcomes[name] = _fitted(reference)
    progress("apply to the cohort")
    return {"reference_persons": persons, "rows": _write(directory, models), "outcomes": outcomes}


def _reference_rows(directory: Path, persons: int, workers: int) -> dict[str, _Reference]:
    stamp, period = read_json(directory / "source.json"), Period.of(directory)
    dates = period.index_dates(MONTHS_BEFORE_FIRST, every=MONTHS_BETWEEN_TRAINING)
    with tempfile.TemporaryDirectory() as scratch:
        reference = Path(scratch)
        simulate(
            reference, persons, stamp["seed"] + SEED_OFFSET, period.start, period.end,
            scenarios=tuple(stamp["scenarios"]), workers=workers,
        )  # fmt: skip
        histories, truth = visible_histories(reference), KnownRisks.read(reference / "truth" / "truth.csv")
    seen = list(visible(histories, dates))
    # Of the days of absence the simulator has no expectation, so nothing to regress.
    return {name: _rows_of(name, seen, histories, truth) for name in OUTCOMES if name in truth.columns}


def _rows_of(name: str, seen: list[Visible], histories: Histories, truth: KnownRisks) -> _Reference:
    X = np.concatenate([one.X[one.eligible[name]] for one in seen])
    person = np.concatenate([one.person[one.eligible[name]] for one in seen])
    t = np.concatenate([np.full(one.eligible[name].sum(), one.t) for one in seen])
    found = truth.rows(histories.person_ids, person, t)
    known = found != ABSENT
    place = person_shares(histories.person_ids, "attainable")[person]
    return _Reference(X[known], truth.columns[name][found[known]], person[known], place[known])


def _fitted(rows: _Reference) -> tuple[SoftRegression, dict[str, Any]]:
    """Fit to everyone who does not judge, and to half of them; return the former and how both fare."""
    judging, first_half = rows.place < SHARE_JUDGING, rows.place < (1 + SHARE_JUDGING) / 2
    found = {}
    for label, chosen in (("half", ~judging & first_half), ("whole", ~judging)):
        model = fit(rows.X[chosen], rows.p[chosen], rows.person[chosen])
        log_odds, p = model.log_odds(rows.X[judging]), rows.p[judging]
        found[label] = {
            "rows": int(chosen.sum()),
            "auroc": expected_auroc(log_odds, p),
            "cross_entropy": cross_entropy(log_odds, p),
        }
    gained = found["whole"]["auroc"] - found["half"]["auroc"]
    truth = expected_auroc(rows.p[judging], rows.p[judging])
    return model, {**found, "auroc_gained_by_second_half": gained, "auroc_of_truth": truth}


def _write(directory: Path, models: dict[str, SoftRegression]) -> int:
    """Write a row for everyone eligible for some outcome at each quarter's first day; empty where not for this one."""
    histories, period, count = visible_histories(directory), Period.of(directory), 0
    path = directory / "truth" / FILE
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["person_id", "index_date", *models])
        for one in visible(histories, period.index_dates(0, last=_last_index_date(period))):
            columns = [_as_text(probabilities(model, one.X), one.eligible[name]) for name, model in models.items()]
            ids = [histories.person_ids[person] for person in one.person]
            writer.writerows(zip(ids, [calendar_date(one.t).isoformat()] * len(ids), *columns, strict=True))
            count += len(ids)
    partial.replace(path)
    return count


def _last_index_date(period: Period) -> date:
    """The truth has index dates before the end of the data."""
    return (np.datetime64(period.end, "D") - 1).item()


def _as_text(risks: np.ndarray, shown: np.ndarray) -> list[str]:
    return [f"{risk:.{_DECIMALS}f}" if show else "" for risk, show in zip(risks.tolist(), shown.tolist(), strict=True)]
