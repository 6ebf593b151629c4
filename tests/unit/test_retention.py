"""Facts go when their retention period is over: to the day, with all their versions, from source, tables and DVC's cache."""

from __future__ import annotations

import json
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from data_contracts.readers.parquet_files import read_tables
from data_contracts.records import RECORDS, TABLES
from data_contracts.tables import n_rows
from pipeline import ingest, retention
from pipeline.retention import end_column, expired_in
from pipeline.workspace import Workspace
from tests.lib.planted import RECEIVED, cells
from tests.lib.records import spell
from tests.lib.source_files import employee, together, write_source

ON = date(2026, 2, 1)
LAST_KEPT = ON - timedelta(days=1826)
EXPIRED = LAST_KEPT - timedelta(days=1)


def looked(*rows: dict, name: str = "absence_spells") -> tuple[list[bool], str | None]:
    """Which rows of a CSV file have expired, and what cannot be said about it."""
    with tempfile.TemporaryDirectory() as directory:
        write_source(Path(directory) / "source", {name: list(rows)})
        expired, doubt = expired_in(Path(directory) / "source" / f"{name}.csv", TABLES[name], ON)
    return expired.tolist(), doubt


def gone(*rows: dict, name: str = "absence_spells") -> list[bool]:
    expired, doubt = looked(*rows, name=name)
    assert doubt is None
    return expired


def test_every_period_is_declared_and_runs_from_the_end_of_what_happened():
    assert {record.table: end_column(record) for record in RECORDS} == {
        "persons": None, "employments": "end_date", "consents": "withdrawn_on", "survey_answers": "answered_on",
        "lab_results": "sampled_on", "absence_spells": "last_day", "workplace_events": "occurred_on",
        "guidance_sessions": "held_on",
    }  # fmt: skip
    assert {record.retention_days for record in RECORDS} == {1826}


def test_the_period_is_kept_to_the_day():
    assert gone(spell("2020-12-01", LAST_KEPT.isoformat())) == [False]
    assert gone(spell("2020-12-01", EXPIRED.isoformat())) == [True]


def test_what_is_still_going_on_does_not_expire():
    assert gone(spell("2015-01-01", None)) == [False]
    assert gone({"person_id": "p", "birth_year": 1980, "known_from": "2015-01-01"}, name="persons") == []


def test_a_fact_goes_with_all_its_versions_or_not_at_all():
    running, ended = spell("2020-01-01", None), spell("2020-01-01", "2020-02-01", known_from="2020-02-02")
    assert gone(running, ended) == [True, True], "the first version, running, must not come to count again"
    other = spell("2020-01-01", None, spell_id="B")
    assert gone(ended, other, running) == [True, False, True]
    mistake = spell("2020-01-01", "2020-01-20", known_from="2020-01-21")
    assert gone(mistake, spell("2020-01-01", "2022-01-01", known_from="2022-01-02")) == [False, False]


def test_the_same_name_of_a_spell_of_two_persons_is_two_facts():
    assert gone(spell("2020-01-01", "2020-02-01"), spell("2025-01-01", "2025-02-01", person_id="q")) == [True, False]


def test_norwegian_dates_expire_too_and_dates_that_cannot_be_read_are_not_passed_over_in_silence():
    old = {"first_day": "01.01.2020", "last_day": "01.02.2020", "known_from": "01.01.2020"}
    assert looked(spell("2020-01-01", "2020-02-01") | old) == ([True], None)
    slashed = spell("2020-01-01", "2020-02-01") | {"last_day": "01/02/2020"}
    assert looked(slashed, spell("2020-01-01", "2020-02-01", spell_id="B")) == (
        [False, True],
        "holds dates that cannot be read",
    )


def test_nothing_is_no_mistake():
    assert gone() == []


OLD = "2019-05-01"


def answer(day: str, value: int, known: str | None = None) -> dict:
    row = {"person_id": "p", "instrument": "srh", "item": "item_1", "answer": value, "answered_on": day}
    return row | {"known_from": known or day}


@pytest.fixture
def workspace(tmp_path):
    """Old and young answers, one that breaks the contract behind them, and DVC objects of the source and the tables."""
    workspace = Workspace(tmp_path)
    answers = [answer(OLD, 3), answer("2025-05-01", 3), answer(OLD, 4, "2019-06-01"), answer("2025-06-01", 77)]
    old_spell = spell("2019-02-01", "2019-02-10")
    write_source(workspace.source, together(employee(), {"survey_answers": answers, "absence_spells": [old_spell]}))
    ingest.run(workspace, RECEIVED)
    return workspace


