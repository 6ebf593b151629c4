"""The exported contract is valid ODCS, and says of every column and rule what the records say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from data_contracts.fingerprints import fingerprint
from data_contracts.open_data_contract import open_data_contract
from data_contracts.records import RECORDS, columns
from data_contracts.rules import RULES


@pytest.fixture(scope="module")
def contract() -> dict:
    return yaml.safe_load(open_data_contract())


def table(contract: dict, name: str) -> dict:
    return next(one for one in contract["schema"] if one["name"] == name)


def column(contract: dict, of: str, name: str) -> dict:
    return next(one for one in table(contract, of)["properties"] if one["name"] == name)


def test_the_command_line_tool_of_the_standard_finds_no_fault(tmp_path):
    path = tmp_path / "contract.odcs.yaml"
    path.write_text(open_data_contract(), encoding="utf-8")
    tool = Path(sys.executable).parent / "datacontract"
    # No proxy answers on port 1: the check must not need the network.
    offline = {"HTTPS_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    done = subprocess.run(
        [tool, "lint", path], capture_output=True, text=True, check=False, env=os.environ | offline | {"COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "valid against ODCS v3.1.0" in done.stdout


def test_every_table_and_column_is_there_with_its_meaning(contract):
    assert [one["name"] for one in contract["schema"]] == [record.table for record in RECORDS]
    for record in RECORDS:
        found = table(contract, record.table)["properties"]
        assert [(one["name"], one["description"], one["required"]) for one in found] == [
            (one.name, one.meaning, one.required) for one in columns(record)
        ]
        stated = {one["property"]: one["value"] for one in table(contract, record.table)["customProperties"]}
        assert stated["contractFingerprint"] == fingerprint(record)
        assert stated.get("consentSource") == record.consent_source


def test_limits_codes_units_and_forms_are_told(contract):
    assert column(contract, "employments", "position_percent")["logicalTypeOptions"] == {
        "exclusiveMinimum": 0, "maximum": 100,
    }  # fmt: skip
    assert column(contract, "employments", "position_percent")["customProperties"] == [
        {"property": "unit", "value": "%"}
    ]
    assert column(contract, "persons", "known_from")["logicalTypeOptions"] == {
        "minimum": "1900-01-01", "maximum": "2100-12-31", "format": "yyyy-MM-dd",
    }  # fmt: skip
    assert column(contract, "employments", "occupation_code")["logicalTypeOptions"] == {"pattern": r"^\d{4}$"}
    (codes,) = column(contract, "persons", "sex")["quality"]
    assert codes["arguments"] == {"validValues": ["female", "male"]}


def test_the_key_of_a_version_is_the_primary_key_unless_a_part_of_it_may_be_empty(contract):
    keys = {
        one["name"]: [p["name"] for p in sorted(one["properties"], key=lambda p: p.get("primaryKeyPosition", 0))
                      if p.get("primaryKey")]
        for one in contract["schema"]
    }  # fmt: skip
    assert keys["absence_spells"] == ["person_id", "spell_id", "known_from"]
    assert keys["workplace_events"] == []
    (unique,) = [rule for rule in table(contract, "workplace_events")["quality"] if rule["type"] == "library"]
    assert unique["arguments"]["properties"] == ["company_id", "unit_id", "kind", "occurred_on", "known_from"]


def test_every_rule_of_a_row_is_told_with_what_to_do(contract):
    told = {rule["name"] for one in contract["schema"] for rule in one["quality"]}
    told |= {rule["name"] for one in contract["schema"] for p in one["properties"] for rule in p.get("quality", [])}
    by_the_column = {"required", "type", "bounds", "pattern"}
    of_arrival = {name for name, rule in RULES.items() if rule.only_on_arrival} | {"unknown field"}
    assert told == set(RULES) - by_the_column - of_arrival
    slack = next(one for one in table(contract, "absence_spells")["quality"] if one["name"] == "event after known_from")
    assert slack["description"].startswith("first_day must not be after known_from by more than 14 days.")


def test_how_long_rows_are_kept_is_told_for_every_table(contract):
    kept = {one["element"]: one["value"] for one in contract["slaProperties"] if one["property"] == "retention"}
    assert kept == {record.table: record.retention_days for record in RECORDS}
