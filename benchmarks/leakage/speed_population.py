"""Persons for the comparison of speed, as plain arrays that every tool can read.

So that a window sum of a rival and a feature of ours are the same number, spells neither touch each other nor cross the edge of
a window, everything is known on the day it happens, and results are sent in canonical units. What only ours reads (all items of
the core questionnaires, employments, consents) is there in full, so that the cost of the whole catalogue is the usual one.
"""

from __future__ import annotations

import numpy as np

from data_contracts.analytes import ANALYTES
from data_contracts.consent import SOURCES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.tables import Coded, Table
from data_contracts.time_windows import day_number
from pipeline.simulation.parameters import read_parameters

T = day_number("2026-03-01")
WINDOWS = (90, 365, 730)
EDGES = (0, 90, 227, 365, 547, 730, 1115, 1500)
"""Days before T: one spell at most begins and ends between two neighbours."""

ASKED = tuple(read_parameters().survey.instruments)
NOT_ASKED = ("pseudoneurology", "gastrointestinal", "allergy", "flu")
MEASURED = tuple(
    (analyte.name, analyte.codes[0], analyte.hard_low, analyte.hard_high)
    for analyte in ANALYTES
    if (analyte.codes[0].factor, analyte.codes[0].offset) == (1, 0)
)[:10]
LATEST = tuple(name for name, *_ in MEASURED)
PERSONS_PER_COMPANY = 40

Arrays = dict[str, np.ndarray]


def population(n: int) -> Arrays:
    """Return the rows of n persons; days are day numbers, persons positions."""
    random = np.random.default_rng(1)
    arrays = {"n": np.array(n), "t": np.array(T), "windows": np.array(WINDOWS), "latest": np.array(LATEST)}
    return arrays | _spells(n, random) | _guidance(n, random) | _labs(n, random) | _surveys(n, random)


def _spells(n: int, random: np.random.Generator) -> Arrays:
    edges = np.array(EDGES)
    width = edges[1:] - edges[:-1]
    first = T - edges[1:] + (random.random((n, len(width))) * width / 3).astype(np.int64)
    days = 1 + (random.random((n, len(width))) ** 3 * width / 3).astype(np.int64)
    person, slot = np.nonzero(random.random((n, len(width))) < 0.85)
    by_doctor = random.random(len(person)) < 0.5
    return {
        "spell_person": person,
        "spell_first": first[person, slot],
        "spell_days": days[person, slot],
        "spell_by_doctor": by_doctor,
    }


def _guidance(n: int, random: np.random.Generator) -> Arrays:
    held = T - np.stack([random.integers(1, 200, n), random.integers(201, 500, n)], axis=1)
    return {"guidance_person": np.repeat(np.arange(n), 2), "guidance_day": held.ravel()}


def _labs(n: int, random: np.random.Generator) -> Arrays:
    day = (T - np.array([400, 40]) - random.integers(0, 30, (n, 1))).ravel()
    low, high = (np.array(limits) for limits in zip(*[one[2:] for one in MEASURED], strict=True))
    share = random.uniform(0.3, 0.5, (len(day), len(MEASURED)))
    return {
        "lab_person": np.repeat(np.arange(n), 2),
        "lab_day": day,
        "lab_values": np.round(low + share * (high - low), 2),
    }


def sheet() -> list[tuple[int, str]]:
    """Return (position of the instrument, item) of every item asked."""
    return [
        (place, item.id)
        for place, name in enumerate(ASKED)
        for item in INSTRUMENTS[name].items
        if not item.id.startswith(NOT_ASKED)
    ]


def _surveys(n: int, random: np.random.Generator) -> Arrays:
    day = (T - np.array([700, 350, 20]) - random.integers(0, 15, (n, 1))).ravel()
    answers = {(name, item.id): item.answers for name in ASKED for item in INSTRUMENTS[name].items}
    codes = [
        np.array(answers[ASKED[place], item])[random.integers(0, len(answers[ASKED[place], item]), len(day))]
        for place, item in sheet()
    ]
    who5 = [code for code, (place, _) in zip(codes, sheet(), strict=True) if ASKED[place] == "who5"]
    return {
        "survey_person": np.repeat(np.arange(n), 3),
        "survey_day": day,
        "survey_answers": np.stack(codes, axis=1).astype(np.int8),
        "who5": 4.0 * np.sum(who5, axis=0),
    }


def tables(arrays: Arrays) -> dict[str, Table]:
    """Return the same persons as checked tables of the contract."""
    n = int(arrays["n"])
    ids = tuple(f"p{number:07}" for number in range(n))
    return {
        "absence_spells": _absence_table(arrays, ids),
        "survey_answers": _survey_table(arrays, ids),
        "lab_results": _lab_table(arrays, ids),
        "guidance_sessions": {
            "person_id": texts(ids, arrays["guidance_person"]),
            "domain": texts(("sleep",), np.zeros(2 * n)),
            "held_on": dates(arrays["guidance_day"]),
        } | versions(arrays["guidance_day"]),
        **_about_persons(ids),
    }  # fmt: skip


def texts(words: tuple[str, ...], codes: np.ndarray) -> Coded:
    """Encode codes into words."""
    return Coded(codes.astype(np.int32), words)


