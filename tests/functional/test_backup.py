"""Backup and restore by the real commands, of a real service that writes meanwhile: on SQLite, and on PostgreSQL (long).

What would go wrong: a copy of a file that is being written; a row without its event; half a backup after a kill; a backup that
was changed; a person who was erased, or had withdrawn, and is back; a restore that looks as if nothing were missing.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from data_contracts.tombstones import KEY, TOMBSTONES, tombstone
from serving.audit.journal import Journal
from serving.audit.keys import create_audit_key, read_audit_key
from serving.backup import manifest
from serving.settings import Settings
from tests.lib import documented
from tests.lib.audit_writer import event
from tests.lib.backed_up import (
    ERASED,
    HER,
    WITHDREW,
    Working,
    command,
    done,
    fill,
    stored_risk,
    take_care_of,
)
from tests.lib.deployment import PROJECT, REQUEST, Deployment
from tests.lib.postgresql import client_programs
from tests.lib.stores import NIGHT, fresh_url, opened, scored, server, write


@dataclass
class Rehearsal:
    """A service that was backed up while it worked, went on, lost a person and was stopped; and where it is restored."""

    service: Deployment
    other: Deployment
    backups: Path
    began: float
    answered: dict[str, float]
    shown: bytes
    report: dict[str, Any]

    @property
    def newest(self) -> Path:
        return max(self.backups.iterdir())

    def old(self) -> dict[str, str]:
        return {
            "BALANCE_RISK_OLD_STORE": self.service.environment["BALANCE_RISK_STORE"],
            "BALANCE_RISK_OLD_AUDIT": self.service.environment["BALANCE_RISK_AUDIT"],
        }


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def rehearsal(request, tmp_path_factory) -> Iterator[Rehearsal]:
    root = tmp_path_factory.mktemp(request.param)
    with server(request.param) as url:
        service = _deployment(root / "here", url)
        other = _deployment(root / "there", url)
        try:
            found = _rehearse(service, other, root / "backups")
            yield found
        finally:
            service.stop()
            other.stop()


def _deployment(root: Path, url: str | None) -> Deployment:
    if url is None:
        return Deployment(root)
    path = f"{client_programs()}{os.pathsep}{os.environ['PATH']}"
    return Deployment(root, PATH=path, BALANCE_RISK_STORE=fresh_url(url, root), BALANCE_RISK_AUDIT=fresh_url(url, root))


def _rehearse(service: Deployment, other: Deployment, backups: Path) -> Rehearsal:
    service.promote_both()
    (service.root / "data").mkdir()
    fill(service)
    service.start(until_ready=True)
    for person in (HER, ERASED, WITHDREW):
        assert take_care_of(service, person).status_code == 200
    shown = stored_risk(service).content
    with Working(service) as working:
        time.sleep(1)
        began = time.time()
        assert done(service, "backup", backups / "1")["sound"] in (True, None)
        time.sleep(1)
    assert len(working.answered) > 20
    # After the backup: somebody withdraws, somebody is erased, and events are written that will be lost.
    assert service.post(f"/v1/persons/{WITHDREW}/withdrawals", {"source": None}).status_code == 200
    service.stop()
    done(service, "erase", ERASED, "--reason", "request of 30 January")
    report = _restored(service, other, backups / "1")
    return Rehearsal(service, other, backups, began, working.answered, shown, report)


def _restored(service: Deployment, other: Deployment, backup: Path) -> dict[str, Any]:
    """Bring keys, heads and erasures, as docs/deploy/backup.md says, and restore."""
    for name in ("audit.key", "verify.key"):
        shutil.copy(service.root / "keys" / name, other.root / "keys" / name)
    shutil.copytree(service.root / "heads", other.root / "heads")
    shutil.copytree(service.root / "erasures", other.root / "erasures")
    return done(
        other, "restore", backup, BALANCE_RISK_OLD_STORE=service.environment["BALANCE_RISK_STORE"],
        BALANCE_RISK_OLD_AUDIT=service.environment["BALANCE_RISK_AUDIT"],
    )  # fmt: skip


def _ask(url: str, query: str) -> list[Any]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


def test_every_row_and_every_answer_before_the_backup_has_its_event(rehearsal):
    log = rehearsal.other.environment["BALANCE_RISK_AUDIT"]
    events = {name for (name,) in _ask(log, "SELECT request_id FROM audit_event")}
    before = {name for name, at in rehearsal.answered.items() if at < rehearsal.began}
    assert len(before) > 5
    assert before <= events
    store = rehearsal.other.environment["BALANCE_RISK_STORE"]
    for table, action in (
        ("decisions", "record_decision"),
        ("withdrawals", "withdraw"),
        ("care_relations", "begin_care"),
    ):
        query = f"SELECT person_id, count(*) FROM {table} WHERE person_id <> '{WITHDREW}' GROUP BY person_id"
        logged = Counter(name for (name,) in _ask(log, f"SELECT person_id FROM audit_event WHERE action = '{action}'"))
        rows = dict(_ask(store, query))
        assert rows
        if table != "withdrawals":  # those since the backup are noted again, and their events are among the lost
            assert all(count <= logged[person] for person, count in rows.items())


def test_the_restored_log_says_what_it_lacks_and_is_sound_for_who_knows_of_the_restore(rehearsal):
    report = rehearsal.report
    assert report["sound"] is True
    (last,) = _ask(rehearsal.service.environment["BALANCE_RISK_AUDIT"], "SELECT max(n) FROM audit_event")[0]
    assert report["missing"] == last - report["events"] > 0
    refused = command(rehearsal.other, "audit", "verify", "--json")
    assert refused.returncode == 3
    (finding,) = json.loads(refused.stdout)["findings"]
    assert finding["kind"] == "restored"
    assert f"{report['missing']} events or more are missing" in finding["text"]
    proof = done(rehearsal.other, "audit", "verify", "--restored", report["restore"])
    assert proof["sound"] is True
    assert [one["missing"] for one in proof["restores"]] == [report["missing"]]


def test_who_was_erased_or_withdrew_after_the_backup_stays_out(rehearsal):
    report = rehearsal.report
    assert report["erased_again"] == 1
    assert report["rows_erased"]["scores"] == 1
    assert report["withdrawn_again"] >= 1
    assert ERASED not in str(_ask(rehearsal.other.environment["BALANCE_RISK_STORE"], "SELECT person_id FROM scores"))
    assert len(_withdrawn(rehearsal.other)[WITHDREW]) == 4
    assert _withdrawn(rehearsal.other) == _withdrawn(rehearsal.service)
    path = rehearsal.other.root / "store" / "store.db"
    if path.exists():
        assert ERASED.encode() not in path.read_bytes()


def _withdrawn(service: Deployment) -> dict[str, Any]:
    with opened(service.environment["BALANCE_RISK_STORE"]) as store:
        return store.withdrawals()[1]


def test_the_restored_service_answers_the_same_bytes_and_the_chain_goes_on(rehearsal):
    other = rehearsal.other
    other.start(until_ready=True)
    assert stored_risk(other).content == rehearsal.shown
    assert [stored_risk(other, person).status_code for person in (WITHDREW, ERASED)] == [403, 403]
    assert other.post("/v1/risk", REQUEST).status_code == 200
    refused = command(other, "restore", rehearsal.newest, **rehearsal.old())
    assert (refused.returncode, "Stop it first" in refused.stderr) == (2, True), refused.stderr
    other.stop()
    proof = done(other, "audit", "verify", "--restored", rehearsal.report["restore"])
    assert proof["events"] > rehearsal.report["event"]
    refused = command(other, "restore", rehearsal.newest, **rehearsal.old())
    assert (refused.returncode, "aside" in refused.stderr or "empty" in refused.stderr) == (2, True), refused.stderr


PAGE = PROJECT / "docs" / "deploy" / "backup.md"


def test_the_commands_of_the_page_work_in_their_order(tmp_path):
    """In a workspace as the page supposes it: store, audit log and heads where they are by default, one person erased."""
    root = tmp_path / "workspace"
    settings = Settings(store=f"sqlite:///{root}/store/store.db", audit=f"sqlite:///{root}/store/audit.db",
                        audit_key=root / "keys" / "audit.key", audit_heads=root / "store" / "audit-heads.jsonl")  # fmt: skip
    journal = Journal(settings.audit, create_audit_key(settings.audit_key), settings.audit_heads)
    journal.start()
    journal.append([event("before")]).result()
    journal.close()
    with opened(settings.store) as store:
        write(store, scored(HER))
    (root / "erasures").mkdir()
    (root / "erasures" / KEY).write_bytes(b"k" * 32)
    marks = [tombstone(b"k" * 32, ERASED)]
    (root / "erasures" / TOMBSTONES).write_text(json.dumps({"marks": marks, "by_pseudonym": {}}))
    blocks = documented.blocks(PAGE, "sh")
    script = "set -e\n" + "\n".join(block.text for block in blocks)
    assert script.count("balance-risk restore") == 2
    script = script.replace("/var/backups/balance-risk", str(tmp_path / "backups"))
    variables = {name: value for name, value in os.environ.items() if not name.startswith("BALANCE_RISK_")}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    ended = subprocess.run(["bash", "-c", script], cwd=root, env=variables, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads((root / "restore.json").read_text())["sound"] is True
    assert not (root / "drill").exists()
    assert len(list((tmp_path / "backups").iterdir())) == 2
    with opened(settings.store) as store:
        assert store.night(NIGHT) is not None


def test_a_backup_that_is_killed_leaves_no_half_of_one(rehearsal, tmp_path):
    chance, place, seen = random.Random(7), tmp_path / "backups", 0
    place.mkdir()
    for number in range(4):
        process = subprocess.Popen(
            [sys.executable, "-m", "serving.backup", "take", place / str(number)],
            cwd=PROJECT, env=rehearsal.service.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None and not list(place.glob(".partial-*")):
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.08))
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen += bool(list(place.glob(".partial-*")))
    assert seen, "none was killed in the middle"
    done(rehearsal.service, "backup", place / "whole")
    assert not list(place.glob(".partial-*")), "what a killed one left is swept: it holds persons"
    key = read_audit_key(rehearsal.service.root / "keys" / "audit.key")
    for found in place.iterdir():
        manifest.read(found, {manifest.chain.key_id(key): key})
        assert found.stat().st_mode & 0o077 == 0
        assert {path.stat().st_mode & 0o077 for path in found.rglob("*") if not path.is_symlink()} == {0}
