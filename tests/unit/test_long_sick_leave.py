"""Labels of long sick leave, countable by hand. t is 2024-03-01; its horizon is 2024-03-01..2025-02-28."""

from dataclasses import replace

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY, day_number
from models.outcomes import OUTCOMES
from models.outcomes.long_sick_leave import episodes
from models.outcomes.outcome import Status
from tests.lib.cohorts import LATE, T, cohort, consents, first_reason, labels
from tests.lib.records import day, job, spell

OUTCOME = OUTCOMES["long_sick_leave"]


def y(*spells, **others) -> float:
    return float(labels(OUTCOME, cohort(*spells, **others)).y[0])


@pytest.mark.parametrize(("days", "expected"), [(16, 0.0), (17, 1.0)])
def test_sixteen_days_are_the_employer_period_and_seventeen_are_an_event(days, expected):
    assert y(spell("2024-06-01", day("2024-06-01", days - 1))) == expected


@pytest.mark.parametrize(
    ("first", "expected"), [("2024-02-29", 0.0), ("2024-03-01", 1.0), ("2025-02-28", 1.0), ("2025-03-01", 0.0)]
)
def test_the_horizon_includes_t_and_excludes_t_plus_365(first, expected):
    assert y(spell(first, day(first, 19))) == expected


def test_the_planned_end_after_the_horizon_counts_for_an_episode_that_began_in_it():
    assert y(spell("2025-02-20", "2025-03-20")) == 1.0


@pytest.mark.parametrize(("gap", "expected"), [(15, 1.0), (16, 0.0)])
def test_stretches_with_a_gap_under_16_days_are_one_episode_whose_gap_is_not_counted(gap, expected):
    first = spell("2024-06-01", "2024-06-09", spell_id="A")
    start = day("2024-06-09", gap + 1)
    second = spell(start, day(start, 7), spell_id="B")
    assert y(first, second) == expected, "9 + 8 = 17 certified days when joined"


def test_gap_days_do_not_lengthen_an_episode():
    assert y(spell("2024-06-01", "2024-06-05", spell_id="A"), spell("2024-06-16", "2024-06-20", spell_id="B")) == 0.0


def test_an_episode_that_began_before_t_is_not_new():
    before = spell("2024-02-10", "2024-02-20", known_from="2024-06-01", spell_id="A")
    assert y(before, spell("2024-03-05", "2024-03-25", spell_id="B")) == 0.0


def test_a_change_of_grade_does_not_split_an_episode():
    half = spell("2024-06-11", "2024-06-20", spell_id="B", grade_percent=50)
    assert y(spell("2024-06-01", "2024-06-10", spell_id="A"), half) == 1.0


def test_self_certified_days_make_no_event():
    assert y(spell("2024-06-01", "2024-06-30", kind="self_certified")) == 0.0


def test_the_label_uses_what_is_known_later_and_the_latest_version():
    late = spell("2024-06-01", "2024-06-30", known_from="2025-12-01")
    shortened = spell("2024-06-01", "2024-06-10", known_from="2025-12-10")
    assert y(late) == 1.0
    assert y(late, shortened) == 0.0


def test_min_days_is_a_parameter():
    rows = cohort(spell("2024-06-01", "2024-07-10"))
    assert labels(replace(OUTCOME, min_days=56), rows).y.tolist() == [0.0]
    assert labels(replace(OUTCOME, min_days=39), rows).y.tolist() == [1.0]


def test_the_horizon_is_a_parameter():
    rows = cohort(spell("2024-04-15", "2024-07-10"))
    ninety = replace(OUTCOME, horizon_days=90)
    assert labels(ninety, rows).y.tolist() == [1.0]
    assert labels(replace(OUTCOME, horizon_days=45), rows).y.tolist() == [0.0]
    assert labels(ninety, cohort()).followed_days.tolist() == [90]
    assert ninety.mature_after_days == 90 + 17 + 14
    assert ninety.embargo_days == 90


