"""What a person's record says of the measures that a workplace is told of, as a night counts them."""

from __future__ import annotations

import math

from data_contracts.instruments import VALID_DAYS
from data_contracts.workplace_factors import WORKPLACE_FACTORS, third, third_of
from features.catalogue import POSITIONS
from features.sheet_layouts import SCALES
from serving.case import Case
from serving.domain_scores import domain_scores
from serving.workplace_measures import DOMAINS_TOLD, of_days

_DAYS = POSITIONS["days_doctor_365"]


def measured(case: Case) -> dict[str, int]:
    """Return by measure the category that a person is in; risks are not among them, as they are outcomes of the night."""
    scores = _current(case)
    found = {"participation": 0 if scores else 1}
    days = float(case.values[0, _DAYS])
    if case.told("absence") and not math.isnan(days):
        found["absence"] = of_days(days)
    found |= {name: third(100 - at, 100) for name, at in domain_scores(scores).items() if name in DOMAINS_TOLD}
    return found | {
        name: third_of(WORKPLACE_FACTORS[name], score) for name, score in scores.items() if name in WORKPLACE_FACTORS
    }


def _current(case: Case) -> dict[str, float]:
    """Return the newest score of every scale, without those that are not current any more."""
    rows = case.known.scores
    answers = zip(rows["day"].tolist(), rows["scale"].tolist(), rows["score"].tolist(), strict=True)
    return {SCALES[position].name: score for day, position, score in sorted(answers) if case.t - day <= VALID_DAYS}
