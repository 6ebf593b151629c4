"""What a questionnaire is: items with answer codes, scales with a scoring rule, and one scorer for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal, NamedTuple

import numpy as np

from data_contracts.domains import Domain

Sex = Literal["female", "male"]
_MOST_CODES_LISTED = 12


@dataclass(frozen=True)
class Item:
    """One question: its id within the instrument and the answer codes that may occur.

    The wording is never stored here, whatever the licence: whoever asks the questions loads it from its owner.
    """

    id: str
    answers: tuple[float, ...]

    @property
    def codes_text(self) -> str:
        """The answer codes in one short text: ``0, 1, 2, 3``, or ``0 to 1440`` where whole numbers are too many to list."""
        first, last = self.answers[0], self.answers[-1]
        is_run = self.answers == tuple(first + step for step in range(len(self.answers)))
        if is_run and len(self.answers) > _MOST_CODES_LISTED:
            return f"{first:g} to {last:g}"
        return ", ".join(f"{answer:g}" for answer in self.answers)


@dataclass(frozen=True)
class Band:
    """A range of scores with a published meaning, from ``lowest`` up to where the next band begins.

    Only the lower end is stored, so that no score (a mean of answered items can be any fraction) falls between bands.
    Where women and men have different limits, the band is declared once for each ``sex``.
    """

    name: str
    lowest: float
    sex: Sex | None = None


@dataclass(frozen=True)
class SafetyRule:
    """An answer to ``item`` above this limit must be seen by a human at once, whatever any model says."""

    item: str
    above: float


ScaleFunction = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""Scoring rule of a scale in code: the columns of the scale's items by id, float64 arrays of shape (n_sheets,), NaN where
unanswered, to float64 scores of shape (n_sheets,), NaN where there is none. The columns are the caller's and must not be
written to. Elementwise NumPy arithmetic only: a sheet scored alone must get the same bits as in a batch."""


@dataclass(frozen=True)
class Scale:
    """One score: which items, how they are combined, and what the number means.

    ``method`` is ``mean`` or ``sum`` of the answered items (after reversal, times ``multiplier``); ``criteria``: 1.0 if
    in every group of ``criteria`` at least one item reaches its threshold, else 0.0; or ``function``, where ``function``
    gives the score. The score is missing when fewer than ``fewest_answers`` of ``items`` are answered (a function may
    ask for more); ``sum`` with missing items is prorated to the full number of items. ``reversed_items`` point against
    the score; a function is given them as answered all the same.
    """

    name: str
    items: tuple[str, ...]
    method: Literal["mean", "sum", "criteria", "function"]
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
    function: ScaleFunction | None = None
    bands: tuple[Band, ...] = ()

    def bands_of(self, sex: Sex) -> tuple[Band, ...]:
        """Return the bands that hold for a sex, lowest first."""
        return tuple(band for band in self.bands if band.sex in (None, sex))

    def band(self, score: float, sex: Sex | None = None) -> str | None:
        """Return the name of the band the score lies in.

        None if the score is missing, if no bands are published, or if the sex is unknown and would decide.
        """
        if sex is None:
            for_woman, for_man = self.band(score, "female"), self.band(score, "male")
            return for_woman if for_woman == for_man else None
        reached = [band.name for band in self.bands_of(sex) if score >= band.lowest]
        return reached[-1] if reached else None


