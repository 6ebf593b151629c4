"""The generated suites and the checks of the data contract are two readings of one declaration: they must agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from data_contracts import expectations
from data_contracts.fingerprints import fingerprint
from data_contracts.parsing import without_empty_texts
from data_contracts.records import RECORDS, TABLES, columns
from data_contracts.tables import Coded, Table, empty_table
from tests.lib.sound_rows import FAULTS, SOUND, changed, checked, raw


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
    values = [flags.get(text, text) if text is not None else np.nan for text in texts.texts()]
    return (
        np.nan_to_num(np.array(values, dtype=float)) if column.name == "is_deleted" else np.array(values, dtype=float)
    )


@pytest.fixture(scope="module")
def verdicts() -> list[dict]:
    """One run of Great Expectations per planted fault, of a sound row beside the faulty one."""
    return [expectations.run({table: faulty(table, cells)})[table] for table, cells, *_ in FAULTS]


def faulty(table: str, cells: dict[str, str]) -> Table:
    return unchecked(table, changed(table, **{TABLES[table].natural_key[0]: "other"}), changed(table, **cells))


def test_sound_rows_pass_both():
    tables = {table: unchecked(table, row) for table, row in SOUND.items()}
    report = expectations.run(tables)
    assert {name: result["success"] for name, result in report.items()} == dict.fromkeys(TABLES, True)
    assert all(checked(table, row).violations == [] for table, row in SOUND.items())


def test_empty_tables_pass():
    report = expectations.run({record.table: empty_table(record) for record in RECORDS})
    assert all(result["success"] for result in report.values())


def test_each_fault_that_a_check_finds_fails_exactly_one_expectation(verdicts):
    for (table, cells, column, rule), verdict in zip(FAULTS, verdicts, strict=True):
        failed = [one for one in verdict["expectations"] if not one["success"]]
        assert len(checked(table, changed(table, **cells)).violations) == 1
        assert [one["unexpected_count"] for one in failed] == [1], (table, cells, rule, failed)
        assert column in failed[0]["column"]
        assert failed[0]["evaluated"]


def test_rows_that_share_key_and_known_from_fail_both():
    rows = SOUND["absence_spells"], changed("absence_spells", last_day="2025-03-20")
    report = expectations.run({"absence_spells": unchecked("absence_spells", *rows)})["absence_spells"]
    failed = [one for one in report["expectations"] if not one["success"]]
    assert [one["column"] for one in failed] == ["person_id, spell_id, known_from"]
    assert checked("absence_spells", *rows).n_quarantined == 2


def test_a_flag_that_is_no_flag_and_a_column_that_is_not_there_fail():
    table = unchecked("guidance_sessions", SOUND["guidance_sessions"]) | {"is_deleted": np.array([2.0])}
    assert not expectations.run({"guidance_sessions": table})["guidance_sessions"]["success"]
    lacking = {name: values for name, values in unchecked("persons", SOUND["persons"]).items() if name != "sex"}
    report = expectations.run({"persons": lacking})["persons"]
    assert {one["type"] for one in report["expectations"] if not one["success"]} >= {
        "expect_table_columns_to_match_set"
    }
    assert not all(one["evaluated"] for one in report["expectations"])


def test_a_code_of_many_rows_is_counted_but_never_quoted():
    table = unchecked("persons", *(changed("persons", person_id=f"p{i}", sex="secret") for i in range(30)))
    report = expectations.run({"persons": table})
    failed = [one for one in report["persons"]["expectations"] if not one["success"]]
    assert [(one["column"], one["unexpected_count"]) for one in failed] == [("sex", 30)]
    assert "secret" not in json.dumps(report)


def test_a_suite_names_the_contract_it_was_generated_from():
    for record in RECORDS:
        suite = expectations.suite(record)
        assert suite.name == record.table
        assert suite.meta["contract"] == fingerprint(record)


def test_a_trailing_line_break_does_not_slip_past_a_pattern():
    table = unchecked("persons", SOUND["persons"]) | {"person_id": Coded.from_texts(["p1\n"])}
    assert not expectations.run({"persons": table})["persons"]["success"]


def test_nothing_is_reported_over_the_network_and_nothing_is_imported_early():
    assert os.environ["GX_ANALYTICS_ENABLED"] == "False"
    code = "import sys, data_contracts.expectations; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
