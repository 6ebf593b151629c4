"""What a questionnaire is: items with answer codes, scales with a scoring rule, and one scorer for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
    """A range of scores with a published meaning, from ``lowest`` up to where the next band begins.

    Only the lower end is stored, so that no score (a mean of answered items can be any fraction) falls between bands.
    """

    name: str
    lowest: float


@dataclass(frozen=True)
class Scale:
    """One score: which items, how they are combined, and what the number means.

    ``method`` is ``mean`` or ``sum`` of the answered items (after reversal, times ``multiplier``), or ``criteria``: 1.0
    if in every group of ``criteria`` at least one item reaches its threshold, else 0.0. The score is missing when fewer
    than ``fewest_answers`` items are answered; ``sum`` with missing items is prorated to the full number of items.
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

    def band(self, score: float) -> str | None:
        """Return the name of the band the score lies in; None if the score is missing or no bands are published."""
        reached = [band.name for band in self.bands if score >= band.lowest]
        return reached[-1] if reached else None


@dataclass(frozen=True)
class Instrument:
    """One questionnaire: its items in order, its scales, its licence and where the scoring key comes from."""

    name: str
    title: str
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]
    licence: str
    source: str

    @cached_property
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

    Raises
    ------
    ValueError
        If the sheets do not have one column per item.

    Notes
    -----
    Items are added one by one, never with a reduction along an axis: its order of additions depends on the number and
    layout of the sheets, and a person scored alone must get the same bits as in a batch of a million. Answer codes are
    checked where rows come in (``validation``); no score is ever filled in for an unanswered item.
    """
    answers = np.asarray(answers, dtype=np.float64)
    if answers.ndim != 2 or answers.shape[1] != len(instrument.items):
        expected = f"(n_sheets, {len(instrument.items)})"
        raise ValueError(
            f"{instrument.name}: answers have shape {answers.shape}, expected {expected}: one column per item"
        )
    return np.stack([_score_scale(instrument, scale, answers) for scale in instrument.scales], axis=1)


def _score_scale(instrument: Instrument, scale: Scale, answers: np.ndarray) -> np.ndarray:
    chosen = _oriented(instrument, scale, answers)
    n_answered = len(scale.items) - np.isnan(chosen).sum(axis=1)
    scores = _criteria_met(scale, chosen) if scale.method == "criteria" else _combined(scale, chosen, n_answered)
    return np.where(n_answered >= scale.fewest_answers, scores, np.nan)


def _oriented(instrument: Instrument, scale: Scale, answers: np.ndarray) -> np.ndarray:
    """Answers to the scale's items, in its order; reversed items mirrored within their answer codes."""
    item_positions = instrument.item_positions
    chosen = answers[:, [item_positions[item] for item in scale.items]]
    for item in scale.reversed_items:
        codes = instrument.items[item_positions[item]].answers
        column = scale.items.index(item)
        chosen[:, column] = min(codes) + max(codes) - chosen[:, column]
    return chosen


def _combined(scale: Scale, chosen: np.ndarray, n_answered: np.ndarray) -> np.ndarray:
    total = np.zeros(len(chosen))
    for column in np.where(np.isnan(chosen), 0.0, chosen).T:
        total += column
    n_counted = len(scale.items) if scale.method == "sum" else 1
    # One division at the very end: totals of answer codes are exact, so the score is the nearest float to the true one.
    return total * (scale.multiplier * n_counted) / np.maximum(n_answered, 1)


def _criteria_met(scale: Scale, chosen: np.ndarray) -> np.ndarray:
    met = np.ones(len(chosen), dtype=bool)
    for items, threshold in scale.criteria:
        group = chosen[:, [scale.items.index(item) for item in items]]
        met &= (group >= threshold).any(axis=1)
    return met.astype(np.float64)
