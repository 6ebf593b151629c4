"""A source is checked once, for ingest and validate alike: who is unknown, who was erased, who needs a clinician today."""

from __future__ import annotations

import csv
import json
import weakref
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from data_contracts.errors import SettingsError, SourceFileError
from data_contracts.pseudonyms import VARIABLE
from data_contracts.readers.parquet_files import read_tables
from data_contracts.tables import Coded
from pipeline import ingest, source_check
from pipeline.erasures import Tombstones, add_tombstones
from pipeline.settings import IngestSettings
from pipeline.source_check import check_source
from pipeline.stored_flags import stored_flags
from pipeline.workspace import Workspace
from tests.lib.fhir_bundles import bundle, observation, patient, response
from tests.lib.postgresql import postgresql_url
from tests.lib.source_files import employee, together, write_source

SETTINGS = IngestSettings(received_on=date(2026, 1, 1), max_quarantined_share=1)
SPELL = {"person_id": "p", "spell_id": "s", "kind": "self_certified", "grade_percent": 100, "first_day": "2025-03-01",
         "last_day": "2025-04-10", "known_from": "2025-03-02"}  # fmt: skip
ANSWER = {"person_id": "p", "instrument": "phq9", "item": "item_9", "answer": 1, "answered_on": "2025-05-01",
          "known_from": "2025-05-01"}  # fmt: skip


def write(directory: Path, **more) -> Path:
    write_source(directory, together(employee(), more))
    return directory


def check(directory: Path, mapping: Path | None = None, tombstones: Tombstones | None = None):
    return check_source(str(directory), mapping, SETTINGS, tombstones)


def test_accepted_rows_keep_the_numbers_of_their_file(tmp_path):
    bad = SPELL | {"spell_id": "t", "kind": ""}
    found = check(write(tmp_path / "s", absence_spells=[bad, SPELL]))
    assert found.row_numbers["absence_spells"].tolist() == [3]
    assert [one[:4] for one in found.violations] == [("absence_spells.csv", 2, "kind", "required")]
    assert found.reports["absence_spells"]["quarantined"] == 1


def test_rows_of_unknown_persons_are_found_under_file_and_line(tmp_path):
    found = check(write(tmp_path / "s", absence_spells=[SPELL, SPELL | {"person_id": "nobody"}]))
    assert found.violations == [
        ("absence_spells.csv", 3, "person_id", "person not in persons", None, "no accepted row of persons has it")
    ]
    assert found.tables["absence_spells"]["person_id"].texts() == ["p"]
    assert found.row_numbers["absence_spells"].tolist() == [2]


def test_warnings_are_told_under_file_and_line_and_refuse_nothing(tmp_path):
    found = check(write(tmp_path / "s", absence_spells=[SPELL]))
    assert {one[:3] for one in found.warnings} >= {("absence_spells.csv", 2, "last_day")}
    assert found.violations == []


def test_a_source_without_a_needed_table_says_which(tmp_path):
    directory = write(tmp_path / "s")
    (directory / "consents.csv").unlink()
    (directory / "persons.csv").write_text("")
    with pytest.raises(SourceFileError) as refused:
        check(directory)
    assert "consents is missing (no such file)" in str(refused.value)
    assert "persons.csv is an empty file" in str(refused.value), "every fault is named at once"


MAPPING = """\
pseudonymise: true
tables:
  absence_spells:
    source: fravaer.csv
    columns: {person_id: Nr, first_day: Fra}
    known_from: first_day + 4 days
"""
FRAVAER = "Nr;spell_id;kind;grade_percent;Fra\np;s;self_certified;100;01.03.2025\nq;s;x;100;01.03.2025\n"


@pytest.fixture
def keys(tmp_path, monkeypatch):
    path = tmp_path / "pseudonym.keys"
    path.write_text("p1: " + "ab" * 32 + "\n")
    path.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(path))


def mapped_source(tmp_path: Path) -> Path:
    directory = write(tmp_path / "s")
    (directory / "absence_spells.csv").unlink()
    (directory / "mapping.yaml").write_text(MAPPING)
    (directory / "fravaer.csv").write_text(FRAVAER)
    return directory


