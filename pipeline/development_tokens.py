"""What ``serve`` says in development: where the pages are, and a token for each of those who read them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute
import pyarrow.parquet

from pipeline.workspace import Workspace

PROJECT = Path(__file__).parents[1]
ROLES = ("clinician", "employer")
MINUTES = 8 * 60
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
    which = f"all {n_companies}" if n_companies == len(companies) else f"the {len(companies)} largest of {n_companies}"
    tokens = (f"\n{role}:\n{development_token(role, workspace, companies, MINUTES)}\n" for role in ROLES)
    return (
        f"Pages: {address}/ui/ (of the persons whom `balance-risk nightly --workspace {workspace.root}` has scored)\n"
        f"Sign in with one of these tokens; for {which} companies, {MINUTES // 60} hours, this machine only.\n"
        + "".join(tokens)
        + "\n"
    )


def development_token(role: str, workspace: Workspace, companies: Sequence[str] = (), minutes: int = 60) -> str:
    """Return a token, signed with the key of this workspace."""
    named = [word for company in companies for word in ("--organisation", company)]
    about = ["--role", role, "--minutes", str(minutes), "--workspace", str(workspace.root.resolve())]
    words = [sys.executable, "-m", "serving.access.development", *about, *named]
    return subprocess.run(words, cwd=PROJECT, check=True, capture_output=True, text=True).stdout.strip()
