"""A store that is gone, locked, full or stopped: an error within five seconds, and all is well again afterwards."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from serving.store import StoreUnavailable, open_store
from serving.store.connection import database
from serving.store.erasure import erase
from tests.lib.stores import KINDS, NIGHT, fresh_url, opened, scored, server, write

LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(60)
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store/store.db"


@pytest.fixture
def place(tmp_path):
    return tmp_path / "store" / "store.db"


def unavailable(action, match: str | None = None) -> float:
    """How long it took until it was said that the store cannot be used."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match=match) as error:
        action()
    assert "SYNTHETIC-p" not in str(error.value)
    assert error.value.__cause__ is None
    return time.monotonic() - began


def test_a_lock_is_waited_for_three_seconds_and_reading_goes_on_meanwhile(url, place):
    with opened(url) as store:
        write(store, scored("SYNTHETIC-p"))
        holder = subprocess.Popen([sys.executable, "-c", LOCK, place], stdout=subprocess.PIPE)
        try:
            assert holder.stdout.readline() == b"locked\n"
            assert 2 < unavailable(lambda: store.withdraw("SYNTHETIC-p", None, NIGHT), "locked") < 5
            assert store.latest_score("SYNTHETIC-p", NIGHT) is not None
        finally:
            holder.kill()
            holder.communicate()
        store.withdraw("SYNTHETIC-p", None, NIGHT)
        assert store.latest_score("SYNTHETIC-p", NIGHT) is None


def test_a_store_whose_file_is_gone_is_an_error_and_not_an_empty_store(url, place, tmp_path):
    with opened(url) as store:
        write(store, scored("SYNTHETIC-p"))
        store.close()
        place.parent.rename(tmp_path / "away")
        for action in (
            lambda: store.latest_score("SYNTHETIC-p", NIGHT),
            lambda: store.withdraw("SYNTHETIC-p", None, NIGHT),
        ):
            assert unavailable(action) < 5
        assert not store.is_healthy()
        assert not place.exists()
        (tmp_path / "away").rename(place.parent)
        assert store.latest_score("SYNTHETIC-p", NIGHT) is not None


def test_a_file_that_is_deleted_under_an_open_connection_is_noticed(url, place):
    """Its connection would go on writing to a file that nobody can ever read."""
    with opened(url) as store:
        write(store, scored("SYNTHETIC-p"))
        assert store.is_healthy()
        shutil.rmtree(place.parent)
        assert unavailable(lambda: store.withdraw("SYNTHETIC-p", None, NIGHT)) < 5


def test_a_full_disk_is_said_at_once_and_nothing_half_is_written(url, place):
    with opened(url) as store:
        write(store, scored("SYNTHETIC-p"))
        with store.database.engine.raw_connection() as connection:
            pages = connection.cursor().execute("PRAGMA page_count").fetchone()[0]
            connection.cursor().execute(f"PRAGMA max_page_count={pages}")
        many = [scored(f"SYNTHETIC-p{i}", answer=bytes(range(256)) * 40) for i in range(600)]
        assert unavailable(lambda: write(store, *many, data_version="e" * 64), "full") < 5
        assert store.latest_score("SYNTHETIC-p", NIGHT) is not None
        store.close()  # the limit was of that connection
        write(store, *many, data_version="e" * 64)
        assert store.latest_score("SYNTHETIC-p0", NIGHT) is not None


def test_a_damaged_file_is_said(url, place):
    with opened(url) as store:
        write(store, scored("SYNTHETIC-p"))
    place.write_bytes(b"nothing of a database" * 400)
    assert unavailable(lambda: open_store(url)) < 5


def test_a_store_that_may_not_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert unavailable(lambda: open_store(f"sqlite:///{tmp_path}/file/store.db"), "cannot be made") < 5


def test_a_server_that_is_away_is_said_and_used_again_when_it_is_back(tmp_path):
    with server("postgresql") as address, opened(fresh_url(address, tmp_path)) as store:
        write(store, scored("SYNTHETIC-p"))
        elsewhere = database(address)
        with closing(elsewhere.engine.raw_connection()) as admin:
            admin.driver_connection.autocommit = True
            admin.cursor().execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'store_%'"
            )
        elsewhere.engine.dispose()
        assert store.latest_score("SYNTHETIC-p", NIGHT) is not None, "a broken connection is replaced"
        url = store.database.engine.url
    with_no_server = open_later(url)
    assert unavailable(lambda: with_no_server.withdraw("SYNTHETIC-p", None, NIGHT)) < 5


def open_later(url):
    return open_store(url.render_as_string(hide_password=False), migrate=False)


def test_a_lock_in_postgresql_is_waited_for_three_seconds(tmp_path):
    with server("postgresql") as address, opened(fresh_url(address, tmp_path)) as store:
        write(store, scored("SYNTHETIC-p"))
        with store.database.writing() as connection:
            connection.exec_driver_sql("LOCK TABLE withdrawals IN ACCESS EXCLUSIVE MODE")
            assert 2 < unavailable(lambda: store.withdraw("SYNTHETIC-p", None, NIGHT)) < 5
        store.withdraw("SYNTHETIC-p", None, NIGHT)


@pytest.mark.parametrize("kind", KINDS)
def test_an_erased_person_is_in_no_row_and_in_no_byte_of_the_store(kind, tmp_path):
    with server(kind) as address, opened(fresh_url(address, tmp_path)) as store:
        write(store, scored("SYNTHETIC-p"), scored("SYNTHETIC-q"))
        score = store.latest_score("SYNTHETIC-p", NIGHT)
        store.record_decision("dr-1", score, "long_sick_leave", "agree", "as SYNTHETIC-p says")
        other = store.latest_score("SYNTHETIC-q", NIGHT)
        store.record_decision("dr-1", other, "long_sick_leave", "agree", "a colleague of SYNTHETIC-p")
        store.begin_care("dr-1", "SYNTHETIC-p", "referred", NIGHT)
        store.withdraw("SYNTHETIC-p", "lab", NIGHT)
        gone = erase(store.database, ["SYNTHETIC-p"], ["SYNTHETIC-p"])
        assert gone == {"decisions": 1, "outcome_scores": 1, "consents": 4, "withdrawals": 1, "memberships": 1,
                        "care_relations": 1, "scores": 1, "decisions.reason": 1}  # fmt: skip
        assert [one.reason for one in store.decisions()] == ["a colleague of [erased]"]
        assert store.latest_score("SYNTHETIC-q", NIGHT) is not None
        files = [path for path in tmp_path.rglob("store.db*") if path.is_file()]
        assert bool(files) is (kind == "sqlite")
        assert not [path for path in files if b"SYNTHETIC-p" in path.read_bytes()]


def test_an_erasure_during_which_somebody_reads_is_not_called_done(url, place):
    with opened(url) as store:
        write(store, scored("SYNTHETIC-p"))
        with closing(sqlite3.connect(place, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM scores").fetchone()
            assert unavailable(lambda: erase(store.database, ["SYNTHETIC-p"], ["SYNTHETIC-p"])) < 15
            reader.execute("COMMIT")
        erase(store.database, ["SYNTHETIC-p"], ["SYNTHETIC-p"])
        assert not [path for path in place.parent.iterdir() if b"SYNTHETIC-p" in path.read_bytes()]
