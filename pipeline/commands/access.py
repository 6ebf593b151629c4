"""Verb token: who may try out the service, and as what."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import HERE, WorkspaceOption


class Role(StrEnum):
    """What a caller can be; docs/access.md says what each may do."""

    APP = "app"
    CLINICIAN = "clinician"
    EMPLOYER = "employer"
    AUDITOR = "auditor"


def token(
    role: Annotated[Role, typer.Option(help="What the caller is; docs/access.md says what each may do.")],
    organisation: Annotated[
        list[str] | None,
        typer.Option(help="company_id that the caller acts for; repeat for several. Default: all for app and auditor."),
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Who calls, as the audit log will say.")] = None,
    minutes: Annotated[int, typer.Option(min=1, max=24 * 60, help="How long the token counts.")] = 60,
    header: Annotated[
        Path | None,
        typer.Option(
            resolve_path=True, help="Print nothing; write the header to this file, for its owner alone: curl -H @FILE."
        ),
    ] = None,
    workspace: WorkspaceOption = HERE,
) -> None:
    """Print a token for development, signed by a key of this workspace; production refuses it.

    On stdout is the token and nothing else. In a command's words other users of the machine can read it while the command
    runs; --header FILE, and curl -H @FILE, keeps it out of there.
    """
    words = [f"--role={role.value}", f"--minutes={minutes}", f"--workspace={workspace.resolve()}"]
    words += [f"--organisation={one}" for one in organisation or []]
    words += [f"--subject={subject}"] if subject is not None else []
    words += [f"--header={header}"] if header is not None else []
    from pipeline.serve import PROJECT

    # A process of its own: it is the service's code, which the pipeline does not import.
    process = subprocess.run([sys.executable, "-m", "serving.access.development", *words], cwd=PROJECT, check=False)
    if process.returncode:
        raise typer.Exit(process.returncode)
