"""The place: is there room for what the stages will write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.checkup.finding import Finding
from pipeline.workspace import Workspace

ROOM = 10
"""A workspace takes up to so many times its source: tables, five training sets, models and their store."""

LEAST_ROOM = 1 << 30


def findings(workspace: Workspace) -> Iterator[Finding]:
    """Say whether the disk has room for what the stages write."""
    there = next(path for path in (workspace.root.resolve(), *workspace.root.resolve().parents) if path.exists())
    free, needed = shutil.disk_usage(there).free, max(LEAST_ROOM, ROOM * _bytes(workspace.source))
    said = f"{free / 1e9:.1f} GB free in {there}, up to {needed / 1e9:.1f} GB may be written"
    if free < needed:
        yield Finding("problem", "disk", said, "Make room, or choose another --workspace.")
    else:
        yield Finding("good", "disk", said)


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) if directory.exists() else 0
