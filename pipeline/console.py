"""What a stage shows and leaves behind: progress on stderr (stdout carries results alone), JSON files, their hashes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Advance = Callable[[int], None]
"""Call with the number of further units of work done."""


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Advance]:
    """Show a progress bar (or a spinner without ``total``) with elapsed time while the block runs."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    with bar:
        task = bar.add_task(description, total=total)
        yield lambda steps: bar.advance(task, steps)
        bar.update(task, total=total or 1, completed=total or 1)


def write_json(path: Path, document: Any) -> None:
    """Write a document as indented JSON with sorted keys, whole or not at all; raises ValueError for NaN, which is no JSON."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def for_owner(path: str, flags: int) -> int:
    """Open a file of persons' numbers (``opener`` of open): nobody but its owner may read it, an older one included."""
    handle = os.open(path, flags, 0o600)
    os.fchmod(handle, 0o600)
    return handle
