"""What the workspace knows that a governance pack tells; what is not there stays out, and is named as missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from data_contracts.errors import ArtifactError, RegistryError
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import RECORDS, columns
from features.catalogue import describe
from models import promotion_log, registry
from models.bundle import current_bundle
from models.bundle_papers import read_card
from models.model_card.study import read_study
from models.outcomes import OUTCOMES
from models.registry_address import is_server
from models.signing import VERIFY_KEY
from pipeline.console import read_json
from pipeline.governance.incidents import incidents
from pipeline.in_service import champion_in_service
from pipeline.lineage import about_code
from pipeline.model_card import STUDY
from pipeline.serve import PROJECT, environment
from pipeline.workspace import Workspace

SHOWN = ("auroc", "observed_to_expected", "calibration_slope", "false_negative_rate", "false_positive_rate")
"""Of a group, what the history tells."""


def gather(workspace: Workspace, scratch: Path) -> dict[str, Any]:
    """Return all facts as JSON values; evaluations of registered versions are fetched into ``scratch``."""
    promotions, broken = _promotions(workspace)
    serving = [found for name in OUTCOMES if (found := _in_service(workspace, name))]
    monitoring = _monitoring(workspace)
    known = {
        "code": about_code(),
        "study": read_study(workspace.root / STUDY),
        "dictionary": {"columns": sum(len(columns(record)) for record in RECORDS), "features": len(describe()),
                       "instruments": len(INSTRUMENTS)},
        "data": _data(workspace),
        "training": {name: read_json(path)["flow"] for name in OUTCOMES
                     if (path := workspace.training_set(name) / "rows.json").exists()} or None,
        "in_service": serving,
        "refused": [one for one in serving if one["refused"]],
        "cards_refused": cards(workspace)[1],
        "promotions": promotions,
        "fairness": fairness_history(workspace, scratch),
        "access": _access(workspace),
        "monitoring": monitoring,
    }  # fmt: skip
    found = {name: value for name, value in known.items() if value is not None}
    return found | {"incidents": incidents(workspace, found, broken)}


def cards(workspace: Workspace) -> tuple[dict[str, bytes], list[str]]:
    """Return the signed model cards of what is in service, and the outcomes whose card is not as it was signed."""
    found, faults = {}, []
    for name in OUTCOMES:
        bundle = current_bundle(workspace.bundles, name)
        try:
            card = None if bundle is None else read_card(bundle, workspace.keys / VERIFY_KEY)
        except ArtifactError:
            faults.append(name)
            continue
        if card is not None:
            found[name] = card
    return found, faults


def _in_service(workspace: Workspace, name: str) -> dict[str, Any] | None:
    champion = champion_in_service(workspace, name)
    if champion is None:
        return None
    about, model = champion.about, champion.model
    facts = model.facts if model else {}
    line = f"{name} version {about.version}" + (" (refused)" if about.refused else "")
    return {"outcome": name, "version": about.version, "refused": about.refused, "line": line,
            "model": model.name if model else None, "artifact_sha256": about.artifact_sha256,
            "trained_on": facts.get("trained_on"), "synthetic": facts.get("synthetic")}  # fmt: skip


def _data(workspace: Workspace) -> dict[str, Any] | None:
    path = workspace.tables / "ingest.json"
    if not path.exists():
        return None
    told = read_json(path)
    tables = told["tables"]
    sums = {name: sum(one[key] for one in tables.values()) for name, key in
            (("rows", "accepted"), ("quarantined", "quarantined"), ("duplicates", "duplicates"))}  # fmt: skip
    warnings = sum(told["warnings"].values()) if isinstance(told["warnings"], dict) else len(told["warnings"])
    rows = [
        {"name": name, **{key: one[key] for key in ("accepted", "quarantined", "duplicates")}}
        for name, one in tables.items()
    ]
    return {
        **sums,
        "warnings": warnings,
        "received_on": told["received_on"],
        "synthetic": told["synthetic"],
        "tables": rows,
    }


def _promotions(workspace: Workspace) -> tuple[list[dict[str, Any]], list[str]]:
    told: list[dict[str, Any]] = []
    broken: list[str] = []
    for name in OUTCOMES:
        try:
            records = promotion_log.read(workspace.bundles / name)
        except ArtifactError:
            broken.append(name)
            continue
        keys = ("at", "what", "from", "to", "approver", "reason")
        told += [{"outcome": name, **{key: one.get(key) for key in keys}} for one in records]
    return sorted(told, key=lambda one: one["at"]), broken


def fairness_history(workspace: Workspace, scratch: Path) -> list[dict[str, Any]]:
    """Return what each registered version did for each group, as it was judged when it was registered.

    Small groups are left out, as in the evaluation. A version whose files are gone or altered is told with its fault.
    """
    history, address = [], workspace.tracking_uri
    for name in OUTCOMES:
        try:
            known = registry.versions(name, tracking_uri=address)
        except registry.NothingRegistered:
            continue
        except RegistryError:
            if is_server(address):  # a workspace that has registered nothing yet has no file
                history.append(_untold(name, "unknown", "the registry cannot be asked"))
            continue
        history += [_judged(workspace, name, version, scratch) for version in known]
    return history


def _judged(workspace: Workspace, name: str, version: str, scratch: Path) -> dict[str, Any]:
    try:
        report = registry.fetch(name, version, scratch, tracking_uri=workspace.tracking_uri).report
    except (RegistryError, ArtifactError):
        return _untold(name, version, "its evaluation cannot be read")
    groups = [
        {
            "attribute": attribute["label_en"],
            "group": group["label_en"],
            **{key: group[key] for key in SHOWN if key in group},
        }
        for attribute in report.get("subgroups", {}).get("attributes", [])
        for group in attribute["groups"]
        if not group["suppressed"]
    ]
    return {"outcome": name, "version": version, "groups": groups, "harm": report.get("harm", []), "fault": None}


def _untold(name: str, version: str, fault: str) -> dict[str, Any]:
    return {"outcome": name, "version": version, "groups": [], "harm": [], "fault": fault}


def _access(workspace: Workspace) -> dict[str, Any] | None:
    """Counts out of the audit log, by a process of the service; None where there is no log that can be read."""
    done = _audit(workspace, "statistics")
    if done.returncode != 0:
        return None
    rows = json.loads(done.stdout)
    denied = sum(row["events"] for row in rows if row["decision"] == "denied")
    verified = _audit(workspace, "verify", "--json")
    return {"events": sum(row["events"] for row in rows), "denied": denied, "by_month": rows,
            "chain_is_sound": verified.returncode == 0}  # fmt: skip


def _audit(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "serving.audit", *words], cwd=PROJECT, env=environment(workspace),
                          capture_output=True, text=True, check=False)  # fmt: skip


def _monitoring(workspace: Workspace) -> dict[str, Any] | None:
    reports = sorted((workspace.root / "data" / "monitoring").glob("*/report.json"))
    if not reports:
        return None
    told = [{"run": path.parent.name, "alarm": _is_alarm(read_json(path))} for path in reports]
    return {"runs": len(told), "alarms": sum(one["alarm"] for one in told), "list": told}


def _is_alarm(report: dict[str, Any]) -> bool:
    return bool(report["alarm"])
