"""The card of the version in service: that of its evaluation, with version, approver, reason and what was promoted when.

It lies beside the bundle, not inside: what is sealed is what serves, and a card may be written again. It is signed as the
card of this bundle (:mod:`models.bundle_papers`), and the service shows no other.
"""

from __future__ import annotations

from pathlib import Path

from data_contracts.errors import BalanceRiskError
from models import promotion_log
from models.bundle_papers import card_path, write_card
from models.model_card.card import model_card
from models.registry import ModelVersion
from models.signing import SIGNING_KEY
from pipeline.console import read_json, sha256
from pipeline.erasure.models import version_of
from pipeline.model_card import gather
from pipeline.workspace import Workspace

LINEAGE = ("training_set_sha256", "champion_sha256", "contract_version", "contract_sha256", "code_revision")
"""Of these, what the evaluation says: it was made with that code, whatever code promotes."""


def write(workspace: Workspace, found: ModelVersion, bundle: Path) -> list[str]:
    """Write and sign ``bundles/<outcome>/model_card-<version>.html``; return a note if it cannot be written.

    A promotion that has been made stays made: nothing is raised that a user can mend.
    """
    if not _is_of_this_version(workspace, found):
        return [] if card_path(bundle).exists() else [
            f"no card of version {found.version} was written: the workspace holds another champion or evaluation by now. "
            "The card of its evaluation is in the registry."
        ]  # fmt: skip
    try:
        lineage = {name: found.report[name] for name in LINEAGE if name in found.report}
        facts = gather(workspace, found.outcome, lineage, _registration(workspace, found, bundle))
        write_card(model_card(facts).html, bundle, workspace.keys / SIGNING_KEY)
    except (BalanceRiskError, OSError) as error:
        return [f"no card of version {found.version} was written: {error}"]
    return []


def _is_of_this_version(workspace: Workspace, found: ModelVersion) -> bool:
    champion = workspace.model(found.outcome) / "champion" / "model.json"
    report = workspace.evaluation(found.outcome) / "metrics.json"
    if not (champion.exists() and report.exists()):
        return False
    return sha256(champion) == found.report["champion_sha256"] and bool(read_json(report) == found.report)


def _registration(workspace: Workspace, found: ModelVersion, bundle: Path) -> dict[str, str]:
    records = promotion_log.read(workspace.bundles / found.outcome)
    promoted = [record for record in records if record["what"] == "promote" and record["to"] == bundle.name]
    last = promoted[-1] if promoted else {}
    told = [f"{one['at'][:10]} {one['what']}, {_version(one['to'])} serves" for one in records]
    return {"version": found.version, "approver": last.get("approver", ""), "reason": last.get("reason", ""),
            "history": "; ".join(told) + "." if told else ""}  # fmt: skip


def _version(bundle: str | None) -> str:
    return "nothing" if bundle is None else f"version {version_of(Path(bundle))}"
