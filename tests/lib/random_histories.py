"""Hypothesis strategies for small, nasty histories: overlaps, corrections, deletions, advance certificates, missing
consents.

Days crowd around the index date ``T`` and the borders of the windows, and keys are few, so that versions of one fact
and ties come about by themselves. Rows that would conflict (same fact, same ``known_from``, other content) are left
out, as validation leaves them out.

Hypothesis draws some bytes: how many rows there are of each sort, and a seed, from which the rows follow with their sort and
number. A failing example is made smaller by having fewer rows. Drawing every cell took it ten times as long, for a tenth of the
rows, and wherever it draws twice from one strategy it spends five examples of six on drawing the same again: hence one draw,
and one of another type for the rows that come later.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import strategies as st

from data_contracts.analytes import ANALYTES
from data_contracts.consent import SOURCES
from data_contracts.instruments import CORE, INSTRUMENTS
from data_contracts.records import TABLES
from tests.lib.records import LONG_AGO, Row, Rows, consent, day, person

T = "2026-03-01"
PERSONS = ("p", "q", "r")
_OFTEN = ("p", "p", "q", "r")
"""Most rows are of one, so that much meets."""

_BORDERS = (0, -1, -2, -3, -29, -30, -31, -90, -91, -180, -365, -366, -730, -731, 1, 2)
_LAGS = (0, 0, 0, 1, 2, 7, 60)


def _any_day(fill: random.Random) -> str:
    return day(T, fill.choice((fill.choice(_BORDERS), fill.randint(-40, 20), fill.randint(-800, 20))))


def _known(fill: random.Random, event_column: str, on: str) -> Row:
    """An event day and, some days later, the day it became known."""
    return {event_column: on, "known_from": day(on, fill.choice(_LAGS)), "is_deleted": fill.random() < 0.15}


# L20 is the back in one system and the skin in the other. Of the codes of ICD-10, half have a letter that misleads. W, O80 and
# Z34 are of pregnancy and birth.
_DIAGNOSES = (
    (None, None), ("P02", None), ("L03", "ICPC-2"), ("A", None), ("P", None), ("F32.1", "ICD-10"), ("L20", "ICD-10"),
    ("L20", None), ("R74", None), ("J06.9", "ICD-10"), ("M54.5", "ICD-10"),
    ("R05", "ICD-10"), ("S82.1", "ICD-10"), ("C34", "ICD-10"), ("R45", "ICD-10"), ("M10.9", "ICD-10"), ("R53", "ICD-10"),
    ("W78", None), ("W", "ICPC-2"), ("O80", "ICD-10"), ("Z34", "ICD-10"),
)  # fmt: skip


def _spell(fill: random.Random) -> list[Row]:
    first = _any_day(fill)
    length = fill.choice((None, *(fill.randint(0, 12),) * 6, fill.randint(0, 200)))
    diagnosis, system = fill.choice(_DIAGNOSES)
    row = {
        "person_id": fill.choice(_OFTEN),
        "spell_id": fill.choice("ABCDEFGH"),
        "kind": fill.choice(("doctor_certified", "self_certified")),
        "grade_percent": fill.choice((100, 50, 33, 80)),
        "diagnosis": diagnosis,
        "diagnosis_system": system,
        "first_day": first,
        "last_day": None if length is None else day(first, length),
        "known_from": day(first, fill.choice((-14, -3, 0, 0, 1, 5, 40))),
        "is_deleted": fill.random() < 0.15,
    }
    return [row]


def _sheet(person_id: str, instrument: str, answered_on: str, lag: int, share: float, fill: random.Random) -> list[Row]:
    """Answers of one person to one instrument on one day, some of them taken back."""
    items = INSTRUMENTS[instrument].items
    base = {
        "person_id": person_id,
        "instrument": instrument,
        "answered_on": answered_on,
        "known_from": day(answered_on, lag),
    }
    # Some give the same answer wherever it can be given. Of minutes, few enough that a day has room for them.
    same = items[0].answers[-1] if fill.random() < 0.2 else None
    most, withdrawn = fill.choice((40, 400, 1441)), fill.choice((0.0, 0.0, 0.1))
    return [
        base
        | {
            "item": item.id,
            "answer": same if same in item.answers else fill.choice(item.answers[:most]),
            "is_deleted": fill.random() < withdrawn,
        }
        for item in items
        if fill.random() < share
    ]


def _crowded_sheet(fill: random.Random) -> list[Row]:
    """Of some instruments on few days, so that answers to one are changed, taken back and completed later."""
    instrument = fill.choice(("cbi", "who5", "bis", "oss3", "srh", "hscl10", "ipaq_sf", "shc", "start_back"))
    answered_on = day(T, fill.choice((-400, -3, -1, 0))) if fill.random() < 0.5 else _any_day(fill)
    share = fill.choice((1.0, 1.0, 0.8, 0.1))
    return _sheet(fill.choice(_OFTEN), instrument, answered_on, fill.choice(_LAGS), share, fill)


_SPREAD_DAYS = [day(T, days) for days in (-760, -700, -500, -400, -231, -230, -141, -140, -91, -60, -50, -1)]


def _surveys(fill: random.Random) -> list[Row]:
    """Some of all instruments on one day, and two of the core set again and again so that their scores have a course."""
    person_id, once, followed = fill.choice(PERSONS), fill.choice(_SPREAD_DAYS), fill.sample(CORE, 2)
    asked = [(once, name) for name in fill.sample(tuple(INSTRUMENTS), fill.randrange(6))]
    asked += [(on, one.name) for one in followed for on in fill.sample(_SPREAD_DAYS, fill.choice((0, 3, 4)))]
    rows = []
    for answered_on, name in asked:
        rows += _sheet(person_id, name, answered_on, fill.choice((0, 0, 1, 60)), fill.choice((1, 1, 1, 0.8)), fill)
    return rows


_ANALYTES = {analyte.name: analyte for analyte in ANALYTES}
_LEVELS = {
    "total_cholesterol": (1.5, 5.2, 6.9), "hdl": (0.9, 1.4, 2.1), "triglycerides": (1.0, 4.5, 4.6),
    "height": (150, 175, 230), "weight": (40, 80, 300), "creatinine": (45, 70, 120), "egfr": (30, 60, 90),
    "ferritin": (10, 15, 160), "crp": (1, 5, 8), "systolic_bp": (110, 140, 279), "diastolic_bp": (31, 90, 105),
}  # fmt: skip
"""Some of which body mass index, cholesterol fractions and kidney function follow, and some of which they do not; of the
pressures any two may stand side by side, as the contract demands."""


def _levels(name: str) -> tuple[float, ...]:
    """Values inside the hard limits, one of them on a reference limit."""
    analyte = _ANALYTES[name]
    ends = [end for one in analyte.reference_intervals for end in (one.low, one.high) if end is not None]
    return _LEVELS.get(name, (analyte.hard_low + 1, ends[-1] if ends else analyte.hard_low + 2, analyte.hard_high - 1))


_RESULTS = {
    name: [
        {
            "code_system": code.code_system,
            "code": code.code,
            "unit": code.unit,
            "value": (level - code.offset) / code.factor,
        }
        for code in analyte.codes
        for level in _levels(name)
    ]
    for name, analyte in _ANALYTES.items()
}
_OWN_LIMITS: tuple[Row, ...] = (
    {}, {}, {"reference_low": 4.0, "reference_high": 6.5}, {"reference_high": 38.0}, {"reference_low": 15.0},
    {"reference_high": 5.0}, {"reference_low": 0.0, "reference_high": 8.0},
)  # fmt: skip
_COMPARATORS = (None, None, None, "<", "<=", ">=", ">")


def _lab(fill: random.Random) -> list[Row]:
    sampled_on = day(T, fill.choice((-400, -3, -3, -1, 0))) if fill.random() < 0.5 else _any_day(fill)
    result = fill.choice(_RESULTS[fill.choice(tuple(_ANALYTES))]) | fill.choice(_OWN_LIMITS)
    known = _known(fill, "sampled_on", sampled_on)
    return [{"person_id": fill.choice(_OFTEN), **known, **result, "comparator": fill.choice(_COMPARATORS)}]


def _crowded_lab(fill: random.Random) -> list[Row]:
    """Of one person on two days, so that bounds, exact and derived results of one analyte meet."""
    name = fill.choice(("creatinine", "egfr", "crp", "height", "weight"))
    result = fill.choice(_RESULTS[name]) | fill.choice(_OWN_LIMITS)
    known = _known(fill, "sampled_on", day(T, fill.choice((-70, -69))))
    return [{"person_id": PERSONS[0], **known, **result, "comparator": fill.choice(_COMPARATORS)}]


def _panel(fill: random.Random) -> list[Row]:
    """Much of what there is of one person on some days, so that values have a course."""
    days = [day(T, days) for days in fill.sample((-500, -400, -91, -90, -3, -2, -1), fill.randint(3, 5))]
    if fill.random() < 0.5:
        days = [_any_day(fill) for _ in range(fill.randint(1, 3))]
    person_id, share = fill.choice(PERSONS), fill.choice((1.0, 0.6, 0.2))
    return [
        {
            "person_id": person_id,
            "sampled_on": sampled_on,
            "known_from": day(sampled_on, fill.choice((0, 0, 1, 7))),
            "is_deleted": fill.random() < 0.05,
            "comparator": fill.choice((*(None,) * 8, "<", ">=")),
            **_with_limits(fill.choice(_RESULTS[name]), fill),
        }
        for sampled_on in days
        for name in _ANALYTES
        if fill.random() < share
    ]


def _with_limits(result: Row, fill: random.Random) -> Row:
    value = result["value"]
    around: tuple[Row, ...] = (
        {"reference_low": value * 0.8, "reference_high": value * 1.25}, {"reference_high": value}, {"reference_low": value},
        {"reference_low": value * 1.5}, {"reference_low": 0.0, "reference_high": value / 3},
        {"reference_low": 0.0, "reference_high": value * 1.25}, {"reference_high": 0.0},
        {"reference_high": -1.0}, {"reference_low": 0.0}, {"reference_high": value * 1e-9},
    )  # fmt: skip
    return result | fill.choice((*({},) * 6, *around))


# The first and the last of each group, and some of none.
_OCCUPATIONS = (None, "1120", "2221", "3411", "4110", "5321", "6111", "9112", "0110")
_INDUSTRIES = (
    None, "86.101", "88", "41", "43.210", "01.11", "05", "39", "45", "47.110", "49", "53", "55", "56.101", "58", "68",
    "82.9", "84", "85.2", "96", "44",
)  # fmt: skip


def _employment(fill: random.Random) -> list[Row]:
    start = _any_day(fill)
    row = {
        "person_id": fill.choice(_OFTEN),
        "company_id": fill.choice(("c1", "c1", "c2", "c10")),
        "unit_id": fill.choice((None, "u1", "u2")),
        "occupation_code": fill.choice(_OCCUPATIONS),
        "industry_code": fill.choice(_INDUSTRIES),
        "position_percent": fill.choice((100.0, 60.0, 40.0, 33.3)),
        "shift_work": fill.choice((None, True, False)),
        "is_leader": fill.choice((None, True, False)),
        "start_date": start,
        "end_date": fill.choice((None, day(start, fill.randint(0, 500)))),
        "known_from": day(start, fill.choice((-30, 0, 0, 3))),
        "is_deleted": fill.random() < 0.15,
    }
    return [row]


def _event(fill: random.Random) -> list[Row]:
    place = {"company_id": fill.choice(("c1", "c1", "c2", "c3")), "unit_id": fill.choice((None, "u1", "u2"))}
    kind = fill.choice(("leader_change", "reorganisation", "downsizing", "intervention_session"))
    return [{"kind": kind, **place, **_known(fill, "occurred_on", _any_day(fill))}]


def _session(fill: random.Random) -> list[Row]:
    who = {"person_id": fill.choice(_OFTEN), "domain": fill.choice(("sleep", "pain", "work"))}
    return [who | _known(fill, "held_on", _any_day(fill))]


def _person(fill: random.Random) -> list[Row]:
    others = {"birth_year": fill.randint(1950, 2005), "sex": fill.choice(("female", "male"))}
    education = fill.choice((None, "basic", "secondary", "tertiary_short", "tertiary_long"))
    return [person(fill.choice(PERSONS), _any_day(fill), education_level=education, **others)]


def _withdrawal(fill: random.Random) -> list[Row]:
    on = _any_day(fill)
    return [consent(fill.choice(SOURCES), fill.choice(PERSONS), withdrawn_on=on, known_from=on)]


_SORTS: dict[str, tuple[str, int, Callable[[random.Random], list[Row]]]] = {
    "spell": ("absence_spells", 24, _spell),
    "crowded sheet": ("survey_answers", 4, _crowded_sheet),
    "surveys": ("survey_answers", 3, _surveys),
    "lab": ("lab_results", 14, _lab),
    "crowded lab": ("lab_results", 6, _crowded_lab),
    "panel": ("lab_results", 3, _panel),
    "employment": ("employments", 7, _employment),
    "event": ("workplace_events", 8, _event),
    "session": ("guidance_sessions", 8, _session),
    "person": ("persons", 3, _person),
    "withdrawal": ("consents", 3, _withdrawal),
}
"""Table, greatest number, and what makes one or several rows, of each sort."""

_SEED = 8
_N_BYTES = _SEED + len(_SORTS)


def _made(drawn: bytes) -> Rows:
    """As many rows of each sort as its byte says, of 0-255."""
    seed, rows = drawn[:_SEED].hex(), {table: [] for table in TABLES}
    for byte, (sort, (table, most, make)) in zip(drawn[_SEED:], _SORTS.items(), strict=True):
        for number in range(byte * (most + 1) // 256):
            rows[table] += make(random.Random(f"{seed} {sort} {number}"))
    return rows


@st.composite
def any_rows(draw: st.DrawFn) -> Rows:
    """Rows of up to three persons, of whom each has had every consent that was not withdrawn."""
    rows = _made(draw(st.binary(min_size=_N_BYTES, max_size=_N_BYTES)))
    rows["persons"] += [person(person_id) for person_id in PERSONS[:2]]
    rows["consents"] = [consent(source, person_id) for person_id in PERSONS for source in SOURCES] + rows["consents"]
    return {table: without_conflicts(table, of_table) for table, of_table in rows.items()}


@st.composite
def later_rows(draw: st.DrawFn, not_before: str = T, consents: bool = False) -> Rows:
    """Rows known on or after a day; of consents only if asked for: withdrawn, or given once more, the day before."""
    drawn = draw(st.integers(0, 256**_N_BYTES - 1)).to_bytes(_N_BYTES, "little")
    rows, lags = _made(drawn), random.Random(drawn)
    again = day(not_before, -1)
    given = [
        consent(source, person_id, given_on=again, known_from=again) for person_id in PERSONS for source in SOURCES
    ]
    rows["consents"] = rows["consents"] + given if consents else []
    for of_table in rows.values():
        for row in of_table:
            row["known_from"] = day(max(row["known_from"], not_before), lags.choice(_LAGS))
    return rows


def added(rows: Rows, more: Rows) -> Rows:
    """Both together, without what would conflict with the first."""
    return {table: without_conflicts(table, rows[table] + more[table]) for table in TABLES}


def without_conflicts(table: str, rows: list[Row]) -> list[Row]:
    """Keep the first row of each fact and ``known_from``."""
    key = (*TABLES[table].natural_key, "known_from")
    return list({tuple(row.get(name) for name in key): row for row in reversed(rows)}.values())[::-1]


assert LONG_AGO < T
