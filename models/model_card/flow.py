"""Who was left out before training and why: in the order of the checks, without small counts, as text and as a drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.model_card.numbers import FEWEST_SHOWN, count
from models.outcomes.outcome import GENERAL_REASONS

ENDS = ("no event", "event", "no absence", "absence")
"""Keys of the flow that say what became of those who stayed."""

WIDTH, STEP, BOX = 640, 46, 34


@dataclass(frozen=True)
class Flow:
    """Pairs of person and index date, by the first reason they were left out for, and by outcome.

    Parameters
    ----------
    left_out, outcomes : tuple of (str, int)
        In the order of the checks; files keep no order, so it is restored here.
    """

    left_out: tuple[tuple[str, int], ...]
    outcomes: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, counts: Mapping[str, Any], unobserved_because: str) -> Flow | None:
        """Order the counts of a training set; None where there are none."""
        if not counts:
            return None
        last = list(counts)[-1] if not set(ENDS) & counts.keys() else None
        ends = [name for name in counts if name in ENDS or name == last]
        reasons = sorted(
            (name for name in counts if name not in ends), key=lambda name: _rank(name, unobserved_because)
        )
        return cls(
            tuple((name, int(counts[name])) for name in reasons),
            tuple((name, int(counts[name])) for name in sorted(ends, key=_end_rank)),
        )

    @property
    def reasons(self) -> list[str]:
        """Reasons that left somebody out."""
        return [name for name, left in self.left_out if left]

    @property
    def ends(self) -> str:
        """What became of those who stayed, as text."""
        return ", ".join(f"{name} {count(pairs)}" for name, pairs in self.outcomes)

    @property
    def total(self) -> str:
        """All pairs, unless the sum would tell a suppressed count."""
        counts = [pairs for _, pairs in (*self.left_out, *self.outcomes)]
        hidden = any(0 < pairs < FEWEST_SHOWN for pairs in counts)
        return "not shown, it would tell a suppressed count" if hidden else count(sum(counts))

    def boxes(self) -> list[dict[str, Any]]:
        """Return the drawing as boxes: text, place, and whether the box stands on the way out."""
        found = [_box(f"Pairs of person and index date: {self.total}", 0, "all")]
        for name, left in self.left_out:
            found.append(_box(f"{name}: {count(left)}", len(found), "out"))
        for name, pairs in self.outcomes:
            found.append(_box(f"{name}: {count(pairs)}", len(found), "end"))
        return found

    @property
    def height(self) -> int:
        """Height of the drawing."""
        return STEP * (1 + len(self.left_out) + len(self.outcomes))


def _rank(name: str, unobserved_because: str) -> tuple[int, int, str]:
    if name in GENERAL_REASONS:
        return 0, GENERAL_REASONS.index(name), name
    late = 2 if name == "label not mature" else 3 if name.endswith("so no label") else 1
    return (4 if name == unobserved_because else late), 0, name


def _end_rank(name: str) -> int:
    return ENDS.index(name) if name in ENDS else len(ENDS)


def _box(text: str, place: int, role: str) -> dict[str, Any]:
    left = 200 if role == "out" else 10
    return {"text": text, "role": role, "x": left, "y": place * STEP + 4, "width": WIDTH - left - 10, "height": BOX,
            "middle": place * STEP + 4 + BOX / 2}  # fmt: skip
