"""What one partition of persons costs a worker of a Dask cluster, and what it costs the process that asks.

    python -m benchmarks.scale.partition [--persons 40000]

SYNTHETIC persons, trained once; then `build-training-set` and `score` with ``--engine dask`` against a scheduler and one worker
of one thread that run already. CPU seconds and the most memory: of the worker, and of the process that asks with its children.
``python -m benchmarks.scale.report`` divides them by the partitions and projects. Writes
benchmarks/results/scale_partition.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import meta
from benchmarks.engine_scaling import cluster, cost
from benchmarks.measuring import measured
from benchmarks.scale.run import HOME, of_size, put_into_service
from benchmarks.scale.stages import INDEX_DATE, OUTCOME
from data_contracts.readers.parquet_files import n_partitions

RESULTS = meta.RESULTS / "scale_partition.json"
VERBS = {"build-training-set": (), "score": ("--index-date", INDEX_DATE)}


class Unkept:
    """Takes the stages that are only made to have something to work on; what is there is not made again."""

    def has(self, stage: str, persons: int) -> bool:
        """Return that what is there is good."""
        return True

    def add(self, run: dict[str, Any]) -> None:
        """Refuse to go on from a stage that failed."""
        if run["problem"]:
            sys.exit(f"{run['stage']}: {run['problem']}")


def on_a_cluster(verb: str, home: Path, minutes: float) -> dict[str, Any]:
    """Run a verb on a cluster of one worker; return what it took of whom."""
    with tempfile.TemporaryDirectory() as scratch, cluster(1, Path(scratch)) as (address, workers):
        before = cost(workers[0])
        command = [sys.executable, "-m", "pipeline.cli", verb, "--workspace", home, "--outcome", OUTCOME, *VERBS[verb],
                   "--engine", "dask", "--scheduler", address, "--json"]  # fmt: skip
        variables = os.environ | {"PYTHONPATH": str(meta.ROOT)}
        found = measured(command, environment=variables, minutes=minutes, every=0.5)
        after = cost(workers[0])
    worker = {"cpu_seconds": after.cpu_seconds - before.cpu_seconds, "peak_mb": after.peak_mb}
    asking = {"cpu_seconds": found.cpu_seconds, "peak_mb": found.peak_mb}
    return {"stage": verb, "seconds": found.seconds, "worker": worker, "asking": asking, "problem": found.problem[:300]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=40_000)
    parser.add_argument("--minutes", type=float, default=30, help="a verb that takes longer is ended")
    asked = parser.parse_args()
    home = HOME / f"partition-{asked.persons}"
    wanted = argparse.Namespace(stages=["train"], again=False, limit=asked.minutes)
    of_size(asked.persons, wanted, Unkept(), home)
    put_into_service(home)
    lines = [on_a_cluster(verb, home, asked.minutes) for verb in VERBS]
    print(json.dumps(lines, indent=1))
    partitions = n_partitions(home / "data" / "tables")
    document = {"synthetic": True, "persons": asked.persons, "partitions": partitions, "lines": lines}
    meta.save(RESULTS, document, packages=("numpy", "pyarrow", "dask", "distributed"))
    return 1 if any(line["problem"] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