@pytest.mark.usefixtures("keys")
def test_a_mapping_beside_the_source_is_used_and_persons_become_pseudonyms(tmp_path):
    found = check(mapped_source(tmp_path))
    (person,) = found.tables["persons"]["person_id"].texts()
    assert person.startswith("p1-")
    assert found.tables["absence_spells"]["person_id"].texts() == [person]
    assert found.assumptions == {"absence_spells": "first_day + 4 days"}
    assert [one[:4] for one in found.violations] == [("fravaer.csv", 3, "kind", "codes")]


def test_pseudonyms_need_a_key(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SettingsError, match=VARIABLE):
        check(mapped_source(tmp_path))


def test_a_mapping_elsewhere_is_used_when_it_is_named(tmp_path):
    directory = write(tmp_path / "s", absence_spells=[SPELL])
    (tmp_path / "other.yaml").write_text("tables: {absence_spells: {columns: {kind: Art}}}")
    with pytest.raises(SourceFileError, match=r"Art \(for kind\)"):
        check(directory, tmp_path / "other.yaml")


def test_nothing_of_an_erased_person_comes_back_not_even_as_a_violation(tmp_path):
    rows = [SPELL, SPELL | {"spell_id": "secret", "kind": "secret"}, SPELL | {"person_id": "q", "kind": "x"}]
    directory = write(tmp_path / "s", absence_spells=rows, **{"persons": employee("q")["persons"]})
    found = check(directory, tombstones=add_tombstones(Workspace(tmp_path), ["p"]))
    assert [one[:4] for one in found.violations] == [("absence_spells.csv", 4, "kind", "codes")]
    assert found.tables["persons"]["person_id"].vocabulary == ("q",)
    assert found.reports["absence_spells"]["notes"] == ["2 row(s) of erased persons were not taken"]
    assert found.tables["employments"]["person_id"].vocabulary == ()


def ingested(tmp_path: Path, **more):
    workspace = Workspace(tmp_path)
    write(workspace.source, **more)
    return workspace, ingest.run(workspace, SETTINGS)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_thought_of_self_harm_is_said_in_the_summary_and_listed(tmp_path):
    workspace, report = ingested(tmp_path, survey_answers=[ANSWER])
    assert "SAFETY: 1 person(s) answered phq9 item_9 above its limit: a clinician must look today" in report["summary"]
    assert report["safety_flags"] == {"phq9.item_9": 1}
    assert [row["person_id"] for row in rows_of(workspace.tables / "safety_flags.csv")] == ["p"]
    _, report = ingested(tmp_path / "b", survey_answers=[ANSWER | {"answer": 0}])
    assert "SAFETY" not in report["summary"]


@pytest.mark.parametrize(
    ("person", "cells", "flagged"),
    [
        ({}, {"known_from": "2026-02-01"}, ["p"]),
        ({}, {"answer": 4}, ["p"]),
        ({"birth_year": 1}, {}, ["p"]),
        ({}, {"person_id": "nobody"}, ["nobody"]),
        ({}, {"person_id": ""}, [None]),
        ({}, {"answer": 0, "known_from": ""}, []),
    ],
)
def test_a_fault_of_the_row_or_of_the_person_hides_no_flag(tmp_path, person, cells, flagged):
    persons = [row | person for row in employee()["persons"]]
    directory = tmp_path / "s"
    write_source(directory, employee() | {"persons": persons, "survey_answers": [ANSWER | cells]})
    found = check(directory)
    assert [flag.person_id for flag in found.safety_flags] == flagged


def test_score_and_validate_find_the_flag_of_a_refused_row_again(tmp_path):
    workspace, report = ingested(tmp_path, survey_answers=[ANSWER | {"answer": 4}, ANSWER | {"person_id": ""}])
    assert "SAFETY: 2 person(s)" in report["summary"]
    flags = stored_flags(workspace, read_tables(workspace.tables))
    assert {flag.person_id for flag in flags} == {"p", None}


def test_fhir_answers_that_give_no_row_are_flagged_but_not_those_of_the_erased(tmp_path):
    directory = tmp_path / "s"
    directory.mkdir()
    stopped = response("phq9", {"item_9": 1}, status="stopped")
    (directory / "b.json").write_text(json.dumps(bundle(patient("p"), stopped)))
    (flag,) = check(directory).safety_flags
    assert flag.person_id == "p"
    assert check(directory, tombstones=add_tombstones(Workspace(tmp_path), ["p"])).safety_flags == []


