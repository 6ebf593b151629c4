"""Answers by a graded response model: where a person stands on an item, and the thresholds that turn it into a code.

An item with very many answer codes (minutes a day) is an amount instead: log-normal, in round numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_contracts.instruments import Item

FEWEST_CODES_OF_AN_AMOUNT = 101


@dataclass(frozen=True)
class ItemModel:
    """How one item is answered: its code is next to ``centre + spread * standing``, counted from the scale's low end.

    ``scale`` is the position of its scale; the standing is ``loading`` times the scale's value plus noise, in SD. A
    reversed item gets the code at the other end; so does one with a negative spread, whose centre is as it is sent.
    """

    item: Item
    scale: int
    loading: float
    centre: float
    spread: float
    is_reversed: bool
    only_clients: bool

    @property
    def thresholds(self) -> np.ndarray:
        """Standings at which the next code is given."""
        codes = np.sort(self.item.answers)
        return ((codes[1:] + codes[:-1]) / 2 - self.centre) / self.spread

    @property
    def is_amount(self) -> bool:
        """Whether its answer is a number of minutes or the like."""
        return len(self.item.answers) >= FEWEST_CODES_OF_AN_AMOUNT


class Form:
    """The items of one instrument that are asked, laid out so that all are answered at once."""

    def __init__(self, items: Sequence[ItemModel], amounts: dict[str, Any]) -> None:
        self.items, self._amounts = items, amounts
        graded = [item for item in items if not item.is_amount]
        most = max((len(item.item.answers) for item in graded), default=1)
        self._thresholds = np.full((most - 1, len(items)), np.inf, dtype=np.float32)
        self._codes = np.full((most, len(items)), np.nan)
        for column, item in enumerate(items):
            if item.is_amount:
                continue
            codes, n_codes = np.sort(item.item.answers), len(item.item.answers)
            self._thresholds[: n_codes - 1, column] = item.thresholds
            self._codes[:n_codes, column] = codes if (item.spread > 0) != item.is_reversed else codes[::-1]
        self._scales = [item.scale for item in items]
        self._loading = np.array([item.loading for item in items], dtype=np.float32)
        self._noise = np.sqrt(1 - self._loading**2)

    def answer(self, rng: np.random.Generator, values: np.ndarray, straight_lining: float) -> np.ndarray:
        """Return answer codes (sheets, items) from the values of the scales (sheets, scales), in SD."""
        standing = rng.standard_normal((len(values), len(self.items)), dtype=np.float32) * self._noise
        standing += values[:, self._scales] * self._loading
        position = np.zeros(standing.shape, dtype=np.intp)
        for threshold in self._thresholds:
            position += standing > threshold
        answers = self._codes[position, np.arange(len(self.items))]
        for column, item in enumerate(self.items):
            if item.is_amount:
                answers[:, column] = self._amount(item.item, standing[:, column])
        self._straighten(answers, np.flatnonzero(rng.random(len(values)) < straight_lining))
        return answers

    def _amount(self, item: Item, standing: np.ndarray) -> np.ndarray:
        amount = self._amounts.get(item.id, self._amounts["default"])
        wanted = amount["median"] * np.exp(amount["log_sd"] * standing)
        rounded = amount["step"] * np.maximum(1, np.rint(wanted / amount["step"]))
        return np.clip(rounded, min(item.answers), max(item.answers))

    def _straighten(self, answers: np.ndarray, sheets: np.ndarray) -> None:
        """On these sheets tick every item that has as many answers as the first one at the same place."""
        first = np.sort(self.items[0].item.answers)
        place = np.searchsorted(first, answers[sheets, 0])
        for column, item in enumerate(self.items):
            if len(item.item.answers) == len(first):
                answers[sheets, column] = np.sort(item.item.answers)[place]

    def is_asked(self, answers: np.ndarray, has_clients: np.ndarray) -> np.ndarray:
        """Client items are asked of those with clients, amounts of those who do the thing at all; (sheets, items)."""
        asked = np.ones(answers.shape, dtype=bool)
        column_of = {item.item.id: column for column, item in enumerate(self.items)}
        for column, item in enumerate(self.items):
            if item.only_clients:
                asked[:, column] = has_clients
            condition = self._amounts.get(item.item.id, {}).get("only_if")
            if condition is not None:
                asked[:, column] &= answers[:, column_of[condition]] > 0
        return asked