def dates(days: np.ndarray) -> np.ndarray:
    """Day numbers as dates."""
    return days.astype("datetime64[D]")


def versions(known: np.ndarray) -> Table:
    """The two columns that every table has."""
    return {"known_from": dates(known), "is_deleted": np.zeros(len(known))}


def _absence_table(arrays: Arrays, ids: tuple[str, ...]) -> Table:
    first, n = arrays["spell_first"], len(arrays["spell_first"])
    return {
        "person_id": texts(ids, arrays["spell_person"]),
        "spell_id": texts(tuple(f"s{number}" for number in range(n)), np.arange(n)),
        "kind": texts(("self_certified", "doctor_certified"), arrays["spell_by_doctor"]),
        "grade_percent": np.full(n, 100.0),
        "diagnosis": texts(("P02", "L03", "R74", "A04"), np.where(arrays["spell_by_doctor"], np.arange(n) % 4, -1)),
        "diagnosis_system": texts((), np.full(n, -1)),
        "first_day": dates(first),
        "last_day": dates(first + arrays["spell_days"] - 1),
    } | versions(first)


def _survey_table(arrays: Arrays, ids: tuple[str, ...]) -> Table:
    items, n = sheet(), len(arrays["survey_day"])
    words = tuple(dict.fromkeys(item for _, item in items))
    day = np.repeat(arrays["survey_day"], len(items))
    return {
        "person_id": texts(ids, np.repeat(arrays["survey_person"], len(items))),
        "instrument": texts(ASKED, np.tile([place for place, _ in items], n)),
        "item": texts(words, np.tile([words.index(item) for _, item in items], n)),
        "answer": arrays["survey_answers"].ravel().astype(np.float64),
        "answered_on": dates(day),
    } | versions(day)


def _lab_table(arrays: Arrays, ids: tuple[str, ...]) -> Table:
    codes, n = [code for _, code, *_ in MEASURED], len(arrays["lab_day"])
    units = tuple(dict.fromkeys(code.unit for code in codes))
    systems = tuple(dict.fromkeys(code.code_system for code in codes))
    width = len(codes)
    day, empty = np.repeat(arrays["lab_day"], width), np.full(n * width, np.nan)
    return {
        "person_id": texts(ids, np.repeat(arrays["lab_person"], width)),
        "code_system": texts(systems, np.tile([systems.index(code.code_system) for code in codes], n)),
        "code": texts(tuple(code.code for code in codes), np.tile(np.arange(width), n)),
        "comparator": texts((), np.full(n * width, -1)),
        "value": arrays["lab_values"].ravel(),
        "unit": texts(units, np.tile([units.index(code.unit) for code in codes], n)),
        "reference_low": empty,
        "reference_high": empty,
        "laboratory": texts((), np.full(n * width, -1)),
        "sampled_on": dates(day),
    } | versions(day)


def _about_persons(ids: tuple[str, ...]) -> dict[str, Table]:
    n, everyone = len(ids), np.arange(len(ids))
    long_ago = np.full(n, T - 3000)
    companies = tuple(f"c{number}" for number in range(n // PERSONS_PER_COMPANY + 1))
    event_day = T - 1 - np.arange(4 * len(companies)) % 900
    return {
        "persons": {
            "person_id": texts(ids, everyone),
            "birth_year": 1960.0 + everyone % 45,
            "sex": texts(("female", "male"), everyone % 2),
            "education_level": texts(("basic", "secondary", "tertiary_short"), everyone % 3),
        } | versions(long_ago),
        "consents": {
            "person_id": texts(ids, np.repeat(everyone, len(SOURCES))),
            "source": texts(SOURCES, np.tile(np.arange(len(SOURCES)), n)),
            "purpose": texts(("risk_scoring",), np.zeros(n * len(SOURCES))),
            "given_on": dates(np.repeat(long_ago, len(SOURCES))),
            "withdrawn_on": np.full(n * len(SOURCES), "NaT", dtype="datetime64[D]"),
        } | versions(np.repeat(long_ago, len(SOURCES))),
        "employments": {
            "person_id": texts(ids, everyone),
            "company_id": texts(companies, everyone // PERSONS_PER_COMPANY),
            "unit_id": texts(("u1", "u2"), everyone % 2),
            "occupation_code": texts(("2221", "5321", "8332"), everyone % 3),
            "industry_code": texts(("86.101", "45", "52.1"), everyone % 3),
            "position_percent": np.full(n, 100.0),
            "shift_work": (everyone % 2).astype(np.float64),
            "is_leader": (everyone % 10 == 0).astype(np.float64),
            "start_date": dates(T - 10 - everyone % 2900),
            "end_date": np.full(n, "NaT", dtype="datetime64[D]"),
        } | versions(long_ago),
        "workplace_events": {
            "company_id": texts(companies, np.repeat(np.arange(len(companies)), 4)),
            "unit_id": texts(("u1", "u2"), np.zeros(len(event_day))),
            "kind": texts(("leader_change", "reorganisation", "intervention_session"), np.arange(len(event_day)) % 3),
            "value": np.full(len(event_day), np.nan),
            "occurred_on": dates(event_day),
        } | versions(event_day),
    }  # fmt: skip
