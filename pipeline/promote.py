"""Verb promote: alias champion in the registry → signed, immutable bundle → one atomic rename of `current`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from data_contracts.errors import SettingsError
from models import registry
from models.bundle import export_bundle, move_current, open_bundle
from models.signing import create_keys
from pipeline.console import progress
from pipeline.erasure.models import retrain_due
from pipeline.workspace import Workspace


def run(workspace: Workspace, outcomes: list[str], version: str | None) -> dict[str, Any]:
    """Promote a registered version (by default the newest) of each outcome; return where the bundles are."""
    if version is not None and len(outcomes) != 1:
        raise SettingsError("--version belongs to one outcome: name it, for example --outcome burnout --version 3.")
    private_key, public_key = create_keys(workspace.keys)
    promoted = {}
    for name in outcomes:
        with progress(f"promote {name}"), tempfile.TemporaryDirectory() as scratch:
            chosen = version or registry.latest_version(name, tracking_uri=workspace.tracking_uri)
            found = registry.fetch(name, chosen, Path(scratch), tracking_uri=workspace.tracking_uri)
            assert found.path is not None, "fetch says where it put the artifact"
            bundle = export_bundle(found.path, workspace.bundles, name, found.version, private_key)
            # What serving would refuse is refused here, before anything points at it.
            open_bundle(bundle, public_key)
            registry.promote_alias(name, chosen, tracking_uri=workspace.tracking_uri)
            move_current(workspace.bundles, name, bundle)
        promoted[name] = {"version": found.version, "bundle": str(bundle)}
    lines = [f"  {name}: version {found['version']} → {found['bundle']}" for name, found in promoted.items()]
    lines += [f"  {note}" for note in retrain_due(workspace, outcomes)]
    return {"outcomes": promoted, "summary": "\n".join(["promote", *lines])}
