"""Hypothesis strategies for small, nasty histories: overlaps, corrections, deletions, advance certificates, missing
consents.

Days crowd around the index date ``T`` and the borders of the windows, and keys are few, so that versions of one fact
and ties come about by themselves. Rows that would conflict (same fact, same ``known_from``, other content) are left
out, as validation leaves them out.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from data_contracts.analytes import ANALYTES, AnalyteCode
from data_contracts.consent import SOURCES
from data_contracts.instruments import CORE, INSTRUMENTS
from data_contracts.records import TABLES
from tests.lib.records import LONG_AGO, Row, Rows, consent, day, person

T = "2026-03-01"
PERSONS = ("p", "q", "r")

_BORDERS = (0, -1, -2, -3, -29, -30, -31, -90, -91, -180, -365, -366, -730, -731, 1, 2)
DAYS = st.one_of(st.sampled_from(_BORDERS), st.integers(-40, 20), st.integers(-800, 20)).map(lambda days: day(T, days))
LAGS = st.sampled_from((0, 0, 1, 2, 7, 60))
_PERSON_IDS = st.sampled_from(PERSONS)
_DELETED = st.sampled_from((False, False, False, False, True))


def _known(
    event_column: str, days: st.SearchStrategy[str] = DAYS, **columns: st.SearchStrategy
) -> st.SearchStrategy[Row]:
    """A row with an event day, known some days later."""
    fields = st.fixed_dictionaries({event_column: days, "is_deleted": _DELETED, **columns})
    return st.builds(lambda row, lag: row | {"known_from": day(row[event_column], lag)}, fields, LAGS)


# L20 is the back in one system and the skin in the other.
_DIAGNOSES = (
    (None, None), ("P02", None), ("L03", "ICPC-2"), ("A", None), ("P", None), ("F32.1", "ICD-10"), ("L20", "ICD-10"),
    ("L20", None), ("R74", None), ("J06.9", "ICD-10"),
)  # fmt: skip


@st.composite
def _spells(draw: st.DrawFn) -> Row:
    first = draw(DAYS)
    length = draw(st.one_of(st.none(), st.integers(0, 12), st.integers(0, 200)))
    diagnosis, system = draw(st.sampled_from(_DIAGNOSES))
    return {
        "person_id": draw(_PERSON_IDS),
        "spell_id": draw(st.sampled_from("ABCDE")),
        "kind": draw(st.sampled_from(("doctor_certified", "self_certified"))),
        "grade_percent": draw(st.sampled_from((100, 50, 33, 80))),
        "diagnosis": diagnosis,
        "diagnosis_system": system,
        "first_day": first,
        "last_day": None if length is None else day(first, length),
        "known_from": day(first, draw(st.sampled_from((-14, -3, 0, 1, 5, 40)))),
        "is_deleted": draw(_DELETED),
    }


_SHARES = (1.0, 1.0, 0.8, 0.1)


@st.composite
def _sheets(draw: st.DrawFn) -> list[Row]:
    """Some answers of one person to one instrument on one day, some of them taken back."""
    instrument = draw(st.sampled_from(("cbi", "who5", "bis", "oss3", "srh", "hscl10", "ipaq_sf", "shc", "start_back")))
    fill = random.Random(draw(st.integers(0, 10_000)))
    answered_on = draw(st.one_of(st.sampled_from([day(T, days) for days in (-400, -3, -1, 0)]), DAYS))
    return _sheet(draw(_PERSON_IDS), instrument, answered_on, draw(LAGS), draw(st.sampled_from(_SHARES)), fill)


def _sheet(person_id: str, instrument: str, answered_on: str, lag: int, share: float, fill: random.Random) -> list[Row]:
    items = INSTRUMENTS[instrument].items
    base = {
        "person_id": person_id,
        "instrument": instrument,
        "answered_on": answered_on,
        "known_from": day(answered_on, lag),
    }
    # Who does not think gives the same answer wherever it can be given. Of minutes, few enough that a day has room for them.
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


_SPREAD_DAYS = [day(T, days) for days in (-760, -700, -500, -400, -231, -230, -141, -140, -91, -60, -50, -1)]


def _surveys(fill: random.Random) -> list[Row]:
    """Some of all instruments on one day, and two of the core set again and again so that their scores have a course.

    Filled in without Hypothesis, which would take long over so many rows and try few of so many instruments.
    """
    rows = []
    for person_id in fill.sample(PERSONS, 2):
        once, followed = fill.choice(_SPREAD_DAYS), [one.name for one in fill.sample(CORE, 2)]
        asked = [(once, name) for name in fill.sample(tuple(INSTRUMENTS), fill.randrange(6))]
        asked += [(on, name) for on in fill.sample(_SPREAD_DAYS, fill.choice((0, 3, 4))) for name in followed]
        for answered_on, name in asked:
            lag, share = fill.choice((0, 0, 1, 60)), fill.choice((1.0, 1.0, 1.0, 0.8))
            rows += _sheet(person_id, name, answered_on, lag, share, fill)
    return rows


_ANALYTES = {analyte.name: analyte for analyte in ANALYTES}
_LEVELS = {
    "total_cholesterol": (1.5, 5.2, 6.9), "hdl": (0.9, 1.4, 2.1), "triglycerides": (1.0, 4.5, 4.6),
    "height": (150, 175, 230), "weight": (40, 80, 300), "creatinine": (45, 70, 120), "egfr": (30, 60, 90),
    "ferritin": (10, 15, 160), "crp": (1, 5, 8), "systolic_bp": (110, 140, 279), "diastolic_bp": (31, 90, 105),
}  # fmt: skip
"""Some of which body mass index, cholesterol fractions and kidney function follow, and some of which they do not; of the
pressures any two may stand side by side."""


def _levels(name: str) -> tuple[float, ...]:
    """Values inside the hard limits, one of them on a reference limit."""
    analyte = _ANALYTES[name]
    ends = [end for one in analyte.reference_intervals for end in (one.low, one.high) if end is not None]
    return _LEVELS.get(name, (analyte.hard_low + 1, ends[-1] if ends else analyte.hard_low + 2, analyte.hard_high - 1))


def _results_of(names: Sequence[str]) -> list[tuple[AnalyteCode, float]]:
    return [
        (code, (canonical - code.offset) / code.factor)
        for name in names
        for code in _ANALYTES[name].codes
        for canonical in _levels(name)
    ]


def _labs(
    names: Sequence[str], persons: st.SearchStrategy[str], days: st.SearchStrategy[str]
) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda row, result, limits, comparator: (
            row
            | {
                "code_system": result[0].code_system,
                "code": result[0].code,
                "unit": result[0].unit,
                "value": result[1],
                **limits,
                "comparator": comparator,
            }
        ),
        _known("sampled_on", days=days, person_id=persons),
        st.one_of(*(st.sampled_from(_results_of([name])) for name in names)),
        st.sampled_from(_OWN_LIMITS),
        st.sampled_from((None, None, None, "<", "<=", ">=", ">")),
    )


_OWN_LIMITS: tuple[Row, ...] = (
    {}, {}, {"reference_low": 4.0, "reference_high": 6.5}, {"reference_high": 38.0}, {"reference_low": 15.0},
    {"reference_high": 5.0},
)  # fmt: skip
_LAB_DAYS = st.one_of(st.sampled_from([day(T, days) for days in (-400, -3, -3, -1, 0)]), DAYS)
_any_labs = _labs(tuple(_ANALYTES), _PERSON_IDS, _LAB_DAYS)
_crowded_labs = _labs(
    ("creatinine", "egfr", "crp", "height", "weight"),
    st.just(PERSONS[0]),
    st.sampled_from((day(T, -70), day(T, -69))),
)
"""Of one person on two days, so that bounds, exact and derived results of one analyte meet."""

_RESULTS = {name: _results_of([name]) for name in _ANALYTES}


@st.composite
def _panels(draw: st.DrawFn) -> list[Row]:
    """Much of what there is of one person on some days, so that values have a course; filled in without Hypothesis, which
    would take long over so many rows."""
    fill = random.Random(draw(st.integers(0, 10_000)))
    share = draw(st.sampled_from((1.0, 0.6, 0.2)))
    spread = st.lists(
        st.sampled_from([day(T, days) for days in (-500, -400, -91, -90, -3, -2, -1)]), min_size=3, max_size=5
    )
    person_id, days = draw(_PERSON_IDS), draw(spread | st.lists(_LAB_DAYS, min_size=1, max_size=3))
    return [
        {
            "person_id": person_id,
            "sampled_on": sampled_on,
            "known_from": day(sampled_on, fill.choice((0, 0, 1, 7))),
            "is_deleted": fill.random() < 0.05,
            "comparator": fill.choice((*(None,) * 8, "<", ">=")),
            **_result(name, fill),
        }
        for sampled_on in days
        for name in _ANALYTES
        if fill.random() < share
    ]


def _result(name: str, fill: random.Random) -> Row:
    code, value = fill.choice(_RESULTS[name])
    around: tuple[Row, ...] = (
        {"reference_low": value * 0.8, "reference_high": value * 1.25}, {"reference_high": value}, {"reference_low": value},
        {"reference_low": value * 1.5}, {"reference_low": 0.0, "reference_high": value / 3}, {"reference_high": 0.0},
        {"reference_high": -1.0}, {"reference_low": 0.0}, {"reference_high": value * 1e-9},
    )  # fmt: skip
    limits: Row = fill.choice((*({},) * 6, *around))
    return {"code_system": code.code_system, "code": code.code, "unit": code.unit, "value": value} | limits


# The first and the last of each group, and some of none.
_OCCUPATIONS = (None, "1120", "2221", "3411", "4110", "5321", "6111", "9112", "0110")
_INDUSTRIES = (
    None, "86.101", "88", "41", "43.210", "01.11", "05", "39", "45", "47.110", "49", "53", "55", "56.101", "58", "68",
    "82.9", "84", "85.2", "96", "44",
)  # fmt: skip


@st.composite
def _employments(draw: st.DrawFn) -> Row:
    start = draw(DAYS)
    length = draw(st.one_of(st.none(), st.integers(0, 500)))
    return {
        "person_id": draw(_PERSON_IDS),
        "company_id": draw(st.sampled_from(("c1", "c1", "c2", "c10"))),
        "unit_id": draw(st.sampled_from((None, "u1", "u2"))),
        "occupation_code": draw(st.sampled_from(_OCCUPATIONS)),
        "industry_code": draw(st.sampled_from(_INDUSTRIES)),
        "position_percent": draw(st.sampled_from((100.0, 60.0, 40.0, 33.3))),
        "shift_work": draw(st.sampled_from((None, True, False))),
        "is_leader": draw(st.sampled_from((None, True, False))),
        "start_date": start,
        "end_date": None if length is None else day(start, length),
        "known_from": day(start, draw(st.sampled_from((-30, 0, 0, 3)))),
        "is_deleted": draw(_DELETED),
    }


_events = _known(
    "occurred_on",
    company_id=st.sampled_from(("c1", "c1", "c1", "c2", "c3")),
    unit_id=st.sampled_from((None, None, "u1", "u2")),
    kind=st.sampled_from(("leader_change", "reorganisation", "downsizing", "intervention_session")),
)
_sessions = _known("held_on", person_id=_PERSON_IDS, domain=st.sampled_from(("sleep", "pain", "work")))
_persons = st.builds(
    lambda person_id, birth_year, sex, education, known: person(
        person_id, known, birth_year=birth_year, sex=sex, education_level=education
    ),
    _PERSON_IDS,
    st.integers(1950, 2005),
    st.sampled_from(("female", "male")),
    st.sampled_from((None, "basic", "secondary", "tertiary_short", "tertiary_long")),
    DAYS,
)
_withdrawals = st.builds(
    lambda source, person_id, on: consent(source, person_id, withdrawn_on=on, known_from=on),
    st.sampled_from(SOURCES),
    _PERSON_IDS,
    DAYS,
)

ROWS_BY_TABLE: dict[str, st.SearchStrategy[Row]] = {
    "persons": _persons,
    "employments": _employments(),
    "lab_results": _any_labs,
    "absence_spells": _spells(),
    "workplace_events": _events,
    "guidance_sessions": _sessions,
}


@st.composite
def any_rows(draw: st.DrawFn) -> Rows:
    """Rows of up to three persons, of whom each has had every consent that was not withdrawn."""
    most = {
        "persons": 3,
        "employments": 5,
        "lab_results": 14,
        "absence_spells": 12,
        "workplace_events": 8,
        "guidance_sessions": 4,
    }
    rows = {table: draw(st.lists(strategy, max_size=most[table])) for table, strategy in ROWS_BY_TABLE.items()}
    rows["lab_results"] += draw(st.lists(_crowded_labs, max_size=6))
    rows["lab_results"] += [row for panel in draw(st.lists(_panels(), max_size=3)) for row in panel]
    rows["persons"] += [person(person_id) for person_id in PERSONS[:2]]
    rows["survey_answers"] = [row for sheet in draw(st.lists(_sheets(), max_size=4)) for row in sheet]
    # Other rows than these decide with the seed, because Hypothesis tries the same few numbers again and again. Those of
    # the seed cannot be made fewer, so a failing example first tries to do without them.
    sizes = [len(of_table) for of_table in rows.values()]
    if draw(st.sampled_from((False, True, True, True, True))):
        rows["survey_answers"] += _surveys(random.Random(f"{draw(st.integers(0, 10_000))} of {sizes}"))
    rows["consents"] = [consent(source, person_id) for person_id in PERSONS for source in SOURCES]
    rows["consents"] += draw(st.lists(_withdrawals, max_size=3))
    return {table: without_conflicts(table, rows[table]) for table in TABLES}


@st.composite
def later_rows(draw: st.DrawFn, not_before: str = T) -> Rows:
    """Rows of every table except consents, known on or after a day."""
    rows: Rows = {table: [] for table in TABLES}
    for table, strategy in ROWS_BY_TABLE.items():
        rows[table] = draw(st.lists(strategy, max_size=5))
    rows["lab_results"] += draw(_panels())
    rows["survey_answers"] = [row for sheet in draw(st.lists(_sheets(), max_size=3)) for row in sheet]
    for of_table in rows.values():
        for row in of_table:
            row["known_from"] = day(max(row["known_from"], not_before), draw(LAGS))
    return rows


@st.composite
def later_consents(draw: st.DrawFn, not_before: str) -> list[Row]:
    """Consents withdrawn, or given once more, on any day, but known on or after one."""
    rows = draw(st.lists(_withdrawals, min_size=1, max_size=4))
    given = draw(st.lists(st.sampled_from(rows), max_size=2))
    rows = rows + [row | {"given_on": row["withdrawn_on"], "withdrawn_on": None} for row in given]
    return [row | {"known_from": day(max(row["known_from"], not_before), draw(LAGS))} for row in rows]


def added(rows: Rows, more: Rows) -> Rows:
    """Both together, without what would conflict with the first."""
    return {table: without_conflicts(table, rows[table] + more[table]) for table in TABLES}


def without_conflicts(table: str, rows: list[Row]) -> list[Row]:
    """Keep the first row of each fact and ``known_from``."""
    key = (*TABLES[table].natural_key, "known_from")
    return list({tuple(row.get(name) for name in key): row for row in reversed(rows)}.values())[::-1]


assert LONG_AGO < T
