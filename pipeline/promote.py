"""Verb promote: a registered version that satisfies the written policy → signed bundle → one atomic rename of `current`."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_contracts.errors import ArtifactError, BalanceRiskError, MissingInputError, RegistryError, SettingsError
from models import registry, registry_tags
from models.artifact import read_files
from models.bundle import current_bundle, export_bundle, open_bundle
from models.evaluation.excerpt import excerpt
from models.promotion_policy import Line, Policy, PromotionRefused, Situation, judge
from models.registry import ModelVersion, NothingRegistered
from models.signing import create_keys
from pipeline import promoted_card
from pipeline.approval import Approval
from pipeline.champion_pointer import follow_with_alias, promote_to, settle
from pipeline.console import progress
from pipeline.erasure.models import retrain_due, version_of
from pipeline.in_service import champion_in_service
from pipeline.locks import promoting
from pipeline.workspace import Workspace, is_synthetic


def run(
    workspace: Workspace, outcomes: list[str], version: str | None, policy: Policy, approval: Approval
) -> dict[str, Any]:
    """Put a registered version (by default the newest) of each outcome into service if the policy lets it.

    Returns
    -------
    dict; ``outcomes`` holds for each its ``version``, whether it was ``promoted``, its ``bundle`` (None if not) and all
    ``lines`` of the policy. What is refused leaves what serves as it was and does not stop the other outcomes; nor does
    an error, whose ``message`` and ``exit_code`` are in ``failed``. :func:`refuse_failed` makes errors of both. Outcomes
    of which nothing is registered are ``not_registered``.

    Raises
    ------
    RegistryError
        The registry cannot be reached, or has nothing of any of the outcomes.
    ArtifactError
        What is registered was altered, or does not open; raised, like the next, only where no outcome could be judged.
    WorkspaceBusy
        Another promotion of an outcome is under way.
    """

    def work(name: str, scratch: Path) -> dict[str, Any]:
        with promoting(workspace, name):
            settle(workspace, name)
            notes = follow_with_alias(workspace, name)
            found = _promoted(workspace, _fetched(workspace, name, version, scratch), policy, approval)
            return found | {"notes": notes + found["notes"]}

    report = _each(outcomes, version, "promote", work)
    report["summary"] += "".join(f"\n  {note}" for note in retrain_due(workspace, outcomes))
    return report


def check(
    workspace: Workspace, outcomes: list[str], version: str | None, policy: Policy, approval: Approval | None
) -> dict[str, Any]:
    """Judge without moving anything; without an approval its lines are left out. Returns what :func:`run` does."""

    def work(name: str, scratch: Path) -> dict[str, Any]:
        fetched = _fetched(workspace, name, version, scratch)
        return _outcome(fetched, _judged(workspace, fetched, policy, approval), None)

    return _each(outcomes, version, "promote --check: nothing is moved", work)


def _each(
    outcomes: list[str], version: str | None, title: str, work: Callable[[str, Path], dict[str, Any]]
) -> dict[str, Any]:
    if version is not None and len(outcomes) != 1:
        raise SettingsError("--version belongs to one outcome: name it, for example --outcome burnout --version 3.")
    found: dict[str, dict[str, Any]] = {}
    errors: dict[str, BalanceRiskError] = {}
    for name in outcomes:
        with progress(f"{title.split(':')[0]} {name}"), tempfile.TemporaryDirectory() as scratch:
            try:
                found[name] = work(name, Path(scratch))
            except BalanceRiskError as error:  # what was promoted before it must be told all the same
                errors[name] = error
    absent = [name for name, error in errors.items() if isinstance(error, NothingRegistered)]
    failed = {name: {"message": str(error), "exit_code": error.exit_code}
              for name, error in errors.items() if name not in absent}  # fmt: skip
    if errors and not found:
        worst = errors[next(iter([*failed, *absent]))]
        raise type(worst)("\n".join(map(str, errors.values())))
    lines = [line for name, one in found.items() for line in _told(name, one)]
    lines += [f"  {error}" if name in absent else f"  {name}: {error}" for name, error in errors.items()]
    summary = "\n".join([title, *lines])
    return {"outcomes": found, "not_registered": absent, "failed": failed, "summary": summary}


def refuse_failed(report: dict[str, Any]) -> None:
    """Raise PromotionRefused that names every line that failed, if one did; else what stopped an outcome, if something did."""
    stopped = [f"{name}: {one['message']}" for name, one in report["failed"].items()]
    failed = [
        f"  {name} version {one['version']}, {Line(**line)}"
        for name, one in report["outcomes"].items()
        for line in one["lines"]
        if not line["passed"]
    ]
    if failed:
        said = ["The policy (docs/promotion.md) does not let it into service:", *failed, *stopped]
        raise PromotionRefused("\n".join(said))
    if stopped:
        code = next(one["exit_code"] for one in report["failed"].values())
        kinds = {kind.exit_code: kind for kind in (ArtifactError, RegistryError)}
        raise kinds.get(code, BalanceRiskError)("\n".join(stopped))


def _fetched(workspace: Workspace, outcome: str, version: str | None, scratch: Path) -> ModelVersion:
    """Fetch a version with its evaluation; raises ArtifactError if the evaluation is of another model."""
    chosen = version or registry.latest_version(outcome, tracking_uri=workspace.tracking_uri)
    found = registry.fetch(outcome, chosen, scratch, tracking_uri=workspace.tracking_uri)
    model = hashlib.sha256(read_files(_path(found))["model.json"]).hexdigest()
    if (found.report.get("outcome"), found.report.get("champion_sha256")) != (outcome, model):
        raise ArtifactError(
            f"Version {chosen} of {found.name} was registered with the evaluation of another model. "
            "Run: balance-risk evaluate, then register"
        )
    return found


def _path(found: ModelVersion) -> Path:
    assert found.path is not None, "fetch says where it put the artifact"
    return found.path


def _promoted(workspace: Workspace, found: ModelVersion, policy: Policy, approval: Approval) -> dict[str, Any]:
    serving = current_bundle(workspace.bundles, found.outcome)
    if serving is not None and version_of(serving) == found.version and _is_same(serving, _path(found)):
        return _outcome(found, [], serving) | {"notes": promoted_card.write(workspace, found, serving)}
    lines = _judged(workspace, found, policy, approval)
    if not all(line.passed for line in lines):
        return _outcome(found, lines, None)
    private_key, public_key = create_keys(workspace.keys)
    bundle = export_bundle(
        _path(found), workspace.bundles, found.outcome, found.version, private_key, excerpt(found.report)
    )
    # What serving would refuse is refused here, before anything points at it.
    open_bundle(bundle, public_key)
    about = {"version": found.version, "run_id": found.run_id, "registered_by": found.registered_by,
             "policy": asdict(policy), "lines": [asdict(line) for line in lines]}  # fmt: skip
    promote_to(workspace, found.outcome, bundle, asdict(approval) | about)
    return _outcome(found, lines, bundle) | {"notes": promoted_card.write(workspace, found, bundle)}


def _is_same(bundle: Path, artifact: Path) -> bool:
    try:
        return read_files(bundle) == read_files(artifact)
    except (MissingInputError, OSError):
        return False


def _judged(workspace: Workspace, found: ModelVersion, policy: Policy, approval: Approval | None) -> list[Line]:
    champion = champion_in_service(workspace, found.outcome)
    return judge(
        found.report,
        policy,
        Situation(
            in_service=None if champion is None else champion.about,
            is_workspace_synthetic=is_synthetic(workspace),
            registered_by=found.registered_by,
            versions_on_test_rows=_versions_on_rows_of(workspace, found),
            approver=None if approval is None else approval.approver,
            reason=None if approval is None else approval.reason,
        ),
    )


def _versions_on_rows_of(workspace: Workspace, found: ModelVersion) -> int:
    """How many registered versions were judged on the same test rows, this one too."""
    rows = registry_tags.training_sets([found.outcome], tracking_uri=workspace.tracking_uri)
    of_this = rows[found.outcome, found.version]
    return sum(of_another == of_this for of_another in rows.values())


def _outcome(found: ModelVersion, lines: list[Line], bundle: Path | None) -> dict[str, Any]:
    return {
        "version": found.version,
        "promoted": bundle is not None,
        "bundle": None if bundle is None else str(bundle),
        "lines": [asdict(line) for line in lines],
        "notes": [],
    }


def _told(outcome: str, one: dict[str, Any]) -> list[str]:
    failed = sum(not line["passed"] for line in one["lines"])
    if one["promoted"]:
        verdict = f"→ {one['bundle']}" if one["lines"] else f"is in service already: {one['bundle']}"
    else:
        verdict = (
            f"fails {failed} of {len(one['lines'])} lines" if failed else f"satisfies all {len(one['lines'])} lines"
        )
    marks = [f"    {'✓' if line['passed'] else '✗'} {Line(**line)}" for line in one["lines"]]
    return [
        f"  {outcome}: version {one['version']} {verdict}",
        *marks,
        *(f"    {note}" for note in one["notes"]),
    ]
