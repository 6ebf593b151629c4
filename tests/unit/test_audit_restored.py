"""A restore is seen, counted and no excuse: not for who has no key, and not for a second cut."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from serving.audit import chain, restored
from serving.audit import heads as heads_file
from serving.audit.event import row_of
from serving.audit.proof import Proof, report_of
from serving.audit.verify import verify
from tests.lib.audit_writer import KEY, event
from tests.unit.test_audit_verify import ID, KEYS, NOON, OTHER


class Backup(NamedTuple):
    rows: list[tuple[Any, ...]]
    kept: int


class Log:
    """Rows and heads of a log in a directory; ``restore`` goes on from an earlier event."""

    def __init__(self, directory: Path) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.heads = directory / "heads"

    def write(self, count: int, head: bool = True, key: bytes = KEY, **changes: Any) -> None:
        for _ in range(count):
            n = len(self.rows) + 1
            before = bytes.fromhex(self.rows[-1][-1]) if self.rows else chain.first_link(key)
            row = row_of(event(f"r{n}", at=NOON + timedelta(seconds=n), **changes))
            self.rows.append((n, *row, ID, chain.link(key, before, row, n).hex()))
        if head:
            self.sign(goes_back=False)

    def sign(self, goes_back: bool, key: bytes = KEY) -> None:
        n, at, link = self.rows[-1][0], self.rows[-1][1], self.rows[-1][-1]
        heads_file.write(self.heads, key, n, link, at, ID, goes_back=goes_back)

    def restore(self, to: int | Backup, *, key: bytes = KEY, named: int | None = None) -> str:
        backup = self.backup(to) if isinstance(to, int) else to
        self.rows[:] = backup.rows
        head = heads_file.newest(self.heads)
        said = {"backup": "b", "taken_at": "then", "kept": backup.kept, "head": named or head.k, "withdrawals": "lost"}
        self.write(1, head=False, key=key, action=restored.RESTORE, person_id=None, reason=orjson.dumps(said).decode())
        self.sign(goes_back=True)
        return str(self.rows[-1][-1][: restored.NAME_DIGITS])

    def backup(self, to: int | None = None) -> Backup:
        """What a backup holds: the first rows, and the heads that had signed no later one."""
        rows = self.rows[:to]
        heads = itertools.takewhile(lambda head: head.n <= len(rows), heads_file.read(self.heads))
        return Backup(rows, max((head.k for head in heads), default=0))

    def proof(self, *names: str) -> Proof:
        return verify(iter(self.rows), heads_file.read(self.heads), KEYS, names)

    def kinds(self, *names: str) -> list[str]:
        return [one.kind for one in self.proof(*names).findings]


@pytest.fixture
def log(tmp_path) -> Log:
    found = Log(tmp_path)
    found.write(10)
    found.write(10)
    return found


def test_a_restore_is_a_finding_until_it_is_named_and_says_how_many_events_it_lost(log):
    name = log.restore(to=12)
    log.write(3)
    assert log.kinds() == ["restored"]
    assert log.kinds("0" * restored.NAME_DIGITS) == ["restored"]
    proof = log.proof(name)
    assert proof.is_sound
    assert [(one.n, one.missing) for one in proof.restores] == [(13, 8)]
    summary = report_of(proof)["summary"]
    assert "8 events or more are missing" in summary
    assert "But for those that restores lost, none is missing up to event 16" in summary


def test_without_heads_of_later_events_nothing_is_said_to_be_whole(log):
    name = log.restore(to=20)
    assert log.proof(name).restores[0].missing == 0
    assert "No head tells of events after it" in log.proof().findings[0].text


def test_events_of_two_restores_of_an_early_backup_are_counted_together(log):
    log.restore(to=12)
    log.write(4)
    name = log.restore(to=12)
    proof = log.proof(name)
    assert proof.is_sound
    assert [one.missing for one in proof.restores] == [8 + 5]


def test_a_cut_without_the_event_is_a_cut_as_ever(log):
    del log.rows[12:]
    assert log.kinds() == ["cut-off"]


def test_the_event_cannot_be_written_without_the_key(log):
    name = log.restore(to=12, key=OTHER)
    assert "altered" in log.kinds(name)


def test_a_second_cut_to_the_same_place_has_another_name(log):
    name = log.restore(to=12)
    log.write(5)
    other = log.restore(to=12)
    assert other != name
    assert log.kinds(name) == ["restored"]


def test_what_was_changed_before_the_backup_is_not_excused(log):
    log.rows[3] = (*log.rows[3][:2], "somebody else", *log.rows[3][3:])
    assert "altered" in log.kinds(log.restore(to=12))


def test_heads_before_the_restore_are_still_held_against_their_events(tmp_path):
    """Who has the key writes another chain up to the backup: the head of event 10 tells."""
    log = Log(tmp_path)
    log.write(10)
    log.write(10)
    log.rows.clear()
    log.write(12, head=False, caller="somebody else")
    assert "rewritten" in log.kinds(log.restore(to=12))


def test_a_head_that_the_event_names_and_is_gone_is_found(log):
    name = log.restore(to=12)
    lines = log.heads.read_bytes().splitlines(keepends=True)
    log.heads.write_bytes(lines[0])
    assert "heads-cut-off" in log.kinds(name)


def test_only_a_restore_may_sign_an_earlier_event(log):
    before = log.heads.read_bytes()
    heads_file.write(log.heads, KEY, 5, log.rows[4][-1], "now", ID)
    assert log.heads.read_bytes() == before


def test_the_log_of_before_a_restore_in_the_place_of_the_restored_one_is_found(log):
    """Its head is passed over by no restore: the event that would excuse it is gone."""
    before = [*log.rows]
    log.restore(to=12)
    log.rows[:] = before
    assert log.kinds() == ["rewritten"]


def test_a_cut_is_found_also_where_the_newest_head_is_of_an_earlier_event_than_one_before(log):
    before = [*log.rows]
    log.restore(to=12)
    log.rows[:] = before[:13]
    assert "cut-off" in log.kinds()


def test_a_backup_of_a_branch_that_was_left_says_what_was_written_on_the_other(log):
    """Back to event 10, on to 14, and then back to where the log was before, at 20: five events are lost."""
    later = log.backup()
    log.restore(to=10)
    log.write(4)
    name = log.restore(later)
    log.write(3)
    proof = log.proof(name)
    assert proof.is_sound
    assert [(one.n, one.missing) for one in proof.restores] == [(21, 5)]
    log.rows[15:] = []
    assert not log.proof(name).is_sound


def test_a_branch_that_was_left_is_told_also_where_no_head_was_signed_between(tmp_path):
    """The head of event 11 on the other branch contradicts event 11 of this one; the restore explains it."""
    log = Log(tmp_path)
    log.write(10)
    log.write(10, head=False)
    later = log.backup()
    log.restore(to=10)
    log.write(4)
    name = log.restore(later)
    assert log.proof(name).is_sound
    assert [one.missing for one in log.proof(name).restores] == [5]


def test_no_restore_excuses_a_head_of_its_own_backup(tmp_path):
    log = Log(tmp_path)
    log.write(10)
    backup = log.backup()
    log.write(10)
    log.rows.clear()
    log.write(10, head=False, caller="somebody else")
    name = log.restore(Backup([*log.rows], backup.kept))
    assert [one.kind for one in log.proof(name).findings] == ["rewritten"]


def test_no_restore_excuses_a_head_after_the_one_that_it_names(log):
    """Whoever has the key says less than there was, so that less would be missing."""
    later = log.backup()
    log.restore(to=10)
    log.write(4)
    name = log.restore(later, named=later.kept)
    assert "rewritten" in log.kinds(name)
