"""The directory ``erasures``: who must not come back, and the certificates of what was done.

A person is kept only as a tombstone, an HMAC-SHA-256 of the pseudonym under a key made for this workspace: enough to know
somebody who comes again, not enough to find out who it was for anyone who has the certificate but not the key.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import MissingInputError
from data_contracts.tables import Coded
from pipeline.console import read_json, write_json
from pipeline.workspace import Workspace

KEY, TOMBSTONES = "tombstone.key", "tombstones.json"
_DOMAIN = b"balance-risk tombstone\0"


def home(workspace: Workspace) -> Path:
    """Return the directory; it belongs neither to DVC nor to git."""
    return workspace.root / "erasures"


class Tombstones:
    """Recognises erased persons by name."""

    def __init__(self, workspace: Workspace, key: bytes, marks: set[str]) -> None:
        self._workspace = workspace
        self._key = key
        self.marks = marks
        self._known: dict[str, bool] = {}

    @classmethod
    def load(cls, workspace: Workspace) -> Tombstones:
        """Read the tombstones of a workspace; raises MissingInputError where they can no longer be told apart."""
        directory = home(workspace)
        marks = set(read_json(directory / TOMBSTONES)) if (directory / TOMBSTONES).exists() else set()
        if (directory / KEY).exists():
            return cls(workspace, (directory / KEY).read_bytes(), marks)
        if marks:
            raise MissingInputError(
                f"{directory / KEY}: is gone, and without it erased persons cannot be told from others: they would come "
                "back. Restore the file from a backup."
            )
        return cls(workspace, b"", marks)

    def mark(self, name: str) -> str:
        """Return the tombstone of a name."""
        return hmac.digest(self._key, _DOMAIN + name.encode(), "sha256").hex()

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

    def carry_over(self, crosswalk: Mapping[str, str]) -> int:
        """Know erased persons by their current pseudonym too (old -> current), here and in the file; return how many."""
        added = {new for old, new in crosswalk.items() if self.covers(old) and not self.covers(new)}
        if added:
            self.marks = add_tombstones(self._workspace, added).marks
            self._known.clear()
        return len(added)


def add_tombstones(workspace: Workspace, names: Iterable[str]) -> Tombstones:
    """Keep the persons of these names out from now on."""
    directory = home(workspace)
    directory.mkdir(parents=True, exist_ok=True)
    known = Tombstones.load(workspace)
    if not (directory / KEY).exists():
        # Created with its final mode, so that the key is at no moment readable by others.
        with open(os.open(directory / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        known = Tombstones.load(workspace)
    marks = known.marks | {known.mark(name) for name in names}
    write_json(directory / TOMBSTONES, sorted(marks))
    return Tombstones.load(workspace)


def write_certificate(workspace: Workspace, stem: str, certificate: dict[str, Any], text: str) -> Path:
    """Write a certificate as JSON and as text beside it, never over an older one; return the path of the JSON."""
    directory = home(workspace)
    directory.mkdir(parents=True, exist_ok=True)
    number = len(list(directory.glob(f"{stem}*.json")))
    path = directory / (f"{stem}.json" if number == 0 else f"{stem}-{number + 1}.json")
    path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    path.write_text(json.dumps(certificate, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path
