"""Corrections of single answers, as the scores and the sheet of their occasion."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.instruments import INSTRUMENTS
from data_contracts.time_windows import calendar_date
from features import answer_sheets
from features.blocks import FOREVER
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
    others = [*WHO5, answer("no_such_form", "item_1", 3, "2026-02-01"), answer("who5", "item_9", 3, "2026-02-01")]
    assert wellbeing(others, "2026-03-01") == 60


def test_a_correction_of_one_instrument_leaves_the_others_of_that_day_alone():
    rows = rows_of(
        survey_answers=[
            *WHO5,
            *answers("srh", [4], "2026-02-01"),
            WHO5[0] | {"known_from": "2026-02-10", "is_deleted": True},
            WHO5[0] | {"known_from": "2026-02-12", "answer": 4},
        ]
    )
    found = [features_at(rows, t) for t in ("2026-02-02", "2026-02-11", "2026-02-13")]
    assert [one["srh_self_rated_health"] for one in found] == [4, 4, 4]
    assert [one["srh_self_rated_health_change"] for one in found] == pytest.approx([NAN] * 3, nan_ok=True)
    assert [one["who5_wellbeing"] for one in found] == pytest.approx([60, NAN, 64], nan_ok=True)


def gathered(survey_answers) -> tuple:
    found = histories(rows_of(survey_answers=survey_answers))
    return found.scores.columns, found.sheets.columns


def test_only_scores_and_sheets_that_exist_take_memory():
    """One column per scale would hold ninety numbers for each answered sheet, nearly all of them NaN."""
    for columns in gathered([*WHO5, *answers("srh", [4], "2026-02-01")]):
        assert [len(column) for column in columns.values()] == [2] * len(columns)


def test_sheets_have_versions_like_scores():
    corrected = [answer("who5", "item_2", 5, "2026-02-01", known_from="2026-02-10"), *WHO5]
    _, sheets = gathered([*corrected, *answers("srh", [4], "2026-01-01")])
    days = {name: [calendar_date(one).isoformat() for one in sheets[name]] for name in ("day", "known_from")}
    assert days == {
        "day": ["2026-01-01", *["2026-02-01"] * 2],
        "known_from": ["2026-01-01", "2026-02-01", "2026-02-10"],
    }
    assert sheets["known_until"].tolist() == [FOREVER, sheets["known_from"][2], FOREVER]
    assert [list(INSTRUMENTS)[code] for code in sheets["instrument"]] == ["srh", "who5", "who5"]
    assert sheets["n_answered"].tolist() == [1, 5, 5]
    assert sheets["is_straight"].tolist() == [False, True, False]


def test_many_sheets_are_counted_as_few_are(monkeypatch):
    weekly = [
        row
        for shift in range(20)
        for row in answers("who5", [3, 3, 3, 3, 3 + shift % 2], day("2025-06-01", 7 * shift))
        + answers("bis", [shift % 7] * 5 + [NAN], day("2025-06-01", 14 * shift))
    ]
    few = gathered(weekly)
    monkeypatch.setattr(answer_sheets, "_FEW_SHEETS", 0)
    np.testing.assert_equal(gathered(weekly), few)
    assert few[1]["is_straight"].tolist().count(True) == 10 + 20


def test_sparse_sheets_are_scored_by_instrument_with_the_same_result(monkeypatch):
    """Weekly forms beside long yearly ones: room for all items on each sheet would be mostly empty."""
    weekly = [row for shift in range(30) for row in answers("srh", [1 + shift % 5], day("2025-06-01", 7 * shift))]
    yearly = answers("cbi", [50] * 19, "2025-12-01") + answers("hscl10", [2] * 10, "2025-12-02")
    unknown = [answer("no_such_form", "item_1", 3, "2025-12-02"), answer("srh", "no_such_item", 3, "2025-12-02")]
    rows = weekly + yearly + unknown
    together = gathered(rows)
    monkeypatch.setattr(answer_sheets, "_FEW_ANSWERS", 0)
    calls = []
    scored = answer_sheets._scored_in_batches
    monkeypatch.setattr(answer_sheets, "_scored_in_batches", lambda *args: calls.append(args) or scored(*args))
    np.testing.assert_equal(gathered(rows), together)
    assert [one[0].layout.key.n_items for one in calls] == [19, 10, 1]


def test_batches_of_sheets_do_not_part_a_sheet_from_its_correction(monkeypatch):
    rows = [
        row
        for shift in range(5)
        for row in (
            *answers("who5", [3, 3, 3, 3, 3], day("2026-01-01", shift)),
            *answers("gad7", [1, 1, 1, 2, 1, 1, shift % 4], day("2026-01-01", shift)),
            answer("who5", "item_1", 0, day("2026-01-01", shift), known_from="2026-01-20"),
        )
    ]
    whole = gathered(rows)
    monkeypatch.setattr(answer_sheets, "_CELLS_AT_ONCE", 1)
    np.testing.assert_equal(gathered(rows), whole)
