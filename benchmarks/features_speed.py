"""How fast persons become features: gathering (tables to histories) and numbering (histories to the matrix).

    python benchmarks/features_speed.py [--persons 1 1000 100000 1000000]

Every person has about six spells (a third corrected once), three occasions with the core questionnaires (64 items), two
panels of eighteen analytes, one employment and two guidance sessions; every company has four events. Tables are made in
memory, at most 50 000 persons at a time, as partitions of a large store would be; making them is not counted.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator

import numpy as np

from data_contracts.analytes import ANALYTES
from data_contracts.consent import SOURCES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.tables import Coded, Table
from data_contracts.time_windows import day_number
from features.build import build_features
from features.histories import Histories
from pipeline.simulation.parameters import read_parameters

PARTITION = 50_000
T = day_number("2026-03-01")
ASKED = tuple(read_parameters().survey.instruments)
MEASURED = tuple(analyte for analyte in ANALYTES if analyte.name in read_parameters().labs.analytes)
NOT_ASKED = ("pseudoneurology", "gastrointestinal", "allergy", "flu")
SPELLS, OCCASIONS, PANELS, PERSONS_PER_COMPANY = 6, 3, 2, 40


def texts(words: tuple[str, ...], codes: np.ndarray) -> Coded:
    """Encode codes into words."""
    return Coded(codes.astype(np.int32), words)


def dates(days: np.ndarray) -> np.ndarray:
    """Day numbers as dates."""
    return days.astype("datetime64[D]")


def versions(known: np.ndarray) -> Table:
    """The two columns that every table has."""
    return {"known_from": dates(known), "is_deleted": np.zeros(len(known))}


def absence_spells(ids: tuple[str, ...], random: np.random.Generator) -> Table:
    """About six spells a person, a third of them corrected once."""
    n = len(ids) * SPELLS
    first = T - random.integers(1, 1500, n)
    length = np.minimum(np.exp(random.normal(2.1, 1.5, n)).astype(np.int64), 365)
    spell = np.arange(n)
    corrected = np.flatnonzero(random.random(n) < 1 / 3)
    rows = np.sort(np.concatenate([spell, corrected]))
    is_second = np.append(False, rows[1:] == rows[:-1])
    return {
        "person_id": texts(ids, rows // SPELLS),
        "spell_id": texts(tuple(f"s{number}" for number in range(n)), rows),
        "kind": texts(("self_certified", "doctor_certified"), random.integers(0, 2, n)[rows]),
        "grade_percent": random.choice([100.0, 100.0, 50.0, 80.0], n)[rows],
        "diagnosis": texts(("P02", "L03", "R74", "A04"), random.integers(-1, 4, n)[rows]),
        "diagnosis_system": texts((), np.full(len(rows), -1)),
        "first_day": dates(first[rows]),
        "last_day": dates(first[rows] + length[rows] + 7 * is_second),
    } | versions(first[rows] + 3 + 5 * is_second)


def survey_answers(ids: tuple[str, ...], random: np.random.Generator) -> Table:
    """The core questionnaires on three days."""
    sheet = [
        (place, item)
        for place, name in enumerate(ASKED)
        for item in INSTRUMENTS[name].items
        if not item.id.startswith(NOT_ASKED)
    ]
    words = tuple(dict.fromkeys(item.id for _, item in sheet))
    answered = (T - np.array([700, 350, 20]) - random.integers(0, 15, (len(ids), 1))).ravel()
    n = len(answered)
    codes = [np.array(item.answers)[random.integers(0, len(item.answers), n)] for _, item in sheet]
    day = np.repeat(answered, len(sheet))
    return {
        "person_id": texts(ids, np.repeat(np.arange(len(ids)), OCCASIONS * len(sheet))),
        "instrument": texts(ASKED, np.tile([place for place, _ in sheet], n)),
        "item": texts(words, np.tile([words.index(item.id) for _, item in sheet], n)),
        "answer": np.stack(codes, axis=1).ravel(),
        "answered_on": dates(day),
    } | versions(day)


def lab_results(ids: tuple[str, ...], random: np.random.Generator) -> Table:
    """Two panels of what is measured in the simulated programme."""
    codes = [analyte.codes[0] for analyte in MEASURED]
    units = tuple(dict.fromkeys(code.unit for code in codes))
    panels = (T - np.array([400, 40]) - random.integers(0, 30, (len(ids), 1))).ravel()
    middle = np.array([np.sqrt(one.hard_low * one.hard_high) for one in MEASURED])
    middle /= [code.factor for code in codes]
    n, width = len(panels), len(MEASURED)
    day = np.repeat(panels, width)
    empty = np.full(n * width, np.nan)
    return {
        "person_id": texts(ids, np.repeat(np.arange(len(ids)), PANELS * width)),
        "code_system": texts(("NPU", "LOINC"), np.tile([int(code.code_system != "NPU") for code in codes], n)),
        "code": texts(tuple(code.code for code in codes), np.tile(np.arange(width), n)),
        "comparator": texts((), np.full(n * width, -1)),
        "value": (middle * random.uniform(0.8, 1.2, (n, width))).ravel(),
        "unit": texts(units, np.tile([units.index(code.unit) for code in codes], n)),
        "reference_low": empty,
        "reference_high": empty,
        "laboratory": texts((), np.full(n * width, -1)),
        "sampled_on": dates(day),
    } | versions(day + 2)


def about_persons(ids: tuple[str, ...], random: np.random.Generator) -> dict[str, Table]:
    """The small tables."""
    n, everyone = len(ids), np.arange(len(ids))
    long_ago = np.full(n, T - 3000)
    companies = tuple(f"c{number}" for number in range(n // PERSONS_PER_COMPANY + 1))
    return {
        "persons": {
            "person_id": texts(ids, everyone),
            "birth_year": random.integers(1960, 2005, n).astype(np.float64),
            "sex": texts(("female", "male"), random.integers(0, 2, n)),
            "education_level": texts(("basic", "secondary", "tertiary_short"), random.integers(-1, 3, n)),
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
            "unit_id": texts(("u1", "u2"), random.integers(-1, 2, n)),
            "occupation_code": texts(("2221", "5321", "8332"), random.integers(0, 3, n)),
            "industry_code": texts(("86.101", "45", "52.1"), random.integers(0, 3, n)),
            "position_percent": random.choice([100.0, 80.0, 50.0], n),
            "shift_work": random.integers(0, 2, n).astype(np.float64),
            "is_leader": random.integers(0, 2, n).astype(np.float64),
            "start_date": dates(T - random.integers(10, 2900, n)),
            "end_date": np.full(n, "NaT", dtype="datetime64[D]"),
        } | versions(long_ago),
        "guidance_sessions": {
            "person_id": texts(ids, np.repeat(everyone, 2)),
            "domain": texts(("sleep",), np.zeros(2 * n)),
            "held_on": dates(T - random.integers(1, 500, 2 * n)),
        } | versions(np.full(2 * n, T - 1)),
        "workplace_events": workplace_events(companies, random),
    }  # fmt: skip


def workplace_events(companies: tuple[str, ...], random: np.random.Generator) -> Table:
    """Four events a company."""
    n = 4 * len(companies)
    day = T - random.integers(1, 900, n)
    return {
        "company_id": texts(companies, np.repeat(np.arange(len(companies)), 4)),
        "unit_id": texts(("u1", "u2"), random.integers(-1, 2, n)),
        "kind": texts(("leader_change", "reorganisation", "intervention_session"), random.integers(0, 3, n)),
        "value": np.full(n, np.nan),
        "occurred_on": dates(day),
    } | versions(day)


def partitions(n_persons: int) -> Iterator[dict[str, Table]]:
    """Make the tables of some persons at a time."""
    random = np.random.default_rng(1)
    for first in range(0, n_persons, PARTITION):
        ids = tuple(f"p{number:07}" for number in range(first, min(first + PARTITION, n_persons)))
        yield about_persons(ids, random) | {
            "absence_spells": absence_spells(ids, random),
            "survey_answers": survey_answers(ids, random),
            "lab_results": lab_results(ids, random),
        }


def measure(n_persons: int) -> np.ndarray:
    """Wall and CPU seconds to gather, and to number, all persons; for one person the median of many turns."""
    n_turns = 300 if n_persons == 1 else 1
    return sum(np.median([one_turn(tables) for _ in range(n_turns)], axis=0) for tables in partitions(n_persons))


def one_turn(tables: dict[str, Table]) -> np.ndarray:
    """Wall and CPU seconds to gather, and to number, the persons of some tables."""
    start = now()
    histories = Histories.from_tables(tables, purpose="risk_scoring", consent_on=T)
    gathered = now()
    build_features(histories, T)
    return np.concatenate([gathered - start, now() - gathered])


def now() -> np.ndarray:
    """Wall and CPU clock; the second tells more where other work shares the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def main() -> None:
    """Measure each size and print one row for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, nargs="+", default=[1, 1_000, 100_000, 1_000_000])
    heads = ("persons", "gather s", "(cpu)", "build s", "(cpu)", "peak RSS GB")
    print("".join(f"{head:>13}" for head in heads))
    for n_persons in sorted(parser.parse_args().persons):
        seconds = "".join(f"{one:>13.5f}" for one in measure(n_persons))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{n_persons:>13}{seconds}{peak:>13.2f}", flush=True)


if __name__ == "__main__":
    main()
