"""Whether memory grows with the partition and not with the population.

    python -m benchmarks.engine_memory [--persons 5000] [--partitions 2 8]

The same simulated SYNTHETIC persons are copied under other pseudonyms until there are as many partitions of the same size
as asked for; each training set is built by a fresh process. Printed is the most memory that process ever held, and the
size of the features, which nobody holds. The engine is the local one: on a cluster every worker holds a partition, and
the process that asks holds the small columns.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import meta
from data_contracts.partitions import has_persons
from data_contracts.readers.parquet_files import read_tables, write_tables
from data_contracts.records import TABLES
from data_contracts.tables import Coded, Table
from pipeline import build_training_set, ingest, simulate
from pipeline.settings import Settings, SimulateSettings
from pipeline.workspace import Workspace

OUTCOME = "long_sick_leave"
RESULTS = meta.RESULTS / "engine_memory.json"


def copied(table: Table, copies: int) -> Table:
    """The rows once per copy, the persons of each copy under pseudonyms of their own."""
    found = {}
    for name, values in table.items():
        if not isinstance(values, Coded):
            found[name] = np.tile(values, copies)
            continue
        words, codes = values.vocabulary, values.codes
        if name == "person_id":
            words = tuple(f"{word}-{copy}" for copy in range(copies) for word in values.vocabulary)
            steps = [codes + copy * len(values.vocabulary) for copy in range(copies)]
        else:
            steps = [codes] * copies
        found[name] = Coded(np.concatenate(steps).astype(np.int32), words)
    return found


def multiplied(source: Workspace, root: Path, partitions: int) -> Workspace:
    """A workspace with so many partitions, each about as large as the whole of the source."""
    workspace = Workspace(root)
    tables = {
        name: copied(table, partitions) if has_persons(TABLES[name]) else table
        for name, table in read_tables(source.tables).items()
    }
    write_tables(workspace.tables, tables, partitions)
    (workspace.tables / "ingest.json").write_bytes((source.tables / "ingest.json").read_bytes())
    return workspace


def peak_mb(root: Path) -> float:
    """Build a training set in a fresh process; returns the most memory it held."""
    command = [sys.executable, "-m", "benchmarks.engine_memory", "--build", str(root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=meta.ROOT)
    return float(done.stdout.split()[-1])


def build(root: Path) -> None:
    """What the fresh process does. ``ru_maxrss`` would count the memory of the process that has started it."""
    build_training_set.run(Workspace(root), Settings(), [OUTCOME])
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(kilobytes) / 1024)


def simulated(root: Path, persons: int) -> Workspace:
    workspace, settings = Workspace(root), Settings(simulate=SimulateSettings(persons=persons, seed=7))
    simulate.run(workspace, settings.simulate)
    ingest.run(workspace, settings.ingest)
    return workspace


def measured(persons: int, partitions: list[int]) -> dict[int, tuple[float, float]]:
    """Peak memory and size of the training set in MB, by number of partitions."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        source = simulated(Path(scratch) / "source", persons)
        for n in partitions:
            workspace = multiplied(source, Path(scratch) / str(n), n)
            peak = peak_mb(workspace.root)
            found[n] = peak, (workspace.training_set(OUTCOME) / "rows.npz").stat().st_size / 2**20
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=5000, help="persons of one partition")
    parser.add_argument("--partitions", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build:
        build(arguments.build)
        return
    found = measured(arguments.persons, arguments.partitions)
    lines = [{"partitions": n, "peak_mb": peak, "training_set_mb": size} for n, (peak, size) in found.items()]
    document = {"synthetic": True, "persons": arguments.persons, "lines": lines}
    meta.save(RESULTS, document, packages=("numpy", "pyarrow"))
    first = next(iter(found.values()))[0]
    print(f"{'partitions':>10} {'persons':>9} {'training set MB':>16} {'peak MB':>9} {'ratio':>6}")
    for n, (peak, size) in found.items():
        print(f"{n:>10} {n * arguments.persons:>9} {size:>16.0f} {peak:>9.0f} {peak / first:>6.2f}")


if __name__ == "__main__":
    main()
