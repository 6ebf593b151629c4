"""Every rule finds its fault in its cell and nothing else; what is sound, repeated or ambiguous is told apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from data_contracts.records import RECORDS, TABLES, columns
from data_contracts.rules import RULES
from data_contracts.tables import n_rows
from data_contracts.validation import check, check_record, orphans
from tests.lib.sound_rows import FAULTS, RECEIVED_ON, SOUND, changed, checked, raw

IDENTITY_NUMBER = "01010750160"  # synthetic: valid control digits, no living person

TEXT_FAULTS = [
    ("persons", {"birth_year": "nineteen"}, "birth_year", "type"),
    ("persons", {"birth_year": "1980.5"}, "birth_year", "type"),
    ("persons", {"known_from": "01.03.2025"}, "known_from", "type"),
    ("persons", {"known_from": "2025-02-30"}, "known_from", "type"),
    ("persons", {"known_from": "0001-01-01T00:00:00+14:00"}, "known_from", "type"),
    ("persons", {"is_deleted": "yes"}, "is_deleted", "type"),
    ("persons", {"known_from": "2026-03-02"}, "known_from", "known_from in the future"),
    ("persons", {"person_id": "p1\n"}, "person_id", "pattern"),
    ("employments", {"position_percent": "nan"}, "position_percent", "type"),
    ("employments", {"position_percent": "inf"}, "position_percent", "type"),
    ("employments", {"position_percent": "1e999"}, "position_percent", "type"),
    ("employments", {"position_percent": "1_0"}, "position_percent", "type"),
    ("employments", {"position_percent": "12,5"}, "position_percent", "decimal comma"),
    ("survey_answers", {"instrument": "who6"}, "instrument", "unknown instrument"),
    ("survey_answers", {"item": "item_6"}, "item", "unknown item"),
    ("survey_answers", {"item": "personal_1"}, "item", "unknown item"),
    ("survey_answers", {"answer": "6"}, "answer", "unknown answer code"),
    ("survey_answers", {"answer": "2.5"}, "answer", "unknown answer code"),
    ("survey_answers", {"answer": "1e9"}, "answer", "unknown answer code"),
    ("lab_results", {"code": "NPU99999"}, "code", "unknown code"),
    ("lab_results", {"unit": "%"}, "unit", "unit mismatch"),
    ("lab_results", {"value": "181"}, "value", "outside hard limits"),
    ("lab_results", {"value": "14.9"}, "value", "outside hard limits"),
    ("lab_results", {"value": "<38,5"}, "value", "decimal comma"),
    ("lab_results", {"value": "<38", "comparator": "<"}, "value", "type"),
]  # fmt: skip


@pytest.mark.parametrize("table", SOUND)
def test_a_row_that_keeps_all_rules_is_accepted(table):
    result = checked(table, SOUND[table])
    assert result.violations == []
    assert (result.n_rows, result.n_accepted, result.n_quarantined, result.n_duplicates) == (1, 1, 0, 0)


@pytest.mark.parametrize(("table", "cells", "column", "rule"), FAULTS + TEXT_FAULTS)
def test_each_rule_blames_one_cell_and_leaves_the_row_beside_it_alone(table, cells, column, rule):
    key = TABLES[table].natural_key[0]
    result = checked(table, changed(table, **{key: "other"}), changed(table, **cells))
    assert [violation[:5] for violation in result.violations] == [
        (f"{table}.csv", 3, column, rule, cells[column] or None)
    ]
    assert (result.n_accepted, result.n_quarantined) == (1, 1)


def test_every_rule_is_in_the_list_of_rules():
    declared = {rule.rule for record in RECORDS for rule in record.rules}
    assert {rule for *_, rule in FAULTS + TEXT_FAULTS} <= declared | set(RULES)


def test_every_required_column_is_required_and_no_other():
    for record in RECORDS:
        for column in columns(record):
            found = checked(record.table, changed(record.table, **{column.name: ""})).violations
            expected = [(column.name, "required", None)] if column.required else []
            assert [violation[2:5] for violation in found] == expected


def test_a_row_with_faults_in_several_cells_is_quarantined_once_and_names_each():
    result = checked("persons", changed("persons", birth_year="x", sex="y"))
    assert [violation.column for violation in result.violations] == ["birth_year", "sex"]
    assert result.n_quarantined == 1


def test_a_cell_that_breaks_two_rules_is_named_once():
    # Withdrawn before given, and known before either.
    found = checked("consents", changed("consents", given_on="2025-03-02", withdrawn_on="2025-03-01")).violations
    assert [violation[2:4] for violation in found] == [
        ("given_on", "event after known_from"),
        ("withdrawn_on", "event after known_from"),
    ]


def test_the_edges_of_the_limits_are_inside():
    inside = [("persons", {"birth_year": "1900"}), ("persons", {"birth_year": "2020"}),
              ("employments", {"position_percent": "100"}), ("lab_results", {"value": "15"}),
              ("lab_results", {"value": "180"})]  # fmt: skip
    assert [checked(table, changed(table, **cells)).violations for table, cells in inside] == [[]] * 5
    # A certificate may be known fourteen days ahead, and a row on the very day of receipt.
    early = changed("absence_spells", first_day="2025-03-16", last_day="")
    assert checked("absence_spells", early, changed("absence_spells", known_from="2026-03-01")).violations == []


def test_typed_columns_hold_the_values_of_the_text():
    table = checked(
        "employments", changed("employments", shift_work="TRUE", end_date="", position_percent="80.50")
    ).table
    assert table["person_id"].texts() == ["p1"]
    assert (table["shift_work"][0], table["is_leader"][0], table["is_deleted"][0]) == (1.0, 0.0, 0.0)
    assert table["position_percent"][0] == 80.5
    assert np.isnat(table["end_date"][0])
    assert table["start_date"][0] == np.datetime64("2020-01-01")
    assert math.isnan(checked("workplace_events", changed("workplace_events", value="")).table["value"][0])


def test_a_time_stamp_becomes_its_oslo_day():
    late = changed("survey_answers", answered_on="2025-04-30T22:30:00Z")
    assert checked("survey_answers", late).table["answered_on"][0] == np.datetime64("2025-05-01")


def test_a_bound_in_the_value_becomes_a_comparator():
    row = changed("lab_results", code="NPU19748", unit="mg/L", value="<=5", reference_low="", reference_high="")
    plain = row | {"person_id": "p2", "value": "5", "comparator": "<="}
    table = checked("lab_results", row, plain, row | {"person_id": "p3", "value": "7"}).table
    assert table["comparator"].texts() == ["<=", "<=", None]
    assert table["value"].tolist() == [5.0, 5.0, 7.0]


def test_hard_limits_hold_in_the_canonical_unit():
    mmol, mg = {"code": "14749-6", "unit": "mmol/L"}, {"code": "2345-7", "unit": "mg/dL"}
    row = changed("lab_results", code_system="LOINC", reference_low="", reference_high="", value="90")
    found = checked("lab_results", row | mmol, row | mg).violations
    assert [(violation.row, violation.reason) for violation in found] == [
        (2, "glucose must lie between 1 and 50 mmol/L")
    ]


def test_reasons_say_what_would_be_right():
    rows = {"decimal comma": ("lab_results", {"value": "12,5"}, "write 12.5, with a decimal point"),
            "unit": ("lab_results", {"unit": "%"}, "NPU NPU27300 must come in mmol/mol"),
            "answer": ("survey_answers", {"answer": "9"}, "who5 item_1 takes 0, 1, 2, 3, 4, 5"),
            "bounds": ("persons", {"birth_year": "1800"}, "must be at least 1900 and at most 2020"),
            "open bound": ("employments", {"position_percent": "0"}, "must be above 0 and at most 100")}  # fmt: skip
    for table, cells, reason in rows.values():
        assert [violation.reason for violation in checked(table, changed(table, **cells)).violations] == [reason]


@pytest.mark.parametrize("table", SOUND)
def test_a_national_identity_number_is_found_in_any_column_and_never_shown_or_kept(table):
    for column in columns(TABLES[table]):
        row = changed(table, **{column.name: IDENTITY_NUMBER})
        result = checked(table, SOUND[table] | {TABLES[table].natural_key[0]: "other"}, row)
        assert [violation[2:4] for violation in result.violations] == [(column.name, "national identity number")]
        assert IDENTITY_NUMBER not in repr(result)


def test_identical_rows_count_once_and_are_counted():
    same = changed("absence_spells", grade_percent="100.0", is_deleted="0")  # other text, same content
    result = checked("absence_spells", SOUND["absence_spells"], same, SOUND["absence_spells"])
    assert (result.n_rows, result.n_accepted, result.n_duplicates, result.violations) == (3, 1, 2, [])


def test_versions_known_on_different_days_are_both_kept():
    later = changed("absence_spells", last_day="2025-03-20", known_from="2025-03-12")
    assert checked("absence_spells", SOUND["absence_spells"], later).n_accepted == 2


def test_versions_known_on_the_same_day_conflict_and_all_go():
    other = changed("absence_spells", last_day="2025-03-20")
    result = checked("absence_spells", SOUND["absence_spells"], other, SOUND["absence_spells"])
    assert [(violation.row, violation.rule) for violation in result.violations] == [
        (row, "conflicting versions") for row in (2, 3, 4)
    ]
    assert (result.n_accepted, result.n_quarantined, result.n_duplicates) == (0, 3, 0)


def test_an_empty_cell_of_the_natural_key_is_a_value_of_its_own():
    whole, unit = changed("workplace_events", unit_id=""), SOUND["workplace_events"]
    assert checked("workplace_events", whole, unit).n_accepted == 2
    assert checked("workplace_events", whole, whole | {"value": "0.3"}).n_quarantined == 2
    assert checked("workplace_events", unit, unit | {"company_id": "c2", "unit_id": None}).n_accepted == 2


def test_a_row_with_a_fault_does_not_drag_a_sound_version_along():
    broken = changed("absence_spells", grade_percent="200")
    assert checked("absence_spells", SOUND["absence_spells"], broken).n_accepted == 1


def test_keys_too_many_for_one_integer_are_still_told_apart():
    # Thirty thousand persons and as many companies overflow 62 bits together with two dates.
    n = 30_000
    rows = [{"person_id": f"p{i}", "company_id": f"c{i}", "unit_id": f"u{i}", "occupation_code": f"{i % 9999:04}",
             "industry_code": f"10.{i % 999}", "position_percent": "50", "start_date": "2020-01-01",
             "known_from": "2020-01-01"} for i in range(n)]  # fmt: skip
    result = checked("employments", *rows, rows[0], rows[1] | {"unit_id": "u0"})
    assert (result.n_accepted, result.n_duplicates, result.n_quarantined) == (n - 1, 1, 2)


@pytest.mark.parametrize("n_persons", [3, 30])
def test_versions_conflict_alike_among_few_rows_and_among_many(n_persons):
    # Few keys are compared as tuples, many as integers; a key that mixed up person and item would find more repeats.
    rows = [
        changed("survey_answers", person_id=f"p{i}", item=f"item_{k}") for i in range(n_persons) for k in range(1, 6)
    ]
    assert checked("survey_answers", *rows).n_accepted == 5 * n_persons
    result = checked("survey_answers", *rows, rows[0] | {"answer": "4"}, rows[1])
    assert (result.n_accepted, result.n_quarantined, result.n_duplicates) == (5 * n_persons - 1, 2, 1)


def test_an_empty_date_differs_from_the_first_day_there_is():
    first = changed("consents", given_on="1900-01-01", withdrawn_on="1900-01-01", known_from="1900-01-01")
    assert checked("consents", first, first | {"withdrawn_on": ""}).n_quarantined == 2


def test_a_column_that_the_source_lacks_is_empty():
    columns_given = raw("persons", SOUND["persons"])
    del columns_given["education_level"], columns_given["is_deleted"]
    result = check(TABLES["persons"], columns_given, received_on=RECEIVED_ON, origin="x")
    assert result.table["education_level"].texts() == [None]
    assert result.table["is_deleted"].tolist() == [0.0]


def test_no_rows_are_no_fault():
    assert n_rows(checked("persons").table) == 0


def test_what_is_shown_of_a_cell_is_short_and_can_be_encoded():
    (violation,) = checked("persons", changed("persons", sex="\ud800" + "x" * 1000)).violations
    assert len(violation.value.encode()) < 100


def test_orphans_are_rows_whose_person_is_not_there():
    tables = {name: checked(name, SOUND[name], *extra).table for name, extra in {
        "persons": [], "guidance_sessions": [changed("guidance_sessions", person_id="nobody")], "workplace_events": [],
    }.items()}  # fmt: skip
    assert {name: mask.tolist() for name, mask in orphans(tables).items()} == {"guidance_sessions": [False, True]}


def test_a_record_and_a_file_report_the_same_cell_in_their_own_way():
    record = {"person": {"person_id": "p1", "birth_year": 1700, "sex": "female", "known_from": "2025-01-01"}}
    _, violations = check_record(record, RECEIVED_ON)
    assert [violation[:4] for violation in violations] == [("record.person", 0, "birth_year", "bounds")]
