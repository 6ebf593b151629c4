"""Erasing a person leaves nothing that names her, keeps everything of everybody else, and can be broken off anywhere."""

from __future__ import annotations

import gzip
import hashlib
import json

import numpy as np
import pytest

from data_contracts.errors import ContractViolation, MissingInputError
from data_contracts.readers.parquet_files import read_tables
from models.training_set import TrainingSet
from pipeline import erase, ingest
from pipeline.erasure import files as erasure_files
from pipeline.erasure.models import retrain_due
from pipeline.workspace import Workspace
from tests.lib.customers import NUMBER, ON
from tests.lib.planted import HER, NEIGHBOURS, RECEIVED, cells, grep, plant, rows_of, source
from tests.lib.source_files import together, write_source

PLACES = [
    ".bentoml/inputs.log.1", "data/models/out_of_fold.npy", "data/scores/2025-01-01.csv.gz", "data/scores/2026-01-01.csv",
    *(f"data/source/{name}.csv" for name in ("absence_spells", "consents", "employments", "guidance_sessions",
                                             "lab_results", "persons", "survey_answers", "truth/truth")),
    *(f"data/tables/{name}.parquet" for name in ("absence_spells", "consents", "employments", "guidance_sessions",
                                                 "lab_results", "persons", "survey_answers")),
    "data/training/long_sick_leave/rows.npz", "old.log.1.gz", "request.json", "service.log",
]  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    return plant(tmp_path)


def test_she_is_in_every_place_before_and_in_none_after(workspace):
    assert grep(workspace.root) == PLACES
    report = erase.run(workspace, HER, on=ON)
    assert grep(workspace.root) == []
    assert set(PLACES) <= set(report["files"])
    assert all(counts["after"] == 0 for counts in report["places"].values())


def test_nobody_else_loses_a_row_or_a_byte(workspace):
    before = {path: path.read_text().splitlines() for path in workspace.source.rglob("*.csv")}
    training = TrainingSet.load(workspace.training_set("long_sick_leave") / "rows")
    erase.run(workspace, HER, on=ON)
    for path, lines in before.items():
        assert path.read_text().splitlines() == [line for line in lines if HER not in line.split(",")]
    tables = read_tables(workspace.tables)
    assert sorted(tables["persons"]["person_id"].texts()) == sorted(NEIGHBOURS)
    left = TrainingSet.load(workspace.training_set("long_sick_leave") / "rows")
    kept = training.person_ids[training.person] != HER
    assert left.person_ids[left.person].tolist() == training.person_ids[training.person][kept].tolist()
    assert left.X.tobytes() == training.X[kept].tobytes()
    assert left.feature_names.tolist() == training.feature_names.tolist()
    assert [row[0] for row in cells(workspace.scores / "2026-01-01.csv")[1:]] == list(NEIGHBOURS)
    with gzip.open(workspace.scores / "2025-01-01.csv.gz", "rt") as file:
        assert [line.split(",")[0] for line in file][1:] == list(NEIGHBOURS)
    assert (workspace.root / "service.log").read_text() == "asked for person-771\n"
    assert gzip.decompress((workspace.root / "old.log.1.gz").read_bytes()) == b"asked for q\n"


