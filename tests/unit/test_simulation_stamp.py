"""Simulate writes only where nothing of anybody else lies, alone, and leaves at no moment synthetic data without a stamp."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import BalanceRiskError, ContractViolation, SourceFileError
from pipeline import simulate as stage
from pipeline.settings import SimulateSettings
from pipeline.simulation import cohort
from pipeline.simulation.files import source_files, stamp
from pipeline.simulation.files.claim import claimed
from pipeline.workspace import Workspace

SETTINGS = SimulateSettings(persons=100, seed=5, start=date(2023, 1, 1), end=date(2024, 1, 1), workers=1)


def run(workspace: Workspace, **changes: Any) -> dict[str, Any]:
    return stage.run(workspace, SETTINGS.model_copy(update=changes))


def source_json(workspace: Workspace) -> dict[str, Any]:
    return json.loads((workspace.source / "source.json").read_text(encoding="utf-8"))


def names(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


# The stamp


def test_the_stamp_names_every_other_file_by_its_hash(workspace: Workspace) -> None:
    run(workspace)
    files = source_json(workspace)["files"]
    assert set(files) == names(workspace.source) - {"source.json"}
    for name, one in files.items():
        content = (workspace.source / name).read_bytes()
        assert one == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("n_moved", [0, 1, 5])
@pytest.mark.parametrize("earlier", [None, "csv", "fhir"])
def test_a_run_that_ends_while_moving_leaves_a_stamp_and_the_next_one_takes_over(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, n_moved: int, earlier: str | None
) -> None:
    """Or ingest would call simulated persons real."""
    if earlier:
        run(workspace, format=earlier, persons=150)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing_after(n_moved, Path.replace))
        with pytest.raises(SourceFileError, match="No space left"):
            run(workspace)
    assert source_json(workspace)["synthetic"] is True
    run(workspace, format="parquet")
    assert set(source_json(workspace)["files"]) == names(workspace.source) - {"source.json"}
    assert "replaced" not in source_json(workspace)


@pytest.mark.parametrize("earlier", [None, "csv"])
def test_at_every_moment_tables_lie_beside_a_stamp(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, earlier: str | None
) -> None:
    if earlier:
        run(workspace, format=earlier, seed=6)
    seen: list[bool] = []

    def observed(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*arguments: Any, **named: Any) -> Any:
            done = act(*arguments, **named)
            if any(workspace.source.glob("*.csv")) or any(workspace.source.glob("*.parquet")):
                seen.append(source_json(workspace)["synthetic"])
            return done

        return acting

    for place, name in ((Path, "replace"), (Path, "unlink"), (os, "replace")):
        monkeypatch.setattr(place, name, observed(getattr(place, name)))
    run(workspace, format="parquet")
    assert len(seen) > 10
    assert all(seen)


def failing_after(count: int, act: Callable[..., Any]) -> Callable[..., Any]:
    calls: list[Any] = []

    def acting(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) > count:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return act(*arguments)

    return acting


def test_the_report_of_a_check_goes_with_the_next_run_and_a_directory_inside_does_no_harm(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(tallies: Any, summary: dict[str, Any], directory: Path) -> dict[str, Any]:
        (directory / "check").mkdir(exist_ok=True)
        (directory / "check" / "report.md").write_text("a report")
        stamp.add_to_stamp(directory, "check/*")
        return {"passed": 1, "missed": 0, "too_few": 0, "misses": []}

    monkeypatch.setattr(cohort, "_check", check)
    stage.run(workspace, SETTINGS, check=True)
    assert "check/report.md" in source_json(workspace)["files"]
    (workspace.source / "check" / "mine").mkdir()
    run(workspace)
    assert [path.name for path in (workspace.source / "check").iterdir()] == ["mine"]
    (workspace.source / "check" / "mine").rmdir()
    run(workspace)
    assert not (workspace.source / "check").exists()


# Two runs


def test_a_second_run_into_the_same_directory_is_refused(workspace: Workspace) -> None:
    with claimed(workspace.source), pytest.raises(BalanceRiskError, match="Another simulate is writing") as refused:
        run(workspace)
    assert "another --workspace" in str(refused.value)
    assert not (workspace.source / "unfinished").exists()
    run(workspace)


def test_what_a_killed_run_left_keeps_nobody_out(workspace: Workspace) -> None:
    left = workspace.source / "unfinished"
    (left / "files").mkdir(parents=True)
    (left / "lock").touch()
    (left / "files" / "persons.csv").write_text("half a file")
    run(workspace)
    assert not left.exists()


# Foreign files


@pytest.mark.parametrize(
    "name", ["persons.csv", "other.parquet", "truth/mine.csv", "truth/a.txt", "check/a.md", "check"]
)
def test_nothing_is_written_where_files_lie_without_a_stamp(workspace: Workspace, name: str) -> None:
    own = workspace.source / name
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    with pytest.raises(ContractViolation, match="did not write"):
        run(workspace)
    assert own.read_text() == "mine"
    assert names(workspace.source) == {name}


@pytest.mark.parametrize(
    "name", ["persons.csv", "persons.parquet", "truth/mine.csv", "check/notes.md", "cohort-1.ndjson"]
)
def test_an_own_file_among_simulated_ones_is_named_and_left_alone(workspace: Workspace, name: str) -> None:
    run(workspace)
    own = workspace.source / name
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine")
    with pytest.raises(ContractViolation, match=f"{name}. They are left alone. Move or delete them"):
        run(workspace)
    assert own.read_text() == "mine"
    own.unlink()
    run(workspace)


def test_a_file_of_the_same_size_with_other_content_is_an_own_one(workspace: Workspace) -> None:
    run(workspace)
    persons = workspace.source / "persons.csv"
    persons.write_bytes(persons.read_bytes().replace(b"woman", b"WOMAN").replace(b"female", b"FEMALE"))
    assert persons.stat().st_size == source_json(workspace)["files"]["persons.csv"]["bytes"]
    with pytest.raises(ContractViolation, match=r"persons\.csv"):
        run(workspace)


def test_files_that_simulate_never_writes_are_nobodys_business(workspace: Workspace) -> None:
    run(workspace)
    (workspace.source / "mapping.yaml").write_text("tables: {}\n")
    (workspace.source / "notes.csv").write_text("mine")
    run(workspace, seed=6)
    assert (workspace.source / "notes.csv").read_text() == "mine"


# Ordinary faults


@pytest.mark.parametrize("content", ["[]", "null", "{", '"synthetic"', "[" * 100_000])
def test_a_source_json_of_another_kind_is_said(workspace: Workspace, content: str) -> None:
    workspace.source.mkdir(parents=True)
    (workspace.source / "source.json").write_text(content)
    with pytest.raises(SourceFileError, match="is not the stamp that `simulate` writes"):
        run(workspace)


def test_a_file_where_the_directory_should_be_is_said(workspace: Workspace) -> None:
    workspace.source.parent.mkdir(parents=True)
    workspace.source.write_text("a file")
    with pytest.raises(SourceFileError, match=r"Not a directory\..* another --workspace"):
        run(workspace)


@pytest.mark.parametrize("place", ["SourceFiles._append", "pq.ParquetWriter.write_table", "move_into_place"])
def test_a_full_disk_is_said_and_leaves_the_earlier_files(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    run(workspace)
    before = {name: (workspace.source / name).read_bytes() for name in names(workspace.source)}

    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"{source_files.__name__}.{place}", full)
    with pytest.raises(SourceFileError, match=r"No space left on device\..* room"):
        run(workspace, format="parquet")
    monkeypatch.undo()
    assert {name: (workspace.source / name).read_bytes() for name in names(workspace.source)} == before
