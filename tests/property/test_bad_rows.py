"""Rows spoilt at random, from the records themselves: no text whatsoever raises, loses a row or slips through one door."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.national_identity_number import contains
from data_contracts.readers.csv_files import FIRST_ROW
from data_contracts.readers.sources import open_source
from data_contracts.records import TABLES, columns
from data_contracts.tables import Coded, n_rows
from data_contracts.validation import check, check_record
from tests.lib.bad_inputs_rows import DATES, FLAGS, FORMULAS, IDENTIFIERS, KINDS_OF_IDENTITY_NUMBER, NUMBERS
from tests.lib.sound_rows import RECEIVED_ON, SOUND, checked

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NASTY = sorted({"", *NUMBERS, *DATES, *IDENTIFIERS.values(), *FORMULAS, *FLAGS, *KINDS_OF_IDENTITY_NUMBER.values()})
SOUND_WORDS = sorted({word for row in SOUND.values() for word in row.values()})
DAYS = st.dates(date(1899, 12, 1), date(2101, 1, 31)).map(date.isoformat)
MOMENTS = st.datetimes().map(lambda moment: moment.isoformat() + "Z")


def near(text: str):
    """The text with one letter changed, put in or taken out."""
    place = st.integers(0, len(text))
    return st.builds(
        lambda at, skip, new: text[:at] + new + text[at + skip :], place, st.integers(0, 1), st.text(max_size=1)
    )


@st.composite
def rows(draw, table: str, cell):
    """A few rows of a table: sound ones that differ in their days, each with some cells spoilt by ``cell``."""
    made = []
    for number in range(draw(st.integers(1, 5))):
        row = {name: later(text, number) for name, text in SOUND[table].items()}
        for column in draw(st.lists(st.sampled_from(columns(TABLES[table])), max_size=4)):
            row[column.name] = draw(cell(column, row.get(column.name) or ""))
        made.append(row)
    return made


def later(text: str, n_days: int) -> str:
    is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
    return (date.fromisoformat(text) + timedelta(days=n_days)).isoformat() if is_day else text


def any_text(column, sound):
    words = [st.sampled_from(column.codes)] if column.codes else []
    return st.one_of(near(sound), st.sampled_from(NASTY), st.sampled_from(SOUND_WORDS), DAYS, MOMENTS, st.text(max_size=30),
                     st.none(), st.floats().map(repr), st.integers().map(str), *words)  # fmt: skip


def tables(cell):
    return st.sampled_from(list(TABLES)).flatmap(lambda table: st.tuples(st.just(table), rows(table, cell)))


def texts_of(table):
    return [list(map(str, column.texts() if isinstance(column, Coded) else column)) for column in table.values()]


@EXAMPLES
@given(tables(any_text))
def test_whatever_stands_in_the_cells_every_row_is_accounted_for_and_every_fault_has_its_cell(drawn):
    table, made = drawn
    result = checked(table, *made)
    assert result.n_rows == len(made) == result.n_accepted + result.n_quarantined + result.n_duplicates
    assert n_rows(result.table) == result.n_accepted == len(result.row_numbers)
    names = {column.name for column in columns(TABLES[table])}
    assert {violation.column for violation in result.violations} <= names
    refused = {violation.row for violation in result.violations}
    assert len(refused) == result.n_quarantined
    assert not refused & set(result.row_numbers.tolist())
    assert not any(violation.value and contains(violation.value) for violation in result.violations)


@EXAMPLES
@given(tables(any_text))
def test_what_is_accepted_is_what_was_sent_and_would_be_accepted_again(drawn):
    table, made = drawn
    result = checked(table, *made)
    kept = [made[number - FIRST_ROW] for number in result.row_numbers.tolist()]
    again = checked(table, *kept)
    assert again.violations == []
    assert again.n_duplicates == 0
    assert texts_of(again.table) == texts_of(result.table)


# What both a CSV cell and JSON can say: text without line breaks, numbers, true and false, and dates that are no dd.mm.yyyy.


def any_value(column, sound):
    if column.kind == "flag":
        return st.sampled_from([True, False, None])
    if column.kind in ("integer", "number"):
        limits = [
            limit + by for limit in (column.minimum, column.maximum) if limit is not None for by in (-1, 0, 0.5, 1)
        ]
        return st.one_of(
            st.none(), st.integers(-(10**18), 10**18), st.floats(), st.sampled_from([*limits, 0.0, 3, 38.5])
        )
    words = any_text(column, str(sound)).filter(
        lambda text: text is None or re.fullmatch(r"[^\x00\n\r\ud800-\udfff]*", text)
    )
    if column.kind == "date":
        return words.filter(lambda text: text is None or not re.match(r"\d{1,2}\.\d{1,2}\.\d{4}", text))
    return words


def as_json(table, made):
    kinds = {column.name: column.kind for column in columns(TABLES[table])}
    return [{name: _value(kinds[name], value) for name, value in row.items()} for row in made]


def _value(kind, value):
    if isinstance(value, str) and kind in ("integer", "number", "flag"):
        if kind == "flag":
            return value.lower() in ("true", "1") if value else None
        return float(value) if value else None
    return value


def _write(path, record_class, made) -> None:
    names = [column.name for column in columns(record_class)]
    shared = {"person_id": "p1"} if "person_id" in names else {}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(shared | {name: _cell(value) for name, value in row.items()} for row in made)


def _cell(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@EXAMPLES
@given(tables(any_value))
def test_a_row_meets_the_same_verdict_as_csv_and_as_json(tmp_path, drawn):
    table, made = drawn
    record_class = TABLES[table]
    made = as_json(table, made[:1] if table == "persons" else made)
    for row in made:
        row.pop("person_id", None)  # in JSON all rows are of one person
    _write(tmp_path / f"{table}.csv", record_class, made)
    delivered = open_source(str(tmp_path)).read(record_class)
    by_csv = check(
        record_class, delivered.raw, received_on=RECEIVED_ON, origin=table, row_numbers=delivered.row_numbers
    )
    person = {"person_id": "p1", "birth_year": 1980, "sex": "female", "known_from": "2025-01-01"}
    record = {"person": made[0] | {"person_id": "p1"}} if table == "persons" else {"person": person, table: made}
    by_json, violations = check_record(record, RECEIVED_ON)
    assert texts_of(by_csv.table) == texts_of(by_json[table])
    assert [violation[1:4] for violation in by_csv.violations] == [
        (row + FIRST_ROW, column, rule) for _, row, column, rule, *_ in violations
    ]
