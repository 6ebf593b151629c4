"""A hundred squares, of which so many are filled: the same number as the sentence beside them, for those who like to see it."""

from __future__ import annotations

from dataclasses import dataclass

SIDE = 10
STEP, SQUARE = 14, 11


@dataclass(frozen=True)
class IconArray:
    """Paths of an SVG drawing; ``reference`` is the outline of the squares of the reference group, empty without one."""

    n: int
    filled: str
    empty: str
    reference_n: int | None
    reference: str
    size: int = SIDE * STEP


def icon_array(n: int, reference_n: int | None) -> IconArray:
    """Return the drawing of ``n`` of a hundred, beside ``reference_n`` of a hundred; both fill from the top, row by row."""
    return IconArray(
        n=n,
        filled=_squares(range(n)),
        empty=_squares(range(n, SIDE * SIDE)),
        reference_n=reference_n,
        reference="" if not reference_n else _outline(reference_n),
    )


def _squares(places: range) -> str:
    return "".join(
        f"M{place % SIDE * STEP + 1} {place // SIDE * STEP + 1}h{SQUARE}v{SQUARE}h-{SQUARE}z" for place in places
    )


def _outline(n: int) -> str:
    """Return one line around the first ``n`` squares: full rows, and the begun one."""
    rows, rest = divmod(n, SIDE)
    width, height = SIDE * STEP, rows * STEP
    if not rest:
        return f"M0 0h{width}v{height}h-{width}z"
    if not rows:
        return f"M0 0h{rest * STEP}v{STEP}h-{rest * STEP}z"
    return f"M0 0h{width}v{height}h-{width - rest * STEP}v{STEP}h-{rest * STEP}z"
