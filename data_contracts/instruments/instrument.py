"""What a questionnaire is: items with answer codes, scales with a scoring rule, and one scorer for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from data_contracts.domains import Domain


@dataclass(frozen=True)
class Item:
    """One question: its id within the instrument and the answer codes that may occur."""

    id: str
    answers: tuple[float, ...]


@dataclass(frozen=True)
class Band:
    """A range of scores with a published meaning: ``lowest <= score <= highest``."""

    name: str
    lowest: float
    highest: float


@dataclass(frozen=True)
class Scale:
    """One score: which items, how they are combined, and what the number means.

    ``method`` is ``mean`` or ``sum`` of the answered items (after reversal, times ``multiplier``), or ``criteria``: 1.0 if
    in every group of ``criteria`` at least one item reaches its threshold, else 0.0. The score is missing when fewer than
    ``fewest_answers`` items are answered; ``sum`` with missing items is prorated to the full number of items.
    """

    name: str
    items: tuple[str, ...]
    method: Literal["mean", "sum", "criteria"]
    fewest_answers: int
    minimum: float
    maximum: float
    higher_is_worse: bool
    domain: Domain
    modifiable: bool
    label_nb: str
    label_en: str
    reversed_items: tuple[str, ...] = ()
    multiplier: float = 1.0
    criteria: tuple[tuple[tuple[str, ...], float], ...] = ()
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True)
class Instrument:
    """One questionnaire: its items in order, its scales, its licence and where the scoring key comes from."""

    name: str
    title: str
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]
    licence: str
    source: str

    @property
    def item_positions(self) -> dict[str, int]:
        """Column of each item in an answer matrix."""
        return {item.id: position for position, item in enumerate(self.items)}


def score(instrument: Instrument, answers: np.ndarray) -> np.ndarray:
    """Score any number of answer sheets of one instrument.

    Parameters
    ----------
    instrument : Instrument
    answers : float array, shape (n_sheets, n_items)
        Raw answer codes in item order; NaN is unanswered.

    Returns
    -------
    float64 array, shape (n_sheets, n_scales); NaN where too few items are answered.
    """
    answers = np.asarray(answers, dtype=np.float64)
    scores = [_score_scale(instrument, scale, answers) for scale in instrument.scales]
    return np.stack(scores, axis=1) if scores else np.empty((len(answers), 0))


def _score_scale(instrument: Instrument, scale: Scale, answers: np.ndarray) -> np.ndarray:
    raise AssertionError("to be written")
