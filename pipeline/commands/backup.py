"""Verbs backup and restore: all that the service keeps, but its keys.

They run as a process of their own, because the pipeline does not import the service.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands import of_service
from pipeline.commands.options import HERE, JsonOption, WorkspaceOption

DirectoryArgument = Annotated[Path, typer.Argument(resolve_path=True, help="The backup.")]
KeyOption = Annotated[
    list[Path] | None, typer.Option("--key", resolve_path=True, help="An older key of the audit log; repeatable.")
]


def backup(
    directory: DirectoryArgument, workspace: WorkspaceOption = HERE, key: KeyOption = None, json_: JsonOption = False
) -> None:
    """Back up store, audit log, heads and bundles while the service runs; keys are kept apart (docs/deploy/backup.md)."""
    of_service.run("serving.backup", workspace, "take", str(directory), *_words(workspace, key), as_json=json_)


def restore(
    directory: DirectoryArgument,
    workspace: WorkspaceOption = HERE,
    key: KeyOption = None,
    old: Annotated[
        Path | None,
        typer.Option(resolve_path=True, help="What is left of the store's directory that the backup replaces."),
    ] = None,
    withdrawals_lost: Annotated[
        bool, typer.Option("--withdrawals-lost", help="Nobody knows who has withdrawn consent since the backup.")
    ] = False,
    nobody_erased: Annotated[bool, typer.Option("--nobody-erased", help="Nobody was ever erased here.")] = False,
    json_: JsonOption = False,
) -> None:
    """Put a backup where nothing is, keep out who was erased or has withdrawn since, and say what it lacks."""
    words = [*(["--old", str(old)] if old else []), *(["--withdrawals-lost"] if withdrawals_lost else [])]
    words += ["--nobody-erased"] if nobody_erased else []
    of_service.run(
        "serving.backup", workspace, "restore", str(directory), *words, *_words(workspace, key), as_json=json_
    )


def _words(workspace: Path, key: list[Path] | None) -> list[str]:
    # Where pipeline/erasures.py keeps who was erased.
    return [f"--erasures={(workspace / 'erasures').resolve()}", *(f"--key={one}" for one in key or [])]
