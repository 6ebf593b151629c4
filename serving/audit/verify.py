"""Prove the chain: every event as it was written, none missing, up to the newest signed head.

Reads log and heads side by side, once, in constant memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from serving.audit import chain
from serving.audit.event import Row, time_text
from serving.audit.heads import Head, HeadUnreadable
from serving.audit.restored import NAME_DIGITS, Restoration, restoration
from serving.audit.store import StoredRow
from serving.audit.writer import HEAD_SECONDS

MOST_LISTED = 20
SLACK_SECONDS = 5.0
"""What a busy disk may delay a head by."""


@dataclass(frozen=True)
class Finding:
    """One way in which the log is not what was written; ``n`` is the event it was seen at."""

    kind: str
    n: int
    text: str


@dataclass
class Proof:
    """What was found, and up to where there is proof."""

    events: int = 0
    last: int = 0
    last_at: str = ""
    heads: int = 0
    newest_head: Head | None = None
    has_heads: bool = True
    keys: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    n_findings: int = 0
    restores: list[Restoration] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """True if nothing was found."""
        return self.n_findings == 0

    @property
    def unproven(self) -> int:
        """How many events stand after the newest head."""
        return max(0, self.last - (self.newest_head.n if self.newest_head else 0))

    def found(self, kind: str, n: int, text: str) -> None:
        """Count a finding and keep it if it is among the first."""
        self.n_findings += 1
        if len(self.findings) < MOST_LISTED:
            self.findings.append(Finding(kind, n, text))


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


class _Heads:
    def __init__(self, proof: Proof, heads: Iterator[Head], keys: Mapping[str, bytes]) -> None:
        self._proof, self._keys = proof, keys
        self._heads = heads
        self._before: Head | None = None
        self._latest = ""
        self._next = self._read()

    def check(self, n: int, link: str, at: str) -> None:
        """Hold an event against the heads of its number."""
        while self._next is not None and self._next.n <= n:
            if self._next.n == n and self._next.link != link:
                self._proof.found("rewritten", n, f"Event {n} is another one than head {self._next.k} signed.")
            self._next, self._latest = self._read(), ""
        if self._next is None:
            self._latest = max(self._latest, at)

    def go_back(self, restored: Restoration) -> None:
        """Pass over the heads up to the one that a restore names, and count the events that they had signed.

        A head of a lower number than the one before begins what was written after an earlier restore, and is lost too.
        """
        first, before = restored.n, None
        while self._next is not None and self._next.k <= restored.head:
            if before is not None and self._next.n <= before.n:
                restored.missing += max(0, before.n - first + 1)
                first = self._next.n
            before = self._next
            self._next, self._latest = self._read(), ""
        if before is not None:
            restored.missing += max(0, before.n - first + 1)
        if self._proof.has_heads and (self._before is None or self._before.k < restored.head):
            self._proof.found("heads-cut-off", restored.n, f"Event {restored.n} names head {restored.head}, not there.")

    def end(self) -> None:
        """Say what the heads tell of events that are not there, and what events tell of heads that are not there."""
        proof, newest = self._proof, self._proof.newest_head
        while self._next is not None:
            self._next = self._read()
            newest = proof.newest_head
        if newest is not None and newest.n > proof.last:
            proof.found("cut-off", proof.last, f"The log ends with event {proof.last}; head {newest.k} signed event {newest.n} "
                        f"on {newest.at}. {newest.n - proof.last} events or more are missing at the end.")  # fmt: skip
        elif proof.has_heads and newest is None and proof.last:
            proof.found("heads-missing", proof.last, "There are events and no signed head: the file of heads was removed or "
                        "could never be written.")  # fmt: skip
        elif newest is not None and self._latest > _limit(newest):
            proof.found("heads-cut-off", newest.n, f"Head {newest.k} of {newest.at} is the newest, and events go on for longer "
                        f"than {HEAD_SECONDS:.0f} seconds: later heads were removed, or could not be written.")  # fmt: skip

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


def report_of(proof: Proof) -> dict[str, Any]:
    """Return the proof as JSON values, with a summary for people."""
    newest = proof.newest_head
    return {
        "sound": proof.is_sound,
        "events": proof.events,
        "last_event": proof.last,
        "last_event_at": proof.last_at or None,
        "keys": dict(proof.keys),
        "heads": proof.heads,
        "newest_head": None if newest is None else {"number": newest.k, "event": newest.n, "at": newest.at},
        "events_after_newest_head": proof.unproven,
        "restores": [vars(one) for one in proof.restores],
        "findings": [vars(one) for one in proof.findings],
        "n_findings": proof.n_findings,
        "summary": _summary(proof),
    }


def _summary(proof: Proof) -> str:
    lines = [f"{proof.events} events, {proof.heads} heads, {proof.n_findings or 'no'} findings."]
    lines += [f"{one.kind}: {one.text}" for one in proof.findings]
    if proof.n_findings > len(proof.findings):
        lines.append(f"... and {proof.n_findings - len(proof.findings)} more.")
    lines += [f"restored, as you know: {one.text}" for one in proof.restores if one.is_known]
    if proof.is_sound:
        lines.append("Every event is as it was written, in its place.")
        if proof.newest_head is not None:
            besides = "But for those that restores lost, none" if proof.restores else "None"
            lines.append(
                f"{besides} is missing up to event {proof.newest_head.n}, signed on {proof.newest_head.at}. After it stand "
                f"{proof.unproven} events; others, of {HEAD_SECONDS:.0f} seconds, could have been cut off unseen."
            )
        elif not proof.has_heads:
            lines.append("No heads are kept: events cut off at the end would go unseen.")
        lines.append("Whoever holds the key could write another chain; only heads kept out of their reach would tell.")
    return "\n".join(lines)
