"""Corrections of single answers, as the scores of their occasion."""

from __future__ import annotations

import numpy as np
import pytest

from features import answer_sheets
from tests.lib.records import answer, answers, day, features_at, histories, rows_of

NAN = float("nan")
WHO5 = answers("who5", [3, 3, 3, 3, 3], "2026-02-01")


def wellbeing(survey_answers, t: str) -> float:
    return features_at(rows_of(survey_answers=survey_answers), t)["who5_wellbeing"]


def test_a_corrected_answer_rescoring_uses_the_other_answers_of_the_occasion():
    # One answer 3 -> 5 known on the 10th: (3 + 3 + 3 + 3 + 5) x 4 = 68 from the 11th on.
    corrected = [*WHO5, answer("who5", "item_2", 5, "2026-02-01", known_from="2026-02-10")]
    assert [wellbeing(corrected, t) for t in ("2026-02-10", "2026-02-11")] == [60, 68]


def test_corrections_are_laid_on_top_of_each_other_in_the_order_they_became_known():
    corrected = [
        answer("who5", "item_1", 0, "2026-02-01", known_from="2026-02-20"),
        answer("who5", "item_2", 5, "2026-02-01", known_from="2026-02-10"),
        *WHO5,
        answer("who5", "item_2", 1, "2026-02-01", known_from="2026-02-15"),
    ]
    days = ("2026-02-02", "2026-02-11", "2026-02-16", "2026-02-21")
    assert [wellbeing(corrected, t) for t in days] == [60, 68, 52, 40]


def test_a_deleted_answer_leaves_the_occasion_without_it():
    # WHO-5 needs all five items, so the score is gone, not computed from four.
    deleted = [*WHO5, WHO5[0] | {"known_from": "2026-02-10", "is_deleted": True}]
    assert [wellbeing(deleted, t) for t in ("2026-02-10", "2026-02-11")] == pytest.approx([60, NAN], nan_ok=True)


def test_a_deleted_answer_can_come_back():
    again = [
        *WHO5,
        WHO5[0] | {"known_from": "2026-02-10", "is_deleted": True},
        WHO5[0] | {"known_from": "2026-02-12", "answer": 4},
    ]
    assert wellbeing(again, "2026-02-13") == 64


def test_items_that_arrive_on_different_days_are_one_occasion():
    late = [*WHO5[:4], WHO5[4] | {"known_from": "2026-02-05"}]
    assert [wellbeing(late, t) for t in ("2026-02-05", "2026-02-06")] == pytest.approx([NAN, 60], nan_ok=True)


def test_answers_of_two_days_are_never_scored_together():
    other_day = [*WHO5[:4], answer("who5", "item_5", 3, "2026-02-02")]
    assert np.isnan(wellbeing(other_day, "2026-03-01"))


def test_unknown_instruments_and_items_are_left_aside():
    others = [*WHO5, answer("phq9", "item_1", 3, "2026-02-01"), answer("who5", "item_9", 3, "2026-02-01")]
    assert wellbeing(others, "2026-03-01") == 60


def test_batches_of_sheets_do_not_part_a_sheet_from_its_correction(monkeypatch):
    rows = rows_of(
        survey_answers=[
            row
            for shift in range(5)
            for row in (
                *answers("who5", [3, 3, 3, 3, 3], day("2026-01-01", shift)),
                answer("who5", "item_1", 0, day("2026-01-01", shift), known_from="2026-01-20"),
            )
        ]
    )
    whole = histories(rows).scores["scores"]
    monkeypatch.setattr(answer_sheets, "_SHEETS_AT_ONCE", 1)
    np.testing.assert_array_equal(histories(rows).scores["scores"], whole)
