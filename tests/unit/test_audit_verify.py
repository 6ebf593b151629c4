"""Whatever is done to log or heads by somebody without the key is found, and what is not proven is said."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from data_contracts.errors import MissingInputError
from serving.audit import chain, export, reading
from serving.audit import heads as heads_file
from serving.audit.errors import AuditBroken, AuditUnavailable
from serving.audit.event import row_of
from serving.audit.heads import Head, HeadUnreadable
from serving.audit.keys import create_audit_key
from serving.audit.proof import MOST_LISTED, report_of
from serving.audit.verify import verify
from serving.audit.writer import ChainWriter
from tests.lib.audit_writer import KEY, event

ID, OTHER = chain.key_id(KEY), bytes(reversed(KEY))
KEYS = {ID: KEY}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def linked(count: int, start: datetime = NOON) -> list[tuple]:
    """The rows of a log, one a second."""
    before, rows = chain.first_link(KEY), []
    for n in range(1, count + 1):
        row = row_of(event(f"r{n}", at=start + timedelta(seconds=n)))
        before = chain.link(KEY, before, row, n)
        rows.append((n, *row, ID, before.hex()))
    return rows


def signed(path, rows, *numbers) -> list[Head]:
    """Heads of these events, each signed at the time of its event."""
    for n in numbers:
        heads_file.write(path, KEY, n, rows[n - 1][-1], rows[n - 1][1], ID)
    return list(heads_file.read(path))


def kinds(rows, heads=None, keys=KEYS):
    return [(one.kind, one.n) for one in verify(iter(rows), None if heads is None else iter(heads), keys).findings]


def changed(row, **values):
    names = ("n", *chain.COLUMNS, "key_id", "link")
    return tuple(values.get(name, cell) for name, cell in zip(names, row, strict=True))


def test_a_log_as_it_was_written_is_sound(tmp_path):
    rows = linked(30)
    proof = verify(iter(rows), iter(signed(tmp_path / "h", rows, 1, 20)), KEYS)
    assert proof.is_sound
    assert (proof.events, proof.last, proof.heads, proof.unproven) == (30, 30, 2, 10)
    assert "up to event 20" in report_of(proof)["summary"]
    assert "After it stand 10 events" in report_of(proof)["summary"]
    assert kinds([], []) == []


@pytest.mark.parametrize("name", [*chain.COLUMNS, "link"])
@pytest.mark.parametrize("value", ["2026-11-22T12:00:01.000000Y", None, 7, b"\xff", "\udcff"])
def test_a_changed_cell_is_found_where_it_is(name, value):
    rows = linked(6)
    rows[2] = changed(rows[2], **{name: value})
    assert kinds(rows)[0] == ("altered", 3)
    assert {n for _, n in kinds(rows)} <= {3, 4}, "one change is not told as many"


def test_a_removed_event_is_found():
    rows = linked(6)
    assert kinds(rows[:2] + rows[3:]) == [("removed", 4)]
    assert kinds(rows[2:]) == [("removed", 3)]
    renumbered = rows[:2] + [changed(row, n=row[0] - 1) for row in rows[3:]]
    assert kinds(renumbered)[0] == ("altered", 3)


def test_swapped_events_are_found():
    rows = linked(6)
    rows[2], rows[3] = changed(rows[3], n=3), changed(rows[2], n=4)
    assert kinds(rows)[0] == ("altered", 3)
    rows = linked(6)
    rows[2], rows[3] = (3, *rows[3][1:-1], rows[2][-1]), (4, *rows[2][1:-1], rows[3][-1])
    assert kinds(rows) == [("altered", 3), ("altered", 4)]


def test_an_inserted_event_is_found():
    rows = linked(6)
    assert kinds([*rows[:3], changed(rows[2], request_id="x"), *rows[3:]])[0] == ("inserted", 3)
    assert kinds([*rows[:3], changed(rows[2], n=None), *rows[3:]])[0] == ("inserted", 3)
    moved = [*rows[:3], changed(rows[2], n=4), *(changed(row, n=row[0] + 1) for row in rows[3:])]
    assert kinds(moved)[0] == ("altered", 4)
    forged = (7, *rows[5][1:-1], chain.link(OTHER, bytes.fromhex(rows[5][-1]), rows[5][1:-2], 7).hex())
    assert kinds([*rows, forged]) == [("altered", 7)]


def test_an_event_of_another_log_under_the_same_key_is_found():
    """Such as of a backup from which the service once went on: right number, right key, another past."""
    rows, others = linked(6), linked(6, NOON + timedelta(hours=1))
    assert kinds([*rows[:3], *others[3:]]) == [("altered", 4)]
    assert kinds([*rows[:3], others[3], *rows[4:]]) == [("altered", 4), ("altered", 5)]


def test_a_cut_off_end_is_found_up_to_the_newest_head(tmp_path):
    rows = linked(30)
    heads = signed(tmp_path / "h", rows, 10, 25)
    assert kinds(rows[:24], heads) == [("cut-off", 24)]
    assert kinds(rows[:3], heads) == [("cut-off", 3)]
    assert kinds([], heads) == [("cut-off", 0)]
    assert kinds(rows[:25], heads) == [], "what came after the newest head can go unseen, and the report says so"


def test_a_chain_written_anew_by_a_holder_of_the_key_contradicts_its_heads(tmp_path):
    rows = linked(30)
    anew = linked(30, NOON + timedelta(seconds=1))
    assert kinds(anew) == []
    assert kinds(anew, signed(tmp_path / "h", rows, 10, 30)) == [("rewritten", 10), ("rewritten", 30)]


def test_heads_that_were_removed_or_changed_are_found(tmp_path):
    rows = linked(60)
    heads = signed(tmp_path / "h", rows, 10, 20, 30, 55)
    assert kinds(rows, []) == [("heads-missing", 60)]
    assert kinds(rows, heads[:3]) == [("heads-cut-off", 30)]
    assert kinds(rows, [heads[0], *heads[2:]]) == [("heads-altered", 30)]
    assert kinds(rows, heads[1:])[0] == ("heads-altered", 20)
    for values in ({"n": 21}, {"link": rows[0][-1]}, {"at": "2026-11-22"}, {"k": 9}, {"mac": "00" * 32}):
        forged = Head(**{**vars(heads[1]), **values})
        assert kinds(rows, [heads[0], forged, *heads[2:]])[0][0] == "heads-altered", values
    assert kinds(rows, [heads[0], Head(**{**vars(heads[1]), "key_id": "x"}), *heads[2:]])[0] == ("unknown-key", 20)
    assert kinds(rows, None) == []


def test_a_forged_head_is_no_proof_that_events_are_missing(tmp_path):
    rows = linked(10)
    heads = signed(tmp_path / "h", rows, 5)
    assert kinds(rows, [*heads, Head(2, 99, "00", "2026", ID, "00")]) == [("heads-altered", 99)]


def test_lines_that_are_no_heads_are_found_and_a_half_written_last_one_is_not_held_against_anybody(tmp_path):
    rows, path = linked(20), tmp_path / "h"
    signed(path, rows, 5)
    with path.open("ab") as file:
        file.write(b'{"k":2,"n":1')
    assert kinds(rows, heads_file.read(path)) == []
    assert [head.n for head in signed(path, rows, 18)] == [5, 18], "the next writer takes the rest of the line away"
    good = path.read_bytes()
    no_numbers = b'{"k":"1","n":1,"link":"","at":"","key_id":"","mac":""}\n'
    for line in (b"no json\n", b"{}\n", b"[]\n", b"\n", no_numbers, b"x" * 5000):
        path.write_bytes(good + line)
        with pytest.raises(HeadUnreadable):
            list(heads_file.read(path))
        assert kinds(rows, heads_file.read(path)) == [("heads-altered", 18)]


def test_heads_only_rise_whoever_is_late(tmp_path):
    rows = linked(20)
    signed(tmp_path / "h", rows, 10)
    assert [head.n for head in signed(tmp_path / "h", rows, 9, 10, 11)] == [10, 11]


def test_keys_change_only_by_a_rotation():
    rows = linked(3)
    before, other_id = bytes.fromhex(rows[-1][-1]), chain.key_id(OTHER)
    stolen = row_of(event("r4"))
    sneaked = (4, *stolen, other_id, chain.link(OTHER, before, stolen, 4).hex())
    both = {**KEYS, other_id: OTHER}
    assert kinds([*rows, sneaked], keys=both) == [("key-changed", 4)]
    assert kinds([*rows, sneaked]) == [("unknown-key", 4)]

    handed = row_of(event("r4", action=chain.ROTATE, reason=other_id))
    rotation = (4, *handed, ID, chain.link(KEY, before, handed, 4).hex())
    fifth = row_of(event("r5"))
    new = (5, *fifth, other_id, chain.link(OTHER, bytes.fromhex(rotation[-1]), fifth, 5).hex())
    old = (5, *fifth, ID, chain.link(KEY, bytes.fromhex(rotation[-1]), fifth, 5).hex())
    assert kinds([*rows, rotation, new], keys=both) == []
    assert kinds([*rows, rotation, old], keys=both) == [("key-changed", 5)], (
        "an old key, perhaps stolen, must not go on"
    )


def test_random_damage_is_always_found(tmp_path):
    chance = random.Random(3)
    rows = linked(40)
    heads = signed(tmp_path / "h", rows, 40)
    for _ in range(300):
        damaged = list(rows)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(damaged))
            what = chance.choice(["drop", "swap", "double", "cell"])
            if what == "drop":
                del damaged[at]
            elif what == "swap":
                other = chance.randrange(len(damaged))
                damaged[at], damaged[other] = damaged[other], damaged[at]
            elif what == "double":
                damaged.insert(at, damaged[at])
            else:
                cells = list(damaged[at])
                cells[chance.randrange(len(cells))] = "x"
                damaged[at] = tuple(cells)
        assert damaged == rows or kinds(damaged, heads), damaged


def test_findings_are_counted_and_only_the_first_are_listed():
    rows = [changed(row, caller="x") for row in linked(100)]
    proof = verify(iter(rows), None, KEYS)
    assert (proof.n_findings, len(proof.findings)) == (100, MOST_LISTED)
    assert "and 80 more" in report_of(proof)["summary"]
    assert not report_of(proof)["sound"]


def test_memory_does_not_grow_with_the_log(tmp_path):
    def endless():
        before = chain.first_link(KEY)
        row = row_of(event("r", at=NOON))
        for n in range(1, 20_001):
            before = chain.link(KEY, before, row, n)
            yield (n, *row, ID, before.hex())

    tracemalloc.start()
    proof = verify(endless(), None, KEYS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert proof.is_sound
    assert peak < 200_000


# The command, with the settings of the service.


@pytest.fixture
def home(tmp_path):
    """A log of three events under a key, with heads."""
    key = create_audit_key(tmp_path / "audit.key")
    writer = ChainWriter(f"sqlite:///{tmp_path / 'audit.db'}", key, tmp_path / "heads.jsonl")
    writer.open()
    persons = ("person-7", "=cmd()", "person-7")
    writer.write([[row_of(event(f"r{n}", person_id=one, caller="=dr,\n"))] for n, one in enumerate(persons)])
    writer.close()
    return tmp_path


def audit(home, *words):
    variables = {
        **os.environ,
        "BALANCE_RISK_AUDIT": f"sqlite:///{home / 'audit.db'}",
        "BALANCE_RISK_AUDIT_KEY": str(home / "audit.key"),
        "BALANCE_RISK_AUDIT_HEADS": str(home / "heads.jsonl"),
    }
    return subprocess.run(
        [sys.executable, "-m", "serving.audit", *words], env=variables, capture_output=True, text=True, check=False
    )


def tamper(home, statement):
    with sqlite3.connect(home / "audit.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
    database.close()


def test_verify_says_what_is_proven(home):
    done = audit(home, "verify", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["sound"] is True
    assert (report["events"], report["events_after_newest_head"], report["newest_head"]["event"]) == (3, 0, 3)
    assert "Every event is as it was written" in audit(home, "verify").stdout


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE audit_event SET decision = 'denied' WHERE n = 2", "altered"),
        ("UPDATE audit_event SET caller = CAST(x'ff' AS TEXT) WHERE n = 2", "altered"),
        ("DELETE FROM audit_event WHERE n = 2", "removed"),
        ("DELETE FROM audit_event WHERE n = 3", "cut-off"),
        ("DELETE FROM audit_event", "cut-off"),
    ],
)
def test_a_broken_log_is_exit_code_3_and_names_nobody(home, statement, kind):
    tamper(home, statement)
    done = audit(home, "verify", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["findings"][0]["kind"] == kind
    assert "find out why" in done.stderr
    assert "person-7" not in done.stdout + done.stderr


def test_a_log_that_cannot_be_read_is_not_called_broken(home):
    (home / "audit.db").rename(home / "elsewhere.db")
    done = audit(home, "verify")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no audit log there" in done.stderr
    sqlite3.connect(home / "audit.db").close()
    (home / "audit.db").touch()
    assert audit(home, "verify").returncode == 2
    (home / "audit.db").unlink()
    (home / "audit.db").mkdir()
    assert audit(home, "verify").returncode == 2
    (home / "audit.key").unlink()
    assert "balance-risk audit key" in audit(home, "verify").stderr


def test_a_damaged_file_is_broken(home):
    content = bytearray((home / "audit.db").read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    (home / "audit.db").write_bytes(content)
    with pytest.raises(AuditBroken, match="damaged"):
        list(reading.events(f"sqlite:///{home / 'audit.db'}"))
    (home / "audit.db").write_bytes(b"no database" * 1000)
    assert audit(home, "verify").returncode == 3


def test_export_is_written_to_the_log_first_and_can_be_opened_in_a_spreadsheet(home):
    done = audit(home, "export", "--person", "person-7")
    assert done.returncode == 0, done.stderr
    lines = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(lines[0]) == list(export.FIELDS)
    assert [line["n"] for line in lines] == ["1", "3", "4"]
    assert lines[0]["who"] == "'=dr,\\n", "no formula, no second line"
    assert (lines[2]["action"], lines[2]["role"], lines[2]["purpose"]) == ("read_accesses", "auditor", "audit")
    assert lines[2]["who"].startswith("operator:")
    again = json.loads(audit(home, "export", "--person=person-7", "--json").stdout)
    assert [one["n"] for one in again] == [1, 3, 4, 5]
    assert again[0]["organisations"] == ["c1", "c2"]
    assert json.loads(audit(home, "export", "--person", "nobody", "--json").stdout)[0]["action"] == "read_accesses"
    assert json.loads(audit(home, "verify", "--json").stdout)["sound"] is True


def test_nothing_is_exported_that_cannot_be_logged(home):
    with sqlite3.connect(home / "audit.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = audit(home, "export", "--person", "person-7")
    other.close()
    assert (done.returncode, done.stdout) == (2, "")
    with pytest.raises(MissingInputError):
        export.record_export(f"sqlite:///{home / 'none.db'}", KEY, None, "person-7")
    with pytest.raises(AuditUnavailable, match="another key"):
        export.record_export(f"sqlite:///{home / 'audit.db'}", KEY, None, "person-7")


def test_a_key_is_rotated_and_both_prove_the_chain(home):
    done = audit(home, "rotate", "--to", str(home / "new.key"))
    assert done.returncode == 0, done.stderr
    old = audit(home, "export", "--person", "person-7")
    assert (old.returncode, old.stdout) == (2, "")
    (home / "audit.key").rename(home / "old.key")
    (home / "new.key").rename(home / "audit.key")
    assert audit(home, "export", "--person", "person-7").returncode == 0
    assert audit(home, "verify").returncode == 3
    report = json.loads(audit(home, "verify", "--json", "--key", str(home / "old.key")).stdout)
    assert report["sound"] is True
    assert len(report["keys"]) == 2
    assert audit(home, "rotate", "--to", str(home / "audit.key")).returncode == 2


def test_reading_leaves_the_log_alone(home):
    before = (home / "audit.db").read_bytes()
    (home / "audit.db").chmod(0o444)
    assert audit(home, "verify").returncode == 0
    assert (home / "audit.db").read_bytes() == before


def test_the_verbs_find_the_log_in_the_workspace_and_pass_its_exit_code_on(home, tmp_path):
    root = tmp_path / "workspace"
    for place, name in (("store", "audit.db"), ("keys", "audit.key")):
        (root / place).mkdir(parents=True)
        (home / name).rename(root / place / name)
    (home / "heads.jsonl").rename(root / "store" / "audit-heads.jsonl")
    empty = {name: value for name, value in os.environ.items() if not name.startswith("BALANCE_RISK_")}

    def verb(*words):
        command = [sys.executable, "-c", "from pipeline.commands.audit import app; app()", *words, "-w", str(root)]
        return subprocess.run(command, env=empty, capture_output=True, text=True, check=False)

    done = verb("verify", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["events"] == 3
    assert verb("export", "--person", "person-7").stdout.count("\n") == 4
    tamper(root / "store", "DELETE FROM audit_event WHERE n = 2")
    assert verb("verify").returncode == 3
    (root / "store" / "audit.db").unlink()
    assert verb("verify").returncode == 2
