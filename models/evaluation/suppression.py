"""Which groups are too small to be shown, and which others are hidden so that these cannot be worked out from a total."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 10
"""Persons with an event, and persons without any, that a group must have to be shown.

Persons, not rows: one absence is the event of up to four quarterly rows. And without any event: a group of whom everybody
had one at some date tells of each of them that they had.
"""

TOO_SMALL = f"fewer than {FEWEST} persons with an event or fewer than {FEWEST} without any"
COMPLEMENT = "hidden so that a smaller group cannot be worked out from the total"


@dataclass(frozen=True)
class Size:
    """What a group of rows holds; ``events`` are rows."""

    rows: int
    persons: int
    events: int
    persons_with_event: int

    @classmethod
    def of(cls, y: np.ndarray, person: np.ndarray, chosen: np.ndarray) -> Size:
        """Count the chosen rows; an event is a ``y`` above 0."""
        had = chosen & (y > 0)
        return cls(int(chosen.sum()), len(np.unique(person[chosen])), int(had.sum()), len(np.unique(person[had])))

    @property
    def least(self) -> int:
        """The smallest of what must not be small."""
        return min(self.persons_with_event, self.persons - self.persons_with_event)


def hidden_groups(
    y: np.ndarray, person: np.ndarray, members: Sequence[np.ndarray], never: Collection[int] = ()
) -> dict[int, str]:
    """Say which groups of an attribute must not be shown, and why.

    Every small group is hidden. One hidden group is the total less the others, and so are several that together are small:
    the smallest of the shown ones is then hidden too, until what is hidden can be shown as one.

    Parameters
    ----------
    y : float64 array, shape (n,)
    person : int array, shape (n,)
    members : sequence of bool array, shape (n,)
        The rows of each group; groups do not overlap, and none is empty.
    never : collection of int
        Positions that are not shown anyway, whatever their size.

    Returns
    -------
    dict of position to reason.
    """
    sizes = [Size.of(y, person, chosen) for chosen in members]
    hidden = {position: TOO_SMALL for position, size in enumerate(sizes) if size.least < FEWEST or position in never}
    while hidden and len(hidden) < len(members) and not _can_be_shown_as_one(y, person, members, hidden):
        shown = [position for position in range(len(members)) if position not in hidden]
        hidden[min(shown, key=lambda position: sizes[position].least)] = COMPLEMENT
    return hidden


def _can_be_shown_as_one(
    y: np.ndarray, person: np.ndarray, members: Sequence[np.ndarray], hidden: dict[int, str]
) -> bool:
    together = np.logical_or.reduce([members[position] for position in hidden])
    return Size.of(y, person, together).least >= FEWEST
