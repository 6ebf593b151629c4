"""The report as a page: one table per section, every target once, with its verdict and where its number comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from pipeline.simulation_check.judge import Judged, Verdict, summary
from pipeline.simulation_check.page_texts import DEFINITIONS, INFORMATION, NOT_COMPARED, NOT_SHOWN, SECTIONS, SOURCES
from pipeline.simulation_check.targets import Kind

_KINDS = {
    Kind.PUBLISHED: "published",
    Kind.CALCULATED: "calculated from published ones",
    Kind.GOAL: "set as goals of the design",
}
_SIGNS = {Verdict.PASSED: "✓ passed", Verdict.MISSED: "✗ **missed**", Verdict.TOO_FEW: "? too few to tell"}


def render(
    judged: list[Judged], facts: dict[str, Any], figures: dict[str, str], information: Mapping[str, float]
) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    judged : list of Judged
    facts : dict
        persons, seed, start, end, scenarios, parameters_version and parameters_sha256 of the run.
    figures : dict
        Section -> file name of its figure.
    information : mapping
        Numbers without a target, by id; those that ``INFORMATION`` explains are shown.
    """
    parts = [_head(judged, facts), _misses(judged)]
    for section, rows in groupby(judged, lambda one: one.target.section):
        parts.append(_section(section, list(rows), figures))
        parts += _information(INFORMATION.get(section, {}), information)
    parts.append("## What is counted how\n\n" + _bullets(DEFINITIONS))
    parts.append("## What this check does not show\n\n" + _bullets(NOT_SHOWN))
    parts.append("## Published, but not compared\n\n" + _bullets(NOT_COMPARED))
    parts.append("## Sources\n\n" + _bullets(SOURCES))
    return "\n\n".join(parts) + "\n"


def command(facts: dict[str, Any]) -> str:
    """Return the command that makes this report."""
    scenarios = "".join(f" --scenario {name}" for name in facts["scenarios"])
    return f"balance-risk simulate --persons {facts['persons']} --seed {facts['seed']}{scenarios} --check"


def _head(judged: list[Judged], facts: dict[str, Any]) -> str:
    found = summary(judged)
    scenarios = ", ".join(facts["scenarios"]) or "none"
    share = "–" if found["share_passed"] is None else f"{100 * found['share_passed']:.1f} %"
    return (
        "# Simulated against published\n\n"
        "**SYNTHETIC.** Nobody in this cohort is real. The page holds what the simulator makes against what has been\n"
        "published about working people in Norway and, where there is nothing Norwegian, elsewhere; against what follows\n"
        "from that by calculation; and against goals that the programme has set for the design.\n\n"
        f"**{found['passed']} of {found['targets']} targets passed, {found['missed']} missed, {found['too_few']} too few "
        f"to tell** ({share} of those that can be told). Passed: {_by_kind(found['by_kind'])}. A source that says *recalled* "
        f"was not checked: {sum('recalled' in one.target.source for one in judged)} targets.\n\n"
        "| | |\n|---|---|\n"
        f"| persons | {facts['persons']:,} |\n| seed | {facts['seed']} |\n"
        f"| data | {facts['start']} to {facts['end']} |\n| scenarios | {scenarios} |\n"
        f"| parameters | version {facts['parameters_version']}, sha256 `{facts['parameters_sha256']}` |\n"
        f"| made by | `{command(facts)}` |\n\n"
        "A target is *passed* when the simulated number lies within the tolerance, *missed* when it does not, and *too few "
        "to tell*\nwhen its standard error in this run is larger than the tolerance, or the run has nothing to measure."
    )


def _by_kind(counts: dict[str, dict[str, int]]) -> str:
    parts = [f"{counts[kind]['passed']} of {counts[kind]['targets']} {name}" for kind, name in _KINDS.items()]
    return ", ".join(parts)


def _misses(judged: list[Judged]) -> str:
    misses = [one for one in judged if one.verdict is Verdict.MISSED]
    if not misses:
        return "## Misses\n\nNone."
    lines = [
        f"* **{one.target.what}**: {_number(one.measured.value)} against {_number(one.target.published)} "
        f"({one.target.tolerance}) {one.target.unit}. {one.target.reason or 'No reason known.'}"
        for one in misses
    ]
    return "## Misses\n\n" + "\n".join(lines)


def _section(section: str, rows: list[Judged], figures: dict[str, str]) -> str:
    title, text = SECTIONS[section]
    lines = [
        f"## {title}", *([text] if text else []),
        "\n".join([
            "| target | unit | wanted | tolerance | simulated | ± s.e. | verdict | kind | source |",
            "|---|---|---:|---|---:|---:|---|---|---|",
            *(_row(one) for one in rows),
        ]),
    ]  # fmt: skip
    if section in figures:
        lines.append(f"![{title}, SYNTHETIC]({figures[section]})")
    return "\n\n".join(lines)


def _information(texts: dict[str, str], numbers: Mapping[str, float]) -> list[str]:
    lines = [f"* {text}: {_number(numbers[one])}" for one, text in texts.items() if one in numbers]
    return ["For information, without a target or a verdict:\n\n" + "\n".join(lines)] if lines else []


def _row(one: Judged) -> str:
    target, measured = one.target, one.measured
    cells = (
        target.what, target.unit, _number(target.published), target.tolerance, _number(measured.value),
        _number(measured.standard_error, 2), _SIGNS[one.verdict], target.kind.value, target.source,
    )  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _number(value: float, digits: int = 4) -> str:
    """Return a few significant digits, and never an exponent."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, min(4, digits - 1 - math.floor(math.log10(abs(value)))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bullets(texts: tuple[str, ...]) -> str:
    return "\n".join(f"* {text}" for text in texts)
