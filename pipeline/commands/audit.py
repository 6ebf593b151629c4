"""Verbs about the audit log of the service: audit verify, export, rotate, key.

They run as a process of their own, because the pipeline does not import the service.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

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
    json_: JsonOption = False,
) -> None:
    """Prove that every event is as it was written and none is missing; exit code 3 if not."""
    older = [word for path in key or [] for word in ("--key", str(path))]
    _run(workspace, "verify", *older, *_json(json_))


@app.command()
def export(
    person: Annotated[str, typer.Option(help="Pseudonym, as in the tables.")],
    workspace: WorkspaceOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Print who has looked at a person's data, as CSV or JSON; that you did is logged first."""
    _run(workspace, "export", f"--person={person}", *_json(json_))


@app.command()
def rotate(
    to: Annotated[Path, typer.Option(resolve_path=True, help="File of the new key; made if it is not there.")],
    workspace: WorkspaceOption = HERE,
) -> None:
    """Hand the chain over to another key; stop the service before and start it with the new key."""
    _run(workspace, "rotate", "--to", str(to))


@app.command(name="key")
def make_key(workspace: WorkspaceOption = HERE) -> None:
    """Make the key of the chain if there is none."""
    _run(workspace, "key")


def _json(as_json: bool) -> list[str]:
    return ["--json"] if as_json else []


def _run(workspace: Path, *words: str) -> None:
    """Run a command of the service's package with the service's own variables; they win over the workspace."""
    from pipeline.serve import PROJECT, environment
    from pipeline.workspace import Workspace

    variables = environment(Workspace(workspace))
    done = subprocess.run([sys.executable, "-m", "serving.audit", *words], cwd=PROJECT, env=variables, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode if done.returncode > 0 else 128 - done.returncode)