def test_a_fhir_entry_that_gives_no_row_is_counted_as_a_refused_row_of_its_table(tmp_path):
    entries = [patient(), observation(), observation(subject={"reference": "Patient/unknown"})]
    document = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
    (tmp_path / "bundle.json").write_text(json.dumps(document))
    found = check(tmp_path / "bundle.json")
    counts = found.reports["lab_results"]
    assert (counts["rows"], counts["accepted"], counts["quarantined"]) == (2, 1, 1)
    assert [one[:2] for one in found.violations] == [("bundle.json", 3)]
    assert found.reports["employments"]["notes"] == ["no such file: the table is empty"]


RISKY = ["=1+1", "+1", "-x", "@SUM(A1)", "\tx", "'x", "=HYPERLINK(0)"]


def test_no_cell_of_the_quarantine_is_run_by_a_spreadsheet_and_none_is_lost(tmp_path):
    spells = [SPELL | {"spell_id": f"s{place}", "kind": cell} for place, cell in enumerate(RISKY)]
    workspace, _ = ingested(tmp_path, absence_spells=[*spells, SPELL | {"kind": "plain"}])
    values = [row["value"] for row in rows_of(workspace.tables / "quarantine.csv")]
    assert values == [f"'{cell}" for cell in RISKY] + ["plain"]
    assert [value.removeprefix("'") for value in values] == [*RISKY, "plain"]


def test_warnings_are_written_beside_the_quarantine(tmp_path):
    workspace, report = ingested(tmp_path, absence_spells=[SPELL])
    written = rows_of(workspace.tables / "warnings.csv")
    assert written[0]["file"] == "absence_spells.csv"
    assert sum(report["warnings"].values()) == len(written)
    assert f"{len(written)} warnings about accepted rows" in report["summary"]


def test_a_source_of_the_settings_is_used_unless_the_command_line_names_one(tmp_path):
    write(tmp_path / "a", absence_spells=[SPELL])
    write(tmp_path / "b")
    settings = SETTINGS.model_copy(update={"source": str(tmp_path / "a")})
    assert ingest.run(Workspace(tmp_path), settings)["tables"]["absence_spells"]["accepted"] == 1
    assert ingest.run(Workspace(tmp_path), settings, str(tmp_path / "b"))["tables"]["absence_spells"]["accepted"] == 0


def test_a_database_is_ingested_like_the_files_it_was_filled_from(tmp_path):
    workspace, _ = ingested(tmp_path, absence_spells=[SPELL], survey_answers=[ANSWER])
    from_files = read_tables(workspace.tables)
    with postgresql_url() as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for path in workspace.source.glob("*.csv"):
                rows = rows_of(path)
                names = path.read_text().splitlines()[0].split(",")
                table = sa.Table(path.stem, sa.MetaData(), *(sa.Column(name, sa.Text) for name in names))
                table.create(connection)
                if rows:
                    connection.execute(table.insert(), rows)
        report = ingest.run(workspace, SETTINGS, url)
    assert report["location"] == "postgresql+psycopg://postgres:***@/postgres"
    for name, table in read_tables(workspace.tables).items():
        assert sorted_rows(table) == sorted_rows(from_files[name])


def sorted_rows(table) -> list[str]:
    cells = [column.texts() if isinstance(column, Coded) else column.astype(str).tolist() for column in table.values()]
    return sorted(map(repr, zip(*cells, strict=True)))


def test_the_text_of_a_sound_table_is_gone_when_the_next_is_read(tmp_path, monkeypatch):
    """Of a million persons the text of all tables takes as much memory as what is made of it."""
    source = write(tmp_path / "s", absence_spells=[SPELL])
    read, texts, still_there = source_check._read, [], []

    def reading(source, record):
        still_there.append(sum(text() is not None for text in texts))
        table = read(source, record)
        if table.raw and record.table != "consents":
            texts.append(weakref.ref(table.raw["known_from"].codes))
        return table

    monkeypatch.setattr(source_check, "_read", reading)
    assert not check(source).violations
    assert len(texts) > 2
    assert set(still_there) == {0}
