"""Preloaded by a Dask worker under test, which then has the fault that the environment variable FAULT names."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, NoReturn

from pipeline import build_training_set, engine


def dask_setup(worker: Any) -> None:
    """Called by Dask in the worker's process before it takes any work."""
    {"stalls": _stall, "runs other code": _run_other_code}[os.environ["FAULT"]]()


def _stall() -> None:
    """Begin the rows of a partition, write half a file, say so, and never come to the end."""

    def begun(job: build_training_set.Job, partition: int) -> NoReturn:
        half = job.features_file(partition)
        half.with_name(f"{half.name}.0.partial").write_bytes(b"half of it")
        marker = Path(os.environ["BEGUN"])
        marker.with_suffix(".part").write_text(f"{partition}")
        marker.with_suffix(".part").replace(marker)
        while True:
            time.sleep(1)

    build_training_set.rows_of = begun


def _run_other_code() -> None:
    ours = engine._code()
    engine._code = lambda: ours | {"the code": "another"}
