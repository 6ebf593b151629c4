"""A service that has begun on SQLite goes on with PostgreSQL: every row, every event, and numbers that go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from serving.audit.event import AuditEvent
from serving.audit.journal import Journal
from tests.lib.deployment import PROJECT
from tests.lib.postgresql import postgresql_url
from tests.lib.stores import NIGHT, OUTCOME, fresh_url, opened, rows, scored, write

HER, OTHER = "SYNTHETIC-1", "SYNTHETIC-2"
KEY = bytes.fromhex("a1" * 32)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_url() as url:
        yield url


@pytest.fixture
def begun(tmp_path) -> Path:
    """A store and a log as a service on SQLite leaves them."""
    with opened(f"sqlite:///{tmp_path}/store.db") as store:
        write(store, scored(HER), scored(OTHER))
        store.begin_care("dr-1", HER, "asked for a talk", NIGHT)
        store.record_decision("dr-1", store.latest_score(HER, NIGHT), OUTCOME, "disagree", "æøå", "wait")
        store.withdraw(OTHER, "lab", NIGHT)
    (tmp_path / "audit.key").write_text(KEY.hex())
    (tmp_path / "audit.key").chmod(0o600)
    journal = Journal(f"sqlite:///{tmp_path}/audit.db", KEY, tmp_path / "heads.jsonl", tmp_path / "audit.key")
    journal.start()
    journal.append([event(str(number)) for number in range(2_500)]).result(20)
    journal.close()
    return tmp_path


@pytest.fixture
def variables(server, begun) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("BALANCE_RISK_")},
        "BALANCE_RISK_STORE": fresh_url(server, begun),
        "BALANCE_RISK_AUDIT": fresh_url(server, begun),
        "BALANCE_RISK_AUDIT_KEY": str(begun / "audit.key"),
        "BALANCE_RISK_AUDIT_HEADS": str(begun / "heads.jsonl"),
    }


def event(request_id: str) -> AuditEvent:
    from datetime import UTC, datetime

    return AuditEvent(
        at=datetime.now(UTC), caller="dr-1", role="clinician", organisations=("c",), purpose="healthcare", action="score",
        person_id=HER, decision="allowed", reason="", models=(), data_version="", request_id=request_id,
    )  # fmt: skip


def run(module: str, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False)


def moved(begun: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run("serving.store.move", variables, "--store", str(begun / "store.db"), "--audit", str(begun / "audit.db"))


def n_events(variables: dict[str, str]) -> int:
    engine = create_engine(variables["BALANCE_RISK_AUDIT"])
    with engine.connect() as connection:
        there = connection.execute(text("SELECT to_regclass('audit_event')")).scalar()
        found = connection.execute(text("SELECT count(*) FROM audit_event")).scalar() if there else 0
    engine.dispose()
    return int(found)


def test_all_is_there_the_chain_holds_and_both_go_on(begun, variables):
    done = moved(begun, variables)
    assert done.returncode == 0, done.stderr
    assert "2500 events" in done.stdout
    with opened(f"sqlite:///{begun}/store.db") as old, opened(variables["BALANCE_RISK_STORE"]) as new:
        assert rows(new) == rows(old)
        assert rows(new)["decisions"]
        # A number that the server gives anew would be one that is taken.
        new.begin_care("dr-2", OTHER, "asked for a talk", NIGHT)
        new.record_decision("dr-2", new.latest_score(HER, NIGHT), OUTCOME, "agree", "", "wait")
        new.withdraw(HER, "lab", date(2026, 3, 2))
        assert new.newest_withdrawal() == old.newest_withdrawal() + 1
    journal = Journal(variables["BALANCE_RISK_AUDIT"], KEY, begun / "heads.jsonl", begun / "audit.key")
    journal.start()
    assert journal.append([event("after")]).result(10) == 2_501
    journal.close()
    told = run("serving.audit", variables, "verify", "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout)["events"] == 2_501


def test_what_is_filled_is_not_filled_again_and_nothing_is_half_moved(begun, variables):
    with opened(variables["BALANCE_RISK_STORE"]) as store:
        write(store, scored("SYNTHETIC-else"))
        before = rows(store)
    refused = moved(begun, variables)
    assert (refused.returncode != 0, "Name an empty database" in refused.stderr) == (True, True), refused.stderr
    assert n_events(variables) == 0, "the log is not filled either"
    with opened(variables["BALANCE_RISK_STORE"]) as store:
        assert rows(store) == before


def test_while_the_service_runs_nothing_is_moved(begun, variables):
    journal = Journal(f"sqlite:///{begun}/audit.db", KEY, begun / "heads.jsonl", begun / "audit.key")
    journal.start()
    try:
        refused = moved(begun, variables)
    finally:
        journal.close()
    assert "Stop it first" in refused.stderr
    assert refused.returncode
    assert n_events(variables) == 0


@pytest.mark.parametrize("name", ["BALANCE_RISK_STORE", "BALANCE_RISK_AUDIT"])
def test_it_says_where_rows_can_go_and_no_password(begun, variables, name):
    to_a_file = moved(begun, variables | {name: f"sqlite:///{begun}/other.db"})
    assert "must name PostgreSQL" in to_a_file.stderr
    away = moved(begun, variables | {name: "postgresql+psycopg://nobody:hunter2@127.0.0.1:1/nothing"})
    assert away.returncode
    assert "hunter2" not in away.stderr + away.stdout
    assert "Traceback" not in away.stderr
