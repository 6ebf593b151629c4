"""The others at the workplace once more, slowly and plainly: one person after the other, whose means are over a list.

Written from the meanings in the catalogue and the decision record, not from the code that it checks. ``taken_on`` are
the terms on which the context is taken: purpose, day of consent and, for a snapshot, morning of the store.
"""

from __future__ import annotations

from typing import Any

from data_contracts.instruments import INSTRUMENTS
from tests.lib.records import Row, Rows
from tests.lib.reference_features import CONTEXT, NAN, Reference, number

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


def others_at_work(rows: Rows, person_id: str, t: str, people: list[Colleague], fewest: int = 10) -> dict[str, float]:
    """The features of a person at t, by the people at work on the day of the context."""
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
