"""What must not come back with a backup: persons who were erased after it, and consent that was withdrawn after it.

Erased persons are known by their tombstones, which name nobody: each person of the restored store is held against them, and
each word of the free texts. Withdrawals are read from the old store, or, where that is lost, from the old audit log, which
says who withdrew and not what: then all counts as withdrawn. So it does for whoever withdrew while the backup was taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

from data_contracts.records import Source
from data_contracts.time_windows import OSLO
from data_contracts.tombstones import KEY, TOMBSTONES, read_marks, tombstone
from serving.access.policy import Action
from serving.audit import reading
from serving.backup import manifest
from serving.backup.errors import RestoreRefused
from serving.store import Store
from serving.store.erasure import erase
from serving.store.persons import names_and_texts

_WORD = re.compile(r"[\w.:@-]*\w")
_WEAK, _WEAK_NUMBER = 4, 9
"""Names of fewer characters are met by chance in a text, as pipeline/erasure/wanted.py has it."""

Withdrawn = tuple[str, Source | None, date]


@dataclass(frozen=True)
class Erased:
    """Recognises erased persons; without marks nobody was erased."""

    key: bytes
    marks: frozenset[str]

    @classmethod
    def known(cls, erasures: Path, backup: Path, nobody: bool, taken_at: str) -> Erased:
        """Read the tombstones of today; raises RestoreRefused where they may be older than the backup."""
        marks, _ = read_marks(erasures / TOMBSTONES)
        then, _ = read_marks(backup / manifest.ERASED)
        if then - marks:
            raise RestoreRefused(
                f"{erasures}: lacks {len(then - marks)} of the {len(then)} persons who were erased before the backup was "
                "taken. They, and whoever was erased since, would come back. Bring the newest copy of the directory erasures."
            )
        if not marks and not nobody:
            raise RestoreRefused(
                f"{erasures}: says of nobody that she was erased. If that is not known, whoever was erased after {taken_at} "
                "would come back. Bring the newest copy of the directory erasures; if nobody was, say --nobody-erased."
            )
        if marks and not (erasures / KEY).exists():
            raise RestoreRefused(f"{erasures / KEY}: is gone; without it erased persons are not known. Bring its copy.")
        return cls((erasures / KEY).read_bytes() if marks else b"", frozenset(marks))

    def apply(self, store: Store) -> tuple[int, dict[str, int]]:
        """Take erased persons out of a store; return how many came back with it, and how many rows went, by table."""
        if not self.marks:
            return 0, {}
        persons, texts = names_and_texts(store.database)
        gone = [person for person in persons if self._covers(person)]
        words = {word for text in texts for word in _WORD.findall(text) if not _is_weak(word)}
        in_texts = sorted(word for word in words if any(map(self._covers, {word, word.lower(), word.upper()})))
        return len(gone), erase(store.database, gone, in_texts)

    def _covers(self, name: str) -> bool:
        return tombstone(self.key, name) in self.marks


def _is_weak(name: str) -> bool:
    return len(name) < _WEAK or (name.isdecimal() and len(name) < _WEAK_NUMBER)


def withdrawals(said: Mapping[str, Any], log: str, old_store: Store | None, old_log: str | None) -> set[Withdrawn]:
    """Return what was withdrawn since the store of a backup was read.

    Parameters
    ----------
    said : mapping
        The backup's manifest.
    log : str
        URL of the restored audit log.
    old_store : Store, optional
        What is left of the store that the backup replaces.
    old_log : str, optional
        URL of what is left of its audit log.
    """
    if old_store is not None:
        _, known = old_store.withdrawals()
        return {(person, source, day) for person, by_source in known.items() for source, day in by_source.items()}
    urls = [log] if old_log is None else [log, old_log]
    events = (
        one for url in urls for one in reading.accesses_after(url, said["store"]["events_before"], Action.WITHDRAW)
    )
    return {(person, None, datetime.fromisoformat(at).astimezone(OSLO).date()) for person, at in events}


def apply_withdrawals(store: Store, withdrawn: Iterable[Withdrawn]) -> int:
    """Note withdrawals that a store does not know yet; return of how many persons."""
    _, known = store.withdrawals()
    persons = set()
    for person, source, day in sorted(withdrawn, key=repr):
        asked = get_args(Source) if source is None else (source,)
        if any(known.get(person, {}).get(one, date.min) < day for one in asked):
            store.withdraw(person, source, day)
            persons.add(person)
    return len(persons)