def test_the_tables_are_what_ingest_makes_of_a_source_that_never_had_her(workspace, tmp_path):
    erase.run(workspace, HER, on=ON)
    other = Workspace(tmp_path / "other")
    others = (rows_of("person-771"), rows_of("person-7", 77), rows_of("q"))
    write_source(other.source, together(*others))
    ingest.run(other, RECEIVED)
    for path in sorted(other.tables.glob("*.parquet")):
        assert (workspace.tables / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_quarantine_follows_the_source(workspace):
    before = cells(workspace.tables / "quarantine.csv")
    row, file = before[0].index("row"), before[0].index("file")
    answers = [line[row] for line in before if line[file] == "survey_answers.csv"]
    assert answers == ["4", "5"]  # hers, then person-7's, whose answer moves up two lines: hers were lines 3 and 4
    erase.run(workspace, HER, on=ON)
    after = cells(workspace.tables / "quarantine.csv")
    assert [line[row] for line in after if line[file] == "survey_answers.csv"] == ["3"]
    assert cells(workspace.source / "survey_answers.csv")[3 - 1][0] == "person-7"


def left_by_a_killed_build(workspace) -> list:
    """What a build leaves when its process is killed: features without names, and a set with them that is half written."""
    left = [workspace.training_set(name) / "parts-0123" for name in ("burnout", "long_sick_leave")]
    for path in left:
        (path / "dask-scratch-space").mkdir(parents=True)
        (path / "0.f4").write_bytes(np.arange(8, dtype="<f4").tobytes())
        (path / "rows.npz.89ab.partial").write_bytes(b"PK\3\4 cut off " + HER.encode())
    return left


def test_what_a_killed_build_has_left_goes_and_the_certificate_says_so(workspace):
    left = left_by_a_killed_build(workspace)
    report = erase.run(workspace, HER, on=ON)
    assert [path for path in left if path.exists()] == []
    for path in left:
        assert report["files"][str(path.relative_to(workspace.root))] == {"rows": 1, "sha256_after": None}
    assert grep(workspace.root) == []


def test_what_a_build_has_left_since_an_erasure_goes_with_the_next(workspace):
    erase.run(workspace, HER, on=ON)
    (left, _) = left_by_a_killed_build(workspace)
    assert erase.run(workspace, HER, on=ON)["certificate"] is not None
    assert not left.exists()


def test_somebody_unknown_leaves_even_a_killed_build_alone(workspace):
    left = left_by_a_killed_build(workspace)
    with pytest.raises(MissingInputError, match="nothing was changed"):
        erase.run(workspace, "nobody", on=ON)
    assert all((path / "0.f4").exists() for path in left)


def test_a_later_ingest_of_the_same_source_does_not_take_her(workspace, tmp_path):
    erase.run(workspace, HER, on=ON)
    source(tmp_path / "again")
    (tmp_path / "again").rename(workspace.source.with_name("source_again"))
    for path in workspace.source.with_name("source_again").glob("*.csv"):
        path.replace(workspace.source / path.name)
    ingest.run(workspace, RECEIVED)
    assert grep(workspace.tables) == []
    assert sorted(read_tables(workspace.tables)["persons"]["person_id"].texts()) == sorted(NEIGHBOURS)


def test_the_certificate_names_nobody_and_adds_up(workspace):
    report = erase.run(workspace, HER, reason="her request of 30 January", on=ON)
    (path,) = (workspace.root / "erasures").glob("2026-02-01-*.json")
    text = path.read_text() + path.with_suffix(".txt").read_text()
    assert HER not in text
    found = json.loads(path.read_text())
    assert found["date"] == "2026-02-01"
    assert found["reason"] == "her request of 30 January"
    assert found["places"]["data/scores"] == {"before": 2, "after": 0}
    assert found["places"]["data/training"] == {"before": 8, "after": 0}
    persons = workspace.source / "persons.csv"
    assert found["files"]["data/source/persons.csv"] == {
        "rows": 2,
        "sha256_after": hashlib.sha256(persons.read_bytes()).hexdigest(),
    }
    assert report["summary"].endswith(str(path))
    assert (workspace.root / "erasures" / "tombstone.key").stat().st_mode & 0o077 == 0


def test_the_picture_of_her_risk_goes_with_the_request_it_was_made_from(workspace):
    erase.run(workspace, HER, on=ON)
    assert not any((workspace.root / name).exists() for name in ("request.json", "answer.json", "explained_risk.png"))


def test_somebody_elses_picture_stays(workspace):
    erase.run(workspace, "person-771", on=ON)
    assert (workspace.root / "explained_risk.png").exists()


@pytest.mark.parametrize("stop", [1, 2, 7, 12, 24, 26, 27, 28, 29, 30, 33, 39])
def test_broken_off_anywhere_running_again_finishes_it(workspace, monkeypatch, stop):
    calls, real = [], erasure_files.replace_file

    def breaking(path, content):
        calls.append(path)
        if len(calls) == stop:
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(erase, "replace_file", breaking)
    with pytest.raises(KeyboardInterrupt):
        erase.run(workspace, HER, on=ON)
    assert not list((workspace.root / "erasures").glob("2026*"))
    monkeypatch.undo()
    report = erase.run(workspace, HER, on=ON)
    assert grep(workspace.root) == []
    assert report["retrain_due"]
    assert {place: report["places"][place]["before"] for place in ("data/scores", "data/training")} == {
        "data/scores": 2,
        "data/training": 8,
    }
    quarantined = cells(workspace.tables / "quarantine.csv")
    assert [line[1] for line in quarantined if line[0] == "survey_answers.csv"] == ["3"]
    assert not list((workspace.root / "erasures").glob("*unfinished*"))


def test_an_unknown_person_changes_nothing_and_leaves_no_tombstone(workspace):
    before = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    with pytest.raises(MissingInputError, match="no certificate") as refused:
        erase.run(workspace, "person-70000", on=ON)
    assert "person-70000" not in str(refused.value)
    assert {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()} == before


def test_erasing_twice_says_so(workspace):
    erase.run(workspace, HER, on=ON)
    assert erase.run(workspace, HER, on=ON)["certificate"] is None


def test_what_this_command_may_not_change_is_a_failure_until_somebody_looks(workspace):
    (workspace.bundles / "burnout").mkdir(parents=True)
    (workspace.bundles / "burnout" / "notes.txt").write_text(f"see {HER}")
    (workspace.bundles / "burnout" / "model.json").write_text(f'["{HER}"]')
    (workspace.root / f"{HER}.txt").write_text("letter")
    with pytest.raises(erase.ErasureIncomplete, match=r"3 file\(s\)") as refused:
        erase.run(workspace, HER, on=ON)
    assert refused.value.exit_code == 3
    assert HER not in str(refused.value)
    assert "bundles/burnout/notes.txt" in str(refused.value)
    assert not list((workspace.root / "erasures").glob("2026*"))
    assert (workspace.bundles / "burnout" / "model.json").read_text() == f'["{HER}"]', "a sealed bundle is not altered"
    (workspace.bundles / "burnout" / "notes.txt").unlink()
    (workspace.bundles / "burnout" / "model.json").unlink()
    (workspace.root / f"{HER}.txt").unlink()
    assert erase.run(workspace, HER, on=ON)["certificate"]


def test_named_in_a_line_about_somebody_else_of_the_source_is_not_silently_passed_over(workspace):
    with (workspace.source / "notes.csv").open("w") as file:
        file.write(f"person_id,note\nq,works with {HER}\n")
    with pytest.raises(erase.ErasureIncomplete, match=r"data/source/notes\.csv"):
        erase.run(workspace, HER, on=ON)
    assert "q,works" in (workspace.source / "notes.csv").read_text()


def test_a_national_identity_number_is_not_looked_for():
    with pytest.raises(ContractViolation) as refused:
        erase.run(Workspace(), NUMBER, on=ON)
    assert NUMBER not in str(refused.value)


def test_models_trained_on_her_are_due(workspace):
    assert retrain_due(workspace, ["long_sick_leave"]) == []
    erase.run(workspace, HER, on=ON)
    (note,) = retrain_due(workspace, ["long_sick_leave", "burnout"])
    assert "retrain due: the model of long_sick_leave" in note
    lineage = workspace.model("long_sick_leave") / "lineage.json"
    lineage.write_text(json.dumps({"training_set_sha256": "of a later set"}))
    assert retrain_due(workspace, ["long_sick_leave"]) == []


def test_a_model_whose_training_set_never_held_her_is_not_due(workspace):
    erase.run(workspace, "person-771", on=ON)
    assert retrain_due(workspace, ["long_sick_leave"]) == []


def test_a_model_whose_training_set_is_gone_cannot_be_ruled_out(workspace):
    (workspace.training_set("long_sick_leave") / "rows.npz").unlink()
    erase.run(workspace, "person-771", on=ON)
    assert "cannot be ruled out" in retrain_due(workspace, ["long_sick_leave"])[0]


def test_a_champion_in_service_stays_and_says_so(workspace):
    home = workspace.bundles / "long_sick_leave"
    (home / "3-0123456789ab").mkdir(parents=True)
    (home / "current").symlink_to("3-0123456789ab")
    notes = erase.run(workspace, HER, on=ON)["retrain_due"]
    assert any("champion of long_sick_leave in service, version 3" in note for note in notes)
    assert (home / "current").exists()
