"""The workplace report as a document: what is said of a company, in which order, in one language.

The leader's page, the printed page and the PDF are made of it, so they say the same. What is good comes first, then what can
be worked with and who acts; nothing here is about a person, and no sentence blames anybody (founding documents, 001:515-521).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from serving.clinician.language import Words
from serving.handlers.company_report_bodies import CategoryShare, MeasureReport

MOST_MONTHS = 12


@dataclass(frozen=True)
class Part:
    """One category of a bar, the most favourable first; ``shade`` is 0 for that one, 2 for the last."""

    label: str
    percent: int
    shade: int


@dataclass(frozen=True)
class Bar:
    """The categories of one group; none where nothing is told of it."""

    label: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Figure:
    """One measure: its bars, and those of the months before."""

    label: str
    size: str
    bars: tuple[Bar, ...]
    course: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Card:
    """Something that is good or can be done, and whom it concerns."""

    heading: str
    text: str
    note: str


@dataclass(frozen=True)
class Section:
    """One chapter, in this order: paragraphs, figures, cards, items; ``shows_course`` where the months are its point."""

    name: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    cards: tuple[Card, ...] = ()
    items: tuple[str, ...] = ()
    shows_course: bool = False


@dataclass(frozen=True)
class Labels:
    """The words that a layout needs beside the document's own."""

    untold: str
    course: str
    percent: str
    synthetic: str
    contents: str
    page: str


@dataclass(frozen=True)
class Document:
    """A report in one language."""

    language: str
    title: str
    company_id: str
    month: str
    labels: Labels
    sections: tuple[Section, ...]


def labels(say: Words) -> Labels:
    """Return the words of the layout."""
    return Labels(
        untold=say("ikke vist"),
        course=say("Måned for måned"),
        percent=say("prosent"),
        synthetic=say(
            "SYNTHETIC: simulerte personer. Tallene er til utprøving og gjelder ingen virkelig arbeidsplass."
        ),
        contents=say("I denne rapporten"),
        page=say("Side"),
    )


def figure(say: Words, one: MeasureReport, month: str) -> Figure:
    """Return a measure that is told, with its months."""
    months = [(each.month, each.categories) for each in one.earlier] + [(month, one.categories)]
    course = tuple(bar(say, month_name(say, name), told) for name, told in months[-MOST_MONTHS:])
    return Figure(
        say.said(one.label),
        size_of(say, one.group_size),
        (bar(say, "", one.categories),),
        course if one.earlier else (),
    )


def compared(say: Words, one: MeasureReport, groups: Mapping[str, Sequence[CategoryShare] | None]) -> Figure:
    """Return a measure with a bar for each of several groups."""
    return Figure(say.said(one.label), "", tuple(bar(say, name, told) for name, told in groups.items()))


def bar(say: Words, label: str, told: Sequence[CategoryShare] | None) -> Bar:
    """Return the bar of a group."""
    shown = told or ()
    last = len(shown) - 1
    return Bar(
        label,
        tuple(Part(say.said(one.label), one.percent, 2 if at == last else at) for at, one in enumerate(shown)),
    )


def size_of(say: Words, size: str | None) -> str:
    """Say a range of persons, stored as "20 to 49" or "100 or more"."""
    if size is None:
        return ""
    low, _, high = size.partition(" to ")
    return say("%(low)s til %(high)s", low=low, high=high) if high else say("%(n)s eller flere", n=low.split()[0])


def month_name(say: Words, month: str) -> str:
    """Say a calendar month, stored as 2026-03."""
    return str(format_date(date.fromisoformat(f"{month}-01"), "MMMM yyyy", locale=say.locale))
