"""The journal: a future is done when the event is on the disk, and nothing is lost, doubled, forked or waited for in vain."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from data_contracts.errors import SettingsError
from serving.audit import heads as heads_file
from serving.audit import journal as journal_module
from serving.audit import store as store_module
from serving.audit import writer as writer_module
from serving.audit.chain import key_id
from serving.audit.errors import AuditUnavailable
from serving.audit.journal import Journal
from serving.audit.reading import events
from serving.audit.store import AuditStore, StoreFault
from serving.audit.verify import verify
from tests.lib.audit_writer import KEY, event
from tests.lib.deployment import wait_for
from tests.lib.postgresql import postgresql_url

KEYS = {key_id(KEY): KEY}


@pytest.fixture
def heads(tmp_path):
    return tmp_path / "heads.jsonl"


@pytest.fixture(scope="module")
def server():
    with postgresql_url() as address:
        yield sa.make_url(address)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'audit.db'}"
    server, name = request.getfixturevalue("server"), f"audit_{uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def file_url(tmp_path):
    return f"sqlite:///{tmp_path / 'store' / 'audit.db'}"


@pytest.fixture
def opened():
    """Makes journals and closes them, or a failed test would leave their threads to the next."""
    made = []

    def start(url, heads=None, key=KEY):
        journal = Journal(url, key, heads)
        made.append(journal)
        journal.start()
        return journal

    yield start
    for journal in made:
        journal.close()


def requests_in(url):
    return [row[-3] for row in events(url)]


def is_sound(url, heads):
    proof = verify(events(url), heads_file.read(heads), KEYS)
    return proof.is_sound or proof.findings


def test_events_are_in_the_log_when_the_future_is_done(url, heads, opened):
    journal = opened(url, heads)
    for number in range(1, 4):
        assert journal.append([event(f"r{number}")]).result(5) == number
        assert requests_in(url)[-1] == f"r{number}"
    assert journal.append([event("r4"), event("r5")]).result(5) == 5
    journal.close()
    assert is_sound(url, heads) is True


def test_what_is_stored_is_what_people_can_read(url, opened):
    opened(url).append([event("r1", at=datetime(2026, 11, 22, 12, tzinfo=UTC), person_id=None)]).result(5)
    (row,) = events(url)
    assert row[:-2] == (
        1, "2026-11-22T12:00:00.000000Z", "dr-hansen", "clinician", '["c1","c2"]', "healthcare", "score", None, "allowed", "",
        '["burnout:3:0123456789ab"]', "2026-11-22", "r1",
    )  # fmt: skip
    assert row[-2] == key_id(KEY)


ROW_AGAIN = (
    "SELECT {}, at, 'x', role, organisations, purpose, action, person_id, decision, reason, models, data_version, "
    "request_id, key_id, link FROM audit_event WHERE n = 1"
)


def test_the_database_refuses_to_change_what_is_written(url, opened):
    opened(url).append([event("r1"), event("r2")]).result(5)
    statements = ["UPDATE audit_event SET caller = 'x'", "DELETE FROM audit_event"]
    if url.startswith("sqlite"):
        statements += [f"INSERT OR REPLACE INTO audit_event {ROW_AGAIN.format(1)}"]
        statements += [f"INSERT INTO audit_event {ROW_AGAIN.format(n)}" for n in (0, 9)]
    else:
        statements += ["TRUNCATE audit_event"]
    engine = sa.create_engine(url)
    for statement in statements:
        with pytest.raises(sa.exc.DBAPIError, match="only grows"), engine.begin() as connection:
            connection.exec_driver_sql(statement)
    engine.dispose()
    assert requests_in(url) == ["r1", "r2"]


def test_writes_are_durable(file_url, opened, monkeypatch):
    """NORMAL would lose the last events at a power cut; without a write-ahead log readers would hold writers up."""
    said = []
    connect = sqlite3.connect

    class Watched(sqlite3.Connection):
        def execute(self, statement, *rest):
            said.append(statement)
            return super().execute(statement, *rest)

    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **{**k, "factory": Watched}))
    opened(file_url).append([event("r1")]).result(5)
    assert said.index("PRAGMA journal_mode = WAL") < said.index("PRAGMA synchronous = FULL")


def test_the_file_is_for_this_account_alone(file_url, tmp_path, opened):
    """It says who is looked at, and by whom."""
    opened(file_url).append([event("r1")]).result(5)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "store").iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_what_comes_together_is_written_together_and_nobody_waits_for_company(file_url, opened):
    journal, writes = opened(file_url), []
    gate, real = threading.Event(), journal._writer.write

    def slow(batches):
        writes.append(len(batches))
        gate.wait(5)
        return real(batches)

    journal._writer.write = slow
    first = journal.append([event("first")])
    while not writes:
        time.sleep(0.001)
    rest = [journal.append([event(f"r{n}")]) for n in range(50)]
    gate.set()
    wait([first, *rest], 5)
    assert writes == [1, 50]
    assert [future.result() for future in rest] == list(range(2, 52))


def test_many_threads_lose_and_double_nothing(url, heads, opened):
    journal = opened(url, heads)
    with ThreadPoolExecutor(16) as threads:
        numbers = list(threads.map(lambda n: journal.append([event(f"r{n}")]).result(5), range(400)))
    assert sorted(numbers) == list(range(1, 401))
    stored = requests_in(url)
    assert all(stored[number - 1] == f"r{n}" for n, number in enumerate(numbers))
    journal.close()
    assert is_sound(url, heads) is True


def test_two_journals_write_one_chain(url, heads, opened):
    one, other = opened(url, heads), opened(url, heads)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: (one, other)[n % 2].append([event(f"r{n}")]).result(5), range(200)))
    for journal in (one, other):
        journal.close()
    assert sorted(requests_in(url)) == sorted(f"r{n}" for n in range(200))
    assert is_sound(url, heads) is True


def test_closing_writes_what_is_queued_and_a_head(file_url, heads, opened):
    journal = opened(file_url, heads)
    futures = [journal.append([event(f"r{n}")]) for n in range(500)]
    journal.close()
    assert not journal._thread.is_alive()
    assert [future.result(0) for future in futures] == list(range(1, 501))
    assert heads_file.newest(heads).n == 500
    with pytest.raises(AuditUnavailable, match="closed"):
        journal.append([event("late")]).result(0)


def test_a_queue_that_is_full_refuses_at_once(file_url, opened, monkeypatch):
    monkeypatch.setattr(journal_module, "MOST_QUEUED", 3)
    journal = Journal(file_url, KEY, None)  # not started: nothing is taken off
    waiting = journal.append([event("r1"), event("r2")])
    with pytest.raises(AuditUnavailable, match="keep up"):
        journal.append([event("r3"), event("r4")]).result(0)
    assert not waiting.done()
    journal.close()
    with pytest.raises(AuditUnavailable, match="closed"):
        waiting.result(0)


def test_an_event_that_is_none_fails_alone(file_url, opened):
    journal = opened(file_url)
    gate, real = threading.Event(), journal._write
    journal._write = lambda group: (gate.wait(5), real(group))
    good, bad, also = (journal.append([event(r, caller=c)]) for r, c in (("a", "x"), ("b", 7), ("c", "y")))
    gate.set()
    assert (good.result(5), also.result(5)) == (1, 2)
    with pytest.raises(AuditUnavailable):
        bad.result(5)
    with pytest.raises(ValueError, match="no event"):
        journal.append([])


def test_a_client_that_has_gone_cannot_take_its_access_out_of_the_log(file_url, opened):
    journal = opened(file_url)
    gate, real = threading.Event(), journal._write
    journal._write = lambda group: (gate.wait(5), real(group))
    futures = [journal.append([event(f"r{n}")]) for n in range(3)]
    assert not any(future.cancel() for future in futures)
    gate.set()
    wait(futures, 5)
    assert requests_in(file_url) == ["r0", "r1", "r2"]


def test_a_disk_that_says_nothing_is_told_in_time_and_who_was_told_no_is_not_written_later(
    file_url, opened, monkeypatch
):
    monkeypatch.setattr(journal_module, "LONGEST_WAIT", 0.3)
    journal = opened(file_url)
    gate, real, asked = threading.Event(), journal._writer.write, []

    def hangs(batches):
        asked.extend(row[-1] for rows in batches for row in rows)
        gate.wait(5)
        return real(batches)

    journal._writer.write = hangs
    stuck = journal.append([event("stuck")])
    while not asked:
        time.sleep(0.001)
    behind = journal.append([event("behind")])
    for future in (stuck, behind):
        with pytest.raises(AuditUnavailable, match="in time"):
            future.result(2)
    assert not journal.is_healthy()
    gate.set()
    monkeypatch.setattr(journal_module, "LONGEST_WAIT", 5.0)
    journal.append([event("after")]).result(5)
    assert requests_in(file_url) == ["stuck", "after"], (
        "'behind' was answered with 503 before anybody tried to write it"
    )
    assert journal.is_healthy()


def test_the_writing_thread_survives_what_nobody_thought_of(file_url, opened, caplog):
    journal, real = opened(file_url), None
    real = journal._writer.write
    journal._writer.write = lambda batches: 1 / 0
    with pytest.raises(AuditUnavailable):
        journal.append([event("r1", person_id="person-secret")]).result(5)
    assert not journal.is_healthy()
    journal._writer.write = real
    assert journal.append([event("r2")]).result(5) == 1
    assert journal.is_healthy()
    assert "person-secret" not in caplog.text


@pytest.mark.parametrize("is_unsure", [True, False])
def test_what_may_have_been_written_is_not_written_again_and_a_dead_connection_costs_nobody_an_answer(
    file_url, opened, is_unsure
):
    journal = opened(file_url)
    journal.append([event("r1")]).result(5)
    store, real = journal._writer._store, journal._writer._store.append

    def fails_once(continue_from):
        store.append = real
        if is_unsure:
            real(continue_from)
        raise StoreFault("gone", is_unsure)

    store.append = fails_once
    if is_unsure:
        with pytest.raises(AuditUnavailable):
            journal.append([event("r2")]).result(5)
    else:
        assert journal.append([event("r2")]).result(5) == 2
    assert requests_in(file_url) == ["r1", "r2"]


def test_a_commit_into_files_that_were_moved_is_unsure(file_url, monkeypatch):
    store = AuditStore(file_url)
    store.create()
    store.append(lambda end: [])
    monkeypatch.setattr(store_module, "_files", lambda file: None)
    with pytest.raises(StoreFault) as caught:
        store.append(lambda end: [])
    assert caught.value.is_unsure


def test_after_a_fault_no_file_stays_open(file_url):
    """SQLite keeps what a forgotten cursor uses, and the next connection would share its picture of files that are gone."""
    store = AuditStore(file_url)
    store.create()
    with pytest.raises(ZeroDivisionError) as caught:  # which holds the frames, as a future's exception does
        store.append(lambda end: 1 / 0)
    assert caught.tb is not None
    assert [name for name in map(os.path.realpath, Path("/proc/self/fd").glob("*")) if "audit.db" in name] == []


def test_order_is_by_number_though_the_clock_goes_back(file_url, heads, opened):
    journal, now = opened(file_url, heads), datetime.now(UTC)
    for hours in (0, -5, 3, -1000):
        journal.append([event(f"{hours}", at=now + timedelta(hours=hours))]).result(5)
    journal.close()
    assert requests_in(file_url) == ["0", "-5", "3", "-1000"]
    assert is_sound(file_url, heads) is True


def test_heads_are_written_at_once_then_after_a_time_and_at_close(file_url, heads, opened, monkeypatch):
    monkeypatch.setattr(writer_module, "HEAD_SECONDS", 2.0)
    journal = opened(file_url, heads)
    journal.append([event("r1")]).result(5)
    journal.append([event("r2")]).result(5)
    assert [head.n for head in heads_file.read(heads)] == [1]
    # Nobody writes, and still the second event comes under a head.
    wait_for(lambda: [head.n for head in heads_file.read(heads)] == [1, 2], 15)
    journal.append([event("r3")]).result(5)
    journal.close()
    assert [head.n for head in heads_file.read(heads)] == [1, 2, 3]


def test_an_idle_process_signs_what_another_one_wrote(file_url, heads, opened, tmp_path, monkeypatch):
    """Or the heads of a machine without traffic would look as if they had been cut off."""
    monkeypatch.setattr(writer_module, "LOOK_SECONDS", 0.2)
    opened(file_url, heads)
    opened(file_url, tmp_path / "others").append([event("r1")]).result(5)
    wait_for(lambda: getattr(heads_file.newest(heads), "n", 0) == 1, 15)


def test_a_process_that_nobody_asks_notices_within_seconds_that_the_log_is_away(file_url, heads, opened):
    """/readyz says so; an idle worker would be sent the first request otherwise, to refuse it."""
    journal = opened(file_url, heads)
    for name in ("r1", "r2"):  # the second lacks a head for ten seconds: it must not wait for that
        journal.append([event(name)]).result(5)
    for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
        (heads.parent / "store" / name).rename(heads.parent / name)
    gone = time.monotonic()
    while journal.is_healthy() and time.monotonic() < gone + 2 * writer_module.LOOK_SECONDS:
        time.sleep(0.05)
    assert not journal.is_healthy()


def test_a_head_that_cannot_be_written_costs_no_answer(file_url, tmp_path, opened, caplog):
    (tmp_path / "in_the_way").write_text("")
    journal = opened(file_url, tmp_path / "in_the_way" / "heads")
    assert journal.append([event("r1")]).result(5) == 1
    journal.close()
    assert "could not be written" in caplog.text


def test_a_log_that_was_cut_off_is_not_gone_on_with(file_url, heads, tmp_path, opened):
    journal = opened(file_url, heads)
    journal.append([event("r1"), event("r2")]).result(5)
    journal.close()
    for path in (tmp_path / "store").iterdir():
        path.unlink()
    again = opened(file_url, heads)
    with pytest.raises(AuditUnavailable):
        again.append([event("r3")]).result(5)
    assert not again.is_healthy()
    assert not (tmp_path / "store" / "audit.db").exists(), "an empty log in its place would hide the loss"
    other = opened(f"sqlite:///{tmp_path / 'other.db'}")
    other.append([event("x"), event("y"), event("z")]).result(5)
    other.close()
    (tmp_path / "other.db").rename(tmp_path / "store" / "audit.db")
    with pytest.raises(AuditUnavailable, match="lacks events"):
        again.append([event("r3")]).result(5)


def test_another_key_is_refused_and_says_which(file_url, opened):
    opened(file_url).append([event("r1")]).result(5)
    other = opened(file_url, key=bytes(reversed(KEY)))
    with pytest.raises(AuditUnavailable, match="another key"):
        other.append([event("r2")]).result(5)


@pytest.mark.parametrize("url", ["sqlite://", "mysql://host/base", "no url", "sqlite:///:memory:"])
def test_an_address_that_can_never_work_is_refused_when_it_is_read(url):
    with pytest.raises(SettingsError, match="BALANCE_RISK_AUDIT"):
        Journal(url, KEY, None)
    with pytest.raises(SettingsError, match="32 bytes"):
        Journal("sqlite:///x.db", KEY[:31], None)


def test_nothing_on_the_way_imports_a_data_frame():
    code = (
        "import sys, serving.audit.journal, serving.audit.__main__; "
        "print([m for m in ('pandas', 'pyarrow', 'numpy', 'pickle5', 'joblib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
