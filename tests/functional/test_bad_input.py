"""Bad input is normal input: the run names file, row, column, rule and value, and loses nothing without a count."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data_contracts.errors import BalanceRiskError
from pipeline.cli import app
from tests.lib.source_files import employee, together, write_source

ANSWER = {
    "person_id": "p",
    "instrument": "who5",
    "item": "item_1",
    "answer": 3,
    "answered_on": "2024-05-01",
    "known_from": "2024-05-01",
}
RESULT = {"person_id": "p", "code_system": "NPU", "code": "NPU27300", "value": 40, "unit": "mmol/mol",
          "sampled_on": "2024-05-01", "known_from": "2024-05-02"}  # fmt: skip
SPELL = {"person_id": "p", "spell_id": "s", "kind": "doctor_certified", "grade_percent": 100, "first_day": "2024-03-01",
         "last_day": "2024-03-10", "known_from": "2024-03-02"}  # fmt: skip


@pytest.fixture
def root(tmp_path):
    rows = together(employee(), {"survey_answers": [ANSWER], "lab_results": [RESULT], "absence_spells": [SPELL]})
    write_source(tmp_path / "data" / "source", rows)
    (tmp_path / "params.yaml").write_text("ingest:\n  received_on: 2025-01-01\n  max_quarantined_share: 0.9\n")
    return tmp_path


def ingest(root: Path, *options: str) -> tuple[int, str]:
    """Run the verb as a user would; return the exit code and all that was printed."""
    arguments = ["ingest", "--workspace", str(root), "--params", str(root / "params.yaml"), *options]
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, BalanceRiskError):  # main() prints these; the runner goes past main()
        return result.exception.exit_code, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def source(root: Path, table: str) -> Path:
    return root / "data" / "source" / f"{table}.csv"


def add_row(root: Path, table: str, row: dict) -> None:
    with source(root, table).open(newline="") as file:
        names = next(csv.reader(file))
    with source(root, table).open("a", newline="") as file:
        csv.DictWriter(file, names).writerow(row)


def quarantined(root: Path) -> list[dict]:
    with (root / "data" / "tables" / "quarantine.csv").open(newline="") as file:
        return list(csv.DictReader(file))


ROW_FAULTS = {
    "wrong type": ("persons", employee("q")["persons"][0] | {"birth_year": "nineteen"}, "birth_year", "type", "nineteen"),
    "date in the future": ("survey_answers", ANSWER | {"item": "item_2", "known_from": "2025-01-02"}, "known_from",
                           "known_from in the future", "2025-01-02"),
    "negative duration": ("absence_spells", SPELL | {"spell_id": "t", "last_day": "2024-02-01"}, "last_day",
                          "last_day before first_day", "2024-02-01"),
    "unknown code": ("lab_results", RESULT | {"code": "NPU99999"}, "code", "unknown code", "NPU99999"),
    "unknown unit": ("lab_results", RESULT | {"code": "NPU02192", "unit": "furlong", "value": 5}, "unit", "unit", "furlong"),
    "comma decimal": ("lab_results", RESULT | {"code": "NPU02192", "unit": "mmol/L", "value": "5,4"}, "value",
                      "decimal comma", "5,4"),
    "unknown instrument": ("survey_answers", ANSWER | {"instrument": "who6"}, "instrument", "unknown instrument", "who6"),
    "answer code": ("survey_answers", ANSWER | {"item": "item_2", "answer": 6}, "answer", "answer", "6"),
    "missing value": ("absence_spells", SPELL | {"spell_id": "t", "kind": ""}, "kind", "required", ""),
}  # fmt: skip


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_bad_row_is_quarantined_with_file_row_column_rule_and_value_and_the_run_goes_on(fault, root):
    table, row, column, rule, value = ROW_FAULTS[fault]
    line = len(source(root, table).read_text().splitlines()) + 1
    add_row(root, table, row)
    code, output = ingest(root)
    found = [q for q in quarantined(root) if q["column"] == column]
    assert code == 0
    assert [(q["file"], q["row"], q["value"]) for q in found] == [(f"{table}.csv", str(line), value)]
    assert rule in found[0]["rule"]
    assert f"{table}.csv row {line}, column {column}" in output
    assert "Traceback" not in output


def test_a_second_version_known_on_the_same_day_is_ambiguous_and_both_are_quarantined(root):
    add_row(root, "absence_spells", SPELL | {"last_day": "2024-03-20"})
    assert ingest(root)[0] == 3, "all rows of the table are refused, which is over the limit"
    assert [q["row"] for q in quarantined(root)] == ["2", "3"]


def test_identical_rows_count_once_and_are_counted(root):
    add_row(root, "absence_spells", SPELL)
    code, output = ingest(root, "--json")
    counts = json.loads(output[output.index("{") :])["tables"]["absence_spells"]
    assert code == 0
    assert (counts["rows"], counts["accepted"], counts["quarantined"], counts["duplicates"]) == (2, 1, 0, 1)


def test_too_many_refused_rows_stop_the_run(root):
    (root / "params.yaml").write_text("ingest:\n  received_on: 2025-01-01\n  max_quarantined_share: 0.05\n")
    add_row(root, "lab_results", RESULT | {"code": "NPU99999"})
    code, output = ingest(root)
    assert code == 3
    assert "lab_results (1 of 2 rows)" in output


def test_a_missing_column_stops_the_run_and_is_named(root):
    text = source(root, "lab_results").read_text().replace("sampled_on", "taken_on")
    source(root, "lab_results").write_text(text)
    code, output = ingest(root)
    assert code == 3
    assert "lab_results.csv" in output
    assert "sampled_on" in output


def test_a_refused_run_leaves_no_table_of_an_earlier_one_behind(root):
    assert ingest(root)[0] == 0
    source(root, "survey_answers").write_text("")
    assert ingest(root)[0] == 3
    assert list((root / "data" / "tables").glob("*.parquet")) == []


def test_simulate_never_replaces_files_that_are_not_synthetic(root):
    before = source(root, "persons").read_bytes()
    result = CliRunner().invoke(app, ["simulate", "--workspace", str(root), "--params", str(root / "params.yaml")])
    assert isinstance(result.exception, BalanceRiskError)
    assert source(root, "persons").read_bytes() == before


def test_an_empty_file_stops_the_run_and_is_named(root):
    source(root, "survey_answers").write_text("")
    code, output = ingest(root)
    assert code == 3
    assert "survey_answers.csv" in output
    assert "empty" in output


def test_every_unusable_file_is_named_at_once(root):
    source(root, "survey_answers").write_text("")
    source(root, "lab_results").write_text("")
    assert all(name in ingest(root)[1] for name in ("survey_answers.csv", "lab_results.csv"))


def test_a_byte_order_mark_is_no_fault(root):
    source(root, "persons").write_bytes(b"\xef\xbb\xbf" + source(root, "persons").read_bytes())
    assert ingest(root)[0] == 0
    assert quarantined(root) == []


def test_rows_of_unknown_persons_are_quarantined_and_counted(root):
    add_row(root, "absence_spells", SPELL | {"person_id": "nobody"})
    code, output = ingest(root, "--json")
    assert code == 0
    assert json.loads(output[output.index("{") :])["tables"]["absence_spells"]["quarantined"] == 1
    assert [(q["row"], q["rule"]) for q in quarantined(root)] == [("3", "person not in persons")]
    assert "nobody" not in (root / "data" / "tables" / "ingest.json").read_text()


def test_a_national_identity_number_is_refused_and_never_shown(root):
    add_row(root, "persons", employee("q")["persons"][0] | {"person_id": "01010750160"})
    code, output = ingest(root)
    assert code == 0
    assert "national identity number" in output
    assert "01010750160" not in output + (root / "data" / "tables" / "quarantine.csv").read_text()


NAMED = {
    "an identifier": ("persons", employee("q")["persons"][0] | {"person_id": "Kari Nordmann"}),
    "an identifier of digits": ("persons", employee("q")["persons"][0] | {"person_id": "47 11 12 13"}),
    "a year of birth, the columns being shifted": (
        "persons",
        employee("q")["persons"][0] | {"birth_year": "Kari Nordmann"},
    ),
    "a code": ("absence_spells", SPELL | {"spell_id": "t", "kind": "Kari Nordmann"}),
}


@pytest.mark.parametrize("place", NAMED)
def test_a_name_typed_in_the_place_of_something_else_stays_in_quarantine(place, root):
    """Summary and ingest.json are printed, mailed and committed; quarantine.csv is for whoever mends the file."""
    table, row = NAMED[place]
    name = next(value for value in row.values() if value in ("Kari Nordmann", "47 11 12 13"))
    add_row(root, table, row)
    code, output = ingest(root, "--json")
    assert code == 0
    assert name not in output + (root / "data" / "tables" / "ingest.json").read_text()
    assert [q["value"] for q in quarantined(root)] == [name]


def test_a_refused_number_or_date_is_shown_at_once(root):
    add_row(root, "persons", employee("q")["persons"][0] | {"birth_year": "1800"})
    add_row(root, "absence_spells", SPELL | {"spell_id": "t", "last_day": "2024-02-01"})
    output = ingest(root)[1]
    assert "(value '1800'; must be at least 1900" in output
    assert "(value '2024-02-01'; " in output


def test_a_wrong_setting_is_named_before_any_work(root):
    (root / "params.yaml").write_text("ingest:\n  recieved_on: 2025-01-01\n")
    code, output = ingest(root)
    assert code == 2
    assert "ingest.recieved_on" in output
