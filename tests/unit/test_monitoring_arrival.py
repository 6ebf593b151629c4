"""How records arrive: first records, delays of few and many, silence."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from data_contracts.readers.parquet_files import write_tables
from data_contracts.time_windows import day_number
from models.monitoring.false_discovery import alarms
from pipeline.monitoring.arrival import arrival, arrivals_of
from tests.lib.records import answer, person, rows_of, spell, table, tables


def test_the_first_record_of_an_event_counts_and_what_is_not_known_yet_or_withdrawn_does_not():
    rows = [
        spell("2025-01-01", None, "2025-01-05"),
        spell("2025-01-01", "2025-01-20", "2025-01-25"),  # the end came later: no new event
        spell("2025-02-01", None, "2025-02-03", spell_id="B"),
        spell("2025-03-01", None, "2025-03-10", spell_id="C"),  # read on the index day: not known that morning
        spell("2025-02-20", None, "2025-02-21", spell_id="D", is_deleted=True),
    ]
    found = arrivals_of(table("absence_spells", rows), "first_day", day_number("2025-03-10"))
    assert found.delay.tolist() == [4, 2]
    assert found.owner.tolist() == ["p", "p"]


def certificates(n: int, delay: dict[str, int], first: str = "0") -> list:
    """Certificates of n persons that begin on the 10th of January and arrive some days later."""
    return [
        spell(
            f"{year}-01-10", f"{year}-01-20", f"{year}-01-{10 + days + i % 3}", f"{year}-{i}", person_id=f"q{first}{i}"
        )
        for year, days in delay.items()
        for i in range(n)
    ]


def arrived(directory, spells):
    persons = [person(one) for one in sorted({row["person_id"] for row in spells})]
    answers = [answer("who5", "who5_1", 3, f"{year}-01-{5 + i:02}") for year in range(2021, 2024) for i in range(3)]
    write_tables(directory, tables(rows_of(persons=persons, absence_spells=spells, survey_answers=answers)), 2)
    return arrival(directory, date(2025, 3, 1), 3, [date(2023, 3, 1)], 5)


def test_certificates_a_week_later_than_they_used_to_be_are_an_alarm_and_on_time_are_none(tmp_path):
    on_time, moved = arrived(tmp_path / "same", certificates(40, {"2023": 2, "2025": 2}))
    assert alarms(moved) == []
    assert on_time["absence_spells"]["now"] == {
        "events": 40, "median_days": 3.0, "days_until_95_percent": 4.0, "share_after_lag": 0.0
    }  # fmt: skip
    late, moved = arrived(tmp_path / "late", certificates(40, {"2023": 2, "2025": 9}))
    (alarm,) = alarms(moved)
    assert (alarm.leading[0].name, alarm.leading[0].difference > 1) == ("absence_spells", True)
    assert late["absence_spells"]["now"]["share_after_lag"] == 1.0


def test_of_few_persons_no_delay_is_told(tmp_path):
    found, moved = arrived(tmp_path, certificates(9, {"2023": 2, "2025": 9}))
    assert found["absence_spells"]["now"] == {"why_not": "fewer than 10 persons to compare"}
    assert alarms(moved) == []


def test_silence_is_what_is_twice_as_long_as_ever_before(tmp_path):
    found, _ = arrived(tmp_path, certificates(12, {"2022": 1, "2023": 1, "2025": 1}))
    # Certificates come each January: 45 days without one are usual. Answers came yearly too, and not for two years.
    assert (found["absence_spells"]["quiet_days"], found["absence_spells"]["is_silent"]) == (47, False)
    silent = found["survey_answers"]
    assert (silent["usual_quiet_days"], silent["is_silent"], silent["last_known_from"]) == (363, True, "2023-01-07")
    assert found["lab_results"] == {
        "now": {"why_not": "fewer than 10 persons to compare"}, "reference": {"why_not": "fewer than 10 persons to compare"},
        "last_known_from": None, "quiet_days": None, "usual_quiet_days": None, "is_silent": False,
    }  # fmt: skip


@pytest.mark.parametrize("n", [0, 1])
def test_a_table_with_no_or_one_row_has_arrivals(n):
    rows = [spell("2025-01-01", None, "2025-01-05")][:n]
    assert len(arrivals_of(table("absence_spells", rows), "first_day", day_number("2026-01-01")).delay) == n
    assert np.all(arrivals_of(table("absence_spells", rows), "first_day", day_number("2026-01-01")).delay == 4)
