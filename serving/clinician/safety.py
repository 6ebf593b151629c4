"""The safety flags of a person: which answer must be looked at, whether it is old, and whether it was answered otherwise since.

A flag stays however old it is. Of an old one the page asks how things are now, since "today" would be said every day for years.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from data_contracts.current_rows import current_rows
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import SurveyAnswer
from data_contracts.safety import is_above_limit
from data_contracts.tables import Table, take
from serving.clinician.language import Words
from serving.clinician.person_view import PersonView
from serving.notices import SafetyNotice

OLD_DAYS = 90
"""An older answer tells of how it was."""


class Flag(NamedTuple):
    """One flagged answer in words; the answer itself is not repeated."""

    text: str
    is_old: bool


def flags_of(view: PersonView, say: Words) -> tuple[Flag, ...]:
    """Return the flags of the stored answer, latest first."""
    return tuple(_flag(view, one, say) for one in view.answer.safety_flags)


def _flag(view: PersonView, notice: SafetyNotice, say: Words) -> Flag:
    where, day = _where(notice, say), notice.answered_on
    if day is None:
        return Flag(where, is_old=False)
    if (view.night - day).days <= OLD_DAYS:
        return Flag(say("%(where)s, besvart %(day)s", where=where, day=say.day(day)), is_old=False)
    told = say("%(where)s. Svaret er fra %(day)s. Spør hvordan det er nå.", where=where, day=say.day(day))
    return Flag(" ".join(filter(None, (told, _since(view.tables, notice, day, say)))), is_old=True)


def _where(notice: SafetyNotice, say: Words) -> str:
    instrument = INSTRUMENTS.get(notice.instrument)
    title = instrument.title if instrument else notice.instrument
    number = notice.item.rpartition("_")[2]
    return say("%(title)s, spørsmål %(number)s", title=title, number=number) if number.isdecimal() else title


def _since(tables: dict[str, Table] | None, notice: SafetyNotice, day: date, say: Words) -> str:
    """Say so if the newest answer to the question is a later one that is not flagged; those are the lowest answers."""
    answers = sorted((on, answer) for on, answer in _answers(tables, notice) if on > day)
    if not answers or is_above_limit(notice.instrument, notice.item, answers[-1][1]):
        return ""
    return say("Siste svar på samme spørsmål, %(day)s, er det laveste som kan gis.", day=say.day(answers[-1][0]))


def _answers(tables: dict[str, Table] | None, notice: SafetyNotice) -> list[tuple[date, float]]:
    table = (tables or {}).get("survey_answers")
    if table is None:
        return []
    asked = table["instrument"].recode({notice.instrument: 0}) == 0
    rows = (asked & (table["item"].recode({notice.item: 0}) == 0)).nonzero()[0]
    rows = rows[current_rows(SurveyAnswer, take(table, rows))]
    return list(zip(table["answered_on"][rows].tolist(), table["answer"][rows].tolist(), strict=True))
