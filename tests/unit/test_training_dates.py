from __future__ import annotations

from datetime import date

from pipeline.training_dates import short_history_note

BEGUN = date(2024, 1, 1)


def test_windows_that_reach_before_the_first_absence_are_named():
    dates = [date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1)]
    note = short_history_note(BEGUN, dates)
    assert note is not None
    assert "recorded from 2024-01-01: at 1 of 3 index dates" in note


def test_a_history_of_two_years_before_every_index_date_needs_no_note():
    assert short_history_note(BEGUN, [date(2025, 12, 31)]) is None


def test_no_absence_at_all_is_said_and_is_no_zero_to_trust():
    assert "no absence is recorded at all" in str(short_history_note(None, [BEGUN]))
