"""What ``serve`` says in development: where the pages are, and how each of those who read them gets a token.

A token itself is printed to a terminal only, and over simulated persons only: what is printed elsewhere is kept, in a
journal or a build's log, and whoever reads that would read persons.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute
import pyarrow.parquet

from pipeline.workspace import Workspace, is_synthetic

PROJECT = Path(__file__).parents[1]
ROLES = ("clinician", "employer")
MINUTES = 60
MOST_COMPANIES = 30
"""In one token: a browser keeps no cookie of more than 4 096 bytes, and an identifier may have 64."""


def largest_companies(workspace: Workspace) -> tuple[list[str], int]:
    """Return the companies with most employments in the tables, those that a token can name, and how many there are."""
    path = workspace.tables / "employments.parquet"
    if not path.exists():
        return [], 0
    column = pyarrow.parquet.read_table(path, columns=["company_id"])["company_id"]
    counted = pyarrow.compute.value_counts(column).to_pylist()
    names = [str(one["values"]) for one in sorted(counted, key=lambda one: (-one["counts"], str(one["values"])))]
    return names[:MOST_COMPANIES], len(names)


def how_to_sign_in(workspace: Workspace, address: str) -> str:
    """Return the lines that a developer needs to open the pages."""
    companies, n_companies = largest_companies(workspace)
    if not companies:
        return f"Pages: {address}/ui/ (the workspace has no tables yet: ingest, then nightly)\n"
    may_be_printed = sys.stdout.isatty() and is_synthetic(workspace)
    which = f"all {n_companies}" if n_companies == len(companies) else f"the {len(companies)} largest of {n_companies}"
    told = development_token if may_be_printed else _how_to_get_a_token
    tokens = (f"\n{role}:\n{told(role, workspace, companies, MINUTES)}\n" for role in ROLES)
    return (
        f"Pages: {address}/ui/ (of the persons whom `balance-risk nightly --workspace {workspace.root}` has scored)\n"
        f"Sign in with {'one of these tokens' if may_be_printed else 'a token that one of these lines prints'}; "
        f"for {which} companies, {MINUTES} minutes, this machine only.\n" + "".join(tokens) + "\n"
    )


def _how_to_get_a_token(role: str, workspace: Workspace, companies: Sequence[str], minutes: int) -> str:
    words = ["balance-risk", "token", *_words(role, workspace, companies, minutes)]
    return shlex.join(words)


def _words(role: str, workspace: Workspace, companies: Sequence[str], minutes: int) -> list[str]:
    named = [word for company in companies for word in ("--organisation", company)]
    return ["--role", role, "--minutes", str(minutes), "--workspace", str(workspace.root.resolve()), *named]


def development_token(role: str, workspace: Workspace, companies: Sequence[str] = (), minutes: int = 60) -> str:
    """Return a token, signed with the key of this workspace."""
    words = [sys.executable, "-m", "serving.access.development", *_words(role, workspace, companies, minutes)]
    return subprocess.run(words, cwd=PROJECT, check=True, capture_output=True, text=True).stdout.strip()
