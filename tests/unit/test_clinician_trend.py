"""A person's numbers over time: where they stand in the drawing, and where the model changed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from serving.clinician.trend import BOTTOM, HEIGHT, LEFT, MOST_POINTS, TOP, WIDTH, trend
from serving.store.history import PastScore

FIRST = date(2026, 1, 5)


def past(days: int, number: float | None, model: str = "a") -> PastScore:
    low, high = (None, None) if number is None else (number / 2, number * 2)
    return PastScore(FIRST + timedelta(days=days), "event", number, low, high, None, "1", model)


@pytest.mark.parametrize("history", [[], [past(0, 0.1)], [past(0, 0.1), past(7, None)], [past(0, 0.1), past(1, 0.2)]])
def test_one_number_is_no_trend(history):
    # The last two are of one week, of which the newest night is shown.
    assert trend(history) is None


def test_numbers_stand_between_the_lines_of_a_round_scale():
    found = trend([past(0, 0.1), past(70, 0.2), past(140, 0.05)])
    assert [tick.value for tick in found.ticks] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    height = HEIGHT - TOP - BOTTOM
    assert [point.y for point in found.points] == pytest.approx(
        [HEIGHT - BOTTOM - height * share for share in (0.25, 0.5, 0.125)], abs=0.1
    )
    assert found.points[1].y_high == pytest.approx(TOP, abs=0.1)
    xs = [point.x for point in found.points]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert LEFT < xs[0] < xs[2] < WIDTH
    assert [line.count(",") for line in found.lines] == [3]


def test_another_model_and_a_missing_number_break_the_line():
    nights = [
        (0, 0.1, "a"),
        (7, 0.1, "a"),
        (14, 0.1, "b"),
        (21, 0.1, "b"),
        (28, None, "b"),
        (35, 0.1, "b"),
        (42, 0.1, "b"),
    ]
    found = trend([past(*one) for one in nights])
    assert [point.is_new_model for point in found.points] == [False, False, True, False, False, False, False]
    assert [line.count(",") for line in found.lines] == [2, 2, 2]
    assert found.points[4].y is None
    assert len(found.numbers) == 6


def test_only_numbers_of_the_newest_model_since_it_took_over_are_compared():
    nights = [(0, 0.1, "b"), (7, 0.2, "a"), (14, 0.3, "b"), (21, None, "b"), (28, 0.4, "b")]
    assert [one.number for one in trend([past(*one) for one in nights]).of_newest_model] == [0.3, 0.4]


def test_of_daily_nights_the_newest_of_each_week_of_the_last_two_years_is_shown():
    found = trend([past(day, 0.1 + day / 10_000) for day in range(1000)])
    assert len(found.points) == MOST_POINTS
    assert found.points[-1].score.night == FIRST + timedelta(days=999)
    assert {
        (after.score.night - before.score.night).days
        for before, after in zip(found.points, found.points[1:], strict=False)
    } == {6, 7}


@pytest.mark.parametrize("highest", [0.001, 0.03, 0.5, 1.0, 7.0, 365.0, 400.0])
def test_no_number_stands_above_the_scale(highest):
    found = trend([past(0, highest / 2), past(7, highest / 2)])
    assert found.ticks[-1].value >= highest
    assert all(TOP <= point.y_high <= HEIGHT - BOTTOM for point in found.points)
    assert 2 <= len(found.ticks) <= 5
