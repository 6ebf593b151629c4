"""Locks: who goes beside whom, what is said to the others, and that a killed process keeps nobody out."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from data_contracts.errors import BalanceRiskError, EngineError, MissingInputError
from pipeline import build_training_set, erase, ingest, locks, retention
from pipeline.locks import WorkspaceBusy, alone, building, refuse_changed, stand
from pipeline.settings import IngestSettings, Settings
from pipeline.workspace import Workspace

ON = date(2026, 2, 1)

STAGES = {
    "ingest": lambda workspace: ingest.run(workspace, IngestSettings()),
    "erase": lambda workspace: erase.run(workspace, "person-1"),
    "erase --expired": lambda workspace: retention.run(workspace, on=ON),
    "build-training-set": lambda workspace: build_training_set.run(workspace, Settings(), ["burnout"]),
}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@alone
def sole(workspace: Workspace, meanwhile: object = lambda: None) -> str:
    meanwhile()
    return workspace.root.name


@pytest.mark.parametrize("name", STAGES)
def test_nothing_runs_beside_a_stage_that_must_be_alone(name, workspace):
    with pytest.raises(WorkspaceBusy, match=r"works in /.*Wait until it has ended, then run this again") as error:
        sole(workspace, lambda: STAGES[name](workspace))
    assert error.value.exit_code == 2
    assert sole(workspace) == workspace.root.name, "whoever fails lets go"


@pytest.mark.parametrize("name", ["ingest", "erase", "erase --expired"])
def test_what_must_be_alone_does_not_run_beside_a_build(name, workspace):
    with building(workspace, ["burnout"]), pytest.raises(WorkspaceBusy):
        STAGES[name](workspace)


def test_builds_of_different_outcomes_go_beside_each_other_and_those_of_one_do_not(workspace):
    with building(workspace, ["burnout"]):
        with building(workspace, ["long_sick_leave"]):
            pass
        both = pytest.raises(WorkspaceBusy, match="Another build-training-set works on burnout")
        with both, building(workspace, ["long_sick_leave", "burnout"]):
            pass
        with building(workspace, ["long_sick_leave", "long_sick_leave"]):
            pass  # what was taken before the refusal was let go


def test_a_stage_that_has_ended_keeps_nobody_out(workspace):
    for name in ("build-training-set", "ingest", "build-training-set"):
        with pytest.raises(MissingInputError):
            STAGES[name](workspace)


def test_the_lock_of_a_killed_process_is_gone(workspace):
    held = (
        "import sys, time; from pathlib import Path; from pipeline.locks import building; "
        "from pipeline.workspace import Workspace\n"
        "with building(Workspace(Path(sys.argv[1])), ['burnout']): print('held', flush=True); time.sleep(600)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", held, str(workspace.root)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            assert other.stdout.readline() == "held\n"
            with pytest.raises(WorkspaceBusy):
                sole(workspace)
        finally:
            other.kill()
    assert sole(workspace) == workspace.root.name


def test_locks_lie_outside_what_dvc_empties(workspace):
    with building(workspace, ["burnout"]):
        assert sorted(path.name for path in workspace.tables.parent.iterdir()) == [".lock", ".lock-burnout"]


def test_a_file_system_without_locks_is_said(workspace, monkeypatch):
    def none(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", none)
    with pytest.raises(BalanceRiskError, match=r"cannot be locked \(Operation not supported\)"):
        sole(workspace)


def test_a_place_that_cannot_be_written_is_said(workspace):
    (workspace.root / "data").write_text("a file")
    with pytest.raises(BalanceRiskError, match=r"data/\.lock cannot be written \(File exists\)"):
        sole(workspace)


@pytest.mark.parametrize("change", ["content", "time", "gone", "new"])
def test_tables_that_were_changed_are_noticed(change, tmp_path):
    path = tmp_path / "persons.parquet"
    path.write_bytes(b"rows")
    before = stand(tmp_path)
    (tmp_path / "quarantine.csv").write_text("no table")
    refuse_changed(tmp_path, before)
    changes = {
        "content": lambda: path.write_bytes(b"fewer"),
        "time": lambda: locks.os.utime(path, ns=(0, 1)),  # other rows of the same length
        "gone": path.unlink,
        "new": lambda: (tmp_path / "consents.parquet").write_bytes(b""),
    }
    changes[change]()
    with pytest.raises(EngineError, match="were changed while they were read"):
        refuse_changed(tmp_path, before)
