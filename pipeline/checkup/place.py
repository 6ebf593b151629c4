"""The place: is there room for what the stages will write, and does the registry answer where a server is named."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from data_contracts.errors import RegistryError, SettingsError
from models import registry
from models.outcomes import OUTCOMES
from models.registry_address import is_server
from pipeline.checkup.finding import Finding
from pipeline.workspace import Workspace

ROOM = 10
"""A workspace takes up to so many times its source: tables, five training sets, models and their store."""

LEAST_ROOM = 1 << 30


def findings(workspace: Workspace) -> Iterator[Finding]:
    """Say whether the disk has room for what the stages write, and whether the server of the registry can be used."""
    yield from _registry(workspace)
    there = next(path for path in (workspace.root.resolve(), *workspace.root.resolve().parents) if path.exists())
    free, needed = shutil.disk_usage(there).free, max(LEAST_ROOM, ROOM * _bytes(workspace.source))
    said = f"{free / 1e9:.1f} GB free in {there}, up to {needed / 1e9:.1f} GB may be written"
    if free < needed:
        yield Finding("problem", "disk", said, "Make room, or choose another --workspace.")
    else:
        yield Finding("good", "disk", said)


def _registry(workspace: Workspace) -> Iterator[Finding]:
    try:
        address = workspace.tracking_uri
        if not is_server(address):
            return
        registry.versions(next(iter(OUTCOMES)), tracking_uri=address)
    except registry.NothingRegistered:
        pass  # it has answered
    except (RegistryError, SettingsError) as error:
        yield Finding("problem", "registry", str(error))
        return
    yield Finding("good", "registry", f"{address} answers")


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) if directory.exists() else 0
