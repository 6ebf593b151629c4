"""One block's draws as rows of the tables: what each source delivered, and from which day on it could be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from data_contracts.tables import Coded
from data_contracts.time_windows import NO_DAY
from pipeline.simulation.blocks import Block
from pipeline.simulation.certificates import (
    add_mistakes,
    draw_certificates,
    latest_per_day,
    self_certified_rows,
)
from pipeline.simulation.consents import PURPOSES, SOURCES, Consents, consent_rows
from pipeline.simulation.diagnoses import Chapters
from pipeline.simulation.employments import ENDS, Employments
from pipeline.simulation.payroll import as_booked
from pipeline.simulation.persons import EDUCATION, Persons
from pipeline.simulation.spells import Spells
from pipeline.simulation.workplaces import EVENT_KINDS, Workplaces

Rows = dict[str, Any]


def person_rows(block: Block, persons: Persons) -> Rows:
    """Return one row per person, known from the day of joining."""
    count = len(persons.birth_year)
    return {
        "person": np.arange(count),
        "birth_year": persons.birth_year,
        "sex": Coded(persons.is_female.astype(np.int32), ("male", "female")),
        "education_level": Coded(persons.education.astype(np.int32), EDUCATION),
        "known_from": persons.onboarded_on,
    }


def employment_rows(block: Block, workplaces: Workplaces, employments: Employments, consents: Consents) -> Rows:
    """Return two versions per employment: at its start, and when its end becomes known, often in advance."""
    rng = block.stream("certificates")
    notice = rng.integers(0, block.parameters.employments.notice + 1, employments.exists.shape)
    # An agreed end is known from the day of notice; nobody gives notice of death or of losing one's health.
    notice = np.where(np.isin(employments.ended_by, [ENDS.index("health"), ENDS.index("died")]), 0, notice)
    person, position = np.nonzero(employments.exists.T)
    version = np.tile([0, 1], len(person))
    person, position = np.repeat(person, 2), np.repeat(position, 2)
    start_day, end_day = employments.start_day[position, person], employments.end_day[position, person]
    natural = np.where(version == 0, start_day, np.maximum(start_day + 1, end_day - notice[position, person]))
    known_from, is_readable = consents.readable("employment", person, natural, block.timeline.end)
    keep = is_readable & latest_per_day(
        np.repeat(np.arange(len(person) // 2), 2), np.where(is_readable, known_from, NO_DAY)
    )
    industry = workplaces.industry[employments.company[position, person]]
    rows: Rows = {
        "person": person,
        "company": employments.company[position, person],
        "company_id": Coded(employments.company[position, person].astype(np.int32), workplaces.company_ids),
        "unit_id": Coded(employments.unit[position, person].astype(np.int32), workplaces.unit_ids),
        "occupation_code": _occupation(block, industry, employments.occupation[position, person]),
        "industry_code": Coded(
            industry.astype(np.int32), tuple(row["division"] for row in block.parameters.industries)
        ),
        "position_percent": employments.position_percent[position, person],
        "shift_work": employments.is_shift_work[position, person],
        "is_leader": employments.is_leader[position, person],
        "start_date": start_day,
        "end_date": np.where(version == 0, NO_DAY, end_day),
        "known_from": known_from,
    }
    return {name: column[keep] for name, column in rows.items()}


def _occupation(block: Block, industry: np.ndarray, position: np.ndarray) -> Coded:
    lists: list[list[str]] = [row["occupations"] for row in block.parameters.industries]
    first = np.cumsum([0, *(len(codes) for codes in lists)])[:-1]
    return Coded((first[industry] + position).astype(np.int32), tuple(code for codes in lists for code in codes))


def consents_as_rows(block: Block, consents: Consents) -> Rows:
    """Return the consents with their codes."""
    rows: Rows = consent_rows(block, consents)
    return {
        **rows,
        "source": Coded(rows["source"].astype(np.int32), SOURCES),
        "purpose": Coded(rows["purpose"].astype(np.int32), PURPOSES),
    }


def absence_rows(
    block: Block,
    rng: np.random.Generator,
    certified: Spells,
    grade: np.ndarray,
    self_certified: Spells,
    consents: Consents,
) -> Rows:
    """Return certificates and self-certifications in order of spell and version, with some rows delivered twice."""
    booked = as_booked(block, certified, grade, self_certified)
    doctor = draw_certificates(block, rng, booked.certified, booked.grade)
    begins_anew = booked.is_reentered[doctor["spell"]]
    doctor["natural"] = np.where(begins_anew, np.maximum(doctor["natural"], doctor["first_day"]), doctor["natural"])
    doctor = add_mistakes(block, rng, doctor, len(booked.certified.person))
    own = self_certified_rows(block, rng, booked.self_certified, int(doctor["spell"].max(initial=-1)) + 1)
    own["natural"] = np.where(booked.is_rebooked, own["last_day"], own["natural"])
    is_own = np.repeat([False, True], [len(doctor["spell"]), len(own["spell"])])
    rows = {name: np.concatenate([doctor[name], own[name]]) for name in doctor} | {"is_own": is_own}
    rows["known_from"], is_readable = consents.readable(
        "absence", rows["person"], rows.pop("natural"), block.timeline.end
    )
    rows = {name: column[is_readable] for name, column in rows.items()}
    keep = np.flatnonzero(latest_per_day(rows["spell"], rows["known_from"]))
    again = rng.random(len(keep)) < block.parameters.certificates.repeated_rows
    keep = np.sort(np.concatenate([keep, keep[again]]))
    return _absence_codes(block, rng, {name: column[keep] for name, column in rows.items()})


def _absence_codes(block: Block, rng: np.random.Generator, rows: Rows) -> Rows:
    spells, row_spell = np.unique(rows["spell"], return_inverse=True)
    return {
        **{name: rows[name] for name in ("person", "first_day", "last_day", "known_from", "is_deleted")},
        "spell_id": Coded(
            row_spell.astype(np.int32), tuple(f"SYNTHETIC-S{block.number:04d}-{spell:05d}" for spell in spells)
        ),
        "kind": Coded(rows["is_own"].astype(np.int32), ("doctor_certified", "self_certified")),
        "grade_percent": rows["grade"],
        "diagnosis": _diagnosis(block, rng, rows),
    }


def _diagnosis(block: Block, rng: np.random.Generator, rows: Rows) -> Coded:
    """Return one code per spell, the same in all its versions; none for self-certified spells and some others."""
    lists = Chapters.of(block.parameters).codes
    counts = np.array([len(codes) for codes in lists])
    first = np.cumsum(counts) - counts
    most = int(rows["spell"].max(initial=-1)) + 1
    place, is_missing = rng.random(most), rng.random(most) < block.parameters.certificates.diagnosis_missing
    chapter, spell = rows["chapter"], rows["spell"]
    code = first[chapter] + np.floor(place[spell] * counts[chapter]).astype(int)
    vocabulary = tuple(code for codes in lists for code in codes)
    return Coded(np.where(rows["is_own"] | is_missing[spell], -1, code).astype(np.int32), vocabulary)


def event_rows(block: Block, workplaces: Workplaces, companies: np.ndarray) -> Rows:
    """Return the events of the given companies."""
    events, timeline = workplaces.events, block.timeline
    known_from = np.maximum(events.known_from, timeline.start)
    keep = np.isin(events.company, companies) & (known_from < timeline.end)
    rows = {
        "company_id": Coded(events.company.astype(np.int32), workplaces.company_ids),
        "unit_id": Coded(events.unit.astype(np.int32), workplaces.unit_ids),
        "kind": Coded(events.kind.astype(np.int32), EVENT_KINDS),
        "value": events.value,
        "occurred_on": events.occurred_on,
        "known_from": known_from,
    }
    return _unrepeated({name: column[keep] for name, column in rows.items()})


def _unrepeated(rows: Rows) -> Rows:
    """Drop a second event of one kind on one day in one place: it would be another version of the same fact."""
    key = np.stack([rows["company_id"].codes, rows["unit_id"].codes, rows["kind"].codes, rows["occurred_on"]])
    first = np.sort(np.unique(key, axis=1, return_index=True)[1])
    return {name: column[first] for name, column in rows.items()}


def of_first_persons(tables: Iterator[tuple[str, Rows]], block: Block, count: int) -> Iterator[tuple[str, Rows]]:
    """Keep the rows of the block's first ``count`` persons and name them."""
    ids = block.person_ids()
    for table, rows in tables:
        if "person" in rows:
            rows = {name: column[rows["person"] < count] for name, column in rows.items()}
            rows["person_id"] = Coded(rows.pop("person").astype(np.int32), ids)
        yield table, rows
