"""A backup of PostgreSQL and its restore into empty databases, in this process. With a service: test_backup.py, long."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from sqlalchemy.engine import make_url

from data_contracts.errors import MissingInputError
from data_contracts.tombstones import KEY as TOMBSTONE_KEY
from data_contracts.tombstones import TOMBSTONES, tombstone
from serving.audit import reading
from serving.audit.journal import Journal
from serving.audit.keys import create_audit_key, read_audit_key
from serving.backup import manifest, place, postgresql
from serving.backup import restore as restoring
from serving.backup.errors import BackupDamaged, BackupFailed, RestoreRefused
from serving.backup.restore import Known, restore
from serving.backup.take import Keys, take
from serving.settings import Settings
from serving.store import StoreUnavailable
from serving.store.erasure import erase
from tests.lib.audit_writer import event
from tests.lib.postgresql import client_programs, postgresql_url
from tests.lib.stores import NIGHT, OUTCOME, fresh_url, opened, rows, scored, write

HER, ERASED, WITHDREW = "SYNTHETIC-her", "SYNTHETIC-erased", "SYNTHETIC-withdrew"
SECRET = b"k" * 32


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_url() as url:
        yield url


@pytest.fixture(autouse=True)
def programs(monkeypatch) -> None:
    """pg_dump must be as new as the server."""
    monkeypatch.setenv("PATH", f"{client_programs()}{os.pathsep}{os.environ['PATH']}")


def settings_in(root: Path, server: str) -> Settings:
    return Settings(store=fresh_url(server, root), audit=fresh_url(server, root), audit_key=root / "audit.key",
                    audit_heads=root / "heads.jsonl", bundles=root / "bundles")  # fmt: skip


def log(settings: Settings, *events) -> int:
    with closing(Journal(settings.audit, read_audit_key(settings.audit_key), settings.audit_heads)) as journal:
        journal.start()
        return journal.append(events).result(10)


@pytest.fixture
def here(server, tmp_path) -> Settings:
    settings = settings_in(tmp_path / "here", server)
    create_audit_key(settings.audit_key)
    log(settings, *(event(f"r{number}") for number in range(5)))
    with opened(settings.store) as store:
        write(store, *(scored(one) for one in (HER, ERASED, WITHDREW)))
        store.record_decision("dr", store.latest_score(HER, NIGHT), OUTCOME, "agree", f"as {ERASED} told", "wait")
    return settings


@pytest.fixture
def there(here, server, tmp_path) -> Settings:
    return replace(settings_in(tmp_path / "there", server), audit_key=here.audit_key)


def test_all_comes_back_but_who_was_erased_or_withdrew_and_the_chain_goes_on(here, there, tmp_path):
    keys = Keys.read(here.audit_key, [])
    take(here, tmp_path / "backup", keys, tmp_path)
    with opened(here.store) as store:
        before = rows(store)
        store.withdraw(WITHDREW, "lab", NIGHT)
    log(here, event("w", action="withdraw", person_id=WITHDREW))
    (tmp_path / TOMBSTONE_KEY).write_bytes(SECRET)
    marks = {"marks": [tombstone(SECRET, ERASED)], "by_pseudonym": {}}
    (tmp_path / TOMBSTONES).write_bytes(orjson.dumps(marks))
    report = restore(
        there, tmp_path / "backup", keys, Known(tmp_path, old_store=here.store, old_heads=here.audit_heads)
    )
    assert (report["sound"], report["events"], report["erased_again"], report["withdrawn_again"]) == (True, 5, 1, 1)
    assert report["missing"] == 1, "the withdrawal's event, of which a head tells"
    with opened(there.store) as store:
        after = rows(store)
        assert store.latest_score(HER, NIGHT) is not None
        assert store.decisions()[0].reason == "as [erased] told"
        assert [*store.withdrawals()[1]] == [WITHDREW]
    assert ERASED not in str(after)
    assert after["nights"] == before["nights"]
    assert [row for row in before["scores"] if ERASED not in row] == after["scores"]
    assert len(after["scores"]) == 2
    assert log(there, event("after")) == report["event"] + 1


def test_what_stands_in_the_place_is_not_replaced_and_a_failed_restore_leaves_nothing(here, there, tmp_path):
    keys = Keys.read(here.audit_key, [])
    take(here, tmp_path / "backup", keys, tmp_path)
    lost = Known(tmp_path, withdrawals_lost=True, nobody_erased=True)
    with opened(there.store) as store:
        write(store, scored("SYNTHETIC-else"))
        there_before = rows(store)
    with pytest.raises(RestoreRefused, match="Name an empty database, and keep this one"):
        restore(there, tmp_path / "backup", keys, lost)
    with opened(there.store) as store:
        assert rows(store) == there_before


class Killed(BaseException):
    """Nothing is undone after it."""


def test_a_restore_that_is_killed_leaves_no_log_with_which_a_service_would_answer(here, there, tmp_path, monkeypatch):
    """Erased persons are in the store until they are kept out; the log must not be there before."""
    keys = Keys.read(here.audit_key, [])
    take(here, tmp_path / "backup", keys, tmp_path)
    lost = Known(tmp_path, withdrawals_lost=True, nobody_erased=True)

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_keep_out", kill)
        patched.setattr(restoring.Staged, "_undo", lambda _: None)
        with pytest.raises(Killed):
            restore(there, tmp_path / "backup", keys, lost)
    with opened(there.store) as store:
        assert ERASED in str(rows(store)["scores"]), "this is why"
    with pytest.raises(MissingInputError, match="no table of events"):
        [*reading.events(there.audit)]
    with closing(Journal(there.audit, keys.current, there.audit_heads)) as journal:
        journal.start()
        assert not journal.is_healthy()
    with pytest.raises(RestoreRefused, match="drop both databases"):
        restore(there, tmp_path / "backup", keys, lost)


def role(server: str, name: str) -> str:
    """The URL of an account of its own, without a right to anything."""
    with postgresql.connected(server, "store") as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
    return make_url(server).set(username=name).render_as_string(hide_password=False)


def test_whoever_is_connected_is_seen_also_by_an_account_that_may_not_see_what_they_do(server, tmp_path):
    here = fresh_url(server, tmp_path)
    owner, service = role(here, "an_owner"), role(here, "a_service")
    with postgresql.connected(service, "store"), postgresql.connected(owner, "store"):
        assert postgresql.others(owner, "store") == 2
    with pytest.MonkeyPatch.context() as patched, postgresql.connected(service, "store"):
        patched.setattr(place, "_LEAVING_SECONDS", 0.0)
        with pytest.raises(RestoreRefused, match="Somebody is connected"):
            place.refuse_filled(owner, "store")


def test_an_erasure_by_an_account_that_may_not_rewrite_tables_is_not_said_to_be_done(server, tmp_path):
    """PostgreSQL passes over the tables of others with a warning, and what was deleted stays in the file."""
    here = fresh_url(server, tmp_path)
    with opened(here) as store:
        write(store, scored(ERASED))
    service = role(here, "an_eraser")
    with postgresql.connected(here, "store") as connection:
        connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO an_eraser")
    with opened(service, migrate=False) as store, pytest.raises(StoreUnavailable, match="does not own"):
        erase(store.database, [ERASED], [])
    with opened(here) as store:
        assert erase(store.database, [ERASED], []) == {}


def test_what_the_address_demands_of_the_connection_is_demanded_by_the_programs_too():
    url = "postgresql+psycopg://u@h/d?sslmode=verify-full&ssl_min_protocol_version=TLSv1.3&require_auth=scram-sha-256"
    said = postgresql._environment(f"{url}&target_session_attrs=read-write&connect_timeout=3")
    assert {said[name] for name in ("PGSSLMODE", "PGSSLMINPROTOCOLVERSION", "PGREQUIREAUTH", "PGTARGETSESSIONATTRS")} == {
        "verify-full", "TLSv1.3", "scram-sha-256", "read-write"}  # fmt: skip
    assert (said["PGDATABASE"], said["PGCONNECT_TIMEOUT"]) == ("d", "3")
    with pytest.raises(BackupFailed, match="keepalives_idle of the database's address cannot be given"):
        postgresql._environment(f"{url}&keepalives_idle=3")


def test_an_address_may_say_how_long_a_connection_is_waited_for(server):
    with postgresql.connected(f"{server}&connect_timeout=3", "store") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_dump_that_is_changed_after_it_was_checked_is_not_loaded(here, there, tmp_path, monkeypatch):
    keys, read = Keys.read(here.audit_key, []), manifest.read
    take(here, tmp_path / "backup", keys, tmp_path)

    def and_then_changed(*arguments):
        found = read(*arguments)
        (tmp_path / "backup" / "store.dump").write_bytes(b"another")
        return found

    monkeypatch.setattr(manifest, "read", and_then_changed)
    with pytest.raises(BackupDamaged, match=r"was changed while it was read: store\.dump"):
        restore(there, tmp_path / "backup", keys, Known(tmp_path, withdrawals_lost=True, nobody_erased=True))
