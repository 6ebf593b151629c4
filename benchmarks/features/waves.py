"""Survey answers of the benchmark: three waves of 100 items each, in one of four batteries by company.

Between them the batteries hold every declared instrument. Two persons in a hundred answer all three waves within weeks, five in
a hundred skip a wave, two items in a hundred are left out, and three sheets in a hundred have one answer throughout. Four waves
in a hundred are corrected later, one in a hundred is withdrawn.
"""

from __future__ import annotations

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from data_contracts.tables import Coded, Table

WAVES, ITEMS = 3, 100
_CORE = ("cbi", "who5", "hscl10", "was", "bis", "shc", "pain_sites", "oss3", "srh", "audit_c", "ipaq_sf")
BATTERIES = (
    (*_CORE, "qpsnordic34", "pain", "fear_avoidance"),
    (*_CORE, "copsoq3_core", "pain", "coping_expectancy"),
    ("cbi", "phq9", "gad7", "olbi", "dcsq", "uwes3", "isi", "start_back", "wai", "srh", "pain_sites"),
    ("hscl25", "bat12", "bat23", "ompsq_sf", "ipaq_sf", "bis", "qpsnordic34", "who5", "was", "srh"),
)
_NOT_ASKED = {1: ("pseudoneurology", "gastrointestinal", "allergy", "flu")}
"""The second battery asks the musculoskeletal complaints only, as the programme does."""
_BATTERY_OF_COMPANY = np.array([0] * 9 + [1] * 7 + [2, 2, 3, 3])
_MOST_CODES = 49


def _sheet(battery: int) -> list[tuple[str, str]]:
    return [
        (name, item.id)
        for name in BATTERIES[battery]
        for item in INSTRUMENTS[name].items
        if not (name == "shc" and item.id.startswith(_NOT_ASKED.get(battery, ("-",))))
    ]


def _codes(name: str, item: str) -> np.ndarray:
    """Answer codes of an item, those of minutes thinned out."""
    answers = next(one.answers for one in INSTRUMENTS[name].items if one.id == item)
    return np.array(answers if len(answers) < _MOST_CODES else answers[: 10 * _MOST_CODES : 10])


_SHEETS = [_sheet(battery) for battery in range(len(BATTERIES))]
assert all(len(sheet) == ITEMS for sheet in _SHEETS)
_NAMES = tuple(INSTRUMENTS)
_WORDS = tuple(dict.fromkeys(item for sheet in _SHEETS for _, item in sheet))
_INSTRUMENT = np.array([[_NAMES.index(name) for name, _ in sheet] for sheet in _SHEETS])
_ITEM = np.array([[_WORDS.index(item) for _, item in sheet] for sheet in _SHEETS])
_N_CODES = np.array([[len(_codes(*place)) for place in sheet] for sheet in _SHEETS])
_CODES = np.array([[np.resize(_codes(*place), _MOST_CODES) for place in sheet] for sheet in _SHEETS])


def survey_answers(ids: tuple[str, ...], company: np.ndarray, t: int, random: np.random.Generator) -> Table:
    """All answers of some persons, sorted by person and wave."""
    n_waves = len(ids) * WAVES
    wave, place = np.divmod(np.arange(n_waves * ITEMS, dtype=np.int32), ITEMS)
    answered = (random.random(n_waves) > 0.05)[wave] & (random.random(len(wave)) > 0.02)
    wave, place = wave[answered], place[answered]
    # Some waves are sent again with other answers here and there, some are withdrawn as a whole.
    fate = random.random(n_waves)[wave]
    changed = np.flatnonzero((fate < 0.01) | ((fate < 0.05) & (random.random(len(wave)) < 0.2)))
    rows = np.sort(np.concatenate([np.arange(len(wave), dtype=np.int32), changed.astype(np.int32)]))
    again = np.append(False, rows[1:] == rows[:-1])
    wave, place, fate = wave[rows], place[rows], fate[rows]
    battery = _BATTERY_OF_COMPANY[company % len(_BATTERY_OF_COMPANY)][wave // WAVES]
    point = random.random(len(rows))
    straight = (random.random(n_waves) < 0.03)[wave]
    point[straight] = random.random(n_waves)[wave[straight]]
    code = (point * _N_CODES[battery, place]).astype(np.int64)
    day = _days(len(ids), t, random)
    lag = random.choice([0, 0, 0, 0, 1, 30], n_waves)
    known = (day + lag)[wave] + again * np.where(fate < 0.01, 20, 10)
    return {
        "person_id": Coded(wave // WAVES, ids),
        "instrument": Coded(_INSTRUMENT[battery, place].astype(np.int32), _NAMES),
        "item": Coded(_ITEM[battery, place].astype(np.int32), _WORDS),
        "answer": _CODES[battery, place, code],
        "answered_on": day[wave].astype("datetime64[D]"),
        "known_from": known.astype("datetime64[D]"),
        "is_deleted": (again & (fate < 0.01)).astype(np.float64),
    }


def _days(n: int, t: int, random: np.random.Generator) -> np.ndarray:
    """Day of each wave, shape (n * WAVES,); few persons answer on the index date or after it."""
    usual = t - np.array([700, 350, 10]) - random.integers(-12, 15, (n, 1))
    close = t - np.array([80, 40, 10]) - random.integers(0, 5, (n, 1))
    return np.where(random.random((n, 1)) < 0.02, close, usual).ravel()
