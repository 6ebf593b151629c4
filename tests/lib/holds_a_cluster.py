"""Run as a process of its own, holds the cluster that `--engine dask` starts on one machine until told to end."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pipeline.engine import open_engine


def hold(home: Path) -> None:
    """Begin a cluster of two workers in a directory, say so with a file, and wait for another file."""
    (home / "stamp").touch()
    with open_engine("dask", None, 2, home / "stamp", home, home / "spill"):
        (home / "begun").touch()
        while not (home / "stop").exists():
            time.sleep(0.05)


if __name__ == "__main__":  # Dask's workers import this module again
    hold(Path(sys.argv[1]))
