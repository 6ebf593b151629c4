"""Verbs about the audit log of the service: audit verify, export, rotate, key.

They run as a process of their own, because the pipeline does not import the service.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands import of_service
from pipeline.commands.options import HERE, JsonOption, WorkspaceOption

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The log of who saw what about whom: prove it, take out a person's part, change its key (docs/audit.md).",
)


@app.command()
def verify(
    workspace: WorkspaceOption = HERE,
    key: Annotated[
        list[Path] | None, typer.Option(resolve_path=True, help="An older key of the chain; repeatable.")
    ] = None,
    restored: Annotated[
        list[str] | None, typer.Option(help="Name of a restore that you know of (balance-risk restore); repeatable.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Prove that every event is as it was written and none is missing; exit code 3 if not."""
    older = [word for path in key or [] for word in ("--key", str(path))]
    older += [f"--restored={name}" for name in restored or []]
    of_service.run("serving.audit", workspace, "verify", *older, as_json=json_)


@app.command()
def export(
    person: Annotated[str, typer.Option(help="Pseudonym, as in the tables.")],
    workspace: WorkspaceOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Print who has looked at a person's data, as CSV or JSON; that you did is logged first."""
    of_service.run("serving.audit", workspace, "export", f"--person={person}", as_json=json_)


@app.command()
def rotate(
    to: Annotated[Path, typer.Option(resolve_path=True, help="File of the new key; made if it is not there.")],
    workspace: WorkspaceOption = HERE,
) -> None:
    """Hand the chain over to another key; stop the service before and start it with the new key."""
    of_service.run("serving.audit", workspace, "rotate", "--to", str(to))


@app.command(name="key")
def make_key(workspace: WorkspaceOption = HERE) -> None:
    """Make the key of the chain if there is none."""
    of_service.run("serving.audit", workspace, "key")
