"""Survey answers against the declared questionnaires: known instrument, known item, answer among the item's codes."""

from __future__ import annotations

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from data_contracts.tables import Table
from data_contracts.violations import Fault, Findings

_ITEMS = [(instrument.name, item) for instrument in INSTRUMENTS.values() for item in instrument.items]
_ANSWERS = np.array(sorted({answer for _, item in _ITEMS for answer in item.answers}))
_IS_ALLOWED = np.zeros((len(_ITEMS), len(_ANSWERS)), dtype=bool)
for _position, (_, _item) in enumerate(_ITEMS):
    _IS_ALLOWED[_position, _ANSWERS.searchsorted(_item.answers)] = True
_INSTRUMENT_CODES = {name: code for code, name in enumerate(INSTRUMENTS)}
_ITEM_CODES = {item_id: code for code, item_id in enumerate(sorted({item.id for _, item in _ITEMS}))}
# One row and one column more than there are codes, so that the code -1 of an unknown name finds "no such item".
_POSITIONS = np.full((len(_INSTRUMENT_CODES) + 1, len(_ITEM_CODES) + 1), -1, dtype=np.int32)
for _position, (_instrument, _item) in enumerate(_ITEMS):
    _POSITIONS[_INSTRUMENT_CODES[_instrument], _ITEM_CODES[_item.id]] = _position


def check_answers(table: Table, findings: Findings) -> None:
    """Report unknown instruments, items the instrument lacks, and answers the item does not take."""
    instrument, item, answer = table["instrument"], table["item"], table["answer"]
    known = instrument.recode(_INSTRUMENT_CODES)
    unknown = ((known < 0) & (instrument.codes >= 0)).nonzero()[0]
    findings.report("instrument", unknown, _UNKNOWN_INSTRUMENT)

    position = _POSITIONS[known, item.recode(_ITEM_CODES)]
    unknown = ((position < 0) & (known >= 0) & (item.codes >= 0)).nonzero()[0]
    findings.report("item", unknown, [_UNKNOWN_ITEM[one] for one in known[unknown].tolist()])

    nearest = np.minimum(_ANSWERS.searchsorted(answer), len(_ANSWERS) - 1)
    is_allowed = _IS_ALLOWED[position, nearest] & (_ANSWERS[nearest] == answer)
    wrong = (~is_allowed).nonzero()[0]
    wrong = wrong[(position[wrong] >= 0) & ~np.isnan(answer[wrong])]
    findings.report("answer", wrong, [_WRONG_ANSWER[one] for one in position[wrong].tolist()])


_UNKNOWN_INSTRUMENT = Fault("unknown instrument", f"known are: {', '.join(INSTRUMENTS)}")
_UNKNOWN_ITEM = [Fault("unknown item", f"{one.name} has the items {one.items_text}") for one in INSTRUMENTS.values()]
_WRONG_ANSWER = [
    Fault("unknown answer code", f"{instrument} {item.id} takes {item.codes_text}") for instrument, item in _ITEMS
]
