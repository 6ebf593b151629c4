"""Hypothesis strategies for two small companies of many persons, around the number of ten others.

Rows of one person are few, so that the crowd stays cheap; who comes, moves, leaves, answers late, is corrected, consents
late or withdraws is drawn by chance. Days lie around an earlier day ``S`` of a context and the index date ``T``.
"""

from __future__ import annotations

import random

from hypothesis import strategies as st

from data_contracts.consent import SOURCES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import TABLES
from tests.lib.random_histories import T, without_conflicts
from tests.lib.records import LONG_AGO, Row, Rows, answer, consent, day, job, person, spell

S = day(T, -120)
_DAYS = (-500, -485, -366, -365, -200, -121, -120, -119, -60, -1, 0)
"""Around the borders of a year before S and before T."""

_UNITS: tuple[tuple[str | None, ...], ...] = (("u1",) * 6 + ("u2", None), ("u1",), ("u1", "u2"))
"""A large unit beside few others, which a published context hides; a company of one unit; one of two large units."""

_SCALES = {"cbi": "cbi_work", "who5": "who5_wellbeing", "was": "was_work_ability", "shc": "shc_musculoskeletal"}
_ITEMS = {
    name: next(scale.items for scale in INSTRUMENTS[name].scales if scale.name == wanted)
    for name, wanted in _SCALES.items()
}


def _consents(chance: random.Random, person_id: str) -> list[Row]:
    rows = [consent(source, person_id) for source in SOURCES if chance.random() < 0.98]
    if chance.random() < 0.15:
        source, on = chance.choice(SOURCES), _day(chance)
        rows.append(consent(source, person_id, withdrawn_on=on, known_from=day(on, chance.choice((0, 0, 5)))))
        if chance.random() < 0.7:
            again = day(on, chance.choice((1, 10, 70)))
            rows.append(consent(source, person_id, given_on=again, known_from=day(again, chance.choice((0, 3)))))
    return rows


def _day(chance: random.Random) -> str:
    return day(T, chance.choice(_DAYS))


def _jobs(chance: random.Random, person_id: str, units: tuple[str | None, ...]) -> list[Row]:
    place = {"company_id": chance.choice(("c1",) * 9 + ("c2",)), "unit_id": chance.choice(units)}
    rows = [job(LONG_AGO, person_id=person_id, **place)]
    kind = chance.random()
    if kind < 0.1:
        rows[0]["start_date"] = _day(chance)
        rows[0]["known_from"] = day(rows[0]["start_date"], chance.choice((-10, 0, 2)))
    elif kind < 0.25:
        moved = _day(chance)
        rows.append(rows[0] | {"end_date": day(moved, -1), "known_from": day(moved, chance.choice((-5, 0, 4)))})
        elsewhere = {"company_id": chance.choice(("c1", "c2")), "unit_id": chance.choice(units)}
        rows.append(job(moved, person_id=person_id, **elsewhere))
    elif kind < 0.35:
        side = {"company_id": "c2", "position_percent": chance.choice((100, 60))}
        rows.append(job(_day(chance), person_id=person_id, unit_id="u1", **side))
    return rows


def _spells(chance: random.Random, person_id: str) -> list[Row]:
    rows = []
    for spell_id in "AB"[: chance.choice((0, 1, 1, 2))]:
        first = _day(chance)
        last = None if chance.random() < 0.1 else day(first, chance.choice((0, 3, 30, 120)))
        known = day(first, chance.choice((-3, 0, 2, 90)))
        kind = chance.choice(("doctor_certified", "doctor_certified", "self_certified"))
        rows.append(
            spell(
                first,
                last,
                known,
                person_id + spell_id,
                person_id=person_id,
                kind=kind,
                diagnosis=chance.choice((None, "P02", "W78")),
            )
        )
        if chance.random() < 0.2:
            corrected = {"last_day": day(first, 5), "known_from": day(known, 100), "is_deleted": chance.random() < 0.4}
            rows.append(rows[-1] | corrected)
    return rows


def _answers(chance: random.Random, person_id: str) -> list[Row]:
    rows = []
    asked = chance.sample(list(_ITEMS), chance.choice((0, 2, 4, 4, 4, 4, 4)))
    for instrument in [*asked, *asked[: chance.choice((0, 0, 2))]]:
        on, lag = day(T, chance.choice((-200, -200, *_DAYS))), chance.choice((0, 0, 0, 1, 130))
        codes = {item.id: item.answers for item in INSTRUMENTS[instrument].items}
        rows += [
            answer(
                instrument, item, chance.choice(codes[item]), on, person_id=person_id, known_from=day(on, lag),
                is_deleted=chance.random() < 0.01,
            )
            for item in _ITEMS[instrument]
        ]  # fmt: skip
    return rows


class Workplaces(dict[str, list[Row]]):
    """Rows of all tables, too many to be printed."""

    def __init__(self, seed: int, n_persons: int, deletions: bool = True) -> None:
        super().__init__({table: [] for table in TABLES})
        self.made_of = f"Workplaces(seed={seed}, n_persons={n_persons}, deletions={deletions})"
        chance = random.Random(seed)
        units = chance.choice(_UNITS)
        for person_id in (f"p{number:02}" for number in range(n_persons)):
            self["persons"].append(person(person_id, _day(chance) if chance.random() < 0.05 else LONG_AGO))
            self["consents"] += _consents(chance, person_id)
            self["employments"] += _jobs(chance, person_id, units)
            self["absence_spells"] += _spells(chance, person_id)
            self["survey_answers"] += _answers(chance, person_id)
        for table, rows in self.items():
            kept = rows if deletions else [row for row in rows if not row.get("is_deleted")]
            self[table] = without_conflicts(table, kept)

    def __repr__(self) -> str:
        return self.made_of


def workplaces(deletions: bool = True) -> st.SearchStrategy[Rows]:
    """Rows of 9 to 45 persons, most of them in one or two units of one company, perhaps without facts that were deleted."""
    return st.builds(Workplaces, st.integers(0, 100_000), st.integers(9, 45), st.just(deletions))


def people_of(rows: Rows) -> list[str]:
    return sorted({row["person_id"] for row in rows["persons"]})


def of_some(rows: Rows, people: set[str]) -> Rows:
    """The rows of some persons, and of all workplaces."""
    return {
        table: [row for row in of_table if row.get("person_id") in {None, *people}] for table, of_table in rows.items()
    }
