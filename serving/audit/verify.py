"""Prove the chain: every event as it was written, none missing, up to the newest signed head.

Reads log and heads side by side, once, in constant memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from serving.audit import chain
from serving.audit.event import Row, time_text
from serving.audit.heads import Head, HeadUnreadable
from serving.audit.proof import MOST_LISTED, Proof
from serving.audit.restored import NAME_DIGITS, Restoration, restoration
from serving.audit.store import StoredRow
from serving.audit.writer import HEAD_SECONDS

SLACK_SECONDS = 5.0
"""What a busy disk may delay a head by."""


def verify(
    rows: Iterator[StoredRow],
    heads: Iterator[Head] | None,
    keys: Mapping[str, bytes],
    restores: Collection[str] | None = (),
) -> Proof:
    """Hold the events, in the order of their numbers, against their links and against the heads.

    Parameters
    ----------
    rows : iterator of StoredRow
        All events of the log.
    heads : iterator of Head, optional
        The heads that were there before the first event was read; None where none are kept.
    keys : mapping of str to bytes
        All keys that the chain ever had, by their names.
    restores : collection of str, optional
        Names of the restores from a backup that whoever verifies knows of: others are findings. None: all are known.
    """
    proof = Proof(has_heads=heads is not None)
    links, marks = _Links(proof, keys), _Heads(proof, heads or iter(()), keys)
    for row in rows:
        n, stored_link = links.check(row)
        if (found := restoration(n, tuple(row[1:-2]), stored_link)) is not None:
            marks.go_back(found)
            found.is_known = restores is None or found.name in {name[:NAME_DIGITS] for name in restores}
            proof.restores.append(found)
            if not found.is_known:
                proof.found("restored", n, found.text)
        marks.check(n, stored_link, str(row[1]))
    marks.end()
    return proof


class _Links:
    def __init__(self, proof: Proof, keys: Mapping[str, bytes]) -> None:
        self._proof, self._keys = proof, keys
        self._before: bytes | None = None
        self._expected_key: str | None = None

    def check(self, stored: StoredRow) -> tuple[int, str]:
        """Check one event against the one before; go on from what is stored, so that one fault is told once."""
        proof = self._proof
        n, row, key_id, link = stored[0], tuple(stored[1:-2]), str(stored[-2]), str(stored[-1])
        proof.events += 1
        if type(n) is not int or n <= proof.last:
            proof.found("inserted", proof.last, f"After event {proof.last} stands one that has no number of its own.")
            n = proof.last
        elif n > proof.last + 1:
            removed = f"event {n - 1} is" if n == proof.last + 2 else f"events {proof.last + 1} to {n - 1} are"
            proof.found("removed", n, f"Before event {n}, {removed} missing.")
        elif (key := self._key(n, key_id)) is not None:
            self._check_link(key, n, row, link)
        proof.keys[key_id] += 1
        proof.last, proof.last_at = n, str(row[0])
        self._before, self._expected_key = _bytes(link), chain.next_key_id(key_id, row)
        return n, link

    def _key(self, n: int, key_id: str) -> bytes | None:
        if key_id not in self._keys:
            if key_id not in self._proof.keys:
                self._proof.found("unknown-key", n, f"Event {n} names a key that was not given: {key_id[:16]!r}. "
                                  "Give older keys too (--key); if there is none of that name, it was altered.")  # fmt: skip
            return None
        if self._expected_key not in (None, key_id):
            self._proof.found("key-changed", n, f"Event {n} is linked under another key, which no rotation announced.")
        return self._keys[key_id]

    def _check_link(self, key: bytes, n: int, row: Row, link: str) -> None:
        before = chain.first_link(key) if self._before is None else self._before
        try:
            expected = chain.link(key, before, row, n).hex()
        except (orjson.JSONEncodeError, TypeError):  # no text where there was one
            expected = ""
        if expected != link:
            self._proof.found(
                "altered", n, f"Event {n} is not what was written after event {n - 1}: it was altered, swapped or "
                "inserted, or others before it were removed and the rest renumbered.",
            )  # fmt: skip


@dataclass
class _Aside:
    """Heads in a row, each of a later event than the one before, of events that are not in the log as they were signed."""

    first: Head
    last: Head
    shown: list[Head]


class _Heads:
    def __init__(self, proof: Proof, heads: Iterator[Head], keys: Mapping[str, bytes]) -> None:
        self._proof, self._keys = proof, keys
        self._heads = heads
        self._before: Head | None = None
        self._aside: list[_Aside] = []
        self._row = 0
        self._latest = ""
        self._next = self._read()

    def check(self, n: int, link: str, at: str) -> None:
        """Hold an event against the heads of its number, and set aside those that signed another one.

        Only a restore that comes later may explain them: they can be of what was written after an earlier restore.
        """
        while self._next is not None and self._next.n <= n:
            # One between two rows is of an event that was found to be removed.
            if (self._next.n, self._next.link) == (n, link) or self._row < self._next.n < n:
                self._advance()
            else:
                self._set_aside(self._next)
        self._row = n
        if self._next is None:
            self._latest = max(self._latest, at)

    def go_back(self, restored: Restoration) -> None:
        """Pass over the heads from those of the backup to the one that a restore names; count the events they had signed.

        A head of no higher number than the one before begins what was written after an earlier restore, and is lost too.
        """
        while self._next is not None and self._next.k <= restored.head:
            self._set_aside(self._next, after=restored.kept)
        lost = [one for one in self._aside if restored.kept < one.first.k and one.last.k <= restored.head]
        for number, one in enumerate(lost):
            first = one.first.n if number else min(one.first.n, restored.n)
            restored.missing += max(0, one.last.n - first + 1)
        self._aside = [one for one in self._aside if one not in lost]
        if self._proof.has_heads and (self._before is None or self._before.k < restored.head):
            self._proof.found("heads-cut-off", restored.n, f"Event {restored.n} names head {restored.head}, not there.")

    def end(self) -> None:
        """Say what the heads tell of events that are not there, and what events tell of heads that are not there."""
        while self._next is not None:
            self._set_aside(self._next)
        proof, newest = self._proof, self._proof.newest_head
        for one in self._aside:
            for head in one.shown:
                if head.n <= proof.last:
                    proof.found("rewritten", head.n, f"Event {head.n} is another one than head {head.k} signed.")
        furthest = max((one.last for one in self._aside), key=lambda head: head.n, default=None)
        if furthest is not None and furthest.n > proof.last:
            proof.found(
                "cut-off", proof.last, f"The log ends with event {proof.last}; head {furthest.k} signed event {furthest.n} on "
                f"{furthest.at}. {furthest.n - proof.last} events or more are missing at the end.",
            )  # fmt: skip
        elif proof.has_heads and newest is None and proof.last:
            proof.found("heads-missing", proof.last, "There are events and no signed head: the file of heads was removed or "
                        "could never be written.")  # fmt: skip
        elif newest is not None and self._latest > _limit(newest):
            proof.found("heads-cut-off", newest.n, f"Head {newest.k} of {newest.at} is the newest, and events go on for longer "
                        f"than {HEAD_SECONDS:.0f} seconds: later heads were removed, or could not be written.")  # fmt: skip

    def _set_aside(self, head: Head, after: int = 0) -> None:
        if self._aside and self._aside[-1].last.n < head.n and self._aside[-1].first.k > after:
            one = self._aside[-1]
            one.last = head
            one.shown += [head] if len(one.shown) < MOST_LISTED else []
        else:
            self._aside.append(_Aside(head, head, [head]))
        self._advance()

    def _advance(self) -> None:
        self._next, self._latest = self._read(), ""

    def _read(self) -> Head | None:
        """Return the next head that is signed; say what is wrong with others."""
        proof = self._proof
        while (head := self._readable()) is not None:
            before, self._before = self._before, head
            proof.heads += 1
            key = self._keys.get(head.key_id)
            if key is None:
                proof.found(
                    "unknown-key", head.n, f"Head {head.k} names a key that was not given. Give older keys too."
                )
            elif not head.is_signed(key) or head.k != (1 if before is None else before.k + 1):
                proof.found("heads-altered", head.n, f"Head {head.k} was altered, or heads before it were removed.")
            else:
                proof.newest_head = head
                return head
        return None

    def _readable(self) -> Head | None:
        try:
            return next(self._heads, None)
        except HeadUnreadable:
            self._proof.found("heads-altered", self._proof.last, f"After head {self._before.k if self._before else 0} the file "
                              "of heads has a line that is none; nothing after it was read.")  # fmt: skip
            return None


def _limit(head: Head) -> str:
    try:
        moment = datetime.fromisoformat(head.at)
    except ValueError:
        return ""
    return time_text(moment + timedelta(seconds=HEAD_SECONDS + SLACK_SECONDS))


def _bytes(link: str) -> bytes:
    try:
        return bytes.fromhex(link)
    except ValueError:
        return b""
