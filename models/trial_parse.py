"""First parse of a bundle, in a process that may die: ``python -m models.trial_parse``, the files on standard input.

LightGBM's text parser is not memory-safe (a file cut in half aborts the process, one cut near its end is a segmentation
fault), so a text is tried here before the scoring process parses the very same bytes. Exit code 0 means: it parses, and
the golden rows get the log-odds they had when the model was fitted.
"""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_contracts.errors import ArtifactError
from models.artifact import from_files
from models.risk_model import RiskModel

PROJECT = Path(__file__).resolve().parents[1]
LONGEST_SECONDS = 120
"""Far above the second or two that a trial takes: a trial that hangs must not hold up the service for ever."""

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
    """Parse model and refits; return the model if its golden rows get their log-odds to 1e-9, else ArtifactError."""
    # Named before the check: a copy made after it would have lost the trees that the check has parsed.
    model = replace(from_files(files), version=version, artifact_sha256=artifact_sha256)
    if model.golden is None or not len(model.golden[0]):
        raise ArtifactError("The model has no golden rows, so it cannot be checked. Train it again.")
    rows, expected = model.golden
    # Written as "not within", so that NaN fails.
    if not np.abs(model.log_odds(rows) - expected).max() <= GOLDEN_TOLERANCE:
        raise ArtifactError("The golden rows get other log-odds than when the model was fitted. Train it again.")
    model.interval(rows)
    return model


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    files = {name: base64.b64decode(content) for name, content in json.load(sys.stdin).items()}
    try:
        checked_model(files)
    except ArtifactError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
