"""A store of every past version, with rows as that version wrote them, opened by today's code: SQLite and PostgreSQL.

What would go wrong: a migration that loses rows or cannot run on rows at all (each was only ever tried on an empty table); one
that is killed and leaves half of itself; an older program that writes into a newer store.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from data_contracts.errors import SettingsError
from serving.audit import heads, reading
from serving.audit.chain import key_id
from serving.audit.journal import Journal
from serving.audit.keys import create_audit_key
from serving.audit.verify import verify
from serving.backup.restore import Known, restore
from serving.backup.take import Keys, take
from serving.settings import Settings
from serving.store import open_store
from serving.store.connection import Database, database
from serving.store.schema import MIGRATIONS, version_of
from serving.store.tables import HEAD
from serving.store.worklist import WorklistQuestion
from tests.lib.audit_writer import KEY, event
from tests.lib.deployment import PROJECT
from tests.lib.stores import KINDS, OUTCOME, fresh_url, opened, scored, server, write

NIGHT, TODAY = date(2026, 3, 1), date(2026, 3, 2)
PERSONS = [f"SYNTHETIC-{number}" for number in range(12)]
MIGRATE = "import sys; from serving.store import open_store; open_store(sys.argv[1]).close()"

KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from serving.store import open_store
left = int(sys.argv[2])

@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, *rest):
    global left
    left -= statement.split()[0] in ("CREATE", "DROP", "ALTER", "INSERT", "UPDATE")
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)

open_store(sys.argv[1]).close()
"""


def _revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return sorted(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())


REVISIONS = _revisions()


@pytest.fixture(scope="module", params=KINDS)
def new_url(request, tmp_path_factory) -> Iterator[Callable[[], str]]:
    """Makes an empty database each time it is called."""
    with server(request.param) as url:
        yield lambda: fresh_url(url, tmp_path_factory.mktemp("store"))


def made_at(url: str, revision: str) -> Database:
    """A store as the program of that version would have made it, with what it would have written."""
    store = database(url, create=True, patient=True)
    with store.writing() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    with store.writing() as connection:
        for table, rows in _rows(revision):
            columns = ", ".join(rows[0])
            values = ", ".join(f":{name}" for name in rows[0])
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), rows)
    return store


