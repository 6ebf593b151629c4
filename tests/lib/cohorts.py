"""Small cohorts for tests of outcomes and training: hand-made rows with consent, and random training sets."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.time_windows import calendar_date, day_number
from features.catalogue import FEATURE_NAMES, FINGERPRINT, feature
from features.histories import Histories
from models.outcomes.outcome import Labels, Outcome, Status
from models.splits import Split, temporal_split
from models.training_set import TrainingSet
from tests.lib.records import Row, Rows, answers, consent, histories, job, person, rows_of

T = "2024-03-01"
"""Index date of most cases."""

LATE = "2026-01-01"
"""Every label of an index date of 2024-03-01 is mature on this day."""


def consents(person_id: str = "p", sources: tuple[str, ...] = SOURCES) -> list[Row]:
    """Consent for training, by source."""
    return [consent(source, person_id, purpose="model_training") for source in sources]


def cohort(*spells: Row, surveys: tuple[Row, ...] = (), jobs: tuple[Row, ...] | None = None, **others: Any) -> Rows:
    """One woman of 44 in one job, with consent for training and the given absences."""
    options = {"persons": [person()], "consents": consents(), "employments": [job()] if jobs is None else list(jobs)}
    return rows_of(**(options | {"absence_spells": list(spells), "survey_answers": list(surveys)} | others))


def known(rows: Rows, data_as_of: str = LATE) -> Histories:
    """Histories as the training set gathers them."""
    return histories(rows, data_as_of, purpose="model_training", data_as_of=day_number(data_as_of))


def labels(outcome: Outcome, rows: Rows, t: str = T, data_as_of: str = LATE) -> Labels:
    """Labels of an outcome at an index date."""
    return outcome.labels(known(rows, data_as_of), day_number(t), day_number(data_as_of))


def first_reason(outcome: Outcome, rows: Rows, t: str = T, age: float = 44.0) -> str:
    """Why the only person is not eligible, or "eligible"."""
    found = known(rows)
    (reason,) = outcome.eligibility(found, day_number(t), np.full(len(found), age))
    return "eligible" if reason < 0 else outcome.reasons[reason]


def inventory(answered_on: str, personal: float | None, work: float | None, **others: Any) -> list[Row]:
    """A burnout inventory with the given scores (0, 25, .., 100); None leaves a scale unanswered."""
    items = [item.id for item in INSTRUMENTS["cbi"].items]
    values = [_answer(item, personal, work) for item in items]
    return answers("cbi", values, answered_on, **others)


def _answer(item: str, personal: float | None, work: float | None) -> float:
    scores = {"personal": personal, "work": work, "client": None}
    score = scores[item.split("_")[0]]
    (scale,) = [scale for scale in INSTRUMENTS["cbi"].scales if item in scale.items]
    if score is None:
        return float("nan")
    return 100.0 - score if item in scale.reversed_items else score


ASKED = ("cbi", "who5", "hscl10", "was", "bis", "pain_sites", "oss3", "srh")
MEASURED = ("systolic_bp", "diastolic_bp", "bmi", "hba1c", "hdl", "ldl", "crp", "haemoglobin", "ferritin", "tsh")
"""Instruments and measurements of random training sets; no others were ever asked or taken."""

_OBSERVED = {
    *ASKED, *(scale.name for name in ASKED for scale in INSTRUMENTS[name].scales), *MEASURED,
    "blood_sample", "blood_pressure", "body_measure", "lab_bounds_count", "analytes_measured_730",
}  # fmt: skip
NEVER_KNOWN = tuple(
    name
    for name in FEATURE_NAMES
    if feature(name).table in ("survey_answers", "lab_results")
    and re.sub("_(change|slope|age_days|distance)$", "", name) not in _OBSERVED
)


N_COMPANIES = 20
"""Companies of a random training set; a person stays in one."""


@cache
def random_training_set(n_persons: int = 400, seed: int = 3, effect: float = 1.2) -> TrainingSet:
    """Eight quarterly dates; the risk depends on days_doctor_365 and on a feature that only the large models see."""
    random = np.random.default_rng(seed)
    dates = [day_number(date(2021 + quarter // 4, 1 + 3 * (quarter % 4), 1)) for quarter in range(8)]
    person_of = np.tile(np.arange(n_persons, dtype=np.int32), len(dates))
    n = len(person_of)
    X = random.normal(size=(n, len(FEATURE_NAMES))).astype(np.float32)
    X[:, FEATURE_NAMES.index("days_doctor_365")] = random.gamma(0.3, 30, n)
    X[random.random(X.shape) < 0.1] = np.nan
    X[:, FEATURE_NAMES.index("n_jobs")] = 1.0
    X[:, [FEATURE_NAMES.index(name) for name in NEVER_KNOWN]] = np.nan
    signal = np.nan_to_num(X[:, FEATURE_NAMES.index("was_work_ability")])
    signal += 0.02 * np.nan_to_num(X[:, FEATURE_NAMES.index("days_doctor_365")])
    y = (random.random(n) < 1 / (1 + np.exp(1.8 - effect * signal))).astype(np.float64)
    status = np.where(random.random(n) < 0.05, Status.CENSORED, Status.OBSERVED).astype(np.int8)
    y[status == Status.CENSORED] = np.nan
    facts = {"data_as_of": "2024-01-01", "synthetic": True, "fingerprint": FINGERPRINT, "weights": {}, "target": "event",
             "horizon_days": 365, "embargo_days": 365}  # fmt: skip
    facts |= {"target": "event", "horizon_days": 365, "embargo_days": 365}
    return TrainingSet(
        outcome="long_sick_leave",
        feature_names=np.array(FEATURE_NAMES),
        person_ids=np.array([f"person-{i}" for i in range(n_persons)]),
        company_ids=np.array([f"company-{i:02}" for i in range(N_COMPANIES)]),
        X=X, y=y, status=status, person=person_of,
        company=(person_of % N_COMPANIES).astype(np.int32),
        t=np.repeat(np.array(dates, dtype=np.int32), n_persons),
        followed_days=np.full(n, 365, dtype=np.int32),
        weight=np.where(status == Status.OBSERVED, random.uniform(1.0, 1.2, n), 0.0),
        flow={"event": int(np.nansum(y))},
        facts=facts | {"index_dates": [calendar_date(day).isoformat() for day in dates]},
    )  # fmt: skip


def split_of(found: TrainingSet) -> Split:
    """Four dates train, the last two test, on a third of the persons."""
    ids = found.person_ids.tolist()
    return temporal_split(found.t, found.person, ids, embargo_days=365, test_months=6, test_share=0.35)
