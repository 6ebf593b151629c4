"""Unfinished training sets: gone when a run ends, found when it was killed, and never in the way of the real error."""

from __future__ import annotations

import shutil

import pytest

from data_contracts.errors import BalanceRiskError, EngineError, NotEnoughDataError
from pipeline.scratch import left_over, made, new_scratch, remove
from pipeline.workspace import Workspace


def test_it_is_there_for_as_long_as_it_is_needed(tmp_path):
    scratch = new_scratch(tmp_path / "burnout")
    assert scratch != new_scratch(tmp_path / "burnout")
    with made(scratch):
        (scratch / "0.f4").write_bytes(b"features")
    assert not scratch.exists()


def test_what_was_deleted_meanwhile_is_told_in_words(tmp_path):
    scratch = new_scratch(tmp_path)

    def work() -> None:
        with made(scratch):
            shutil.rmtree(scratch)
            (scratch / "0.f4").write_bytes(b"features")

    with pytest.raises(EngineError, match="was deleted while this run worked in it"):
        work()


def test_another_missing_file_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), made(new_scratch(tmp_path)):
        (tmp_path / "elsewhere").read_bytes()


def test_a_failure_to_clear_up_does_not_hide_what_failed(tmp_path):
    scratch = new_scratch(tmp_path)

    def work() -> None:
        with made(scratch):
            shutil.rmtree(scratch)
            raise NotEnoughDataError("too few")

    with pytest.raises(NotEnoughDataError, match="too few"):
        work()


def test_what_killed_runs_have_left_is_found_by_outcome_and_removed(tmp_path):
    workspace = Workspace(tmp_path)
    left = [workspace.training_set(name) / "parts-1" for name in ("burnout", "long_sick_leave")]
    for path in left:
        (path / "dask-scratch-space").mkdir(parents=True)
        (path.parent / "rows.npz").write_bytes(b"a training set")
    assert left_over(workspace) == left
    assert left_over(workspace, "burnout") == left[:1]
    remove(left[0])
    assert left_over(workspace) == left[1:]
    assert (workspace.training_set("burnout") / "rows.npz").exists()


def test_what_cannot_be_removed_is_said_not_passed_over(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "parts-1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BalanceRiskError, match=r"parts-1 was left by a build that was killed.* Delete it"):
        remove(tmp_path / "parts-1")
