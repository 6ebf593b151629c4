"""Where data come from: one file per table, no way out of the directory, nothing packed, FHIR beside CSV."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import BalanceRiskError, MissingInputError, SettingsError, SourceFileError
from data_contracts.readers.column_mapping import Mapping
from data_contracts.readers.sources import is_database, mapping_beside, open_source, shown_location
from data_contracts.records import Employment, LabResult, Person, SurveyAnswer
from data_contracts.violations import Violation
from tests.lib.fhir_bundles import observation, patient

PERSONS = "person_id,birth_year,sex,known_from\np1,1980,female,2025-01-01\n"


def mapped(source, table="persons"):
    return Mapping.model_validate({"tables": {table: {"source": source}}})


def bundle(*resources):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def test_csv_and_parquet_may_stand_side_by_side(tmp_path):
    (tmp_path / "persons.csv").write_text(PERSONS)
    row = {"person_id": ["p1"], "company_id": ["c"], "position_percent": [80], "start_date": ["2020-01-01"]}
    pq.write_table(pa.table(row | {"known_from": ["2020-01-01"]}), tmp_path / "employments.parquet")
    source = open_source(str(tmp_path))
    assert source.read(Person).row_numbers.tolist() == [2]
    assert (source.read(Employment).origin, source.read(Employment).row_numbers.tolist()) == (
        "employments.parquet",
        [1],
    )
    assert source.read(SurveyAnswer) is None


def test_two_files_for_one_table_are_refused(tmp_path):
    (tmp_path / "persons.csv").write_text(PERSONS)
    (tmp_path / "persons.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceFileError, match=r"persons\.csv and persons\.parquet: two files for one table"):
        open_source(str(tmp_path)).read(Person)


def test_a_misspelt_file_is_pointed_at(tmp_path):
    (tmp_path / "lab_result.csv").write_text("")
    assert open_source(str(tmp_path)).absent(LabResult) == "no such file; lab_result.csv is not read, is it meant?"
    assert open_source(str(tmp_path)).absent(Person) == "no such file"


def test_a_single_file_is_a_source(tmp_path):
    for name in ("persons.csv", "employments.csv"):
        (tmp_path / name).write_text(PERSONS)
    source = open_source(str(tmp_path / "persons.csv"))
    assert source.read(Person) is not None
    assert source.read(Employment) is None


OUTSIDE = [
    "/etc/passwd",
    "../persons.csv",
    "a/../../persons.csv",
    "..\\persons.csv",
    "C:\\persons.csv",
    "link.csv",
    "a\0b",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_mapped_file_never_lies_outside_the_source_directory(name, tmp_path):
    (tmp_path / "persons.csv").write_text(PERSONS)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link.csv").symlink_to(tmp_path / "persons.csv")
    with pytest.raises(SettingsError, match="must lie inside the source directory"):
        open_source(str(tmp_path / "source"), mapped(name)).read(Person)


def test_a_mapped_file_may_lie_in_a_subdirectory_and_must_be_there(tmp_path):
    (tmp_path / "hr").mkdir()
    (tmp_path / "hr" / "ansatte.txt").write_text(PERSONS)
    assert open_source(str(tmp_path), mapped("hr/ansatte.txt")).read(Person).origin == "hr/ansatte.txt"
    with pytest.raises(SourceFileError, match="the mapping names it as the source of persons"):
        open_source(str(tmp_path), mapped("hr/andre.txt")).read(Person)


def test_what_is_packed_is_refused_by_name_and_by_content(tmp_path):
    (tmp_path / "employments.csv.gz").write_bytes(gzip.compress(PERSONS.encode()))
    with zipfile.ZipFile(tmp_path / "persons.csv", "w") as archive:  # a workbook that was renamed looks like this
        archive.writestr("persons.csv", "0" * 1_000_000)
    source = open_source(str(tmp_path))
    with pytest.raises(SourceFileError, match=r"employments\.csv\.gz is packed or a workbook"):
        source.read(Employment)
    with pytest.raises(SourceFileError, match="is a ZIP archive or a workbook"):
        source.read(Person)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(MissingInputError, match="no such file or directory"):
        open_source(str(tmp_path / "nothing"))


def test_fhir_files_give_their_tables_and_every_row_knows_its_file(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(
            json.dumps(bundle(patient(name), observation(subject={"reference": f"Patient/{name}"})))
        )
    source = open_source(str(tmp_path))
    persons, results = source.read(Person), source.read(LabResult)
    assert persons.raw["person_id"].texts() == ["a", "b"]
    assert results.raw["person_id"].texts() == ["a", "b"]
    assert results.row_numbers.tolist() == [2, 2]
    fault = Violation("lab_results", 1, "value", "bounds", None, "")
    assert results.located(fault)[:3] == ("b.json", 2, "value")
    assert source.required == ("persons",)


def test_a_table_may_not_come_from_fhir_and_a_file_at_once(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(bundle(patient())))
    (tmp_path / "persons.csv").write_text(PERSONS)
    with pytest.raises(SourceFileError, match=r"both in persons\.csv and in FHIR"):
        open_source(str(tmp_path)).read(Person)


@pytest.mark.parametrize("text", ["", "{", "[" * 200_000, '{"a": NaN}', "\x1f\x8b", '{"a": 1' + "0" * 5000 + "}"])
def test_json_that_cannot_be_read_is_refused_with_its_name(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BalanceRiskError, match=r"a\.json"):
        open_source(str(tmp_path)).read(Person)


def test_the_stamp_of_the_simulator_is_no_fhir(tmp_path):
    (tmp_path / "persons.csv").write_text(PERSONS)
    (tmp_path / "source.json").write_text('{"synthetic": true}')
    source = open_source(str(tmp_path))
    assert (source.is_synthetic, source.violations, source.required[1]) == (True, [], "employments")
    (tmp_path / "source.json").write_text("[]")
    with pytest.raises(SourceFileError, match="not the stamp"):
        open_source(str(tmp_path))


@pytest.mark.parametrize(("location", "answer"), [("sqlite:///a.db", True), ("postgresql+psycopg://h/d", True),
                                                  ("data/source", False), ("C:\\data", False), ("a:b", False),
                                                  ("C:\\a@b", False), ("postgresql:u:pw@h", True), (" sqlite://a", True),
                                                  ("postgresql+psycopg2-binary://h", True)])  # fmt: skip
def test_a_url_is_told_from_a_path(location, answer):
    assert is_database(location) is answer


ODD_ADDRESSES = ["postgresql+psycopg2-binary://u:hunter2@h/d", "postgresql:u:hunter2@h", " postgresql://u:hunter2@h/d",
                 "u:hunter2@h", "sqlite:///u:hunter2@h", "postgres-ql:hunter2@h", "//u:hunter2@h/d"]  # fmt: skip


@pytest.mark.parametrize("location", ODD_ADDRESSES)
def test_an_address_with_a_mistake_in_it_is_never_repeated(location):
    """A hyphen in the driver's name made it a path, and the message about the missing file showed the password."""
    with pytest.raises(BalanceRiskError) as refused:
        open_source(location)
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in shown_location(location)