@dataclass(frozen=True)
class Instrument:
    """One questionnaire: its items in order, its scales, its licence and where the scoring key comes from.

    ``coding`` says what the lowest and the highest code mean, as ``0 = never, 4 = always``, and what a source that counts
    or orders otherwise must do. Nothing else can notice such a source: its codes are all allowed ones. It is no place for
    the wording of items.

    ``licence_kind`` is ``free`` (anybody may ask the questions) or ``scoring_only``: the customer must hold a licence and
    supplies the wording, and ``licence`` says where to get it.
    """

    name: str
    title: str
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]
    coding: str
    licence: str
    source: str
    licence_kind: Literal["free", "scoring_only"] = "free"
    safety: tuple[SafetyRule, ...] = ()

    @cached_property
    def item_positions(self) -> dict[str, int]:
        """Column of each item in an answer matrix."""
        return {item.id: position for position, item in enumerate(self.items)}

    @property
    def items_text(self) -> str:
        """The ids of the items in one short text: ``item_1 to item_9``, or ``worst, average`` where nothing counts on."""
        return _ids_text(item.id for item in self.items)

    @property
    def codes_text(self) -> str:
        """The answer codes in one short text, by groups of items where they differ: ``worst: 0, 1, 2; often: 0, 1``."""
        groups: dict[str, list[str]] = {}
        for item in self.items:
            groups.setdefault(item.codes_text, []).append(item.id)
        if len(groups) == 1:
            return next(iter(groups))
        return "; ".join(f"{_ids_text(ids)}: {codes}" for codes, ids in groups.items())


def _ids_text(ids: Iterable[str]) -> str:
    runs = [list(run) for _, run in groupby(enumerate(ids), _run)]
    ends = [(run[0][1], run[-1][1]) for run in runs]
    return ", ".join(first if first == last else f"{first} to {last}" for first, last in ends)


def _run(place: tuple[int, str]) -> tuple[str, int]:
    """Return the same for neighbouring items that share their name and whose numbers count on, each by one."""
    position, item_id = place
    name, _, number = item_id.rpartition("_")
    return (name, int(number) - position) if number.isdecimal() else (item_id, 0)


class _KeyedScale(NamedTuple):
    """A scale, the column of each of its items, and what to subtract an answer from to reverse it (NaN: do not)."""

    scale: Scale
    columns: tuple[int, ...]
    mirrors: list[float]


def _keyed_scales(instruments: Iterable[Instrument]) -> Iterator[_KeyedScale]:
    first = 0
    for instrument in instruments:
        for scale in instrument.scales:
            positions = [instrument.item_positions[item] for item in scale.items]
            items = [instrument.items[position] for position in positions]
            mirrors = [min(i.answers) + max(i.answers) if i.id in scale.reversed_items else math.nan for i in items]
            yield _KeyedScale(scale, tuple(first + position for position in positions), mirrors)
        first += len(instrument.items)


def _rank(one: _KeyedScale) -> tuple[bool, int]:
    return one.scale.function is not None, -len(one.columns)


