"""An erasure under way, kept in a file, so that one that was broken off goes on where it stopped."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data_contracts.errors import MissingInputError
from pipeline.console import sha256
from pipeline.erasure.wanted import Wanted
from pipeline.erasures import home, read_kept, write_private
from pipeline.workspace import Workspace


@dataclass
class Done:
    """What has been done.

    Parameters
    ----------
    files : dict
        Place of a file -> rows that went, and the SHA-256 of what is left (None: nothing).
    clean, due : list of str
        SHA-256 of the training sets that did not hold the person; of those of models that did, or that nobody has any more.
    gone : list of str
        Hashes of the objects taken out of DVC's cache.
    followed : dict
        Report and source file whose change it follows -> SHA-256 of the report when it has followed.
    stages : list of str
        Stages that DVC will run again.
    store : dict
        Table of the store -> rows that went.
    """

    files: dict[str, dict[str, int | str | None]] = field(default_factory=dict)
    clean: list[str] = field(default_factory=list)
    due: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    followed: dict[str, str] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    store: dict[str, int] = field(default_factory=dict)


_DONE = TypeAdapter(Done)


@dataclass
class Erasure:
    """Who is erased where, and what has been done so far."""

    workspace: Workspace
    wanted: Wanted
    mark: str
    done: Done

    @classmethod
    def begin(cls, workspace: Workspace, wanted: Wanted, mark: str) -> Erasure:
        """Start, or go on where a broken one stopped."""
        begun = cls(workspace, wanted, mark, Done())
        if not begun.is_broken:
            return begun
        try:
            return cls(workspace, wanted, mark, _DONE.validate_python(read_kept(begun.journal)))
        except ValidationError:
            raise MissingInputError(f"{begun.journal}: is damaged. Restore the file from a backup.") from None

    @property
    def journal(self) -> Path:
        """Where it is kept while it is under way."""
        return home(self.workspace) / f"{self.mark[:12]}.unfinished.json"

    @property
    def is_broken(self) -> bool:
        """True if an earlier run did not come to its end."""
        return self.journal.exists()

    def save(self) -> None:
        """Keep what has been done."""
        write_private(self.journal, _DONE.dump_json(self.done).decode())

    def note(self, path: Path, rows: int) -> None:
        """Remember that a file lost rows, or went as a whole."""
        place = self.shown(path)
        before = int(self.done.files.get(place, {}).get("rows") or 0)
        self.done.files[place] = {"rows": before + rows, "sha256_after": sha256(path) if path.exists() else None}
        self.save()

    def note_store(self, gone: dict[str, int], path: Path | None) -> None:
        """Remember what went from the store, a file or a server."""
        for table, rows in gone.items():
            self.done.store[table] = self.done.store.get(table, 0) + rows
        if gone:
            place = "database of the store" if path is None else self.shown(path)
            before = int(self.done.files.get(place, {}).get("rows") or 0)
            after = None if path is None else sha256(path)
            self.done.files[place] = {"rows": before + sum(gone.values()), "sha256_after": after}
        self.save()

    def shown(self, path: Path) -> str:
        """Return the place of a file as it may be shown: a file may be named after the person."""
        root = self.workspace.root
        place = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
        for name in self.wanted.names:
            # A short name counts only where a file is named after it; a part of a hash may look like one.
            is_weak = name not in self.wanted.strong
            place = (
                re.sub(rf"(?<=/){re.escape(name)}(?=\.\w+$)", "[person]", place)
                if is_weak
                else place.replace(name, "[person]")
            )
        return os.fsencode(place).decode("utf-8", "replace")
