"""What must not come back with a backup: persons who were erased after it. What was withdrawn: withdrawn.py.

Erased persons are known by their tombstones, which name nobody: each person of the restored store is held against them, and
each word of the free texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from data_contracts.tombstones import KEY, TOMBSTONES, read_marks, tombstone
from serving.backup import manifest
from serving.backup.errors import RestoreRefused
from serving.store import Store
from serving.store.erasure import erase
from serving.store.persons import names_and_texts

_WORD = re.compile(r"[\w.:@-]*\w")
_WEAK, _WEAK_NUMBER = 4, 9
"""Names of fewer characters are met by chance in a text, as pipeline/erasure/wanted.py has it."""


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
        gone = [person for person in persons if self.covers(person)]
        words = {word for text in texts for word in _WORD.findall(text) if not _is_weak(word)}
        in_texts = sorted(word for word in words if any(map(self.covers, {word, word.lower(), word.upper()})))
        return len(gone), erase(store.database, gone, in_texts)

    def covers(self, name: str) -> bool:
        """True of a person who was erased."""
        return bool(self.marks) and tombstone(self.key, name) in self.marks


def _is_weak(name: str) -> bool:
    return len(name) < _WEAK or (name.isdecimal() and len(name) < _WEAK_NUMBER)
