"""Answers that a human must see at once, such as thoughts of self-harm.

A safety flag is not a prediction. It is raised from the answer itself, whatever the index date, the consent to use the
answer in a model, or the score of the questionnaire, and every consumer of survey answers must carry it on. A row that is
refused raises one too, as long as instrument, item and answer can be read: one flag too many is better than one too few.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from data_contracts.current_rows import current_rows
from data_contracts.instruments import INSTRUMENTS
from data_contracts.parsing import cell_fault
from data_contracts.records import SurveyAnswer, columns
from data_contracts.tables import Coded, Table, take
from data_contracts.time_windows import local_date

_RULES = [(one.name, rule.item, rule.above) for one in INSTRUMENTS.values() for rule in one.safety]
_INSTRUMENT_CODES = {name: code for code, name in enumerate(dict.fromkeys(name for name, _, _ in _RULES))}
_ITEM_CODES = {item: code for code, item in enumerate(dict.fromkeys(item for _, item, _ in _RULES))}
# One row and one column more than there are codes, so that the code -1 of any other name finds "no rule".
_RULE_OF = np.full((len(_INSTRUMENT_CODES) + 1, len(_ITEM_CODES) + 1), -1, dtype=np.int32)
for _position, (_instrument, _item, _) in enumerate(_RULES):
    _RULE_OF[_INSTRUMENT_CODES[_instrument], _ITEM_CODES[_item]] = _position
_LIMITS = np.array([above for _, _, above in _RULES])


class SafetyFlag(NamedTuple):
    """One answer above its limit. The answer itself is left out: whoever must see it looks at the questionnaire.

    Of a refused row, the person and the days may be unreadable; they are None then.
    """

    person_id: str | None
    instrument: str
    item: str
    answered_on: date | None
    known_from: date | None


def safety_flags(survey_answers: Table) -> list[SafetyFlag]:
    """Return every answer above its limit, latest first, from a table of accepted rows.

    Of an answer that was corrected the latest version counts, and an answer that was deleted is gone; an answer that
    nobody corrected stays flagged, however old it is and whatever was answered since.
    """
    rule = _RULE_OF[survey_answers["instrument"].recode(_INSTRUMENT_CODES), survey_answers["item"].recode(_ITEM_CODES)]
    rows = (rule >= 0).nonzero()[0]
    if not len(rows):
        return []
    rows = rows[current_rows(SurveyAnswer, take(survey_answers, rows))]
    rows = rows[survey_answers["answer"][rows] > _LIMITS[rule[rows]]]
    return in_order(_flag(survey_answers, row, _RULES[rule[row]]) for row in rows.tolist())


def refused_safety_flags(raw: dict[str, Coded], rows: np.ndarray) -> list[SafetyFlag]:
    """Return every answer above its limit among some rows, given as positions, of a table that is still text.

    The rows are those that were refused, so nothing is corrected or deleted by any of them.
    """
    if not len(rows) or not {"instrument", "item", "answer"} <= raw.keys():
        return []
    instrument, item = raw["instrument"], raw["item"]
    codes = (
        np.array([*(table.get(plain(text), -1) for text in column.vocabulary), -1], dtype=np.int32)[column.codes[rows]]
        for table, column in ((_PLAIN_INSTRUMENTS, instrument), (_PLAIN_ITEMS, item))
    )
    rule = _RULE_OF[tuple(codes)]
    is_about_safety = rule >= 0
    if not is_about_safety.any():
        return []
    rows, rule, answer = rows[is_about_safety], rule[is_about_safety], raw["answer"]
    values = np.array([*map(_number, answer.vocabulary), math.nan])[answer.codes[rows]]
    is_above = values > _LIMITS[rule]
    return in_order(
        _refused_flag(raw, row, _RULES[one]) for row, one in zip(rows[is_above], rule[is_above], strict=True)
    )


def in_order(flags: Iterable[SafetyFlag]) -> list[SafetyFlag]:
    """Return flags latest first, those whose day is unreadable last; each once, but those of nobody may be of several."""
    flags = list(flags)
    once = [*dict.fromkeys(flag for flag in flags if flag.person_id), *(flag for flag in flags if not flag.person_id)]
    return sorted(once, key=lambda flag: (_since(flag.answered_on), _since(flag.known_from), *map(str, flag)))


def is_about_safety(instrument: Any, item: Any) -> bool:
    """True if the two name an item with a limit, however they are spelled."""
    return _limit(instrument, item) is not None


def is_above_limit(instrument: Any, item: Any, answer: Any) -> bool:
    """True if an answer, as text or a number, is above the limit of a safety item, however the item is spelled."""
    limit = _limit(instrument, item)
    return limit is not None and _number(answer) > limit


def plain(text: str) -> str:
    """Return a name without case and punctuation, so that PHQ-9 is phq9."""
    return "".join(filter(str.isalnum, text[:_LONGEST_NAME].casefold()))


_LONGEST_NAME = 64
_PLAIN_INSTRUMENTS = {plain(name): code for name, code in _INSTRUMENT_CODES.items()}
_PLAIN_ITEMS = {plain(name): code for name, code in _ITEM_CODES.items()}


def _limit(instrument: Any, item: Any) -> float | None:
    if not (isinstance(instrument, str) and isinstance(item, str)):
        return None
    code = _PLAIN_ITEMS.get(plain(item), -1)  # first, because few answers are about such an item
    rule = -1 if code < 0 else int(_RULE_OF[_PLAIN_INSTRUMENTS.get(plain(instrument), -1), code])
    return None if rule < 0 else float(_LIMITS[rule])


def _number(answer: Any) -> float:
    """Return an answer as a number, NaN if it is none; more lenient than the check, which has refused the row anyway."""
    if isinstance(answer, str):
        answer = answer[:_LONGEST_NAME].strip().replace(",", ".")
    elif isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return math.nan
    try:
        return float(answer)
    except (ValueError, OverflowError):
        return math.nan


def _since(day: date | None) -> int:
    return 0 if day is None else -day.toordinal()


def _flag(table: Table, row: int, rule: tuple[str, str, float]) -> SafetyFlag:
    person = table["person_id"]
    return SafetyFlag(
        person_id=person.vocabulary[person.codes[row]],
        instrument=rule[0],
        item=rule[1],
        answered_on=table["answered_on"][row].item(),
        known_from=table["known_from"][row].item(),
    )


def _refused_flag(raw: dict[str, Coded], row: int, rule: tuple[str, str, float]) -> SafetyFlag:
    person_id, answered_on, known_from = (
        _sound_text(raw, name, row) for name in ("person_id", "answered_on", "known_from")
    )
    return SafetyFlag(
        person_id=person_id,
        instrument=rule[0],
        item=rule[1],
        answered_on=local_date(answered_on) if answered_on else None,
        known_from=local_date(known_from) if known_from else None,
    )


def _sound_text(raw: dict[str, Coded], name: str, row: int) -> str | None:
    """Return a cell, None where it is empty or may not be shown, as a national identity number may not."""
    column = raw.get(name)
    text = column.vocabulary[column.codes[row]] if column is not None and column.codes[row] >= 0 else ""
    return text if text and cell_fault(_columns()[name], text) is None else None


@cache
def _columns() -> dict[str, Any]:
    return {column.name: column for column in columns(SurveyAnswer)}