@pytest.mark.parametrize("location", ["x" * 5000, "x/" * 5000, "sqlite:///" + "x" * 5000])
def test_a_name_longer_than_any_file_has_is_a_mistake_and_no_fault(location):
    for opened in (open_source, mapping_beside)[: 1 if is_database(location) else 2]:
        with pytest.raises(MissingInputError) as refused:
            opened(location)
        assert len(str(refused.value)) < 200


def test_a_name_that_is_no_text_is_refused_before_it_reaches_a_report(tmp_path):
    (tmp_path / os.fsdecode(b"frav\xe6r.json")).write_text("{}")
    with pytest.raises(SettingsError, match="not printable") as refused:
        open_source(str(tmp_path))
    str(refused.value).encode("utf-8")
    with pytest.raises(SettingsError, match="not printable"):
        open_source(os.fsdecode(b"frav\xe6r"))


@pytest.mark.parametrize("fault", [PermissionError(13, "Permission denied"), IsADirectoryError(21, "Is a directory")])
def test_a_file_that_may_not_be_read_is_named(fault, tmp_path, monkeypatch):
    (tmp_path / "persons.csv").write_text(PERSONS)
    source = open_source(str(tmp_path))

    def refuse(*_args, **_more):
        raise fault

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceFileError, match=rf"persons\.csv cannot be read: {fault.strerror}"):
        source.read(Person)
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(SourceFileError, match=fault.strerror):
        open_source(str(tmp_path))
