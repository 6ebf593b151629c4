"""Featuretools and timeseriesflattener against ours, at one index date, on what all three can do alike.

    python -m benchmarks.leakage.speed [--persons 1000 10000 50000]

Every tool runs in a process of its own, from data in memory to finished numbers, and its numbers are compared with ours
person by person. Beside it: the cost of our whole catalogue on the same persons. Writes benchmarks/results/peers_speed.json
and the page.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import meta
from benchmarks.environments import pinned
from benchmarks.leakage.environments import ROOT, MissingRivalError, ask
from benchmarks.leakage.scoreboard import SPEED, write_page
from benchmarks.leakage.speed_population import population

RIVALS = {
    "featuretools": ("featuretools", "windows"),
    "featuretools, versions": ("featuretools", "versions"),
    "timeseriesflattener": ("timeseriesflattener",),
}
"""Name in the table -> tool, argument of its script."""

REQUIREMENTS = Path(__file__).parent / "rivals"
SHOWN = ("featuretools", "timeseriesflattener")

OURS, FULL = "balance-risk", "balance-risk, whole catalogue"


def ours(how: str, request: dict[str, str]) -> dict[str, Any]:
    """Run our own part in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.leakage.speed_ours", how]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def compared(rival: Path, own: Path) -> str:
    """Compare a rival's numbers with ours; returns how many of its numbers are also ours, or the first that differs."""
    with np.load(rival) as theirs, np.load(own) as mine:
        shared = [name for name in theirs.files if name in mine.files]
        for name in shared:
            if not _agree(name, theirs[name], mine[name]):
                return f"differs: {name}"
        return f"{len(shared)} of {len(theirs.files)}"


def _agree(name: str, theirs: np.ndarray, mine: np.ndarray) -> bool:
    # Nothing to add up is 0 with us and, in some tools, unknown; our features are float32.
    if any(kind in name for kind in ("_count_", "_sum_", "_max_")):
        theirs, mine = np.nan_to_num(theirs), np.nan_to_num(mine)
    return bool(np.allclose(theirs.astype(np.float32), mine, rtol=1e-6, atol=0, equal_nan=True))


def of_size(persons: int, folder: Path) -> list[dict[str, Any]]:
    """Measure everybody on the same persons."""
    data = folder / f"{persons}.npz"
    np.savez(data, **population(persons))

    def request(tool: str) -> dict[str, str]:
        return {"data": str(data), "out": str(folder / f"{persons}-{tool}.npz")}

    own = Path(request("alike")["out"])
    found = {OURS: ours("alike", request("alike")), FULL: ours("full", request("full"))}
    equal = {OURS: "", FULL: ""}
    for name, (rival, *arguments) in RIVALS.items():
        try:
            found[name] = ask(rival, f"{rival}_speed.py", request(name), *arguments)
        except MissingRivalError as missing:
            print(missing)
            continue
        equal[name] = compared(Path(request(name)["out"]), own)
    for result in found.values():
        numbers = persons * result["features"]
        result["microseconds_per_number"] = result["seconds"] / numbers * 1e6
        result["cpu_microseconds_per_number"] = result["cpu_seconds"] / numbers * 1e6
    unit = found[FULL]
    return [
        {
            "persons": persons,
            "tool": tool,
            **result,
            "times_ours": result["microseconds_per_number"] / unit["microseconds_per_number"],
            "times_ours_cpu": result["cpu_microseconds_per_number"] / unit["cpu_microseconds_per_number"],
            "equal": equal[tool],
        }
        for tool, result in found.items()
    ]


def print_lines(runs: list[dict[str, Any]]) -> None:
    """Print one line per tool."""
    for run in runs:
        print(
            f"{run['persons']:>8} {run['tool']:<32}{run['features']:>5} numbers {run['seconds']:>9.3f} s"
            f" {run['cpu_seconds']:>9.3f} cpu {run['peak_mb']:>7.0f} MB"
            f" {run['microseconds_per_number']:>9.3f} us/number {run['times_ours']:>7.1f} x"
            f" {run['times_ours_cpu']:>7.1f} x by cpu  {run['equal']}",
            flush=True,
        )


def main() -> None:
    """Measure each size, print a table, write the results and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for persons in sorted(parser.parse_args().persons):
            found = of_size(persons, Path(folder))
            print_lines(found)
            runs += found
    lists = [pinned(REQUIREMENTS / f"requirements-{name}.txt", name) for name in SHOWN]
    rivals = {name: number for one in lists for name, number in one.items()}
    meta.save(SPEED, {"runs": runs}, packages=("numpy",), rivals=rivals)
    write_page()


if __name__ == "__main__":
    main()
