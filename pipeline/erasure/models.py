"""Which models learnt from somebody who has been erased, and who says so until they are trained again.

A model is told by the SHA-256 of its training set. Where no training set of that hash is left to look into, it cannot be
ruled out that the person was in it, and the model is marked as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models import registry_tags
from models.bundle import current_bundle
from models.outcomes import OUTCOMES
from models.registry_address import is_server
from pipeline.console import progress, read_json, write_json
from pipeline.erasure.progress import Erasure
from pipeline.erasure.search import as_document, read
from pipeline.erasures import home, read_kept
from pipeline.workspace import Workspace

RETRAIN = "retrain_due.json"


def note_training_sets(erasure: Erasure, clean: set[str]) -> None:
    """Remember, before anything is changed, for which training sets of models a search can vouch and for which it cannot."""
    done = erasure.done
    lineages = {
        lineage["training_set_sha256"] for path in erasure.workspace.root.glob("data/models/*/lineage.json")
        if isinstance(lineage := as_document(read(path) or b""), dict) and "training_set_sha256" in lineage
    }  # fmt: skip
    done.clean = sorted({*done.clean, *clean})
    done.due = sorted({*done.due, *lineages} - {*done.clean})
    erasure.save()


def mark_models(erasure: Erasure, why: str) -> list[str]:
    """Mark models in the workspace, in the registry and in service; return what :func:`retrain_due` says."""
    workspace, done = erasure.workspace, erasure.done
    versions = _versions(workspace, set(done.clean), why)
    path = home(workspace) / RETRAIN
    known: dict[str, Any] = read_kept(path) if path.exists() else {"training_sets": {}, "versions": {}}
    known["training_sets"] = dict.fromkeys(done.due, why) | known["training_sets"]
    for outcome, due in versions.items():
        known["versions"][outcome] = dict.fromkeys(due, why) | known["versions"].get(outcome, {})
    write_json(path, known)
    return retrain_due(workspace, OUTCOMES)


def _versions(workspace: Workspace, clean: set[str], why: str) -> Mapping[str, list[str]]:
    """Tag the versions of the registry that were not trained on a set without the person; return them by outcome."""
    versions: dict[str, list[str]] = {outcome: [] for outcome in OUTCOMES}
    address = workspace.tracking_uri
    if not is_server(address) and not workspace.registry_file.exists():
        bundles = {outcome: current_bundle(workspace.bundles, outcome) for outcome in OUTCOMES}
        return {outcome: [version_of(bundle)] for outcome, bundle in bundles.items() if bundle is not None}
    with progress("mark models in the registry"):
        known = registry_tags.training_sets(list(OUTCOMES), tracking_uri=address)
        for (outcome, version), training_set in known.items():
            if training_set not in clean:
                registry_tags.mark_retrain_due(outcome, version, why, tracking_uri=address)
                versions[outcome].append(version)
    return versions


def retrain_due(workspace: Workspace, outcomes: Iterable[str]) -> list[str]:
    """Return a sentence for every trained model, and every champion in service, that learnt from somebody erased."""
    path = home(workspace) / RETRAIN
    if not path.exists():
        return []
    known, notes = read_kept(path), []
    for outcome in outcomes:
        lineage, bundle = workspace.model(outcome) / "lineage.json", current_bundle(workspace.bundles, outcome)
        if lineage.exists() and read_json(lineage)["training_set_sha256"] in known["training_sets"]:
            notes.append(
                f"retrain due: the model of {outcome} in {workspace.model(outcome)} was trained on a person who has been "
                "erased since, or it cannot be ruled out. Run: balance-risk build-training-set, then train"
            )
        if bundle is not None and version_of(bundle) in known["versions"].get(outcome, {}):
            notes.append(
                f"retrain due: the champion of {outcome} in service, version {version_of(bundle)}, was trained on a person "
                "who has been erased since, or it cannot be ruled out. Retrain, register and promote"
            )
    return notes


def version_of(bundle: Path) -> str:
    """Return the registered version that a bundle was exported from, as its name says."""
    return bundle.name.rpartition("-")[0]
