"""The directory ``erasures``: who must not come back, and the certificates of what was done.

A person is kept only as a tombstone, an HMAC-SHA-256 of the pseudonym under a key made for this workspace: enough to know
somebody who comes again, not enough to find out who it was for anyone who has the certificate but not the key.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import MissingInputError, SettingsError
from data_contracts.tables import Coded
from data_contracts.tombstones import KEY, TOMBSTONES, read_marks, tombstone
from pipeline.console import read_json
from pipeline.workspace import Workspace


def home(workspace: Workspace) -> Path:
    """Return the directory; it belongs neither to DVC nor to git."""
    return workspace.root / "erasures"


class Tombstones:
    """Recognises erased persons by name."""

    def __init__(self, workspace: Workspace, key: bytes, marks: set[str], by_pseudonym: dict[str, str]) -> None:
        self._workspace = workspace
        self._key = key
        self.marks = marks
        self.by_pseudonym = by_pseudonym
        """Tombstone -> name of the key, of persons of whom nothing but a pseudonym is known."""
        self._known: dict[str, bool] = {}

    @classmethod
    def load(cls, workspace: Workspace) -> Tombstones:
        """Read the tombstones of a workspace; raises MissingInputError where they can no longer be told apart."""
        directory = home(workspace)
        marks, by_pseudonym = read_marks(directory / TOMBSTONES)
        if (directory / KEY).exists():
            return cls(workspace, (directory / KEY).read_bytes(), marks, by_pseudonym)
        if marks:
            raise MissingInputError(
                f"{directory / KEY}: is gone, and without it erased persons cannot be told from others: they would come "
                "back. Restore the file from a backup."
            )
        return cls(workspace, b"", marks, by_pseudonym)

    def mark(self, name: str) -> str:
        """Return the tombstone of a name."""
        return tombstone(self._key, name)

    def covers(self, name: str) -> bool:
        """True if the name is an erased person's."""
        if not self.marks:
            return False
        if name not in self._known:
            self._known[name] = self.mark(name) in self.marks
        return self._known[name]

    def covers_rows(self, persons: Coded) -> np.ndarray:
        """True for each row of a column of persons that is an erased person's."""
        is_erased = np.array([*map(self.covers, persons.vocabulary), False])
        return is_erased[persons.codes]

    def carry_over(self, persons: Iterable[tuple[str, ...]]) -> int:
        """Know erased persons by all their names, here and in the file; return how many got a new one.

        ``persons`` has the names of one person each: what the customer calls her, and her pseudonyms under every key.
        """
        if not self.marks:
            return 0
        added = [names for names in persons if 0 < sum(map(self.covers, names)) < len(names)]
        if added:
            grown = add_tombstones(self._workspace, (name for names in added for name in names))
            self.marks, self.by_pseudonym = grown.marks, grown.by_pseudonym
            self._known.clear()
        return len(added)

    def require_keys(self, keys: Iterable[str]) -> None:
        """Raise SettingsError unless every key is there under which somebody was erased by pseudonym only."""
        lost = sorted({*self.by_pseudonym.values()} - {*keys})
        if lost:
            raise SettingsError(
                f"Persons were erased by a pseudonym under the key {', '.join(lost)}, which is no longer in the file of keys: "
                "under another key they would come back. Put the key back below the current one, and keep it there until "
                "an ingest of the whole source has seen these persons or they are erased by the customer's identifier."
            )


def read_kept(path: Path) -> Any:
    """Read a JSON file of this directory; raises MissingInputError where it is damaged."""
    try:
        return read_json(path)
    except (ValueError, OSError, RecursionError):
        raise MissingInputError(f"{path}: is damaged. Restore the file from a backup.") from None


def add_tombstones(
    workspace: Workspace, names: Iterable[str], by_pseudonym: Mapping[str, str] | None = None
) -> Tombstones:
    """Keep the persons of these names out; ``by_pseudonym``: name -> key of those of whom no other name is known."""
    directory = home(workspace)
    directory.mkdir(parents=True, exist_ok=True)
    known = Tombstones.load(workspace)
    if not (directory / KEY).exists():
        # Created with its final mode, so that the key is at no moment readable by others.
        with open(os.open(directory / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        known = Tombstones.load(workspace)
    marks = {known.mark(name) for name in names}
    keys = {mark: key for mark, key in known.by_pseudonym.items() if mark not in marks}
    for name, key in (by_pseudonym or {}).items():
        mark = known.mark(name)
        if mark not in known.marks or mark in known.by_pseudonym:
            keys[mark] = key
    kept = {"marks": sorted(known.marks | marks), "by_pseudonym": keys}
    write_private(directory / TOMBSTONES, json.dumps(kept, indent=2, sort_keys=True))
    return Tombstones.load(workspace)


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    partial.replace(path)


def write_certificate(workspace: Workspace, stem: str, certificate: dict[str, Any], text: str) -> Path:
    """Write a certificate as JSON and as text beside it, never over an older one; return the path of the JSON."""
    directory = home(workspace)
    directory.mkdir(parents=True, exist_ok=True)
    number = len(list(directory.glob(f"{stem}*.json")))
    path = directory / (f"{stem}.json" if number == 0 else f"{stem}-{number + 1}.json")
    write_private(path.with_suffix(".txt"), text)
    write_private(path, json.dumps(certificate, indent=2, sort_keys=True))
    return path
