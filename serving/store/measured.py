"""What a person's record says of the measures that a workplace is told of, as a night counts them."""

from __future__ import annotations

import math

from data_contracts.instruments import VALID_DAYS
from data_contracts.workplace_factors import WORKPLACE_FACTORS, third, third_of
from features.catalogue import POSITIONS
from features.sheet_layouts import SCALES
from serving.case import Case, Cases
from serving.domain_scores import domain_scores
from serving.workplace_measures import DOMAINS_TOLD, of_days

_DAYS = POSITIONS["days_doctor_365"]


def measured(case: Case) -> dict[str, int]:
    """Return by measure the category that a person is in; risks are not among them, as they are outcomes of the night."""
    return measured_all(case)[0]


def measured_all(cases: Cases) -> list[dict[str, int]]:
    """Return what :func:`measured` returns, of each person."""
    days = cases.values[:, _DAYS].tolist()
    return [_measured(cases, person, scores, days[person]) for person, scores in enumerate(_current(cases))]


def _measured(cases: Cases, person: int, scores: dict[str, float], days: float) -> dict[str, int]:
    found = {"participation": 0 if scores else 1}
    if cases.told_of(person, "absence") and not math.isnan(days):
        found["absence"] = of_days(days)
    found |= {name: third(100 - at, 100) for name, at in domain_scores(scores).items() if name in DOMAINS_TOLD}
    return found | {
        name: third_of(WORKPLACE_FACTORS[name], score) for name, score in scores.items() if name in WORKPLACE_FACTORS
    }


def _current(cases: Cases) -> list[dict[str, float]]:
    """Return of each person the newest score of every scale, without those that are not current any more."""
    rows = cases.known.scores
    kept = (cases.t - rows["day"] <= VALID_DAYS).nonzero()[0]
    found: list[dict[str, float]] = [{} for _ in range(len(cases.histories))]
    answers = zip(*(rows[name][kept].tolist() for name in ("person", "day", "scale", "score")), strict=True)
    for person, _, position, score in sorted(answers):
        found[person][SCALES[position].name] = score
    return found
