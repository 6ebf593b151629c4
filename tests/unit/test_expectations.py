"""The generated suites and the checks of the data contract are two readings of one declaration: they must agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date

import numpy as np
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from data_contracts import expectations
from data_contracts.fingerprints import fingerprint
from data_contracts.open_data_contract import open_data_contract
from data_contracts.parsing import without_empty_texts
from data_contracts.records import RECORDS, TABLES, columns
from data_contracts.rules import RULES
from data_contracts.table_parts import TableParts
from data_contracts.tables import Table, empty_table
from data_contracts.validation import check_record, orphans
from tests.lib.sound_rows import FAULTS, RECEIVED_ON, SOUND, changed, checked, raw

IDENTITY_NUMBER = "01010750160"  # synthetic: valid control digits, no living person
# Great Expectations takes half a second for a table of any size: few examples of many rows, and none to make them smaller.
FEW_EXAMPLES = settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
Rows = list[dict[str, str]]


def pressure(kind: str, value: str, **cells: str) -> dict[str, str]:
    code = {"systolic": "8480-6", "diastolic": "8462-4"}[kind]
    limits = {"reference_low": "", "reference_high": ""}
    return changed("lab_results", code_system="LOINC", code=code, unit="mm[Hg]", value=value, **limits) | cells


def other(table: str, **cells: str) -> dict[str, str]:
    return changed(table, **{TABLES[table].natural_key[0]: "other"}) | cells


BROKEN: list[tuple[str, str, Rows]] = [
    # rule, table, rows that break just that rule beside a sound one
    *((rule, table, [other(table), changed(table, **cells)]) for table, cells, _, rule in FAULTS),
    ("type", "persons", [other("persons"), changed("persons", birth_year="1980.5")]),
    ("known_from in the future", "persons", [other("persons"), changed("persons", known_from="2026-03-02")]),
    ("pattern", "persons", [changed("persons", person_id="p1\n")]),
    ("national identity number", "absence_spells", [changed("absence_spells", spell_id=IDENTITY_NUMBER)]),
    ("national identity number", "workplace_events", [changed("workplace_events", value=IDENTITY_NUMBER)]),
    ("unknown instrument", "survey_answers", [other("survey_answers"), changed("survey_answers", instrument="who6")]),
    ("unknown item", "survey_answers", [other("survey_answers"), changed("survey_answers", item="personal_1")]),
    ("unknown instrument", "survey_answers", [changed("survey_answers", instrument="who5|item_1", item="3.0")]),
    ("unknown answer code", "survey_answers", [other("survey_answers"), changed("survey_answers", answer="6")]),
    ("unknown answer code", "survey_answers", [changed("survey_answers", answer="2.0000001")]),
    ("unknown code", "lab_results", [other("lab_results"), changed("lab_results", code="NPU99999")]),
    ("unit mismatch", "lab_results", [other("lab_results"), changed("lab_results", unit="%")]),
    ("outside hard limits", "lab_results", [other("lab_results"), changed("lab_results", value="181")]),
    ("outside hard limits", "lab_results", [other("lab_results"), changed("lab_results", value="14.9")]),
    ("systolic not above diastolic", "lab_results", [pressure("systolic", "80"), pressure("diastolic", "80")]),
    ("systolic not above diastolic", "lab_results",
     [pressure("systolic", "120"), pressure("diastolic", "80"), pressure("diastolic", "125", known_from="2025-05-09"),
      pressure("diastolic", "125", person_id="p2")]),
    ("diagnosis system", "absence_spells",
     [other("absence_spells", diagnosis="M54.5", diagnosis_system="ICD-10"), changed("absence_spells", diagnosis="M54.5")]),
    ("conflicting versions", "absence_spells",
     [SOUND["absence_spells"], changed("absence_spells", last_day="2025-03-20"), other("absence_spells")]),
    ("person not in persons", "guidance_sessions",
     [SOUND["guidance_sessions"], changed("guidance_sessions", person_id="nobody")]),
]  # fmt: skip


def unchecked(table: str, *rows: dict[str, str]) -> Table:
    """Typed columns straight from the text, faults and all, as if nothing had been checked."""
    return {column.name: _typed(column, raw(table, *rows)[column.name]) for column in columns(TABLES[table])}


def _typed(column, texts):
    texts = without_empty_texts(texts)
    if column.kind in ("text", "code"):
        return texts
    if column.kind == "date":
        return np.array(texts.texts(), dtype="datetime64[D]")
    flags = {"true": 1.0, "false": 0.0}
    values = np.array([np.nan if text is None else float(flags.get(text, text)) for text in texts.texts()])
    return np.nan_to_num(values) if column.name == "is_deleted" else values


def persons_of(*names: str) -> Table:
    return unchecked("persons", *(changed("persons", person_id=name) for name in names))


PERSONS = persons_of("p1", "p2", "other", "p1\n", *(f"q{i}" for i in range(40)))


def report_on(table: str, content: Table) -> dict:
    persons = {} if table == "persons" else {"persons": PERSONS}
    return expectations.run(persons | {table: content}, RECEIVED_ON)[table]


def broken_by_suite(table: str, content: Table) -> Counter[str]:
    return broken_rules(report_on(table, content))


def broken_rules(report: dict) -> Counter[str]:
    failed = [one for one in report["expectations"] if not one["success"]]
    assert all(one["evaluated"] for one in failed), failed
    return Counter({rule: sum(one["unexpected_count"] for one in failed if one["rule"] == rule)
                    for rule in {one["rule"] for one in failed}})  # fmt: skip


@pytest.fixture(scope="module")
def found_by_suite() -> list[Counter[str]]:
    """What the suites find in each of the broken tables; of different tables several share one run, to save time."""
    found = [Counter() for _ in BROKEN]
    waiting = list(range(len(BROKEN)))
    while waiting:
        batch = {BROKEN[place][1]: place for place in waiting}
        batch = {"persons": batch["persons"]} if "persons" in batch else batch
        tables = {table: unchecked(table, *BROKEN[place][2]) for table, place in batch.items()}
        for table, report in expectations.run({"persons": PERSONS} | tables, RECEIVED_ON).items():
            if table in batch:
                found[batch[table]] = broken_rules(report)
        waiting = [place for place in waiting if place not in batch.values()]
    return found


def broken_by_check(table: str, *rows: dict[str, str]) -> Counter[str]:
    result = checked(table, *rows)
    lost = orphans({"persons": PERSONS, table: result.table}).get(table, np.zeros(0)).sum() if table != "persons" else 0
    return Counter(violation.rule for violation in result.violations) + Counter({"person not in persons": int(lost)})


def test_sound_rows_pass_both():
    report = expectations.run({table: unchecked(table, row) for table, row in SOUND.items()}, RECEIVED_ON)
    assert {name: result["success"] for name, result in report.items()} == dict.fromkeys(TABLES, True)
    assert all(checked(table, row).violations == [] for table, row in SOUND.items())


def test_counts_of_parts_add_up_to_those_of_the_whole():
    """Every kind of fault among persons of three parts: conflicts and contradicting pressures are of rows of one person."""
    faulty: dict[str, Rows] = {"persons": [changed("persons", person_id=f"q{i}") for i in range(40)]}
    for _, table, rows in BROKEN:
        copies = [row | {"person_id": f"{row.get('person_id', '')}{i}"} for i in range(12) for row in rows]
        faulty.setdefault(table, []).extend(copies if "person_id" in TABLES[table].model_fields else rows)
    tables = {table: unchecked(table, *rows) for table, rows in faulty.items()}
    whole = expectations.run(tables, RECEIVED_ON)
    in_parts = expectations.run_in_parts(TableParts.of(tables, 3), RECEIVED_ON)
    assert in_parts == whole
    assert {one["rule"] for one in whole["lab_results"]["expectations"] if not one["success"]} >= {
        "unit mismatch", "systolic not above diastolic", "person not in persons",
    }  # fmt: skip


def test_a_rule_that_one_part_could_not_be_held_against_is_not_evaluated():
    """A part that lacks a column must not pass on the word of the part that has it."""
    sound, other = (unchecked("persons", changed("persons", person_id=name)) for name in ("q1", "q2"))
    parts = [{"persons": sound}, {"persons": {name: values for name, values in other.items() if name != "sex"}}]
    for order in (parts, parts[::-1]):
        tables = TableParts(("persons",), 2, lambda part, names, order=order: order[part])
        report = expectations.run_in_parts(tables, RECEIVED_ON)["persons"]
        assert not report["success"]
        assert {one["column"] for one in report["expectations"] if not one["evaluated"]} >= {"sex"}


def test_empty_tables_pass():
    report = expectations.run({record.table: empty_table(record) for record in RECORDS}, RECEIVED_ON)
    assert all(result["success"] for result in report.values())


@pytest.mark.parametrize("place", range(len(BROKEN)), ids=[f"{rule}-{table}" for rule, table, _ in BROKEN])
def test_both_find_the_broken_rule_in_the_same_number_of_rows_and_no_other(place, found_by_suite):
    rule, table, rows = BROKEN[place]
    by_check = broken_by_check(table, *rows)
    assert set(by_check) == {rule}
    assert found_by_suite[place] == by_check


def test_every_rule_is_an_expectation_or_says_why_it_cannot_be_one():
    stated = {one.meta["rule"] for record in RECORDS for one in expectations.suite(record).expectations}
    assert set(RULES) - stated == {name for name, rule in RULES.items() if rule.only_on_arrival}
    assert stated <= set(RULES)
    tried = {rule for rule, *_ in BROKEN}
    # The field that nobody declared, and the number that is a text, have tests of their own below.
    assert stated - tried == {"unknown field"}


def test_the_exported_contract_tells_of_each_table_the_rules_that_its_suite_states():
    by_the_column = {"required", "type", "bounds", "pattern", "codes", "unknown field"}
    for exported in yaml.safe_load(open_data_contract())["schema"]:
        stated = {one.meta["rule"] for one in expectations.suite(TABLES[exported["name"]]).expectations}
        assert {rule["name"] for rule in exported["quality"]} == stated - by_the_column


def test_a_field_that_is_not_in_the_contract_is_refused_by_both():
    person = SOUND["persons"] | {"birth_year": 1980, "is_deleted": False}
    _, violations = check_record({"person": person | {"shoe_size": 41}}, RECEIVED_ON)
    assert [violation.rule for violation in violations] == ["unknown field"]
    table = unchecked("persons", SOUND["persons"]) | {"shoe_size": np.array([41.0])}
    assert set(broken_by_suite("persons", table)) == {"unknown field"}


def test_a_flag_that_is_no_flag_and_a_number_that_is_a_text_break_the_rule_of_types():
    table = unchecked("guidance_sessions", SOUND["guidance_sessions"]) | {"is_deleted": np.array([2.0])}
    assert set(broken_by_suite("guidance_sessions", table)) == {"type"}
    table = unchecked("lab_results", SOUND["lab_results"]) | {"value": np.array(["38,5"], dtype=object)}
    assert "type" in {one["rule"] for one in report_on("lab_results", table)["expectations"] if not one["success"]}


def test_a_column_that_is_not_there_fails_and_says_that_the_rest_was_not_evaluated():
    lacking = {name: values for name, values in unchecked("persons", SOUND["persons"]).items() if name != "sex"}
    report = expectations.run({"persons": lacking}, RECEIVED_ON)["persons"]
    assert "unknown field" in {one["rule"] for one in report["expectations"] if not one["success"]}
    assert not all(one["evaluated"] for one in report["expectations"])


def test_a_date_that_nanoseconds_cannot_hold_is_out_of_bounds_like_any_other():
    rows = [changed("persons", known_from="9999-01-01"), other("persons", known_from="0001-01-01")]
    assert broken_by_suite("persons", unchecked("persons", *rows))["bounds"] == 2
    assert broken_by_check("persons", *rows)["bounds"] == 2


FAULTS_BY_TABLE: dict[str, Rows] = {
    table: [row for _, of, rows in BROKEN if of == table and len(rows) < 3 for row in rows[-1:] if "code" not in row
            or row["code"] != "8462-4"]
    for table in ("survey_answers", "lab_results", "absence_spells")
}  # fmt: skip


@pytest.mark.parametrize("table", FAULTS_BY_TABLE)
def test_both_count_alike_what_is_wrong_with_random_faulty_tables(table):
    faulty = st.sampled_from([SOUND[table], *FAULTS_BY_TABLE[table]])

    @FEW_EXAMPLES
    @given(st.lists(faulty, min_size=20, max_size=40))
    def agree(rows):
        rows = [row | {"person_id": f"q{place}"} for place, row in enumerate(rows)]
        assert broken_by_suite(table, unchecked(table, *rows)) == broken_by_check(table, *rows)

    agree()


def edges_of(column) -> list[str]:
    """Texts on, inside and outside the limits of a column, all of which have its type."""
    if column.kind == "date":
        return ["", "2025-05-01", "1899-12-31", "2100-12-31", "2024-02-29"]
    if column.kind in ("integer", "number"):
        return ["", "0", "1", "3", "100", "100.5", "-1", "181", "1e12", str(column.minimum or 0)]
    if column.kind == "flag":
        return ["", "true", "false"]
    return ["", "ø", "x y", IDENTITY_NUMBER, "M54.5", *column.codes]


@pytest.mark.parametrize("table", FAULTS_BY_TABLE)
def test_both_give_one_verdict_on_random_cells(table):
    cells = st.one_of(
        [st.tuples(st.just(column.name), st.sampled_from(edges_of(column)))
         for column in columns(TABLES[table]) if column.name != "person_id"]
    )  # fmt: skip

    @FEW_EXAMPLES
    @given(st.lists(st.lists(cells, max_size=3).map(dict), min_size=20, max_size=40))
    def agree(changes):
        rows = [SOUND[table] | cells | {"person_id": f"q{place}"} for place, cells in enumerate(changes)]
        by_check, by_suite = broken_by_check(table, *rows), broken_by_suite(table, unchecked(table, *rows))
        assert bool(by_check) == bool(by_suite)
        # A check stops at the first rule that a cell breaks; the suite states every rule for itself.
        assert set(by_check) <= set(by_suite)

    agree()


def test_a_code_of_many_rows_is_counted_but_never_quoted():
    table = unchecked("persons", *(changed("persons", person_id=f"p{i}", sex="secret") for i in range(30)))
    report = expectations.run({"persons": table}, RECEIVED_ON)
    failed = [one for one in report["persons"]["expectations"] if not one["success"]]
    assert [(one["column"], one["unexpected_count"]) for one in failed] == [("sex", 30)]
    assert "secret" not in json.dumps(report)


def test_a_suite_names_the_contract_it_was_generated_from():
    for record in RECORDS:
        suite = expectations.suite(record)
        assert suite.name == record.table
        assert suite.meta["contract"] == fingerprint(record)


def test_what_is_known_on_the_day_of_receipt_is_no_longer_the_future_a_day_later():
    table = unchecked("persons", changed("persons", known_from="2026-03-02"))
    assert expectations.run({"persons": table}, date(2026, 3, 2))["persons"]["success"]


def test_nothing_is_reported_over_the_network_and_nothing_is_imported_early():
    assert os.environ["GX_ANALYTICS_ENABLED"] == "False"
    code = "import sys, data_contracts.expectations; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
