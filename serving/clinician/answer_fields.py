"""The answers that can be tried otherwise, as fields of a form: by scale, those first that count most in the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from data_contracts.domains import DOMAIN_LABELS
from data_contracts.instruments import INSTRUMENTS, Scale
from data_contracts.instruments.instrument import Instrument, Item
from data_contracts.tables import Table
from features.catalogue import POSITIONS
from serving.case import Case, Served
from serving.handlers.changed_answers import TABLE, current_answer, modifiable_items
from serving.responses import OutcomeExplanation

MOST_ITEMS = 60
"""On one page: whole scales, those that count most; more are searched through by nobody."""

_FOLLOWING = ("", "_change", "_slope")
"""Endings of the features that follow from the answers to a scale."""
_MOST_RADIOS, _MOST_STEPS = 3, 31

Control = Literal["radio", "slider", "number", "select"]


@dataclass(frozen=True)
class AnswerField:
    """One item with its current answer.

    Parameters
    ----------
    instrument, item : str
    place : int
        Which question of the scale it is, from 1.
    answers : tuple of float
        The codes that it takes.
    current : float
        The code of the answer that the person has given.
    higher_is_worse : bool or None
        Which end of the codes the scale counts as unfavourable; None where a rule in code decides.
    """

    instrument: str
    item: str
    place: int
    answers: tuple[float, ...]
    current: float
    higher_is_worse: bool | None

    @property
    def name(self) -> str:
        """Name of the field in the form."""
        return f"{self.instrument}.{self.item}"

    @property
    def number(self) -> int:
        """Which question it is: of the questionnaire where the item is named so, else of the scale."""
        prefix, _, number = self.item.rpartition("_")
        return int(number) if prefix == "item" and number.isdecimal() else self.place

    @property
    def is_said_by_number(self) -> bool:
        """True if the name of the item says no more than the number does."""
        return self.item.endswith(f"_{self.number}")

    @property
    def step(self) -> float | None:
        """How far apart the codes are, None where they are not evenly so."""
        steps = {after - before for before, after in zip(self.answers, self.answers[1:], strict=False)}
        return steps.pop() if len(steps) == 1 else None

    @property
    def control(self) -> Control:
        """With what the answer is chosen."""
        if len(self.answers) <= _MOST_RADIOS:
            return "radio"
        if self.step is None:
            return "select"
        return "slider" if len(self.answers) <= _MOST_STEPS else "number"


@dataclass(frozen=True)
class ScaleFields:
    """The items of one scale that can be changed.

    Parameters
    ----------
    title : str
        Of the questionnaire.
    label, domain : mapping
        In both languages.
    n_items : int
        Of the scale, also those that cannot be changed.
    weight : float
        How much of the log-odds its features make up.
    fields : tuple of AnswerField
    """

    title: str
    label: Mapping[str, str]
    domain: Mapping[str, str]
    n_items: int
    weight: float
    fields: tuple[AnswerField, ...]

    def is_moved(self, tried: Mapping[str, float]) -> bool:
        """True if one of the answers is tried otherwise."""
        return any(tried[field.name] != field.current for field in self.fields)


@dataclass(frozen=True)
class AnswerForm:
    """The scales that are shown, those that count most first, and how many are left out."""

    scales: tuple[ScaleFields, ...]
    n_left_out: int

    @property
    def current(self) -> dict[str, float]:
        """The answers as they are, by name of the field."""
        return {field.name: field.current for scale in self.scales for field in scale.fields}


def answer_form(tables: Mapping[str, Table], case: Case, served: Served, explained: OutcomeExplanation) -> AnswerForm:
    """Return the current answers that count in a model, as a form.

    Parameters
    ----------
    tables : mapping of Table
        The checked tables of one person.
    case : Case
        Of these tables.
    served : Served
    explained : OutcomeExplanation
        What the model says to the case.
    """
    weights: dict[str, float] = {reason.feature: abs(reason.contribution) for reason in explained.reasons}
    found = [
        scale for instrument in INSTRUMENTS.values() for scale in _scales(instrument, tables, case, served, weights)
    ]
    ranked = sorted(found, key=lambda scale: -scale.weight)
    n_items = accumulate(len(scale.fields) for scale in ranked)
    shown = tuple(scale for scale, n in zip(ranked, n_items, strict=True) if n <= MOST_ITEMS)
    return AnswerForm(shown, len(ranked) - len(shown))


def _scales(
    instrument: Instrument, tables: Mapping[str, Table], case: Case, served: Served, weights: Mapping[str, float]
) -> Iterator[ScaleFields]:
    """Yield the scales of an instrument that the model uses, an item in the shortest of those that it counts in."""
    used = [scale for scale in instrument.scales if _features(scale, served)]
    left = set(modifiable_items(instrument.name))
    for scale in sorted(used, key=lambda scale: len(scale.items)):
        mine = [item for item in scale.items if item in left]
        left -= set(mine)
        fields = tuple(_fields(instrument, scale, mine, tables, case))
        if fields:
            weight = sum(weights.get(name, 0.0) for name in _features(scale, served))
            label = {"nb": scale.label_nb, "en": scale.label_en}
            yield ScaleFields(instrument.title, label, DOMAIN_LABELS[scale.domain], len(scale.items), weight, fields)


def _features(scale: Scale, served: Served) -> list[str]:
    names = [scale.name + ending for ending in _FOLLOWING]
    return [name for name in names if name in POSITIONS and name in served.model.feature_names]


def _fields(
    instrument: Instrument, scale: Scale, items: list[str], tables: Mapping[str, Table], case: Case
) -> Iterator[AnswerField]:
    for name in items:
        item: Item = instrument.items[instrument.item_positions[name]]
        current = current_answer(tables.get(TABLE), instrument.name, name, case)
        if current is not None:
            worse = None if scale.method == "function" else scale.higher_is_worse != (name in scale.reversed_items)
            yield AnswerField(instrument.name, name, scale.items.index(name) + 1, item.answers, current, worse)
