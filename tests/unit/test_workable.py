"""The part of a number that is tied to what can be worked with: counted by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY
from features.catalogue import FEATURES
from models.explanation import Explanation
from serving.store.scoring import flags_digest, outcome_score

BASE = -2.0


def of(domain, *, modifiable):
    """Names of features of a domain."""
    return [one.name for one in FEATURES if one.domain == domain and one.modifiable is modifiable]


SLEEP, PAIN = of("sleep", modifiable=True)[:2], of("pain_and_body", modifiable=True)[0]
ABSENCE = of("absence_history", modifiable=False)[0]


def explained(parts, unknown=()):
    """An explanation whose contributions are given by name."""
    names = tuple(parts)
    contributions = np.array([*parts.values()])
    values = np.array([np.nan if name in unknown else 1.0 for name in names], dtype=np.float32)
    return Explanation(
        names, BASE + contributions.sum(), BASE, contributions, values, np.full(len(names), NO_DAY), np.ones(4, bool)
    )


def expit(x):
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize(
    ("parts", "unknown", "contribution", "group"),
    [
        ({SLEEP[0]: 0.3, SLEEP[1]: 0.2, PAIN: 0.4, ABSENCE: 2.0}, (), 0.9, "sleep"),
        ({SLEEP[0]: 0.3, SLEEP[1]: -0.2, PAIN: 0.4}, (), 0.7, "pain_and_body"),
        ({SLEEP[0]: 0.3, PAIN: 0.4}, (PAIN,), 0.3, "sleep"),
        ({SLEEP[0]: -0.3, PAIN: -0.4, ABSENCE: 1.0}, (), 0.0, "absence_history"),
        ({SLEEP[0]: 0.1, SLEEP[1]: -0.3, ABSENCE: 1.0}, (), 0.1, "absence_history"),
        ({SLEEP[0]: -0.3, ABSENCE: -1.0}, (), 0.0, None),
    ],
)
def test_it_is_what_is_known_can_be_changed_and_raises(parts, unknown, contribution, group):
    found = explained(parts, unknown).workable
    assert found.contribution == pytest.approx(contribution)
    assert found.group == group


def answer(target, number):
    is_event = target == "event"
    return {
        "target": target, "risk": number if is_event else None, "expected_days": None if is_event else number,
        "interval": None, "expected_days_interval": None, "band": None,
    }  # fmt: skip


def test_the_benefit_of_a_risk_is_in_its_own_unit_and_so_is_that_of_days():
    one = explained({SLEEP[0]: 0.5, ABSENCE: 1.0})
    risk = outcome_score("x", answer("event", expit(-0.5)), one)
    assert risk.benefit == pytest.approx(expit(-0.5) - expit(-1.0))
    days = outcome_score("x", answer("days", math.exp(-0.5)), one)
    assert days.benefit == pytest.approx(math.exp(-0.5) - math.exp(-1.0))
    assert (risk.domain, days.domain) == ("sleep", "sleep")


def test_without_a_number_there_is_no_benefit():
    found = outcome_score("x", answer("event", None), None)
    assert (found.number, found.benefit, found.domain) == (None, None, None)


def test_flags_are_the_same_for_the_same_answers_in_any_order():
    first, second = (SimpleNamespace(instrument="phq9", item=item, answered_on=None) for item in ("9", "8"))
    assert flags_digest([]) is None
    assert flags_digest([first, second]) == flags_digest([second, first]) != flags_digest([first])
