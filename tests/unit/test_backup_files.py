"""What backups that were killed leave: it is swept, and whoever works at that moment is left alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from serving.backup import files, manifest, place
from serving.backup.errors import BackupDamaged
from serving.backup.files import LOCK, whole_directory


def left(place: Path, *names: str) -> Path:
    """A directory as a killed process leaves it: nobody holds its lock."""
    found = place / ".partial-killed"
    found.mkdir(mode=0o700)
    for name in names:
        (found / name).parent.mkdir(exist_ok=True)
        (found / name).write_text("SYNTHETIC-her")
    return found


@pytest.mark.parametrize("names", [(), (LOCK,), (LOCK, "store.db", "bundles/model.bin")])
def test_what_a_killed_backup_left_is_swept(tmp_path, names):
    """Also the empty directory of one that was killed before it had its lock."""
    left(tmp_path, *names)
    with whole_directory(tmp_path / "b") as partial:
        (partial / "store.db").write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["store.db"]


def test_two_at_a_time_do_not_sweep_each_other(tmp_path):
    with whole_directory(tmp_path / "a") as one, whole_directory(tmp_path / "b") as two:
        for partial in (one, two):
            (partial / "store.db").write_text("whole")
    assert {path.name for path in tmp_path.glob("*/*")} == {"store.db"}


def test_a_directory_that_another_one_sweeps_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    made, opened = files.tempfile.mkdtemp, os.open
    swept = []

    def at_once(*arguments, **named):
        found = made(*arguments, **named)
        if not swept:
            files._sweep(tmp_path)
            swept.append(found)
        return found

    def after_its_lock_is_made(path, *arguments, **named):
        handle = opened(path, *arguments, **named)
        if len(swept) == 1 and Path(path).name == LOCK:
            swept.append(path)
            files._sweep(tmp_path)
        return handle

    monkeypatch.setattr(files.tempfile, "mkdtemp", at_once)
    monkeypatch.setattr(files.os, "open", after_its_lock_is_made)
    with whole_directory(tmp_path / "b") as partial:
        (partial / "store.db").write_text("whole")
    assert len(swept) == 2
    assert (tmp_path / "b" / "store.db").read_text() == "whole"


def test_the_lock_goes_last_or_a_second_kill_would_hide_what_is_left(tmp_path, monkeypatch):
    place, removed, remove = left(tmp_path, LOCK, "bundles/model.bin", "store.db"), [], shutil.rmtree

    def seen(path, **named):
        removed.append((Path(path).name, (place / LOCK).exists(), (place / "store.db").exists()))
        remove(path, **named)

    monkeypatch.setattr(files.shutil, "rmtree", seen)
    files._sweep(tmp_path)
    assert removed == [("bundles", True, True), (place.name, True, False)]
    assert not place.exists()


@pytest.fixture
def backup(tmp_path) -> Path:
    """A bundle that is in service, and a file of another kind."""
    found = tmp_path / "backup"
    bundle = found / "bundles" / "burnout" / "1-ab"
    (bundle / "parts").mkdir(parents=True)
    for path in (found / "store.db", bundle / "model.bin", bundle / "parts" / "a.json"):
        path.write_text(path.name)
    (bundle.parent / "current").symlink_to("1-ab")
    return found


def test_bundles_are_put_in_place_as_the_manifest_has_them(backup, tmp_path):
    said = {"files": manifest.files_of(backup)}
    place.put_bundles(backup, said, tmp_path / "bundles")
    assert manifest.files_of(tmp_path / "bundles") == manifest.files_of(backup / "bundles")
    (tmp_path / "bundles" / "burnout" / "1-ab" / "model.bin").write_text("in service")
    place.put_bundles(backup, said, tmp_path / "bundles")
    assert (tmp_path / "bundles" / "burnout" / "1-ab" / "model.bin").read_text() == "in service"


def test_what_is_changed_between_the_check_and_its_use_is_not_used(backup, tmp_path):
    """The backup may lie in somebody else's directory: what is used is the copy whose hash was held against the manifest."""
    said = {"files": manifest.files_of(backup)}
    bundle = backup / "bundles" / "burnout"
    (backup / "store.db").write_text("another")
    (bundle / "1-ab" / "parts" / "a.json").write_text("another")
    (bundle / "current").unlink()
    (bundle / "current").symlink_to("../../evil")
    with pytest.raises(BackupDamaged, match=r"was changed while it was read: store\.db"):
        manifest.copied(backup, "store.db", said, tmp_path / "store.db")
    with pytest.raises(BackupDamaged, match=r"was changed while it was read: .*a\.json"):
        place.put_bundles(backup, said, tmp_path / "bundles")
    assert manifest.files_of(tmp_path / "bundles") == {}
    (bundle / "1-ab" / "parts" / "a.json").write_text("a.json")
    place.put_bundles(backup, said, tmp_path / "bundles")
    assert (tmp_path / "bundles" / "burnout" / "current").readlink() == Path("1-ab")
