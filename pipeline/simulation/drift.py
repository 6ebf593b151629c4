"""What changes from a known day on, so that monitoring can be held against a date: see the section ``drift``.

Each list of changes is empty in the base. A change takes no random number from a stream that others use.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from data_contracts.time_windows import day_number
from pipeline.simulation.blocks import Block


def scale_shift(block: Block, scale: str, answered_on: np.ndarray) -> np.ndarray:
    """Return by how many SD of a scale each sheet reports more strain than before the form was changed."""
    shift = np.zeros(len(answered_on))
    for change, is_after in _changes(block, "survey_form", answered_on):
        shift += is_after * change["more_strain"].get(scale, 0.0)
    return shift


def laboratory_factor(block: Block, analyte: str, laboratory: np.ndarray, sampled_on: np.ndarray) -> np.ndarray:
    """Return what a laboratory's new method multiplies each result of an analyte by."""
    factor = np.ones(len(sampled_on))
    names = np.array([row["name"] for row in block.parameters.labs.laboratories])
    for change, is_after in _changes(block, "laboratory_method", sampled_on):
        changed = is_after & np.isin(names[laboratory], change["laboratories"])
        factor[changed] *= change["factors"].get(analyte, 1.0)
    return factor


def response_log_odds(block: Block, exhaustion: np.ndarray, invited_on: np.ndarray) -> np.ndarray:
    """Return what a fall of the response adds to the log-odds of an answer; ``exhaustion`` in SD."""
    added = np.zeros(len(invited_on))
    for change, is_after in _changes(block, "response", invited_on):
        added += is_after * (change["log_odds"] + change["per_exhaustion"] * exhaustion)
    return added


def certificate_delay(block: Block, needed: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Return days from need to knowledge, longer where a register has become slow; a planned absence stays planned."""
    delay, rng = usual.copy(), block.stream("drift")
    for change, is_after in _changes(block, "registration", needed):
        low, high = change["late_days"]
        added = rng.integers(low, high + 1, len(needed))
        is_late = is_after & (usual >= 0) & (rng.random(len(needed)) < change["late"])
        delay[is_late] += added[is_late]
    return delay


def _changes(block: Block, kind: str, days: np.ndarray) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Yield each change of a kind, and which days lie on its first day or later."""
    for change in getattr(block.parameters.drift, kind):
        yield change, days >= day_number(date.fromisoformat(str(change["first_day"])))
