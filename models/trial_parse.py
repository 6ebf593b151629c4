"""First parse of a bundle, in a process that may die: ``python -m models.trial_parse``, the files on standard input.

LightGBM's text parser is not memory-safe (a file cut in half aborts the process, one cut near its end is a segmentation
fault), so a text is tried here before the scoring process parses the very same bytes. Exit code 0 means: it parses, and
the golden rows get the log-odds they had when the model was fitted, and what serving reads of the model can be read.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_contracts.errors import ArtifactError
from features.catalogue import POSITIONS
from models.abstention import Carrier
from models.artifact import from_files
from models.horizons import risk_by_day
from models.outcomes import OUTCOMES
from models.reference_groups import reference_groups
from models.risk_model import RiskModel

PROJECT = Path(__file__).resolve().parents[1]
LONGEST_SECONDS = 120
"""Far above the second or two that a trial takes: a trial that hangs must not hold up the service for ever."""

MOST_MEMORY = 4 * 2**30
"""Bytes of address space: several times what a trial takes. Numbers in a model's file must not exhaust the machine."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Each thread reserves address space of its own: on a machine of many cores more than ``MOST_MEMORY``."""

GOLDEN_TOLERANCE = 1e-9
"""In log-odds; the same text on the same machine differs by nothing, on another processor by less than this."""


def trial_parse(files: Mapping[str, bytes]) -> None:
    """Run :func:`checked_model` in a child process; raises ArtifactError if it fails, dies or hangs."""
    message = json.dumps({name: base64.b64encode(content).decode() for name, content in files.items()})
    try:
        # Its output is thrown away unread: a damaged text makes LightGBM print whatever lies in the child's memory.
        code = subprocess.run(
            [sys.executable, "-m", __name__],
            input=message.encode(),
            cwd=PROJECT,
            env={**os.environ, **_ONE_THREAD},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=LONGEST_SECONDS,
        ).returncode
    except subprocess.TimeoutExpired:
        raise ArtifactError(f"The model could not be parsed within {LONGEST_SECONDS} s in a trial process.") from None
    if code != 0:
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        raise ArtifactError(f"The model failed its trial: the process that parsed it {ended}. Export it again.")


def checked_model(files: Mapping[str, bytes], version: str = "", artifact_sha256: str = "") -> RiskModel:
    """Parse model and refits, and read all that serving will read; raises ArtifactError for what is not as it should be.

    Returns
    -------
    RiskModel, whose golden rows get the log-odds they had to 1e-9, and finite intervals, contributions and risks by day.
    """
    # Named before the check: a copy made after it would have lost the trees that the check has parsed.
    model = replace(from_files(files), version=version, artifact_sha256=artifact_sha256)
    if model.golden is None or not len(model.golden[0]):
        raise ArtifactError("The model has no golden rows, so it cannot be checked. Train it again.")
    rows, expected = model.golden
    # Written as "not within", so that NaN fails.
    if not np.abs(model.log_odds(rows) - expected).max() <= GOLDEN_TOLERANCE:
        raise ArtifactError("The golden rows get other log-odds than when the model was fitted. Train it again.")
    _check_what_is_served(model, rows)
    return model


def _check_what_is_served(model: RiskModel, rows: np.ndarray) -> None:
    try:
        with np.errstate(all="ignore"):  # what comes of it is looked at
            found = _served(model, rows)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"What the model says of itself cannot be served ({type(error).__name__}). Train it again."
        ) from None
    damaged = [name for name, is_sound in found.items() if not is_sound]
    if damaged:
        raise ArtifactError(f"The model's {', '.join(damaged)} cannot be served. Train it again.")


def _served(model: RiskModel, rows: np.ndarray) -> dict[str, bool]:
    """Ask for everything that an answer is made of; tell by name what is sound."""
    facts, outcome = model.facts, OUTCOMES[model.outcome]
    label = facts.get("label", {"nb": outcome.label_nb, "en": outcome.label_en})
    horizon_days = facts.get("horizon_days", outcome.horizon_days)
    interval = model.interval(rows)
    Carrier.of(model).reasons(rows, interval)
    model.outside_training_range(rows)
    groups = reference_groups(model.feature_names, facts).values()
    by_day = risk_by_day(model.log_odds(rows), facts).values()
    return {
        "name": isinstance(model.name, str),
        "features": all(name in POSITIONS for name in model.feature_names),
        "label": label.keys() == {"nb", "en"} and all(isinstance(text, str) for text in label.values()),
        "horizon_days": type(horizon_days) is int and horizon_days > 0,
        "interval": not model.refits or bool(np.isfinite(interval).all()),
        "contributions": bool(np.isfinite(model.contributions(rows)).all()),
        "reference groups": all(np.isfinite([one.log_odds, *one.contributions]).all() for one in groups),
        "risks by day": all(bool(np.isfinite(risks).all()) for risks in by_day),
    }


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere the limit is refused or not kept
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    files = {name: base64.b64decode(content) for name, content in json.load(sys.stdin).items()}
    try:
        checked_model(files)
    except ArtifactError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
