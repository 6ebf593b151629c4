"""Verb decisions: clinicians' decisions out of the store into a CSV file, each with the score and the model it was about."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.console import for_owner
from pipeline.nightly import NightFailed
from pipeline.serve import PROJECT, environment
from pipeline.workspace import Workspace

FEEDBACK = "serving.store.feedback"
COLUMNS = (
    "decision_id", "decided_at", "person_id", "score_id", "night", "outcome", "number", "low", "high", "band", "model",
    "data_version", "verdict", "reason", "next_step",
)  # fmt: skip
_RISKY = ("=", "+", "-", "@", "\t")


def run(workspace: Workspace, out: Path | None = None) -> dict[str, Any]:
    """Write all decisions; raises NightFailed where the store cannot be read."""
    rows = stored_decisions(workspace)
    path = out or workspace.root / "data" / "decisions.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8", opener=for_owner) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
    verdicts = dict(Counter(row["verdict"] for row in rows))
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())) or "none yet"
    return {"path": str(path), "decisions": len(rows), "verdicts": verdicts, "summary": f"decisions: {path}: {told}"}


def stored_decisions(workspace: Workspace) -> list[dict[str, Any]]:
    """Return all decisions, as the process that opens the store tells them; raises NightFailed."""
    done = subprocess.run(
        [sys.executable, "-m", FEEDBACK], cwd=PROJECT, env=environment(workspace), capture_output=True, check=False
    )
    if done.returncode != 0:
        raise NightFailed("The decisions cannot be read: the store is gone, locked or damaged.", done.returncode)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _cell(value: Any) -> Any:
    """Keep a spreadsheet from running what somebody wrote as a reason."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value
