"""Verb promote --rollback: back to the champion that served before the one in service was promoted."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_contracts.errors import ArtifactError
from models import promotion_log
from models.bundle import current_bundle, open_bundle
from models.signing import VERIFY_KEY
from pipeline.approval import Approval
from pipeline.champion_pointer import roll_back_to, settle
from pipeline.console import progress
from pipeline.erasure.models import retrain_due, version_of
from pipeline.locks import promoting
from pipeline.workspace import Workspace


def run(workspace: Workspace, outcome: str, approval: Approval) -> dict[str, Any]:
    """Go back one promotion; a registry that is down does not hinder it.

    Returns
    -------
    dict; ``version`` and ``bundle`` that serve now, ``from`` (the bundle that served), ``notes``.

    Raises
    ------
    ArtifactError
        No earlier champion is recorded, or it cannot be opened any more; nothing has been moved.
    """
    with progress(f"roll back {outcome}"), promoting(workspace, outcome):
        settle(workspace, outcome)
        serving, bundle = _before(workspace, outcome)
        open_bundle(bundle, workspace.keys / VERIFY_KEY)
        about = asdict(approval) | {"version": version_of(bundle)}
        notes = roll_back_to(workspace, outcome, bundle, about) + retrain_due(workspace, [outcome])
    lines = [f"rollback {outcome}: version {version_of(bundle)} → {bundle}", *(f"  {note}" for note in notes)]
    return {"outcome": outcome, "version": version_of(bundle), "bundle": str(bundle), "from": serving.name,
            "notes": notes, "summary": "\n".join(lines)}  # fmt: skip


def _before(workspace: Workspace, outcome: str) -> tuple[Path, Path]:
    serving = current_bundle(workspace.bundles, outcome)
    before = None if serving is None else promotion_log.previous(workspace.bundles / outcome)
    if serving is None or before is None:
        raise ArtifactError(
            f"There is no champion of {outcome} to go back to: {workspace.bundles / outcome / promotion_log.FILE} records "
            "none before the one in service. Promote another version: balance-risk promote --version"
        )
    if not isinstance(before, str) or before in ("", ".", "..") or Path(before).name != before:
        raise ArtifactError(
            f"{workspace.bundles / outcome / promotion_log.FILE} names what is no bundle beside the one in service: the "
            "record was altered. Bring it from a backup."
        )
    return serving, serving.with_name(before)
