"""The others at the workplace once more, slowly and plainly: one person after the other, whose means are over a list.

Written from the meanings in the catalogue and the decision record, not from the code that it checks. ``taken_on`` are
the terms on which the context is taken: purpose, day of consent and, for a snapshot, morning of the store.
"""

from __future__ import annotations

from typing import Any

from data_contracts.instruments import INSTRUMENTS
from data_contracts.time_windows import calendar_date
from tests.lib.records import Row, Rows
from tests.lib.reference_features import CONTEXT, Reference
from tests.lib.reference_known import NAN, number

SCALES = {"cbi_work": "cbi", "who5_wellbeing": "who5", "was_work_ability": "was", "shc_musculoskeletal": "shc"}
SOURCES = {"days_doctor_365": "absence", **dict.fromkeys(SCALES, "survey")}


def main_job(one: Reference) -> Row | None:
    """The job with the largest position of those that cover the day; of equals the first."""
    jobs = [
        row
        for row in one.known("employments")
        if number(row["start_date"]) <= one.t and (row.get("end_date") is None or number(row["end_date"]) >= one.t)
    ]
    jobs.sort(key=lambda row: (-row["position_percent"], row["start_date"], row["company_id"]))
    return jobs[0] if jobs else None


def measures(one: Reference) -> dict[str, float]:
    """What the person adds to the means; what is unknown is not there."""
    found = {}
    if "absence" in one.consented:
        found["days_doctor_365"] = one.absence()["days_doctor_365"]
    for name, instrument in SCALES.items():
        (scale,) = [scale for scale in INSTRUMENTS[instrument].scales if scale.name == name]
        scored = [score for day, score in one.scored(INSTRUMENTS[instrument], scale) if day >= one.t - 365]
        if scored:
            found[name] = scored[-1]
    return found


Colleague = tuple[str, Row, dict[str, float]]


def people_at_work(rows: Rows, s: str, **taken_on: Any) -> list[Colleague]:
    """Everybody who is known and has a job on day s: who, their main job, and what they add."""
    ids = sorted({row["person_id"] for row in rows["persons"]})
    known = [one for one in (Reference(rows, person_id, s, **taken_on) for person_id in ids) if one.known("persons")]
    return [(one.person_id, place, measures(one)) for one in known if (place := main_job(one)) is not None]


def scale_of(name: str) -> tuple[Any, Any]:
    """The instrument and the scale of a measure."""
    instrument = INSTRUMENTS[SCALES[name]]
    return instrument, next(scale for scale in instrument.scales if scale.name == name)


def known_late(rows: Rows, person_id: str, s: str, t: str) -> set[str]:
    """Measures of which own rows that tell of days before s became known on s or later, and before t."""
    mine = {
        table: [row for row in rows[table] if row["person_id"] == person_id and s <= row["known_from"] < t]
        for table in ("absence_spells", "survey_answers")
    }
    late = set()
    if any(row["first_day"] < s and not row.get("is_deleted") for row in mine["absence_spells"]):
        late.add("days_doctor_365")
    for name in SCALES:
        instrument, scale = scale_of(name)
        for known_from in {row["known_from"] for row in mine["survey_answers"] if row["instrument"] == instrument.name}:
            mornings = known_from, calendar_date(number(known_from) + 1).isoformat()
            before, after = (
                dict(Reference(rows, person_id, one, consent_on=t).scored(instrument, scale)) for one in mornings
            )
            late |= {name for day in after if number(s) - 365 <= day < number(s) and before.get(day) != after[day]}
    return late


def undecided(rows: Rows, person_id: str, s: str, t: str, **taken_on: Any) -> set[str]:
    """Features that are unknown because nobody can tell what the person has added to the context of s < t."""
    if s == t:
        return set()
    here, then = Reference(rows, person_id, t), Reference(rows, person_id, s, **taken_on)
    place = main_job(here)
    shown = main_job(then) if then.known("persons") else None
    began = [row for row in here.known("employments") if row["start_date"] <= s]
    found = set()
    facts: dict[tuple[str, str], list[Row]] = {}
    for row in rows["employments"]:
        if row["person_id"] == person_id and row["start_date"] <= s and not row.get("is_deleted"):
            facts.setdefault((row["company_id"], row["start_date"]), []).append(row)
    if any(s <= min(row["known_from"] for row in fact) < t for fact in facts.values()):
        return set(CONTEXT)
    for level, keys in (("company", ("company_id",)), ("unit", ("company_id", "unit_id"))):

        def is_there(row: Row | None, keys: tuple[str, ...] = keys) -> bool:
            return row is not None and place is not None and all(row.get(key) == place.get(key) for key in keys)

        if any(map(is_there, began)) and not is_there(shown):
            found |= {f"{level}_{name}" for name in SOURCES} | {f"{level}_persons"}
    unknown = known_late(rows, person_id, s, t) | {name for name in SOURCES if SOURCES[name] not in then.consented}
    return found | {f"{level}_{name}" for level in ("company", "unit") for name in unknown}


def others_at_work(rows: Rows, person_id: str, t: str, people: list[Colleague], fewest: int = 10) -> dict[str, float]:
    """The features of a person at t, by the people at work on the day of the context, wherever they can be decided."""
    here = Reference(rows, person_id, t)
    job = main_job(here)
    if job is None:
        return dict.fromkeys(CONTEXT, NAN)
    others = [one for one in people if one[0] != person_id and one[1]["company_id"] == job["company_id"]]
    unit = job.get("unit_id")
    levels = {"company": others, "unit": [one for one in others if unit is not None and one[1].get("unit_id") == unit]}
    features = {}
    for level, colleagues in levels.items():
        for name, source in SOURCES.items():
            values = [round(added[name] * 2**20) for _, _, added in colleagues if name in added]
            is_told = source in here.consented and len(values) >= fewest
            features[f"{level}_{name}"] = sum(values) / 2**20 / len(values) if is_told else NAN
    return features | {"company_persons": len(others) if len(others) >= fewest else NAN}


def hidden_cells(people: list[Colleague]) -> set[tuple[str, str | None, str]]:
    """Company, unit (None: all of it) and measure or "persons" of what a published context does not hold."""
    hidden = set()
    for company in {place["company_id"] for _, place, _ in people}:
        staff = [(place.get("unit_id"), added) for _, place, added in people if place["company_id"] == company]
        units = sorted({unit for unit, _ in staff if unit is not None})
        for name in ("persons", *SOURCES):
            contributors = [unit for unit, added in staff if name == "persons" or name in added]
            shown = {unit: contributors.count(unit) for unit in units if contributors.count(unit) >= 11}
            while 1 <= len(contributors) - sum(shown.values()) <= 10 and shown:
                shown.pop(min(shown, key=lambda unit: (shown[unit], unit)))
            hidden |= {(company, unit, name) for unit in units if unit not in shown}
            if len(contributors) < 11:
                hidden.add((company, None, name))
    nobody = {(company, unit) for company, unit, name in hidden if name == "persons"}
    return hidden | {(*place, name) for place in nobody for name in SOURCES}


def hidden_from(rows: Rows, person_id: str, t: str, people: list[Colleague]) -> set[str]:
    """The features that a published context hides at the place where the person works at t."""
    job = main_job(Reference(rows, person_id, t))
    if job is None:
        return set()
    levels = {(job["company_id"], None): "company", (job["company_id"], job.get("unit_id") or ""): "unit"}
    cells = hidden_cells(people)
    return {f"{levels[company, unit]}_{name}" for company, unit, name in cells if (company, unit) in levels}
