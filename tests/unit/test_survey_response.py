"""How questionnaires were answered: days, items left open, and one and the same answer throughout."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY, day_number
from features.build import observation_days
from features.catalogue import FEATURE_NAMES
from features.survey_response import FEATURES
from tests.lib.records import answer, answers, consent, day, features_at, histories, rows_of

NAN = float("nan")
T = "2026-03-01"
NAMES = tuple(feature.name for feature in FEATURES)


def response(survey_answers, t: str = T) -> list[float]:
    """Days of 730, days since, questionnaires, share of items left open, share of straight lines."""
    found = features_at(rows_of(survey_answers=survey_answers), t)
    return pytest.approx([found[name] for name in NAMES], nan_ok=True)


def test_nobody_asked_has_answered_on_no_day():
    assert response([]) == [0, NAN, NAN, NAN, NAN]


def test_without_consent_nothing_is_known():
    rows = rows_of(consents=[consent("absence")], survey_answers=answers("who5", [3] * 5, "2026-02-01"))
    found = features_at(rows, T)
    assert all(np.isnan(found[name]) for name in NAMES)


def test_two_questionnaires_of_one_day():
    rows = answers("who5", [3, 3, 3, 3, 3], "2026-02-01") + answers(
        "cbi", [50] * 6 + [25] * 6 + [NAN] * 7, "2026-02-01"
    )
    # 17 of 24 items; WHO-5 in one line, CBI not.
    assert response(rows) == [1, 28, 2, 7 / 24, 0.5]


def test_only_the_latest_day_tells_how_it_was_answered():
    rows = answers("who5", [3, 3, 3, 3, 3], "2025-02-01") + answers("bis", [1, 1, 1, 1, 2, NAN], "2026-02-28")
    assert response(rows) == [2, 1, 1, 1 / 6, 0]
    assert response(rows, "2026-02-28") == [1, 392, 1, 0, 1]


@pytest.mark.parametrize(("shift", "counted"), [(1, 1), (730, 1), (731, 0)])
def test_days_of_two_years(shift, counted):
    rows = answers("srh", [4], day(T, -shift))
    assert response(rows) == [counted, shift, 1, 0, NAN]


def test_an_answer_on_the_index_date_is_not_known():
    assert response(answers("srh", [4], T)) == [0, NAN, NAN, NAN, NAN]


def test_four_answers_alike_are_no_straight_line_and_no_ordinary_one_either():
    assert response(answers("who5", [3, 3, 3, 3, NAN], "2026-02-01")) == [1, 28, 1, 0.2, NAN]


def test_a_straight_line_is_one_of_codes_as_sent():
    """The seventh item of the work part is reversed: who ticks 100 throughout has not thought, although the scale says 86."""
    assert response(answers("cbi", [100] * 19, "2026-02-01")) == [1, 28, 1, 0, 1]


def test_answers_that_cannot_be_scored_are_answers():
    rows = answers("phq9", [1] + [NAN] * 8, "2026-02-01")
    assert response(rows) == [1, 28, 1, 8 / 9, NAN]
    assert np.isnan(features_at(rows_of(survey_answers=rows), T)["phq9_age_days"])


def test_unknown_questionnaires_and_items_count_for_nothing():
    unknown = [answer("no_such_form", "item_1", 3, "2026-02-20"), answer("srh", "no_such_item", 3, "2026-02-20")]
    assert response(unknown) == [0, NAN, NAN, NAN, NAN]
    assert response(unknown + answers("srh", [4], "2026-02-01")) == [1, 28, 1, 0, NAN]


def test_a_later_part_of_the_sheet_counts_with_the_earlier_one():
    rows = [
        row | {"known_from": day("2026-02-01", place)}
        for place, row in enumerate(answers("who5", [3] * 5, "2026-02-01"))
    ]
    assert [response(rows, day("2026-02-01", n)) for n in (1, 4, 5)] == [
        [1, 1, 1, 0.8, NAN], [1, 4, 1, 0.2, NAN], [1, 5, 1, 0, 1],
    ]  # fmt: skip


def test_a_withdrawn_answer_does_not_count_and_a_corrected_one_counts_as_corrected():
    rows = answers("bis", [2] * 6, "2026-02-01")
    withdrawn = rows[0] | {"known_from": "2026-02-10", "is_deleted": True}
    corrected = rows[1] | {"known_from": "2026-02-15", "answer": 7}
    found = [response([corrected, *rows, withdrawn], t) for t in ("2026-02-10", "2026-02-11", "2026-02-16")]
    assert found == [[1, 9, 1, 0, 1], [1, 10, 1, 1 / 6, 1], [1, 15, 1, 1 / 6, 0]]


def test_a_sheet_of_which_every_answer_is_withdrawn_was_not_answered():
    gone = [row | {"known_from": "2026-02-10", "is_deleted": True} for row in answers("who5", [3] * 5, "2026-02-01")]
    rows = [*answers("who5", [3] * 5, "2026-02-01"), *gone, *answers("srh", [4], "2025-12-01")]
    assert response(rows, "2026-02-10") == [2, 9, 1, 0, 1]
    assert response(rows, "2026-02-11") == [1, 72, 1, 0, NAN]


def test_the_day_behind_each_number():
    gathered = histories(rows_of(survey_answers=answers("who5", [3, 3, 3, 3, NAN], "2026-02-01")), T)
    found = dict(zip(FEATURE_NAMES, observation_days(gathered, day_number(T))[0].tolist(), strict=True))
    days = {name: found[name] for name in NAMES}
    latest = day_number("2026-02-01")
    assert list(days.values()) == [NO_DAY, latest, latest, latest, NO_DAY]