def cached(workspace: Workspace) -> None:
    """What DVC keeps, by hand: two objects, the list of their directory, a run, and the lock."""
    home = workspace.root / ".dvc" / "cache" / "files" / "md5"
    listed = []
    for i, name in enumerate(("survey_answers.csv", "persons.csv")):
        (home / f"0{i}").mkdir(parents=True)
        (home / f"0{i}" / ("a" * 30)).write_bytes((workspace.source / name).read_bytes())
        listed.append({"md5": f"0{i}" + "a" * 30, "relpath": name})
    (home / "0f").mkdir()
    (home / "0f" / ("b" * 30 + ".dir")).write_text(json.dumps(listed))
    run = workspace.root / ".dvc" / "cache" / "runs" / "12" / ("12" * 32)
    run.mkdir(parents=True)
    (run / "34").write_text("outs:\n- md5: 0f" + "b" * 30 + ".dir\n")
    out = {"path": "data/source", "md5": "0f" + "b" * 30 + ".dir"}
    stages = {"receive": {"cmd": "x", "outs": [out]}, "other": {"cmd": "y", "outs": [{"path": "z", "md5": "e" * 32}]}}
    (workspace.root / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": stages}))


def test_expired_rows_go_from_source_tables_and_cache_and_are_counted(workspace):
    cached(workspace)
    before = (workspace.source / "survey_answers.csv").read_text().splitlines(keepends=True)
    report = retention.run(workspace, on=ON)
    assert report["expired"] == {"survey_answers": 2, "absence_spells": 1}
    assert (workspace.source / "survey_answers.csv").read_text().splitlines(keepends=True) == [
        line for line in before if OLD not in line
    ]
    tables = read_tables(workspace.tables)
    assert n_rows(tables["survey_answers"]) == 1
    assert n_rows(tables["absence_spells"]) == 0
    objects = sorted(
        str(path.relative_to(workspace.root)) for path in (workspace.root / ".dvc").rglob("*") if path.is_file()
    )
    assert objects == [f".dvc/cache/files/md5/01/{'a' * 30}"]
    assert list(yaml.safe_load((workspace.root / "dvc.lock").read_text())["stages"]) == ["other"]
    assert report["stages_to_run_again"] == ["receive"]


def test_the_quarantine_follows_and_the_certificate_says_what_was_not_done(workspace):
    report = retention.run(workspace, on=ON)
    assert [line[1] for line in cells(workspace.tables / "quarantine.csv")[1:]] == ["3"]
    assert any("training sets" in place for place in report["not_searched"])
    (path,) = (workspace.root / "erasures").glob("2026-02-01-expired.json")
    assert json.loads(path.read_text())["retention_days"]["survey_answers"] == 1826
    assert "survey_answers: 2 rows expired" in path.with_suffix(".txt").read_text()


def test_when_nothing_has_expired_nothing_is_written(workspace):
    retention.run(workspace, on=ON)
    before = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    assert retention.run(workspace, on=ON)["certificate"] is None
    assert {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("name", "content"), [
    ("survey_answers.csv", b"Id;Dato\np;2015-01-01\n"),
    ("svar.csv", b"Id;Dato\np;2015-01-01\n"),
    ("a.json", b'{"resourceType": "Bundle"}'),
    ("a.ndjson", b"{}"),
    ("survey_answers.parquet", b"PAR1garbage"),
    ("survey_answers.csv", b"\xff\xfea"),
])  # fmt: skip
def test_what_is_not_understood_is_named_and_blocks_no_other_file(workspace, name, content):
    (workspace.source / name).write_bytes(content)
    with pytest.raises(retention.RetentionIncomplete, match=f"not searched: data/source/{name}") as refused:
        retention.run(workspace, on=ON)
    assert refused.value.exit_code == 3
    assert (workspace.source / name).read_bytes() == content
    assert n_rows(read_tables(workspace.tables)["absence_spells"]) == 0
    (path,) = (workspace.root / "erasures").glob("*-expired.json")
    assert any(name in place for place in json.loads(path.read_text())["not_searched"])
    with pytest.raises(retention.RetentionIncomplete, match="not searched"):
        retention.run(workspace, on=ON)
    assert len(list((workspace.root / "erasures").glob("*.json"))) == 1, "nothing was done, so nothing is certified"


def test_a_mapped_source_is_named(workspace):
    (workspace.source / "mapping.yaml").write_text("tables:\n  survey_answers: {source: svar.txt}\n")
    (workspace.source / "svar.txt").write_text("Id;Dato\n")
    with pytest.raises(retention.RetentionIncomplete, match=r"svar\.txt is a table in the customer's columns"):
        retention.run(workspace, on=ON)


def test_a_directory_named_like_a_table_is_named(workspace):
    (workspace.source / "survey_answers.csv").unlink()
    (workspace.source / "survey_answers.csv").mkdir()
    with pytest.raises(retention.RetentionIncomplete, match="cannot be read"):
        retention.run(workspace, on=ON)


def test_a_long_cell_hides_nothing(workspace):
    path = workspace.source / "survey_answers.csv"
    path.write_text(path.read_text() + "x" * 200_000 + "\n")
    assert retention.run(workspace, on=ON)["expired"]["survey_answers"] == 2


@pytest.mark.parametrize("ended", ["2020-02-01", "2025-02-01"])
def test_what_a_killed_build_has_left_goes_also_where_nothing_has_expired(ended, tmp_path):
    workspace = Workspace(tmp_path)
    write_source(workspace.source, together(employee(), {"absence_spells": [spell("2020-01-01", ended)]}))
    left = workspace.training_set("burnout") / "parts-0123"
    left.mkdir(parents=True)
    (left / "0.f4").write_bytes(b"features of somebody")
    report = retention.run(workspace, on=ON)
    assert not left.exists()
    assert "killed build" in report["summary"] or "data/training/burnout/parts-0123" in report["files"]
    assert (report["certificate"] is None) is (ended == "2025-02-01")