@pytest.mark.parametrize(("as_of", "status"), [("2025-03-31", Status.NOT_MATURE), ("2025-04-01", Status.OBSERVED)])
def test_mature_365_plus_17_plus_14_days_after_t_even_when_the_event_was_seen_early(as_of, status):
    assert (day_number("2025-04-01") - day_number(T)) == 365 + 17 + 14
    rows = cohort(spell("2024-03-05", "2024-04-20"))
    assert labels(OUTCOME, rows, data_as_of=as_of).status.tolist() == [status]


# --- leaving -------------------------------------------------------------------------------------------------------


def ended(last_day: str) -> tuple:
    return (job(), job(end=last_day, known_from=last_day))


def test_leaving_without_an_event_is_censored_on_the_last_day():
    found = labels(OUTCOME, cohort(jobs=ended("2024-03-15")))
    assert (found.status.tolist(), found.followed_days.tolist()) == ([Status.CENSORED], [14])
    assert np.isnan(found.y).all()


def test_leaving_on_the_horizons_last_day_is_complete_and_a_day_earlier_is_not():
    assert labels(OUTCOME, cohort(jobs=ended("2025-02-28"))).status.tolist() == [Status.OBSERVED]
    assert labels(OUTCOME, cohort(jobs=ended("2025-02-27"))).status.tolist() == [Status.CENSORED]


def test_an_event_before_leaving_is_an_event_and_one_after_leaving_is_not_seen():
    event = spell("2024-06-01", "2024-06-30")
    on_last_day = labels(OUTCOME, cohort(event, jobs=ended("2024-06-01")))
    assert (on_last_day.y.tolist(), on_last_day.followed_days.tolist()) == ([1.0], [92])
    assert labels(OUTCOME, cohort(event, jobs=ended("2024-05-31"))).status.tolist() == [Status.CENSORED]


def test_an_end_before_t_that_became_known_after_t_leaves_no_day_to_follow():
    found = labels(OUTCOME, cohort(jobs=(job(), job(end="2024-02-15", known_from="2024-04-01"))))
    assert (found.status.tolist(), found.followed_days.tolist()) == ([Status.CENSORED], [0])


# --- eligibility ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("last_day", "expected"), [("2024-02-13", "eligible"), ("2024-02-14", "washout")])
def test_the_washout_is_the_16_days_before_t(last_day, expected):
    assert (day_number(T) - day_number("2024-02-14")) == 16
    assert first_reason(OUTCOME, cohort(spell("2024-02-01", last_day))) == expected


def test_the_washout_knows_only_what_was_known_at_t():
    assert first_reason(OUTCOME, cohort(spell("2024-02-20", "2024-02-25", known_from=T))) == "eligible"


def test_self_certified_days_are_no_washout():
    assert first_reason(OUTCOME, cohort(spell("2024-02-20", "2024-02-25", kind="self_certified"))) == "eligible"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ((), "no consent for any source"),
        (("survey",), "not employed"),
        (("employment",), "eligible"),
        (("employment", "absence"), "washout"),
    ],
)
def test_a_source_without_consent_is_missing(sources, expected):
    rows = cohort(spell("2024-02-20", "2024-02-28"))
    assert first_reason(OUTCOME, rows | {"consents": consents(sources=sources)}) == expected


@pytest.mark.parametrize(("age", "expected"), [(17, False), (18, True), (70, True), (71, False), (np.nan, False)])
def test_age_18_to_70(age, expected):
    assert (first_reason(OUTCOME, cohort(), age=age) == "eligible") is expected


def test_the_first_reason_that_applies_is_named():
    rows = cohort(spell("2024-02-20", "2024-02-28"), jobs=())
    assert first_reason(OUTCOME, rows, age=12) == "not employed"


def test_episodes_are_per_person_and_in_any_order():
    person, first, certified = episodes(np.array([1, 0, 1]), np.array([30, 10, 20]), np.array([34, 12, 24]))
    assert (person.tolist(), first.tolist(), certified.tolist()) == ([0, 1], [10, 20], [3, 10])
    assert [len(column) for column in episodes(*(np.empty(0, np.int32),) * 3)] == [0, 0, 0]


def test_not_leaving_is_open_ended():
    assert NO_DAY < 0
    assert labels(OUTCOME, cohort(), data_as_of=LATE).followed_days.tolist() == [365]
