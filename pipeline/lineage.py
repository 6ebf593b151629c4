"""Where a model comes from: hashes of its rows and of itself, the contract of the data, the revision of the code."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from data_contracts.errors import ContractViolation
from data_contracts.fingerprints import fingerprint
from data_contracts.open_data_contract import VERSION
from data_contracts.records import RECORDS
from pipeline.console import read_json, sha256
from pipeline.workspace import Workspace


def current_lineage(workspace: Workspace, name: str) -> dict[str, str]:
    """Return the hashes of the training set and of the champion learnt from it; raises ContractViolation if they differ."""
    home, rows = workspace.model(name), workspace.training_set(name) / "rows.npz"
    if read_json(home / "lineage.json")["training_set_sha256"] != sha256(rows):
        raise ContractViolation(f"{home} was trained on other rows than {rows} holds now. Run: balance-risk train")
    return {"training_set_sha256": sha256(rows), "champion_sha256": sha256(home / "champion" / "model.json")}


def about_code() -> dict[str, str]:
    """Return version and hash of the data contract, and the commit of this code."""
    contract = hashlib.sha256("".join(fingerprint(record) for record in RECORDS).encode()).hexdigest()
    return {"contract_version": VERSION, "contract_sha256": contract, "code_revision": _code_revision()}


def _code_revision() -> str:
    """The commit of this code, or "unknown" where it does not run from a checkout or nobody can ask git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # git is not installed
        return "unknown"
    return done.stdout.strip() or "unknown"
