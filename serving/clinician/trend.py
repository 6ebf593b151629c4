"""A person's own numbers over time as a drawing and a table, with a mark wherever another model took over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from serving.store.history import PastScore

WIDTH, HEIGHT = 560, 194
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 28, 26
MOST_POINTS = 104
"""Two years of weeks: of each week the newest night is shown, so that daily nights do not make a page of rows."""

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
_MOST_TICKS = 4


@dataclass(frozen=True)
class Point:
    """One night's number and where it stands in the drawing; all of y is None where the model gave no number."""

    score: PastScore
    is_new_model: bool
    x: float
    y: float | None
    y_low: float | None
    y_high: float | None


@dataclass(frozen=True)
class Tick:
    """One line of the scale."""

    value: float
    y: float


@dataclass(frozen=True)
class Trend:
    """The drawing: points from left to right, lines between numbers of the same model, and the scale."""

    points: tuple[Point, ...]
    lines: tuple[str, ...]
    ticks: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM

    @property
    def numbers(self) -> list[PastScore]:
        """The nights with a number, oldest first."""
        return [one.score for one in self.points if one.y is not None]

    @property
    def of_newest_model(self) -> list[PastScore]:
        """Those of the model that gave the last number, since it took over; only they can be compared."""
        newest = self.numbers[-1].artifact_sha256
        return list(takewhile(lambda one: one.artifact_sha256 == newest, self.numbers[::-1]))[::-1]


def trend(history: Sequence[PastScore]) -> Trend | None:
    """Return the drawing of a history, oldest first; None where there are not two numbers to compare."""
    shown = _one_a_week(history)
    highest = max((one.high or one.number for one in shown if one.number is not None), default=None)
    if highest is None or sum(one.number is not None for one in shown) < 2:
        return None
    ticks = _ticks(max(highest, 0.01))
    points = _points(shown, ticks[-1])
    return Trend(points, _lines(points), tuple(Tick(value, _y(value, ticks[-1])) for value in ticks))


def _one_a_week(history: Sequence[PastScore]) -> list[PastScore]:
    newest = {one.night.isocalendar()[:2]: one for one in history}
    return list(newest.values())[-MOST_POINTS:]


def _ticks(highest: float) -> list[float]:
    """Return round values from 0 to the first one that is not below the highest number."""
    step = next((step for step in _STEPS if highest <= _MOST_TICKS * step), _STEPS[-1])
    n = 1
    while n * step < highest:
        n += 1
    return [k * step for k in range(n + 1)]


def _points(shown: Sequence[PastScore], top: float) -> tuple[Point, ...]:
    first, last = shown[0].night, shown[-1].night
    found, before = [], shown[0].artifact_sha256
    for one in shown:
        heights = (None if value is None else _y(value, top) for value in (one.number, one.low, one.high))
        found.append(Point(one, one.artifact_sha256 != before, _x(one.night, first, last), *heights))
        before = one.artifact_sha256
    return tuple(found)


def _x(day: date, first: date, last: date) -> float:
    return round(LEFT + 12 + (WIDTH - LEFT - RIGHT - 24) * (day - first).days / max((last - first).days, 1), 1)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(value / top, 1), 1)


def _lines(points: Sequence[Point]) -> tuple[str, ...]:
    """Return the corners of each stretch of numbers by one model; a night without a number breaks it too."""
    stretches: list[list[str]] = [[]]
    for point in points:
        if point.is_new_model or point.y is None:
            stretches.append([])
        if point.y is not None:
            stretches[-1].append(f"{point.x},{point.y}")
    return tuple(" ".join(corners) for corners in stretches if len(corners) > 1)
