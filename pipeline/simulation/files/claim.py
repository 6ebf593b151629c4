"""One run at a time writes to a directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from data_contracts.errors import BalanceRiskError
from pipeline.simulation.files.stamp import refuse_foreign_files, writing

UNFINISHED = "unfinished"
_LOCK = "lock"


@contextmanager
def claimed(directory: Path) -> Iterator[None]:
    """Keep other runs out of a directory; raises where one is at work in it, or where foreign files lie.

    The system lets go of the lock when a process ends, however it ends: what a killed run has left keeps nobody out.
    """
    work = directory / UNFINISHED
    with writing(directory):
        refuse_foreign_files(directory)  # before anything is made
        work.mkdir(parents=True, exist_ok=True)
        lock = (work / _LOCK).open("wb")
    with lock:
        if not _is_locked(lock, work / _LOCK):
            raise BalanceRiskError(
                f"Another simulate is writing to {directory}. Wait until it has ended, or use another --workspace."
            )
        try:
            with writing(directory):
                refuse_foreign_files(directory)  # again: another run may have ended since
            yield
        finally:
            with suppress(OSError):  # not ours to remove if there is more in it
                (work / _LOCK).unlink()
                work.rmdir()


def _is_locked(lock: IO[bytes], path: Path) -> bool:
    """Lock the file; False if another has it, or has removed it on ending."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False
