"""Which scales an employer may be told of, what is unfavourable on them, and what of a person is counted."""

from __future__ import annotations

from datetime import date

import pytest

from data_contracts.programme_offers import measure_for
from data_contracts.workplace_factors import WORKPLACE_FACTORS, third_of
from features.record import tables_of_record
from serving.predictor import case_of
from serving.store.measured import measured
from serving.workplace_measures import of_days
from tests.lib.records import Row, answer, consent, person, record_of

CONTROL, DEMANDS = "qpsnordic34_control", "dcsq_demands"


def test_factors_tell_of_the_workplace_and_never_of_how_a_person_is():
    assert {name.partition("_")[0] for name in WORKPLACE_FACTORS} == {"qpsnordic34", "dcsq", "copsoq3"}
    assert "copsoq3_self_rated_health" not in WORKPLACE_FACTORS
    assert all(measure_for(name) is not None for name in WORKPLACE_FACTORS)


def test_no_factor_is_a_sum_or_a_part_of_another():
    """Else what is not told could be had by subtraction."""
    seen: set[tuple[str, str]] = set()
    for name, scale in WORKPLACE_FACTORS.items():
        items = {(name.partition("_")[0], item) for item in scale.items}
        assert not seen & items
        seen |= items


@pytest.mark.parametrize(
    ("name", "score", "is_bad"),
    [
        (CONTROL, 1.0, True),  # 1 to 5, high is good: the third ends at 2 1/3
        (CONTROL, 2.25, True),
        (CONTROL, 2.5, False),
        (DEMANDS, 15.0, True),  # 5 to 20, high is bad: the third begins at 15
        (DEMANDS, 14.0, False),
        ("copsoq3_work_pace", 66.0, False),
        ("copsoq3_work_pace", 67.0, True),
        ("copsoq3_influence", 25.0, True),
        ("copsoq3_influence", 50.0, False),
    ],
)
def test_the_unfavourable_third_lies_at_the_end_that_the_scale_says(name, score, is_bad):
    assert (third_of(WORKPLACE_FACTORS[name], score) == 2) is is_bad


NIGHT, SOON, LONG_BEFORE = date(2026, 3, 1), "2026-02-01", "2024-12-01"


def sheet(value: float, answered_on: str) -> list[Row]:
    """The four questions about control, answered alike."""
    return [answer("qpsnordic34", f"control_{n}", value, answered_on) for n in range(1, 5)]


def counted(*rows: Row, consents: tuple[Row, ...] = (consent("survey"),), **tables: list[Row]) -> dict[str, int]:
    record = record_of({"persons": [person()], "consents": [*consents], "survey_answers": [*rows], **tables})
    return measured(case_of(tables_of_record(record, NIGHT), NIGHT, NIGHT))


def test_the_newest_answer_counts():
    assert counted(*sheet(1, "2025-12-01"), *sheet(4, SOON)) == {"participation": 0, CONTROL: 0}
    assert counted(*sheet(4, "2025-12-01"), *sheet(1, SOON)) == {"participation": 0, CONTROL: 2}


def test_an_answer_that_is_not_current_or_not_consented_to_counts_for_nothing():
    assert counted(*sheet(1, LONG_BEFORE)) == {"participation": 1}
    assert counted(*sheet(1, SOON), consents=(consent("lab"),)) == {"participation": 1}


def test_how_a_person_is_does_not_count():
    assert counted(*(answer("cbi", f"work_{n}", 100, SOON) for n in range(1, 8))) == {"participation": 0}


@pytest.mark.parametrize(("score", "third"), [(1.0, 2), (2.5, 1), (3.5, 1), (3.75, 0), (5.0, 0)])
def test_a_score_on_a_border_is_in_the_less_favourable_third(score, third):
    assert third_of(WORKPLACE_FACTORS[CONTROL], score) == third  # 1 to 5: borders at 2 1/3 and 3 2/3


@pytest.mark.parametrize(("points", "third"), [(5, 0), (3, 1), (2, 1), (1, 2), (0, 2)])
def test_a_domain_is_in_the_third_of_its_score_as_the_health_index_computes_it(points, third):
    """WHO-5: five answers of 0 to 5, that is 0 to 100 percent."""
    found = counted(*(answer("who5", f"item_{n}", points, SOON) for n in range(1, 6)))
    assert found == {"participation": 0, "mental_health": third}


@pytest.mark.parametrize(("name", "distance", "days"), [("none", 0, 0), ("short", 1, 16), ("long", 2, 17)])
def test_days_of_absence_fall_into_none_up_to_sixteen_and_over(name, distance, days):
    assert of_days(days) == distance, name