class ScoringKey:
    """All scales of some instruments, laid out so that they are scored side by side.

    Scales are ranked by their number of items, longest first: the first items of all scales, then the second items of
    those that have one, and so on, are then neighbours, and each such step adds to a leading part of the totals. Scales
    with a function come behind them.
    """

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        keyed = list(_keyed_scales(instruments))
        places = sorted(range(len(keyed)), key=lambda place: _rank(keyed[place]))
        ranked = [keyed[place] for place in places]
        added = [one for one in ranked if one.scale.function is None]
        scales = [one.scale for one in added]
        widths = [sum(len(s.items) > step for s in scales) for step in range(len(scales[0].items) if scales else 0)]
        cells = [(rank, step) for step, width in enumerate(widths) for rank in range(width)]
        row_of = {cell: row for row, cell in enumerate(cells)}
        mirrors = np.array([added[rank].mirrors[step] for rank, step in cells])

        self.n_items = sum(len(instrument.items) for instrument in instruments)
        self._rank_of = np.argsort(places)
        self._columns = np.array([added[rank].columns[step] for rank, step in cells], dtype=np.intp)
        self._mirrored = (~np.isnan(mirrors)).nonzero()[0]
        self._mirrors = mirrors[self._mirrored, np.newaxis]
        self._steps = [(width, slice(row_of[0, step], row_of[0, step] + width)) for step, width in enumerate(widths)]
        self._fewest = np.array([[s.fewest_answers] for s in scales])
        self._factors = np.array([[s.multiplier * (len(s.items) if s.method == "sum" else 1)] for s in scales])
        self._criteria = [
            (rank, [([row_of[rank, s.items.index(item)] for item in items], least) for items, least in s.criteria])
            for rank, s in enumerate(scales)
            if s.method == "criteria"
        ]
        self._functions = ranked[len(added) :]
        self._asked = np.zeros((len(self._functions), self.n_items), dtype=np.float32)
        for asked, one in zip(self._asked, self._functions, strict=True):
            asked[list(one.columns)] = 1
        self._fewest_asked = np.array([[one.scale.fewest_answers] for one in self._functions])

    def scores(self, answers: np.ndarray) -> np.ndarray:
        """Score any number of answer sheets.

        Parameters
        ----------
        answers : float64 array, shape (n_sheets, n_items)
            Raw answer codes in item order, instrument after instrument; NaN is unanswered. Fastest in Fortran order.

        Returns
        -------
        float64 array, shape (n_sheets, n_scales); NaN where too few items are answered.

        Notes
        -----
        Items are added one by one, never with a reduction along an axis: its order of additions depends on the number
        and layout of the sheets, and a person scored alone must get the same bits as in a batch of a million. Answer
        codes are checked where rows come in (``validation``); no score is ever filled in for an unanswered item.
        """
        by_item = answers.T
        scores = np.empty((len(self._rank_of), len(answers)))
        if self._steps:
            scores[: len(self._factors)] = self._added(by_item)
        if self._functions:
            scores[len(self._factors) :] = self._computed(by_item)
        return scores[self._rank_of].T

    def _added(self, by_item: np.ndarray) -> np.ndarray:
        """Score the scales without a function: (items, sheets) to (scales by rank, sheets)."""
        chosen = by_item.take(self._columns, axis=0)
        chosen[self._mirrored] = self._mirrors - chosen[self._mirrored]
        is_answered = chosen == chosen
        counted, answered = np.where(is_answered, chosen, 0.0), is_answered.view(np.int8)
        totals = np.zeros((len(self._factors), by_item.shape[1]))
        n_answered = np.zeros(totals.shape, dtype=np.int8)
        for width, step in self._steps:
            totals[:width] += counted[step]
            n_answered[:width] += answered[step]
        # One division at the very end: totals of codes are exact, so the score is the nearest float to the true one.
        scores = totals * self._factors / np.maximum(n_answered, 1)
        for rank, groups in self._criteria:
            scores[rank] = np.logical_and.reduce([(chosen[rows] >= least).any(axis=0) for rows, least in groups])
        scores[n_answered < self._fewest] = np.nan
        return scores

    def _computed(self, by_item: np.ndarray) -> np.ndarray:
        """Score the scales with a function: (items, sheets) to (scales by rank, sheets)."""
        # Sums of zeros and ones are exact in any order.
        is_scored = self._asked @ (by_item == by_item).astype(np.float32) >= self._fewest_asked
        scores = np.full(is_scored.shape, np.nan)
        for rank in is_scored.any(axis=1).nonzero()[0].tolist():
            scale, columns, _ = self._functions[rank]
            if scale.function is not None:
                given = {item: by_item[column] for item, column in zip(scale.items, columns, strict=True)}
                scores[rank] = scale.function(given)
        scores[~is_scored] = np.nan
        return scores


def score(instrument: Instrument, answers: np.ndarray) -> np.ndarray:
    """Score any number of answer sheets of one instrument: see :meth:`ScoringKey.scores`.

    Raises
    ------
    ValueError
        If the sheets do not have one column per item.
    """
    answers = np.asarray(answers, dtype=np.float64)
    if answers.ndim != 2 or answers.shape[1] != len(instrument.items):
        expected = f"(n_sheets, {len(instrument.items)})"
        raise ValueError(
            f"{instrument.name}: answers have shape {answers.shape}, expected {expected}: one column per item"
        )
    return ScoringKey((instrument,)).scores(answers)
