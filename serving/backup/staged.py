"""One database of a backup on its way: a file is made ready beside its place and put there at once, replacing nothing.

A server has no such place beside: what was put into it is taken out again if the restore fails.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from serving.audit.store import AuditStore
from serving.audit.tables import FUNCTION
from serving.backup import manifest, postgresql, sqlite_copy
from serving.backup.errors import RestoreRefused
from serving.backup.files import sync, tell
from serving.backup.place import LOG, ready_beside
from serving.store.address import file_of, sqlite_url
from serving.store.schema import VERSION_TABLE
from serving.store.tables import METADATA


class Staged:
    """``url`` is where the copy can be worked on; :meth:`put` ends that, and without :meth:`keep` all is undone at the end.

    Parameters
    ----------
    what : {"store", "audit"}
    url : str
        Where it shall be in the end.
    backup : Path
    said : mapping
        Its manifest.
    scratch : Path
        An empty directory that only we may read, for what a server loads.
    """

    def __init__(self, what: str, url: str, backup: Path, said: Mapping[str, Any], scratch: Path) -> None:
        self._what, self._target, self._backup, self._said, self._scratch = what, url, backup, said, scratch
        self._place = file_of(url)
        self._stack = ExitStack()
        self._is_put = self._is_kept = False
        self.url = url

    def __enter__(self) -> Staged:
        tell(self._what, 0, 1)
        if self._place is None:
            self._load()
        else:
            directory = self._stack.enter_context(ready_beside(self._place))
            self._ready = directory / f"{self._what}.db"
            self.url = sqlite_url(self._ready)
            try:
                manifest.copied(self._backup, manifest.file_name(self._what, "sqlite"), self._said, self._ready)
                sqlite_copy.check(self._ready)
            except BaseException:
                self._stack.close()
                raise
        tell(self._what, 1, 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_kept:
            self._undo()
        self._stack.close()

    def put(self) -> None:
        """Put a file in its place; raises RestoreRefused if something has come there meanwhile."""
        if self._place is None:
            if self._what == "audit":
                postgresql.put_back(self._target, LOG, FUNCTION)
            return
        sqlite_copy.settle(self._ready)
        sync(self._ready)
        try:
            os.link(self._ready, self._place)  # unlike a rename it replaces nothing
        except FileExistsError:
            raise RestoreRefused(f"{self._place}: has come there meanwhile. Stop what made it.") from None
        except OSError as error:
            raise RestoreRefused(f"{self._place}: cannot be put there ({error.strerror}).") from None
        self._is_put = True
        sync(self._place.parent)

    def keep(self) -> None:
        """All parts are in place."""
        self._is_kept = True

    def _load(self) -> None:
        """Load into the database; a log then stands where no service looks, until it is put.

        A restore that is killed leaves a store in which erased persons still are. Without its log no service opens it.
        """
        name = manifest.file_name(self._what, "postgresql")
        dump = self._scratch / name
        try:
            manifest.copied(self._backup, name, self._said, dump)
            if self._what == "audit":
                AuditStore(self._target).create()
            postgresql.load(self._target, dump)
            if self._what == "audit":
                self.url = postgresql.set_aside(self._target, LOG, FUNCTION)
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        if self._place is not None:
            if self._is_put:
                self._place.unlink()
            return
        with postgresql.connected(self._target, self._what) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {postgresql.ASIDE} CASCADE")
            for name in [*METADATA.tables, VERSION_TABLE] if self._what == "store" else [LOG]:
                connection.execute(f'DROP TABLE IF EXISTS "{name}" CASCADE')
            if self._what == "audit":
                connection.execute(f"DROP FUNCTION IF EXISTS {FUNCTION}()")
