"""Run as a process of its own, grows trees on a cluster of two workers: LightGBM must meet Dask before anything else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from pipeline.distributed_training import cluster_that_grows


def grow(home: Path) -> None:
    """Read rows and parameters from a directory, write the text model beside them."""
    request = json.loads((home / "request.json").read_text(encoding="utf-8"))
    with np.load(home / "rows.npz") as rows, cluster_that_grows(None, 2, home / "rows.npz", home / "spill") as grown:
        text = grown(request["parameters"], rows["X"], rows["y"], rows["weight"], request["feature_names"])
    (home / "booster.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":  # Dask's workers import this module again
    grow(Path(sys.argv[1]))
