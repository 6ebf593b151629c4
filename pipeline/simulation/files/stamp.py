"""The stamp source.json: says that a directory's data are simulated, and by their SHA-256 which files simulate wrote there.

What it does not name, or what has changed since, is somebody's own, and simulate refuses to touch it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_contracts.errors import ContractViolation, SourceFileError
from data_contracts.readers.sources import read_stamp
from pipeline.simulation.files.arrow_rows import TABLE_NAMES

STAMP = "source.json"
_FILES, _REPLACED = "files", "replaced"

_IN_THE_WAY = ("SYNTHETIC.md", "truth", "truth/*", "check", "check/*", "cohort-*.ndjson",
               *(f"{table}.{suffix}" for table in TABLE_NAMES for suffix in ("csv", "parquet")))  # fmt: skip
"""What simulate would replace, or what would be read together with its files."""

_DATA = ("*.csv", "*.parquet", "*.json", "*.ndjson")
_MOST_NAMED = 5


def refuse_foreign_files(directory: Path) -> None:
    """Raise ContractViolation where files lie that simulate did not write, or not as they are now."""
    stamp = read_stamp(directory / STAMP)
    if stamp.get("synthetic") is not True:
        if _found(directory, (*_DATA, *_IN_THE_WAY)):
            raise ContractViolation(
                f"{directory} holds files that simulate did not write; they are left alone. Use another --workspace, "
                "or with DVC: dvc freeze simulate"
            )
        return
    foreign = [name for name, path in _found(directory, _IN_THE_WAY).items() if not _is_own(name, path, stamp)]
    if foreign:
        more = f" and {len(foreign) - _MOST_NAMED} more" if len(foreign) > _MOST_NAMED else ""
        raise ContractViolation(
            f"{directory} holds files that simulate did not write, or that were changed since: "
            f"{', '.join(foreign[:_MOST_NAMED])}{more}. They are left alone. Move or delete them, or use another --workspace."
        )


def _found(directory: Path, patterns: Iterable[str]) -> dict[str, Path]:
    paths = {path for pattern in patterns for path in directory.glob(pattern)}
    return {path.relative_to(directory).as_posix(): path for path in sorted(paths) if not path.is_dir()}


def _is_own(name: str, path: Path, stamp: dict[str, Any]) -> bool:
    """True if a stamp names the file as it is; after a run that was broken off while moving, also as it was before."""
    known = [one for key in (_FILES, _REPLACED) if (one := _files(stamp, key).get(name)) is not None]
    if not path.is_file() or path.stat().st_size not in [one.get("bytes") for one in known]:
        return False  # sizes first: that spares reading gigabytes
    return _described(path) in known


def _files(stamp: dict[str, Any], key: str = _FILES) -> dict[str, dict[str, Any]]:
    files = stamp.get(key)
    return {name: one for name, one in files.items() if isinstance(one, dict)} if isinstance(files, dict) else {}


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def move_into_place(made: Path, final: Path, summary: dict[str, Any]) -> None:
    """Move all files of ``made`` up, with a stamp, and take away what an earlier run has written besides.

    A stamp comes first and names the old files too, the final one last: broken off anywhere, the directory says that its
    data are synthetic, and the next run knows all files for its own.
    """
    new = {path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()}
    stamp = summary | {_FILES: {name: _described(path) for name, path in new.items()}}
    old = read_stamp(final / STAMP)
    replaced = _files(old, _REPLACED) | _files(old)
    _write(final, stamp | {_REPLACED: replaced})
    for name, path in new.items():
        (final / name).parent.mkdir(exist_ok=True)
        path.replace(final / name)
    for name, path in _found(final, _IN_THE_WAY).items():
        if name in replaced and name not in new:
            path.unlink()
    if (final / "check").is_dir() and not any((final / "check").iterdir()):
        (final / "check").rmdir()
    _write(final, stamp)


def add_to_stamp(directory: Path, pattern: str) -> None:
    """Name files in the stamp that were written into a finished cohort."""
    stamp = read_stamp(directory / STAMP)
    added = {name: _described(path) for name, path in _found(directory, [pattern]).items()}
    _write(directory, stamp | {_FILES: dict(sorted((_files(stamp) | added).items()))})


def _write(directory: Path, stamp: dict[str, Any]) -> None:
    """Write the stamp whole or not at all, and never through a link."""
    partial = directory / f"{STAMP}.partial"
    partial.unlink(missing_ok=True)
    partial.write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, directory / STAMP)


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Say what is wrong with the directory where a disk is full, a permission lacks or a file is in the way."""
    try:
        yield
    except OSError as error:
        raise SourceFileError(
            f"simulate cannot write to {directory}: {error.strerror or error}. It must be a directory with room in which "
            "this user may write. Mend that, or use another --workspace."
        ) from None
