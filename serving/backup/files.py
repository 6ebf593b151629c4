"""Directories that appear whole or not at all, for their owner only, and what is left of those that were killed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from serving.backup.errors import BackupFailed

_PARTIAL = ".partial-"
LOCK = "lock"
"""Held as long as a directory is not whole; a file of this name is no part of it."""


def tell(what: str, done: int, total: int) -> None:
    """Say on a terminal how far something is."""
    if sys.stderr.isatty():
        filled = 24 * done // max(total, 1)
        sys.stderr.write(f"\r\x1b[K{what:<12} [{'#' * filled}{'.' * (24 - filled)}] {100 * done // max(total, 1)} %")
        sys.stderr.write("\r\x1b[K" if done >= total else "")
        sys.stderr.flush()


@contextmanager
def whole_directory(place: Path) -> Iterator[Path]:
    """Yield a directory of another name, which becomes ``place`` at the end, or is gone; raises BackupFailed.

    What processes left beside it that were killed is removed: it may hold persons. Of one that still works the lock is held.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(place.parent)
        partial, lock = _partial(place.parent)
    except OSError as error:
        raise BackupFailed(f"{place.parent}: cannot be written ({error.strerror}).") from None
    try:
        yield partial
        for path in partial.rglob("*"):
            sync(path)
        sync(partial)
        if place.exists():
            raise BackupFailed(f"{place}: is there already. Name a directory that is not.")
        os.rename(partial, place)
        (place / LOCK).unlink()  # not before: without it nobody would know what a kill has left
        sync(place)
        sync(place.parent)
    except OSError as error:
        raise BackupFailed(f"{place}: cannot be written ({error.strerror}). Nothing is left of the attempt.") from None
    finally:
        _remove(partial)
        os.close(lock)


def _partial(parent: Path) -> tuple[Path, int]:
    """Make a directory and hold its lock; if another process has swept it before it was locked, make another."""
    while True:
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=parent))  # made with mode 700
        with suppress(FileNotFoundError):
            lock = os.open(partial / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (partial / LOCK).exists():
                return partial, lock
            os.close(lock)


def _sweep(parent: Path) -> None:
    for left in parent.glob(f"{_PARTIAL}*"):
        try:
            lock = os.open(left / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            with suppress(OSError):
                left.rmdir()  # killed before it had a lock, so it is empty; whoever makes it now makes another
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            _remove(left)
        finally:
            os.close(lock)


def _remove(partial: Path) -> None:
    """Remove a directory, its lock last: if this is killed too, the next one knows what is left."""
    for path in sorted(partial.glob("*")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            with suppress(OSError):
                path.unlink()
    shutil.rmtree(partial, ignore_errors=True)


def sync(path: Path) -> None:
    """Bring a file or a directory onto the disk; a link is part of its directory."""
    if path.is_symlink():
        return
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read; it must not be there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def copy(source: Path, target: Path) -> None:
    """Copy a file's bytes to one that its owner alone may read."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(source, "rb") as read, open(handle, "wb") as written:
        shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(written.fileno())


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
