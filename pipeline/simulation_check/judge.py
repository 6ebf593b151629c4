"""Verdicts: every target against its simulated number, once, with nothing left over on either side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipeline.simulation_check.measured import Measured
from pipeline.simulation_check.targets import Kind, Target, read_targets

_ROUNDING = 1e-9


class Verdict(StrEnum):
    """What the comparison says."""

    PASSED = "passed"
    MISSED = "missed"
    TOO_FEW = "too few to tell"


@dataclass(frozen=True)
class Judged:
    """One target with what the run gave and the verdict."""

    target: Target
    measured: Measured
    verdict: Verdict


def judge(measured: Mapping[str, Measured], targets: tuple[Target, ...] | None = None) -> list[Judged]:
    """Compare all targets with the measurements.

    Raises
    ------
    ValueError
        A target has no measurement, or a measurement no target.
    """
    targets = read_targets() if targets is None else targets
    ids = {target.id for target in targets}
    alone = sorted(ids ^ set(measured))
    if alone:
        sides = ", ".join(f"{one} ({'not measured' if one in ids else 'no target'})" for one in alone)
        raise ValueError(f"targets and measurements differ: {sides}")
    return [Judged(target, measured[target.id], _verdict(target, measured[target.id])) for target in targets]


def _verdict(target: Target, measured: Measured) -> Verdict:
    """Too few to tell: nothing was measured, or its standard error is larger than the tolerance."""
    if math.isnan(measured.value) or measured.standard_error > target.leeway:
        return Verdict.TOO_FEW
    slack = _ROUNDING * max(1.0, abs(target.published))
    inside = target.low - slack <= measured.value <= target.high + slack
    return Verdict.PASSED if inside else Verdict.MISSED


def summary(judged: list[Judged]) -> dict[str, Any]:
    """Return counts, also by kind, and misses with reasons; ``share_passed`` is of the targets that could be told."""
    count = {verdict: sum(one.verdict is verdict for one in judged) for verdict in Verdict}
    told = count[Verdict.PASSED] + count[Verdict.MISSED]
    return {
        "targets": len(judged),
        "passed": count[Verdict.PASSED],
        "missed": count[Verdict.MISSED],
        "too_few": count[Verdict.TOO_FEW],
        "share_passed": round(count[Verdict.PASSED] / told, 4) if told else None,
        "by_kind": {kind.value: _of_kind(judged, kind) for kind in Kind},
        "misses": [
            {"id": one.target.id, "published": one.target.published, "simulated": rounded(one.measured.value),
             "tolerance": one.target.tolerance, "reason": one.target.reason}
            for one in judged if one.verdict is Verdict.MISSED
        ],
    }  # fmt: skip


def _of_kind(judged: list[Judged], kind: Kind) -> dict[str, int]:
    verdicts = [one.verdict for one in judged if one.target.kind is kind]
    return {"targets": len(verdicts), "passed": verdicts.count(Verdict.PASSED)}


def rounded(value: float) -> float | None:
    """Return four significant digits, None where there is no value."""
    return None if math.isnan(value) else float(f"{value:.4g}")
