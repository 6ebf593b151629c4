"""What serves an outcome is one link, ``bundles/<outcome>/current``; record and alias say the same, at the latest soon after.

A promotion writes its record, moves the registry's alias and then renames the link: a registry that refuses leaves everything
as it was, and only the rename changes what serves. A process killed before the rename leaves the old champion serving, a
record of what did not happen, and perhaps an alias that is ahead. :func:`settle`, which every promotion and rollback begins
with, believes the link and brings the other two back to it.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any, Literal

from data_contracts.errors import RegistryError, SettingsError
from models import promotion_log, registry
from models.bundle import clear_scratch, current_bundle, move_current
from pipeline.erasure.models import version_of
from pipeline.workspace import Workspace


def promote_to(workspace: Workspace, outcome: str, bundle: Path, about: dict[str, Any]) -> None:
    """Record, move the alias, then the link."""
    _record(workspace, outcome, "promote", bundle, about)
    registry.promote_alias(outcome, version_of(bundle), tracking_uri=workspace.tracking_uri)
    move_current(workspace.bundles, outcome, bundle)


def roll_back_to(workspace: Workspace, outcome: str, bundle: Path, about: dict[str, Any]) -> list[str]:
    """Record, move the link, then the alias; return what could not be done because the registry is away."""
    _record(workspace, outcome, "rollback", bundle, about)
    move_current(workspace.bundles, outcome, bundle)
    return follow_with_alias(workspace, outcome)


def settle(workspace: Workspace, outcome: str) -> None:
    """Tell in the record of a promotion or rollback that was killed before the link moved, and remove what it left."""
    clear_scratch(workspace.bundles, outcome)
    records, serving = promotion_log.read(workspace.bundles / outcome), _serving(workspace, outcome)
    if records and records[-1]["to"] != serving:
        home, why = (
            workspace.bundles / outcome,
            "the link was not moved: the process ended before, or somebody else moved it",
        )
        promotion_log.append(home, "interrupted", before=serving, after=serving, reason=why, run_by=_account())


def follow_with_alias(workspace: Workspace, outcome: str) -> list[str]:
    """Point the alias at the version that serves; return a note if the registry cannot."""
    bundle = current_bundle(workspace.bundles, outcome)
    try:
        uri = workspace.tracking_uri
        aliased = registry.aliased_version(outcome, tracking_uri=uri)
        if bundle is None and aliased is not None:
            registry.release_alias(outcome, tracking_uri=uri)
        elif bundle is not None and aliased != version_of(bundle):
            registry.promote_alias(outcome, version_of(bundle), tracking_uri=uri)
    except registry.NothingRegistered:
        return []  # whoever asks for a version is told
    except (RegistryError, SettingsError) as error:
        return [f"the alias of {outcome} in the registry does not say what serves: {error}"]
    return []


def _record(
    workspace: Workspace, outcome: str, what: Literal["promote", "rollback"], bundle: Path, about: dict[str, Any]
) -> None:
    home, serving = workspace.bundles / outcome, _serving(workspace, outcome)
    promotion_log.append(home, what, before=serving, after=bundle.name, **about, run_by=_account())


def _serving(workspace: Workspace, outcome: str) -> str | None:
    bundle = current_bundle(workspace.bundles, outcome)
    return None if bundle is None else bundle.name


def _account() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's account may have no name
        return "unknown"
