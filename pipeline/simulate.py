"""Stage simulate: a synthetic cohort as source files, with the truth behind it, and how it compares with what is published."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipeline.console import progress
from pipeline.settings import SimulateSettings
from pipeline.workspace import Workspace

LEAST_SHARE_PASSED = 0.95
"""Of the targets that the cohort is large enough to judge."""

FEWEST_PERSONS_PER_WORKER = 6000
"""A process is up after about two seconds, in which it would have drawn these."""


def with_scenarios(settings: SimulateSettings, chosen: dict[str, Any]) -> SimulateSettings:
    """Return the settings with what the scenarios set for themselves, except where the command line chose otherwise."""
    from pipeline.simulation.parameters import read_scenario

    own: dict[str, Any] = {}
    for name in settings.scenarios:
        own |= read_scenario(name)["simulate"]
    kept = {name: value for name, value in own.items() if chosen.get(name) is None}
    return SimulateSettings.model_validate(settings.model_dump() | kept)


def scenarios() -> dict[str, Any]:
    """Return every scenario with its meaning and what to expect of it."""
    from pipeline.simulation.parameters import read_scenario, scenario_names

    found = {name: read_scenario(name) for name in scenario_names()}
    told = {name: {"meaning": one["meaning"], "expect": one["expect"]} for name, one in found.items()}
    lines = [f"{name}\n    {one['meaning']}\n    Expect: {one['expect']}" for name, one in told.items()]
    return {"scenarios": told, "summary": "\n".join(lines)}


def run(
    workspace: Workspace, settings: SimulateSettings, *, check: bool = False, attainable: bool = False
) -> dict[str, Any]:
    """Simulate the cohort into the source directory; return counts and rates. Never replaces files that are not synthetic.

    Parameters
    ----------
    workspace : Workspace
    settings : SimulateSettings
    check : bool
        Also compare with published figures; the report has the key ``check``.
    attainable : bool
        Also estimate the best risk given what a model may see; the report has the key ``attainable``.

    Raises
    ------
    ContractViolation
        Files lie there that simulate did not write, or that were changed since.
    BalanceRiskError
        Another simulate is at work there.
    """
    from pipeline.simulation.files.claim import claimed

    with claimed(workspace.source):
        report = _simulate(workspace.source, settings, check, attainable)
    scenario = f", scenario {' + '.join(settings.scenarios)}" if settings.scenarios else ""
    lines = [
        f"simulate: {settings.persons} SYNTHETIC persons, seed {settings.seed}{scenario}, written to {workspace.source}",
        *(_check_lines(report["check"], workspace.source, settings.scenarios) if check else ()),
        *(_attainable_lines(report["attainable"]) if attainable else ()),
    ]
    return {**report, "summary": "\n".join(lines)}


def _simulate(source: Path, settings: SimulateSettings, check: bool, attainable: bool) -> dict[str, Any]:
    from pipeline.simulation.cohort import simulate

    workers = settings.workers or _workers(settings.persons)
    with progress("simulate firms, persons and their events", settings.persons) as advance:
        report = simulate(
            source, settings.persons, settings.seed, settings.start, settings.end,
            scenarios=settings.scenarios, format=settings.format, workers=workers, progress=advance, check=check,
        )  # fmt: skip
    if attainable:
        report["attainable"] = _estimate_attainable(source, workers)
    return report


def _workers(persons: int) -> int:
    """One process per processor, unless starting it takes longer than what it would do."""
    return max(1, min(os.cpu_count() or 1, persons // FEWEST_PERSONS_PER_WORKER))


def _estimate_attainable(source: Path, workers: int) -> dict[str, Any]:
    from pipeline.simulation.files.stamp import add_to_stamp
    from pipeline.simulation.truth.attainable import FILE, attainable

    with progress("estimate the best risk that a model could give"):
        found = attainable(source, workers=workers)
    add_to_stamp(source, f"truth/{FILE}")
    return found


def _check_lines(found: dict[str, Any], source: Path, scenarios: tuple[str, ...]) -> list[str]:
    judged = found["passed"] + found["missed"]
    lines = [f"  check: {found['passed']} of {judged} targets met, {found['too_few']} cannot be told; "
             f"report: {source / 'check' / 'report.md'}"]  # fmt: skip
    if scenarios:
        lines.append("  the targets describe the base, not a scenario: what a scenario changes is missed on purpose")
    return lines + [
        f"  missed {one['id']}: {one['simulated']} against {one['published']}. {one['reason'] or 'No reason known.'}"
        for one in found["misses"]
    ]


def _attainable_lines(found: dict[str, Any]) -> list[str]:
    return [
        f"  attainable AUROC, {name}: {one['whole']['auroc']:.3f} of a truth of {one['auroc_of_truth']:.3f} "
        f"(the second half of {found['reference_persons']} reference persons added {one['auroc_gained_by_second_half']:.3f})"
        for name, one in found["outcomes"].items()
    ]
