"""What a restore refuses, and that it then has changed nothing; what is said where PostgreSQL's programs are missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from data_contracts.errors import BalanceRiskError
from data_contracts.tombstones import KEY as TOMBSTONE_KEY
from data_contracts.tombstones import TOMBSTONES, tombstone
from serving.audit import heads, reading
from serving.audit.journal import Journal
from serving.audit.keys import create_audit_key, hold, read_audit_key
from serving.backup import manifest, postgresql, sqlite_copy
from serving.backup.errors import BackupFailed
from serving.backup.restore import Known, restore
from serving.backup.take import Keys, take
from serving.settings import Settings
from tests.lib.audit_writer import event
from tests.lib.postgresql import postgresql_url
from tests.lib.stores import NIGHT, OUTCOME, opened, scored, write

HER, ERASED = "SYNTHETIC-her", "SYNTHETIC-erased"
SECRET = b"k" * 32


def settings_in(root: Path) -> Settings:
    return Settings(
        bundles=root / "bundles", store=f"sqlite:///{root}/store/store.db", audit=f"sqlite:///{root}/store/audit.db",
        audit_key=root / "audit.key", audit_heads=root / "store" / "audit-heads.jsonl",
    )  # fmt: skip


@contextmanager
def log_of(settings):
    journal = Journal(settings.audit, read_audit_key(settings.audit_key), settings.audit_heads)
    journal.start()
    try:
        yield journal
    finally:
        journal.close()


@pytest.fixture
def here(tmp_path) -> Settings:
    settings = settings_in(tmp_path / "here")
    create_audit_key(settings.audit_key)
    with log_of(settings) as journal:
        journal.append([event(f"r{number}") for number in range(5)]).result()
    with opened(settings.store) as store:
        write(store, scored(HER), scored(ERASED))
        store.record_decision("dr", store.latest_score(HER, NIGHT), OUTCOME, "agree", f"as {ERASED} told", "wait")
    return settings


@pytest.fixture
def keys(here) -> Keys:
    return Keys.read(here.audit_key, [])


@pytest.fixture
def backup(here, keys, tmp_path) -> Path:
    take(here, tmp_path / "backups" / "b", keys, tmp_path / "erasures")
    return tmp_path / "backups" / "b"


@pytest.fixture
def there(here, tmp_path) -> Settings:
    settings = settings_in(tmp_path / "there")
    (tmp_path / "there").mkdir()
    shutil.copy(here.audit_key, settings.audit_key)
    return settings


NOTHING = Known(Path("nowhere"), withdrawals_lost=True, nobody_erased=True)


def refused(there, backup, keys, known=NOTHING, match: str | None = None) -> None:
    """It says why, and leaves nothing behind but perhaps the heads."""
    with pytest.raises(BalanceRiskError, match=match):
        restore(there, backup, keys, known)
    left = {path.name for path in there.audit_key.parent.rglob("*") if path.is_file()}
    assert left <= {"audit.key", "audit-heads.jsonl"}


def test_a_backup_comes_back_as_it_was(here, there, backup, keys):
    report = restore(there, backup, keys, NOTHING)
    assert (report["sound"], report["events"], report["event"], report["missing"]) == (True, 5, 6, 0)
    with opened(there.store) as store:
        assert store.latest_score(HER, NIGHT) is not None
    with log_of(there) as journal:
        assert journal.append([event("after")]).result() == 7
    assert stat.S_IMODE((there.audit_key.parent / "store" / "store.db").stat().st_mode) == 0o600


def test_between_the_parts_nothing_is_written_that_does_not_fit(here, there, keys, tmp_path, monkeypatch):
    """As a service would: before and after each file is copied an event, its head, and then the row."""
    copied = sqlite_copy.copy

    def busy(source, target):
        for _ in range(2):
            with log_of(here) as journal:
                journal.append([event("d", action="record_decision", person_id=HER)]).result()
            with opened(here.store) as store:
                store.record_decision("dr", store.latest_score(HER, NIGHT), OUTCOME, "agree", "as told", "wait")
            copied(source, target) if not target.exists() else None

    monkeypatch.setattr(sqlite_copy, "copy", busy)
    take(here, tmp_path / "b", keys, tmp_path / "erasures")
    report = restore(there, tmp_path / "b", keys, NOTHING)
    assert report["sound"] is True
    with opened(there.store) as store:
        rows = len(store.decisions()) - 1
    logged = [*reading.accesses_after(there.audit, 0, "record_decision")]
    assert 0 < rows <= len(logged)


@pytest.mark.parametrize("name", ["store.db", "audit.db", "audit-heads.jsonl", "manifest.json", "manifest.mac"])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_backup_with_a_file_changed_or_gone_is_refused(there, backup, keys, name, how):
    content = bytearray((backup / name).read_bytes())
    content[len(content) // 2] ^= 1
    (backup / name).unlink()
    if how == "changed":
        (backup / name).write_bytes(content)
    refused(there, backup, keys)


def test_a_file_too_many_is_refused(there, backup, keys):
    (backup / "bundles" / "burnout").mkdir()
    (backup / "bundles" / "burnout" / "current").symlink_to("1-evil")
    refused(there, backup, keys, match="missing, changed or not of it: bundles/burnout/current")


def signed_again(backup: Path, keys: Keys, **changes) -> None:
    said = orjson.loads((backup / manifest.MANIFEST).read_bytes()) | changes
    for name in (manifest.MANIFEST, manifest.MAC):
        (backup / name).unlink()
    manifest.put(backup, said, keys.current)


def test_a_manifest_that_somebody_without_the_key_has_made_fit_is_refused(there, backup, keys):
    (backup / "store.db").write_bytes(b"another")
    signed_again(backup, replace(keys, current=bytes(32)))
    refused(there, backup, keys, match="was made under the audit key")


def test_a_backup_of_a_newer_program_is_refused(there, backup, keys):
    signed_again(backup, keys, store={"kind": "sqlite", "schema": "9999", "events_before": 0})
    refused(there, backup, keys, match=r"whose store is newer \(version 9999\).*Install that version")


def test_a_log_that_was_changed_before_the_backup_is_refused_by_its_chain(there, backup, keys):
    """Whoever has the key of the manifest alone cannot make the chain fit its heads."""
    (backup / "audit-heads.jsonl").unlink()
    heads.write(backup / "audit-heads.jsonl", keys.current, 9, "ab" * 32, "2026-01-01T00:00:00.000000Z", _key_id(keys))
    signed_again(backup, keys)
    refused(there, backup, keys, match="is not as it was written")


def _key_id(keys: Keys) -> str:
    return next(iter(keys.by_name))


def test_what_stands_in_the_place_is_not_replaced(here, backup, keys):
    before = Path(here.store.removeprefix("sqlite:///")).read_bytes()
    with pytest.raises(BalanceRiskError, match=r"is there\. Move what is left of the store aside, and keep it"):
        restore(here, backup, keys, NOTHING)
    assert Path(here.store.removeprefix("sqlite:///")).read_bytes() == before


def test_a_running_service_is_seen_also_where_its_store_was_moved_aside(there, backup, keys):
    journal = Journal(there.audit, keys.current, there.audit_heads, there.audit_key)
    journal.start()
    try:
        shutil.rmtree(there.audit_key.parent / "store")
        with pytest.raises(BalanceRiskError, match="The service is running"):
            restore(there, backup, keys, NOTHING)
    finally:
        journal.close()


def test_a_service_that_starts_during_a_restore_waits_for_its_end(there, keys):
    held = hold(there.audit_key, fcntl.LOCK_EX)
    journal = Journal(there.audit, keys.current, there.audit_heads, there.audit_key)
    journal.start()
    assert not journal.is_healthy()
    assert not Path(there.audit.removeprefix("sqlite:///")).exists(), (
        "no log of its own in the place of the one to come"
    )
    os.close(held)
    with closing(journal):
        assert journal.append([event("after")]).exception(10) is None


def test_withdrawals_and_erasures_must_be_known_or_said_to_be_lost(there, backup, keys):
    refused(there, backup, keys, Known(Path("nowhere"), nobody_erased=True), "Consent that was withdrawn after")
    refused(there, backup, keys, Known(Path("nowhere"), withdrawals_lost=True), "says of nobody that she was erased")


def erasures(directory: Path, *names: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / TOMBSTONE_KEY).write_bytes(SECRET)
    marks = sorted(tombstone(SECRET, name) for name in names)
    (directory / TOMBSTONES).write_bytes(orjson.dumps({"marks": marks, "by_pseudonym": {}}))
    return directory


def test_an_erased_person_does_not_come_back_nor_does_her_name_in_a_text(there, backup, keys, tmp_path):
    known = Known(erasures(tmp_path / "now", ERASED), withdrawals_lost=True)
    assert restore(there, backup, keys, known)["erased_again"] == 1
    with opened(there.store) as store:
        assert store.decisions()[0].reason == "as [erased] told"
    assert ERASED.encode() not in Path(there.store.removeprefix("sqlite:///")).read_bytes()


def test_where_no_erased_person_is_in_the_backup_all_others_come_back(there, backup, keys, tmp_path):
    known = Known(erasures(tmp_path / "now", "somebody before"), withdrawals_lost=True)
    assert restore(there, backup, keys, known)["erased_again"] == 0
    with opened(there.store) as store:
        assert len(store.answers(NIGHT)) == 2


def test_tombstones_older_than_the_backup_are_refused(here, there, keys, tmp_path):
    take(here, tmp_path / "b", keys, erasures(tmp_path / "then", ERASED, "another"))
    known = Known(erasures(tmp_path / "older", "another"), withdrawals_lost=True)
    refused(there, tmp_path / "b", keys, known, "lacks 1 of the 2 persons")
    known = Known(tmp_path / "nowhere", withdrawals_lost=True, nobody_erased=True)
    refused(there, tmp_path / "b", keys, known, "lacks 2 of the 2 persons")


def test_where_the_old_store_is_lost_its_log_says_who_withdrew(here, there, backup, keys):
    with log_of(here) as journal:
        journal.append([event("w", action="withdraw", person_id=HER)]).result()
        journal.append([event("x", action="withdraw", person_id="SYNTHETIC-denied", decision="denied")]).result()
    report = restore(there, backup, keys, Known(Path("nowhere"), old_audit=here.audit, nobody_erased=True))
    assert (report["withdrawals"], report["withdrawn_again"]) == ("old audit log", 1)
    with opened(there.store) as store:
        assert {*store.withdrawals()[1]} == {HER}
        assert len(store.withdrawals()[1][HER]) == 4, "what she withdrew is not known, so it counts as all"


def test_an_erased_person_whom_the_old_log_names_does_not_come_back_by_her_withdrawal(
    here, there, backup, keys, tmp_path
):
    with log_of(here) as journal:
        journal.append([event("w", action="withdraw", person_id=ERASED)]).result()
    restore(there, backup, keys, Known(erasures(tmp_path / "now", ERASED), old_audit=here.audit))
    with opened(there.store) as store:
        assert store.withdrawals()[1] == {}


def test_heads_of_another_log_are_not_gone_on_from(there, backup, keys):
    there.audit_heads.parent.mkdir()
    heads.write(there.audit_heads, keys.current, 3, "ab" * 32, "2026-01-01T00:00:00.000000Z", _key_id(keys))
    refused(there, backup, keys, match="do not go on from those of the backup")


def test_a_directory_that_is_there_is_not_written_over(here, keys, backup, tmp_path):
    with pytest.raises(BackupFailed, match="is there already"):
        take(here, backup, keys, tmp_path / "erasures")


def program(directory: Path, name: str, says: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (directory / name).chmod(0o755)


def test_a_missing_or_older_pg_dump_is_said_in_one_line(here, keys, tmp_path, monkeypatch):
    with postgresql_url() as url:
        with opened(url):
            pass
        server = replace(here, store=url)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        with pytest.raises(
            BackupFailed, match=r"pg_dump is not installed\. Install PostgreSQL's client programs of version"
        ):
            take(server, tmp_path / "b", keys, tmp_path)
        program(tmp_path / "bin", "pg_dump", "pg_dump (PostgreSQL) 9.6.1")
        with pytest.raises(BackupFailed, match="is of version 9 and the server of"):
            take(server, tmp_path / "b", keys, tmp_path)
    assert not (tmp_path / "b").exists()


def test_no_password_is_an_argument_or_is_shown():
    url = "postgresql+psycopg://user:secret@127.0.0.1:1/name"
    with pytest.raises(BackupFailed) as error, postgresql.connected(url, "store"):
        pass
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None
