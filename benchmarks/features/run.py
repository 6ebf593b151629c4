"""The same features for the same persons by four tools: time, CPU time, memory, rows per second, and whether they are equal.

    python benchmarks/features/run.py [--persons 1 1000 100000 1000000] [--tools ours duckdb polars pandas]
                                      [--threads 1 2] [--minutes 15] [--results FILE] [--make ONLY THESE SIZES]

Every run is a process of its own, bound to so many cores. Results are saved as each run ends, so that a broken-off benchmark
can go on: a run that is there already, of the same code and data, is not repeated (--again repeats it). What a tool gave is
compared with ours for every person and feature; see ``verify.py`` for the rule. Data, environments and outputs are in
``.bench``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

# Run as a file: what rivals import lies beside it, what all benchmarks share lies above.
sys.path.append(str(Path(__file__).parents[2]))

import rival
import verify
from environments import CACHE, SCRIPTS, Environment, environment
from measuring import Run, run
from population import SIZES
from results import RESULTS, Results
from store import made, n_rows

_CALLS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--tools", nargs="+", default=list(SCRIPTS), choices=SCRIPTS)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--minutes", type=float, default=15, help="a run that takes longer is ended")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--again", action="store_true", help="also repeat runs whose results are there")
    parser.add_argument("--make", type=int, nargs="+", metavar="PERSONS", help="only make the data of these sizes")
    asked = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("This benchmark reads /proc and binds processes to cores, and so needs Linux.")
    if asked.make:
        for n_persons in asked.make:
            print(made(CACHE, n_persons))
        return
    benchmark = _Benchmark(Results(asked.results, asked.again), asked)
    for n_persons in sorted(asked.persons):
        benchmark.measure(n_persons)


class _Benchmark:
    """All runs that were asked for, ours first at every size."""

    def __init__(self, results: Results, asked: argparse.Namespace) -> None:
        self.results, self.asked = results, asked
        tools = ["ours", *(tool for tool in asked.tools if tool != "ours")]
        found = {tool: environment(tool) for tool in tools}
        self.tools = {tool: one for tool, one in found.items() if one is not None}
        self.given_up: set[str] = set()

    def measure(self, n_persons: int) -> None:
        """Measure every tool at one size."""
        data = made(CACHE, n_persons)
        for tool, where in self.tools.items():
            for threads in self.asked.threads:
                if tool in self.given_up or (n_persons == 1 and threads > 1):
                    continue
                output = CACHE / "output" / f"{tool}-{n_persons}-{threads}.parquet"
                is_there = self.results.has(tool, n_persons, threads)
                # What the others are compared with must be there too.
                if not is_there or (output == self._reference(n_persons) and not output.is_file()):
                    self._one(tool, where, data, n_persons, threads, output)

    def _reference(self, n_persons: int) -> Path:
        return CACHE / "output" / f"ours-{n_persons}-{self.asked.threads[0]}.parquet"

    def _one(self, tool: str, where: Environment, data: Path, n_persons: int, threads: int, output: Path) -> None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.unlink(missing_ok=True)
        print(f"{tool}, {n_persons:,} persons, {threads} core(s) ...", end=" ", flush=True)
        found = run(where, data, output, threads, 0, self.asked.minutes)
        if n_persons == 1 and not found.problem:
            repeated = run(where, data, output, threads, _CALLS, self.asked.minutes)
            found = found._replace(calls=repeated.calls, problem=repeated.problem)
        row: dict[str, Any] = {"tool": tool, "persons": n_persons, "threads": threads, "rows": n_rows(data)}
        row |= _numbers(found) | {"equal": None, "problem": found.problem, "version": where.version}
        if found.problem:
            self.given_up.add(tool)
        else:
            names = rival.facts(data)["features"]
            row |= _verdict(verify.compare(names, self._reference(n_persons), output), len(names))
        if output != self._reference(n_persons):
            output.unlink(missing_ok=True)
        self.results.add(row)
        print(found.problem or _told(row), flush=True)
        if tool == "ours" and found.problem:
            sys.exit("without our own features there is nothing to compare with")


def _numbers(found: Run) -> dict[str, Any]:
    p50 = 1000 * statistics.median(found.calls) if found.calls else None
    return {
        "seconds": round(found.seconds, 3),
        "cpu_seconds": round(found.cpu_seconds, 3),
        "peak_mb": round(found.peak_mb),
        "p50_ms": None if p50 is None else round(p50, 3),
    }


def _told(row: dict[str, Any]) -> str:
    return f"{row['seconds']:.2f} s, {row['cpu_seconds']:.2f} s CPU, {row['peak_mb']:,} MB, {row['told']}"


def _verdict(found: verify.Verdict, n_features: int) -> dict[str, Any]:
    told = f"{found.compared} of {n_features} features equal for all"
    if found.different or found.persons_differ:
        told = f"DIFFERENT: {len(found.different)} features, {found.persons_differ} persons"
    return {
        "equal": found.is_equal,
        "told": told,
        "features": n_features,
        "compared": found.compared,
        "different": dict(sorted(found.different.items())),
        "left_out": list(found.left_out),
        "left_out_unknown_for_all": list(found.left_out_unknown_for_all),
    }


if __name__ == "__main__":
    main()
