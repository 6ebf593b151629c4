"""Labels of burnout, countable by hand. t is 2024-03-01."""

import numpy as np
import pytest

from models.outcomes import OUTCOMES
from models.outcomes.outcome import Status
from tests.lib.cohorts import T, cohort, first_reason, inventory, labels
from tests.lib.records import day

OUTCOME = OUTCOMES["burnout"]


def found(*surveys, data_as_of="2026-01-01"):
    rows = cohort(surveys=tuple(row for survey in surveys for row in survey))
    return labels(OUTCOME, rows, data_as_of=data_as_of)


def y(*surveys) -> float:
    return float(found(*surveys).y[0])


@pytest.mark.parametrize(("after", "seen"), [(89, False), (90, True), (400, True), (401, False)])
def test_the_window_is_90_to_400_days_after_t_both_included(after, seen):
    answered = found(inventory(day(T, after), 75, 0))
    assert answered.status.tolist() == [Status.OBSERVED if seen else Status.NOT_OBSERVED]
    assert np.isnan(answered.y[0]) != seen, "no survey in the window is unknown, never 0"


@pytest.mark.parametrize(
    ("personal", "work", "expected"), [(25, 25, 0.0), (50, 25, 1.0), (25, 50, 1.0), (50, None, 1.0)]
)
def test_either_scale_at_50_is_an_event(personal, work, expected):
    assert y(inventory(day(T, 100), personal, work)) == expected


def test_the_first_survey_in_the_window_decides():
    assert y(inventory(day(T, 300), 75, 75), inventory(day(T, 100), 25, 25)) == 0.0
    assert y(inventory(day(T, 80), 75, 75), inventory(day(T, 100), 25, 25), inventory(day(T, 101), 75, 75)) == 0.0


def test_a_survey_without_a_score_on_either_scale_does_not_decide():
    assert y(inventory(day(T, 100), None, None), inventory(day(T, 200), 75, 25)) == 1.0


@pytest.mark.parametrize(("personal", "work"), [(25, None), (None, 25)])
def test_one_low_scale_and_the_other_unanswered_does_not_say_no_event(personal, work):
    assert found(inventory(day(T, 100), personal, work)).status.tolist() == [Status.NOT_OBSERVED]


def test_mature_400_days_and_the_registration_lag_after_t():
    survey = inventory(day(T, 100), 75, 75)
    assert found(survey, data_as_of=day(T, 414)).status.tolist() == [Status.NOT_MATURE]
    assert found(survey, data_as_of=day(T, 415)).status.tolist() == [Status.OBSERVED]


def test_the_embargo_covers_the_windows_last_day():
    assert OUTCOME.embargo_days == 401


NO_SURVEY, ALREADY = OUTCOME.own_reasons


@pytest.mark.parametrize(
    ("surveys", "expected"),
    [
        ([], NO_SURVEY),
        ([(-401, 25, 25)], NO_SURVEY),
        ([(-400, 25, 25)], "eligible"),
        ([(-1, 25, 25)], "eligible"),
        ([(0, 25, 25)], NO_SURVEY),
        ([(-10, 25, None)], NO_SURVEY),
        ([(-10, 50, 25)], ALREADY),
        ([(-300, 75, 75), (-10, 25, 25)], "eligible"),
        ([(-300, 25, 25), (-10, 25, 75)], ALREADY),
        ([(-300, 25, 25), (-10, None, 75)], ALREADY),
        ([(-300, 25, 25), (-10, None, 25)], "eligible"),
    ],
)
def test_eligible_with_a_complete_inventory_in_400_days_and_nothing_at_50_since(surveys, expected):
    answers = [row for after, personal, work in surveys for row in inventory(day(T, after), personal, work)]
    assert first_reason(OUTCOME, cohort(surveys=tuple(answers))) == expected


def test_eligibility_knows_only_what_was_known_at_t():
    late = inventory(day(T, -10), 75, 75, known_from=T)
    early = inventory(day(T, -30), 25, 25)
    assert first_reason(OUTCOME, cohort(surveys=(*early, *late))) == "eligible"
