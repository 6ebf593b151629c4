"""Two doors, one answer: a record as JSON and as CSV files gives the same tables, in any order of its rows."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.analytes import ANALYTES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.readers.csv_files import FIRST_ROW
from data_contracts.readers.sources import open_source
from data_contracts.records import TABLES, columns
from data_contracts.tables import Coded
from data_contracts.validation import check, check_record
from tests.lib.sound_rows import RECEIVED_ON, SOUND, raw

FEW_EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example overwrites its own files
)


def days(first: str = "2024-01-01", last: str = "2026-02-01"):
    return st.dates(date.fromisoformat(first), date.fromisoformat(last)).map(date.isoformat)


def later(day: str, n_days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=n_days)).isoformat()


@st.composite
def answers(draw):
    instrument = draw(st.sampled_from(list(INSTRUMENTS.values())))
    item = draw(st.sampled_from(instrument.items))
    answered_on = draw(days())
    return {"instrument": instrument.name, "item": item.id, "answer": draw(st.sampled_from(item.answers)),
            "answered_on": answered_on, "known_from": later(answered_on, draw(st.integers(0, 20))),
            "is_deleted": draw(st.booleans())}  # fmt: skip


@st.composite
def results(draw):
    analyte = draw(st.sampled_from(ANALYTES))
    code = draw(st.sampled_from(analyte.codes))
    share = draw(st.floats(0.01, 0.99))
    sampled_on = draw(days())
    row = {"code_system": code.code_system, "code": code.code, "unit": code.unit,
           "value": (analyte.hard_low + share * (analyte.hard_high - analyte.hard_low) - code.offset) / code.factor,
           "sampled_on": sampled_on, "known_from": later(sampled_on, draw(st.integers(0, 20)))}  # fmt: skip
    return row | draw(st.sampled_from([{}, {"comparator": "<"}, {"reference_low": 1, "reference_high": 2.5}]))


@st.composite
def spells(draw):
    first_day = draw(days())
    last_day = draw(st.none() | st.integers(0, 90).map(lambda n: later(first_day, n)))
    kind = draw(st.sampled_from(["self_certified", "doctor_certified"]))
    known_from = later(first_day, draw(st.integers(-14, 20)))
    return {"spell_id": draw(st.sampled_from("abc")), "kind": kind,
            "grade_percent": draw(st.integers(1, 100)), "diagnosis": draw(st.sampled_from([None, "P76", "L"])),
            "first_day": first_day, "last_day": last_day, "known_from": known_from}  # fmt: skip


RECORDS = st.fixed_dictionaries({
    "person": st.fixed_dictionaries({"person_id": st.just("p1"), "birth_year": st.integers(1900, 2020),
                                     "sex": st.sampled_from(["female", "male"]), "known_from": days()}),
    "survey_answers": st.lists(answers(), max_size=6),
    "lab_results": st.lists(results(), max_size=6),
    "absence_spells": st.lists(spells(), max_size=6),
})  # fmt: skip


def write_csv(path, table, rows) -> None:
    names = [column.name for column in columns(TABLES[table])]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows({"person_id": "p1"} | row for row in rows)


def plain(table):
    return {name: values.texts() if isinstance(values, Coded) else values.tolist() for name, values in table.items()}


@FEW_EXAMPLES
@given(RECORDS)
def test_json_and_csv_give_equal_tables_and_the_same_violations(tmp_path, record):
    tables, violations = check_record(record, RECEIVED_ON)
    for name, record_class in TABLES.items():
        rows = [record["person"]] if name == "persons" else record.get(name, [])
        write_csv(tmp_path / f"{name}.csv", name, rows)
        delivered = open_source(str(tmp_path)).read(record_class)
        checked = check(
            record_class, delivered.raw, received_on=RECEIVED_ON, origin=name, row_numbers=delivered.row_numbers
        )
        np.testing.assert_equal(plain(checked.table), plain(tables[name]))
        origin = "record.person" if name == "persons" else f"record.{name}"
        assert [violation[1:4] for violation in checked.violations] == [
            (row + FIRST_ROW, *rest)
            for where, row, *rest in (violation[:4] for violation in violations)
            if where == origin
        ]


SPELL_CELLS = {
    "spell_id": ["a", "b", "", "01010750160"],
    "grade_percent": ["50", "100", "12,5", "0"],
    "first_day": ["2025-01-01", "2025-01-02T23:30:00Z", "x"],
    "last_day": ["2024-12-31", "2025-01-05", ""],
    "known_from": ["2025-01-02", "2025-01-04", "2026-03-02", ""],
    "is_deleted": ["true", "0", ""],
}
MESSY_ROWS = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(texts) for name, texts in SPELL_CELLS.items()}),
    min_size=1,
    max_size=12,
)


@FEW_EXAMPLES
@given(MESSY_ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_neither_what_is_accepted_nor_what_is_reported(rows, random):
    rows = [SOUND["absence_spells"] | row for row in rows]
    order = list(range(len(rows)))
    random.shuffle(order)
    one = check_spells(rows)
    other = check_spells([rows[position] for position in order])
    assert Counter(accepted(one)) == Counter(accepted(other))
    assert sorted(map(repr, one.violations)) == sorted(repr(v._replace(row=order[v.row])) for v in other.violations)
    assert one.n_rows == one.n_accepted + one.n_quarantined + one.n_duplicates
    assert one.n_duplicates == other.n_duplicates
    assert one.n_quarantined == len({violation.row for violation in one.violations})


def check_spells(rows):
    table = "absence_spells"
    return check(TABLES[table], raw(table, *rows), received_on=RECEIVED_ON, origin=table, first_row=0)


def accepted(checked) -> list[str]:
    cells = plain(checked.table)
    return [repr(row) for row in zip(*cells.values(), strict=True)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["person", "survey_answers", "lab_results", "absence_spells", "consents", "workplace_events"])
CELLS = st.sampled_from(sorted({column.name for record in TABLES.values() for column in columns(record)}))
ROWS = st.dictionaries(CELLS, JSON, max_size=5)


@FEW_EXAMPLES
@given(JSON | st.dictionaries(FIELDS, JSON | ROWS | st.lists(ROWS | JSON, max_size=3), max_size=4))
def test_no_json_whatsoever_raises(record):
    tables, violations = check_record(record, RECEIVED_ON)
    assert list(tables) == list(TABLES)
    assert violations
    assert all(isinstance(violation.column, str) and violation.reason for violation in violations)
