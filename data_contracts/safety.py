"""Answers that a human must see at once, such as thoughts of self-harm.

A safety flag is not a prediction. It is raised from the answer itself, whatever the index date, the consent to use the
answer in a model, or the score of the questionnaire, and every consumer of survey answers must carry it on.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np

from data_contracts.current_rows import current_rows
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import SurveyAnswer
from data_contracts.tables import Table, take

_RULES = [(one.name, rule.item, rule.above) for one in INSTRUMENTS.values() for rule in one.safety]
_INSTRUMENT_CODES = {name: code for code, name in enumerate(dict.fromkeys(name for name, _, _ in _RULES))}
_ITEM_CODES = {item: code for code, item in enumerate(dict.fromkeys(item for _, item, _ in _RULES))}
# One row and one column more than there are codes, so that the code -1 of any other name finds "no rule".
_RULE_OF = np.full((len(_INSTRUMENT_CODES) + 1, len(_ITEM_CODES) + 1), -1, dtype=np.int32)
for _position, (_instrument, _item, _) in enumerate(_RULES):
    _RULE_OF[_INSTRUMENT_CODES[_instrument], _ITEM_CODES[_item]] = _position
_LIMITS = np.array([above for _, _, above in _RULES])


class SafetyFlag(NamedTuple):
    """One answer above its limit. The answer itself is left out: whoever must see it looks at the questionnaire."""

    person_id: str
    instrument: str
    item: str
    answered_on: date
    known_from: date


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
    flags = [_flag(survey_answers, row, _RULES[rule[row]]) for row in rows.tolist()]
    return sorted(flags, key=lambda flag: (-flag.answered_on.toordinal(), -flag.known_from.toordinal(), flag))


def _flag(table: Table, row: int, rule: tuple[str, str, float]) -> SafetyFlag:
    person = table["person_id"]
    return SafetyFlag(
        person_id=person.vocabulary[person.codes[row]],
        instrument=rule[0],
        item=rule[1],
        answered_on=table["answered_on"][row].item(),
        known_from=table["known_from"][row].item(),
    )
