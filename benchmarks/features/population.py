"""The persons of the benchmark: seeded tables with everything in them that makes point-in-time features hard.

Every person has about six spells of absence, three survey waves of 100 items, two lab panels of 20 analytes (one in ten has a
third), a job, sometimes an earlier or a second one, and two guidance sessions; every company has four events. There are
corrections, deletions, rows that become known late or lie after the index date, overlapping and running spells, refused and
withdrawn consents, bounds instead of values, values in other units, laboratories' own limits: so that two tools that agree on
every feature of every person agree on what matters.

Partitions of 20 000 persons are made one at a time, each from its own seed: a partition is the same in every size.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from panels import lab_results
from waves import survey_answers

from data_contracts.consent import SOURCES
from data_contracts.tables import Coded, Table
from data_contracts.time_windows import day_number

T = day_number("2026-03-01")
PARTITION = 20_000
SIZES = (1, 1_000, 100_000, 1_000_000)
SPELLS, PERSONS_PER_COMPANY, EVENTS_PER_COMPANY = 6, 40, 4
LONG_AGO = T - 4000
DIAGNOSES = (
    ("P02", "ICPC-2"), ("P76", None), ("L03", "ICPC-2"), ("L86", None), ("R74", None), ("R", "ICPC-2"), ("A04", None),
    ("D01", None), ("F32.1", "ICD-10"), ("M54.5", "ICD-10"), ("J06", "ICD-10"), ("G43", "ICD-10"), ("R52", "ICD-10"),
)  # fmt: skip
"""R is the airways in one system and symptoms in the other."""


def texts(words: tuple[str, ...], codes: np.ndarray) -> Coded:
    """Encode codes into words."""
    return Coded(codes.astype(np.int32), words)


def dates(days: np.ndarray) -> np.ndarray:
    """Day numbers as dates."""
    return days.astype("datetime64[D]")


def versions(known: np.ndarray, is_deleted: np.ndarray | None = None) -> Table:
    """The two columns that every table has."""
    flags = np.zeros(len(known)) if is_deleted is None else is_deleted.astype(np.float64)
    return {"known_from": dates(known), "is_deleted": flags}


def partitions(n_persons: int) -> Iterator[dict[str, Table]]:
    """Make the tables of some persons at a time."""
    for number, first in enumerate(range(0, n_persons, PARTITION)):
        end = min(first + PARTITION, n_persons)
        ids = tuple(f"p{position:07}" for position in range(first, end))
        company = (np.arange(first, end) + PERSONS_PER_COMPANY // 4) // PERSONS_PER_COMPANY
        random = np.random.default_rng([5, number])
        yield {
            "persons": persons(ids, random),
            "employments": employments(ids, company, random),
            "consents": consents(ids, random),
            "absence_spells": absence_spells(ids, random),
            "guidance_sessions": guidance_sessions(ids, random),
            "survey_answers": survey_answers(ids, company, T, random),
            "lab_results": lab_results(ids, T, random),
        }


def persons(ids: tuple[str, ...], random: np.random.Generator) -> Table:
    """One row per person, one in fifty corrected."""
    n = len(ids)
    corrected = np.flatnonzero(random.random(n) < 0.02)
    rows = np.sort(np.concatenate([np.arange(n), corrected]))
    again = np.append(False, rows[1:] == rows[:-1])
    return {
        "person_id": texts(ids, rows),
        "birth_year": random.integers(1957, 2005, n)[rows] + again.astype(np.float64),
        "sex": texts(("female", "male"), random.integers(0, 2, n)[rows]),
        "education_level": texts(
            ("basic", "secondary", "tertiary_short", "tertiary_long"), random.integers(-1, 4, n)[rows]
        ),
    } | versions(LONG_AGO + 100 * again)


def consents(ids: tuple[str, ...], random: np.random.Generator) -> Table:
    """Consent of every person for every source; some withdrawn, some not yet given, some deleted."""
    n = len(ids) * len(SOURCES)
    fate = random.random(n)
    withdrawn, late = fate < 0.04, (fate >= 0.04) & (fate < 0.05)
    changed = np.flatnonzero(withdrawn | (fate > 0.995))
    rows = np.sort(np.concatenate([np.arange(n), changed]))
    again = np.append(False, rows[1:] == rows[:-1])
    end = np.full(len(rows), "NaT", dtype="datetime64[D]")
    ends = again & withdrawn[rows]
    end[ends] = dates(T + random.integers(-200, 20, int(ends.sum())))
    known = np.where(again, T + 30, LONG_AGO + 3900)
    return {
        "person_id": texts(ids, rows // len(SOURCES)),
        "source": texts(SOURCES, rows % len(SOURCES)),
        "purpose": texts(("risk_scoring",), np.zeros(len(rows))),
        "given_on": dates(np.where(late[rows], T + 10, LONG_AGO)),
        "withdrawn_on": end,
    } | versions(known, again & (fate[rows] > 0.995))


def absence_spells(ids: tuple[str, ...], random: np.random.Generator) -> Table:
    """About six spells a person, a third of them corrected once; some deleted, running, or known in advance or late."""
    owner = np.repeat(np.arange(len(ids)), random.poisson(SPELLS, len(ids)))
    n = len(owner)
    first = T - random.integers(-15, 1500, n)
    length = np.minimum(np.exp(random.normal(2.1, 1.4, n)).astype(np.int64), 365)
    corrected = np.flatnonzero(random.random(n) < 1 / 3)
    rows = np.sort(np.concatenate([np.arange(n), corrected]))
    again = np.append(False, rows[1:] == rows[:-1])
    last = dates(first[rows] + length[rows] + 7 * again)
    last[(random.random(n) < 0.01)[rows] & (first[rows] > T - 400)] = np.datetime64("NaT")
    place = random.integers(-2, len(DIAGNOSES), n)[rows]
    systems = np.array([("ICPC-2", "ICD-10", None).index(system) for _, system in DIAGNOSES] + [2])
    systems = np.where(systems == 2, -1, systems)[np.maximum(place, -1)]
    lag = random.choice([-14, 0, 1, 3, 3, 3, 5, 60], n)[rows]
    number = rows - np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(ids)))])[owner[rows]]
    return {
        "person_id": texts(ids, owner[rows]),
        "spell_id": texts(tuple(f"s{spell}" for spell in range(int(number.max(initial=0)) + 1)), number),
        "kind": texts(("self_certified", "doctor_certified"), random.integers(0, 2, n)[rows]),
        "grade_percent": random.choice([100.0, 100.0, 100.0, 50.0, 80.0, 33.0], n)[rows],
        "diagnosis": texts(tuple(code for code, _ in DIAGNOSES), np.maximum(place, -1)),
        "diagnosis_system": texts(("ICPC-2", "ICD-10"), systems),
        "first_day": dates(first[rows]),
        "last_day": last,
    } | versions(first[rows] + lag + 9 * again, again & (random.random(len(rows)) < 0.1))


def employments(ids: tuple[str, ...], company: np.ndarray, random: np.random.Generator) -> Table:
    """The job of every person; one in five had one in the company before, one in twenty has another beside it."""
    n, fate = len(ids), random.random(len(ids))
    earlier, second = np.flatnonzero(fate < 0.2), np.flatnonzero(fate > 0.95)
    start = T - random.integers(-20, 2900, n)
    end = np.where(random.random(n) < 0.05, start + random.integers(30, 2000, n), np.iinfo(np.int32).max)
    gap = random.integers(0, 3, len(earlier))
    owner = np.concatenate([np.arange(n), earlier, second])
    begins = np.concatenate([start, start[earlier] - 400, start[second] + 31])
    ends = np.concatenate([end, start[earlier] - gap, end[second]])
    place = np.concatenate([company, company[earlier], company[second] + 1])
    order = np.argsort(owner, kind="stable")
    owner, begins, ends, place = owner[order], begins[order], ends[order], place[order]
    m = len(owner)
    return {
        "person_id": texts(ids, owner),
        "company_id": texts(tuple(f"c{number:05}" for number in range(int(place.max()) + 1)), place),
        "unit_id": texts(("u1", "u2"), random.integers(-1, 2, m)),
        "occupation_code": texts(("1211", "2221", "4110", "5321", "8332", "0110"), random.integers(-1, 6, m)),
        "industry_code": texts(
            ("86.101", "45", "52.1", "85.2", "41", "25.1", "01.11", "56.1", "62.010", "84.1"),
            random.integers(-1, 10, m),
        ),
        "position_percent": random.choice([100.0, 80.0, 60.0, 50.0, 33.3], m),
        "shift_work": random.choice([0.0, 1.0, np.nan], m),
        "is_leader": random.choice([0.0, 0.0, 1.0, np.nan], m),
        "start_date": dates(begins),
        "end_date": np.where(ends > T + 10**5, np.datetime64("NaT"), dates(ends)),
    } | versions(begins + random.choice([-30, 0, 0, 3], m))


def guidance_sessions(ids: tuple[str, ...], random: np.random.Generator) -> Table:
    """Two sessions a person, one in twenty deleted later."""
    n = 2 * len(ids)
    held = T - random.integers(-10, 600, n)
    deleted = np.flatnonzero(random.random(n) < 0.05)
    rows = np.sort(np.concatenate([np.arange(n), deleted]))
    again = np.append(False, rows[1:] == rows[:-1])
    domain = random.integers(0, 3, n) + 4 * (np.arange(n) % 2)
    domains = ("sleep", "stress", "physical_activity", "diet", "pain", "mental_health", "work")
    return {
        "person_id": texts(ids, rows // 2),
        "domain": texts(domains, domain[rows]),
        "held_on": dates(held[rows]),
    } | versions(held[rows] + 1 + 20 * again, again)


def workplace_events(n_persons: int) -> Table:
    """Four events a company; some in one unit only, some known late."""
    random = np.random.default_rng([5, 1_000_000_007])
    n_companies = (n_persons + PERSONS_PER_COMPANY // 4) // PERSONS_PER_COMPANY + 2
    n = EVENTS_PER_COMPANY * n_companies
    day = T - random.integers(-10, 900, n)
    kinds = ("leader_change", "reorganisation", "downsizing", "intervention_session")
    kind = (random.integers(0, 2, n) + np.arange(n)) % EVENTS_PER_COMPANY
    # Of the four events of a company no two share the kind and the day: they would be one fact, told twice.
    day += 31 * (np.arange(n) % EVENTS_PER_COMPANY)
    return {
        "company_id": texts(
            tuple(f"c{number:05}" for number in range(n_companies)), np.arange(n) // EVENTS_PER_COMPANY
        ),
        "unit_id": texts(("u1", "u2"), random.integers(-1, 2, n)),
        "kind": texts(kinds, kind),
        "value": np.full(n, np.nan),
        "occurred_on": dates(day),
    } | versions(day + random.choice([0, 0, 10, 60], n))