def _rows(revision: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The rows of that day: only columns that were there then."""
    yield "nights", [{
        "run_id": "run", "night": NIGHT, "is_current": True, "received_on": NIGHT, "data_version": "d" * 64, "n_persons": 12,
        "models": '{"long_sick_leave": {"directory": "1-abcdef012345", "version": "1", "artifact_sha256": "ab"}}',
        "digest": "e" * 64, "n_refused": 0, "last_withdrawal": 0, "written_at": "2026-03-01T05:00:00Z",
    }]  # fmt: skip
    yield "scores", [{"score_id": f"{n:032x}", "run_id": "run", "person_id": person, "is_flagged": False,
                      "answer": zlib.compress(f'{{"of": "{person}"}}'.encode())}
                     for n, person in enumerate(PERSONS)]  # fmt: skip
    yield "outcome_scores", [{"score_id": f"{n:032x}", "outcome": OUTCOME, "run_id": "run", "target": "event",
                              "number": n / 100, "low": 0.0, "high": 1.0, "band": "around"}
                             for n, _ in enumerate(PERSONS)]  # fmt: skip
    yield "memberships", [{"person_id": person, "company_id": "c"} for person in PERSONS]
    yield "consents", [{"person_id": person, "source": source, "purpose": "risk_scoring", "given_on": date(2020, 1, 1)}
                       for person in PERSONS for source in ("survey", "employment")]  # fmt: skip
    yield "withdrawals", [{"person_id": PERSONS[0], "source": "survey", "withdrawn_on": NIGHT}]
    yield "care_relations", [{"caller": "dr-1", "person_id": PERSONS[1], "reason": "follows her", "begun_on": NIGHT,
                              "until": date(2026, 5, 30)}]  # fmt: skip
    yield "decisions", [{"score_id": f"{1:032x}", "person_id": PERSONS[1], "outcome": OUTCOME, "verdict": "agree",
                         "reason": "as she told", "caller": "dr-1", "decided_at": "2026-03-01T09:00:00.000000Z"}]  # fmt: skip
    if revision >= "0002":
        yield "records", [{"person_id": person, "run_id": "run", "record": b"{}"} for person in PERSONS]
    yield from _releases(revision)
    if revision >= "0005":
        yield "alerts", [{"alert_id": "a", "score_id": f"{11:032x}", "run_id": "run", "person_id": PERSONS[11], "team": "t",
                          "about": OUTCOME, "kind": "new", "night": NIGHT, "raised_at": "2026-03-01T05:00:00.000000Z",
                          "valid_until": date(2026, 4, 1)}]  # fmt: skip


def _releases(revision: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A company of twelve, five of them above, told in its month."""
    what = "outcome" if revision < "0003" else "measure"
    place = {"company_id": "c"} if revision < "0004" else {"level": "company", "place": "c", "part": ""}
    told: dict[str, Any] = {"share_percent": 40} if revision < "0004" else {"shares": "[60, 40]"}
    month = {"month": "2026-03"}
    yield "releases", [place | month | {what: OUTCOME, "persons": "10-14"} | told]
    kept = place | {what: OUTCOME} | (month if revision >= "0003" else {})
    if revision >= "0004":
        yield "release_cohorts", [kept | {"category": category, "n_persons": n} for category, n in ((-1, 7), (2, 5))]
        yield "release_members", [kept | {"person_id": person, "category": 2 if n < 5 else -1}
                                  for n, person in enumerate(PERSONS)]  # fmt: skip
        return
    beyond = "above" if revision < "0003" else "beyond"
    yield "release_cohorts", [kept | {"n_persons": 12, f"n_{beyond}": 5}]
    yield "release_members", [kept | {"person_id": person, f"is_{beyond}": n < 5} for n, person in enumerate(PERSONS)]


def _counts(store: Database) -> dict[str, int]:
    names = ("nights", "scores", "outcome_scores", "memberships", "consents", "withdrawals", "care_relations", "decisions",
             "releases", "release_members")  # fmt: skip
    with store.reading() as connection:
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_any_version_is_brought_up_and_answers(new_url, revision):
    url = new_url()
    old = made_at(url, revision)
    before = _counts(old)
    old.engine.dispose()
    with opened(url) as store:
        with store.database.reading() as connection:
            assert version_of(connection) == HEAD
        assert _counts(store.database) == before
        assert all(before.values())
        found = store.latest_score(PERSONS[1], TODAY)
        assert found is not None
        assert found.answer == f'{{"of": "{PERSONS[1]}"}}'.encode()
        assert store.latest_score(PERSONS[0], TODAY) is None, "she had withdrawn"
        listed = store.worklist(_question())
        assert [one.person_id for one in listed.entries[:2]] == [PERSONS[11], PERSONS[10]]
        (decision,) = store.decisions_about(PERSONS[1], TODAY)
        assert (decision.verdict, decision.reason) == ("agree", "as she told")
        assert store.has_care_relation("dr-1", PERSONS[1], TODAY)
        (told,) = store.release("c").measures
        assert (told.measure, told.told.shares) == (OUTCOME, (60, 40))
        assert len(store.open_alerts(("c",), TODAY)) == (revision >= "0005")
        write(store, scored(PERSONS[1], 0.3), night=TODAY)
        assert store.latest_score(PERSONS[1], TODAY).night == TODAY, "the next night can be written"


def _question() -> WorklistQuestion:
    return WorklistQuestion(subject="dr-1", companies=("c",), outcome=OUTCOME, capacity=5, day=TODAY, order="risk")


@pytest.mark.parametrize("after", [1, 9])
def test_a_killed_migration_leaves_the_old_version_and_goes_on_next_time(new_url, after):
    url = new_url()
    old = made_at(url, "0001")
    before = _counts(old)
    killed = subprocess.run([sys.executable, "-c", KILLED, url, str(after)], cwd=PROJECT, check=False)
    assert killed.returncode == -signal.SIGKILL
    with old.reading() as connection:
        assert version_of(connection) == "0001"
    assert _counts(old) == before
    old.engine.dispose()
    subprocess.run([sys.executable, "-c", MIGRATE, url], cwd=PROJECT, check=True)
    with opened(url, migrate=False) as store, store.database.reading() as connection:
        assert version_of(connection) == HEAD


def test_an_older_program_refuses_a_newer_store_and_leaves_it_as_it_is(new_url):
    url = new_url()
    made_at(url, HEAD).engine.dispose()
    newer = database(url)
    with newer.writing() as connection:
        connection.execute(text("UPDATE store_version SET version_num = '9999'"))
    before = _counts(newer)
    with pytest.raises(SettingsError, match=r"newer version of this program\. Install that version"):
        open_store(url)
    assert _counts(newer) == before
    newer.engine.dispose()


def test_an_upgrade_of_the_store_leaves_the_audit_log_sound(new_url, tmp_path: Path):
    """Store and log may share a database: the migrations of the one must not touch the other."""
    url = new_url()
    log = url if url.startswith("postgresql") else f"sqlite:///{tmp_path}/audit.db"
    old = made_at(url, "0001")
    old.engine.dispose()
    journal = Journal(log, KEY, tmp_path / "heads")
    journal.start()
    journal.append([event("before")]).result()
    journal.close()
    open_store(url).close()
    proof = verify(reading.events(log), heads.read(tmp_path / "heads"), {key_id(KEY): KEY})
    assert (proof.is_sound, proof.events) == (True, 1)


def test_a_backup_of_an_older_version_is_brought_up_when_it_is_restored(tmp_path: Path):
    """The way back, and the way on from an old backup, is a restore: there is no migration down."""
    here, there = (
        Settings(store=f"sqlite:///{tmp_path}/{name}/store.db", audit=f"sqlite:///{tmp_path}/{name}/audit.db",
                 audit_key=tmp_path / "key", audit_heads=tmp_path / name / "heads", bundles=tmp_path / name / "bundles")
        for name in ("here", "there")
    )  # fmt: skip
    made_at(here.store, "0001").engine.dispose()
    journal = Journal(here.audit, create_audit_key(here.audit_key), here.audit_heads)
    journal.start()
    journal.append([event("before")]).result()
    journal.close()
    keys = Keys.read(here.audit_key, [])
    assert take(here, tmp_path / "backup", keys, tmp_path)["store"]["schema"] == "0001"
    report = restore(there, tmp_path / "backup", keys, Known(tmp_path, old_store=here.store, nobody_erased=True))
    assert (report["sound"], report["withdrawn_again"]) == (True, 0)
    with opened(there.store, migrate=False) as store:
        with store.database.reading() as connection:
            assert version_of(connection) == HEAD
        assert store.latest_score(PERSONS[1], TODAY) is not None
