"""Days of absence, countable by hand. t is 2024-03-01; its horizon is 2024-03-01..2025-02-28."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.time_windows import day_number
from models.outcomes import OUTCOMES
from models.outcomes.outcome import Status
from models.training_set import build_training_set
from tests.lib.cohorts import LATE, T, cohort, consents, first_reason, labels
from tests.lib.records import Row, day, job, person, spell, tables

OUTCOME = OUTCOMES["absence_days"]


def away(first: str, days: int, spell_id: str = "A", **others) -> Row:
    return spell(first, day(first, days - 1), spell_id=spell_id, **others)


def own(first: str, days: int, spell_id: str = "S") -> Row:
    return away(first, days, spell_id, kind="self_certified")


def y(*spells: Row, **others) -> float:
    return float(labels(OUTCOME, cohort(*spells, **others)).y[0])


def test_nobody_away_is_no_day_and_not_unknown():
    assert y() == 0.0


def test_self_and_doctor_certified_days_are_counted_from_the_first():
    assert y(away("2024-06-01", 10)) == 10.0
    assert y(own("2024-06-01", 3)) == 3.0
    assert y(away("2024-06-01", 10), own("2024-08-01", 3)) == 13.0


def test_grade_and_position_weigh_the_days():
    half_sick = away("2024-06-01", 10, grade_percent=50)
    half_job = (job(position_percent=50),)
    assert y(half_sick) == 5.0
    assert y(away("2024-06-01", 10), jobs=half_job) == 5.0
    assert y(half_sick, jobs=half_job) == 2.5


def test_overlapping_certificates_count_once_with_the_highest_grade():
    """1-10 June at 40 %, 6-15 June at 80 %: five days of 40 and ten of 80."""
    assert y(away("2024-06-01", 10, "A", grade_percent=40), away("2024-06-06", 10, "B", grade_percent=80)) == 10.0


def test_a_day_in_both_kinds_counts_as_doctor_certified():
    """Three own days in full, of which the doctor later certifies two at half: one and nine halves."""
    assert y(own("2024-06-01", 3), away("2024-06-02", 9, grade_percent=50)) == 1 + 4.5


@pytest.mark.parametrize(("first", "days", "expected"), [
    ("2024-02-25", 10, 5), ("2024-02-20", 10, 0), ("2025-02-24", 10, 5), ("2025-02-28", 1, 1), ("2025-03-01", 1, 0),
])  # fmt: skip
def test_days_outside_the_horizon_do_not_count(first, days, expected):
    assert y(away(first, days)) == expected


def test_days_after_the_horizon_do_not_count_where_the_job_is_known_to_end_after_it():
    jobs = (job(), job(end="2025-06-30", known_from="2025-06-30"))
    assert y(away("2025-02-24", 10), jobs=jobs) == 5.0


def test_a_running_spell_counts_to_the_end_of_the_horizon():
    assert y(spell("2025-02-01", None)) == 28.0


def test_pregnancy_counts_like_every_other_absence():
    assert y(away("2024-06-01", 10, diagnosis="W78")) == 10.0


def test_the_position_is_that_of_the_day():
    """Half a position until 5 June, whole from 6 June on: five days of a half and five whole."""
    jobs = (job(position_percent=50), job(end="2024-06-05", position_percent=50, known_from="2024-06-05"),
            job("2024-06-06", company_id="d"))  # fmt: skip
    assert y(away("2024-06-01", 10), jobs=jobs) == 7.5


def test_positions_add_up_to_one_whole_at_most():
    two = (job(position_percent=30), job(company_id="d", position_percent=50))
    assert y(away("2024-06-01", 10), jobs=two) == pytest.approx(8.0)
    three = (*two, job(company_id="e", position_percent=50))
    assert y(away("2024-06-01", 10), jobs=three) == 10.0


def test_late_and_corrected_rows_count():
    late = away("2024-06-01", 30, known_from="2025-12-01")
    assert y(late) == 30.0
    assert y(late, away("2024-06-01", 10, known_from="2025-12-10")) == 10.0


def test_the_horizon_is_a_parameter():
    rows = cohort(away("2024-03-21", 20))
    assert labels(replace(OUTCOME, horizon_days=30), rows).y.tolist() == [10.0]
    assert labels(replace(OUTCOME, horizon_days=30), rows).followed_days.tolist() == [30]


@pytest.mark.parametrize(("as_of", "status"), [("2025-03-14", Status.NOT_MATURE), ("2025-03-15", Status.OBSERVED)])
def test_mature_when_the_last_day_must_be_registered(as_of, status):
    assert day_number("2025-03-15") - day_number(T) == 365 + 14
    assert labels(OUTCOME, cohort(), data_as_of=as_of).status.tolist() == [status]


def test_a_last_day_registered_as_late_as_may_be_counts_on_the_first_mature_morning():
    last = spell("2025-02-28", "2025-02-28", known_from="2025-03-14")
    assert labels(OUTCOME, cohort(last), data_as_of="2025-03-15").y.tolist() == [1.0]


def test_who_leaves_is_censored_whatever_the_days_until_then():
    left = (job(), job(end="2024-03-15", known_from="2024-03-15"))
    found = labels(OUTCOME, cohort(away("2024-03-05", 5), jobs=left))
    assert (found.status.tolist(), found.followed_days.tolist()) == ([Status.CENSORED], [14])
    assert np.isnan(found.y).all()
    stayed = (job(), job(end="2025-02-28", known_from="2025-02-28"))
    assert y(away("2024-03-05", 5), jobs=stayed) == 5.0


def test_eligible_like_the_other_outcomes_of_absence():
    assert first_reason(OUTCOME, cohort(spell("2024-02-01", "2024-02-14"))) == "washout"
    assert first_reason(OUTCOME, cohort(spell("2024-02-01", "2024-02-13"))) == "eligible"


def test_persons_are_kept_apart():
    names = ["a", "b", "c"]
    rows = cohort(
        away("2024-06-01", 10, "A", person_id="a"), away("2024-06-01", 4, "C", person_id="c"),
        jobs=(job(person_id="a"), job(person_id="b"), job(person_id="c", position_percent=50)),
        persons=[person(name) for name in names], consents=[row for name in names for row in consents(name)],
    )  # fmt: skip
    assert labels(OUTCOME, rows).y.tolist() == [10.0, 0.0, 2.0]


DATE = st.integers(-40, 400).map(lambda offset: (date.fromisoformat(T) + timedelta(offset)).isoformat())
SPELLS = st.lists(st.tuples(DATE, st.integers(1, 60), st.booleans(), st.integers(1, 100)), max_size=6)
JOBS = st.lists(st.tuples(DATE, st.integers(1, 300), st.integers(1, 100)), max_size=3)


@settings(max_examples=60, deadline=None)
@given(spells=SPELLS, jobs=JOBS)
def test_equals_a_count_of_single_days(spells, jobs):
    rows = [away(first, n, f"{place}", kind="doctor_certified" if doctor else "self_certified", grade_percent=grade)
            for place, (first, n, doctor, grade) in enumerate(spells)]  # fmt: skip
    extra = [(day_number(first), day_number(first) + n - 1, percent) for first, n, percent in jobs]
    employed = [job(position_percent=20)]
    employed += [job(first, day(first, n - 1), company_id=f"e{place}", position_percent=percent)
                 for place, (first, n, percent) in enumerate(jobs)]  # fmt: skip
    total = 0.0
    for today in range(day_number(T), day_number(T) + 365):
        grades = [(doctor, grade) for first, n, doctor, grade in spells if 0 <= today - day_number(first) < n]
        position = min(100, 20 + sum(percent for first, last, percent in extra if first <= today <= last))
        total += max(grades)[1] / 100 * position / 100 if grades else 0
    assert y(*rows, jobs=tuple(employed)) == pytest.approx(total)


# --- downstream ----------------------------------------------------------------------------------------------------


def built():
    names = ["none", "one", "ten", "left"]
    rows = cohort(
        away("2024-06-01", 1, "A", person_id="one"), away("2024-06-01", 10, "B", person_id="ten"),
        jobs=(*(job(person_id=name) for name in names),
              job(person_id="left", end="2024-03-31", known_from="2024-03-31")),
        persons=[person(name) for name in names], consents=[row for name in names for row in consents(name)],
    )  # fmt: skip
    return build_training_set(tables(rows), OUTCOME, [date.fromisoformat(T)], date.fromisoformat(LATE))


def test_one_day_is_a_day_and_no_event():
    found = built()
    assert [found.flow[name] for name in ("left employment", "no absence", "absence")] == [1, 1, 2]
    assert "event" not in found.flow
    assert sum(found.flow.values()) == 4
    assert found.facts["target"] == "days"
    assert found.facts["exits"] == {"rows": 4, "left_within_days": {"30": 0, "90": 1, "180": 1, "365": 1}}
    assert found.y[np.argsort(found.person_ids[found.person])].tolist()[1:] == [0.0, 1.0, 10.0]


def test_all_who_stay_weigh_the_same_and_stand_for_who_left():
    assert sorted(built().weight.tolist()) == pytest.approx([0.0, 4 / 3, 4 / 3, 4 / 3])
