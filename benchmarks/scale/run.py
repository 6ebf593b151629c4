"""The whole pipeline at several sizes, stage by stage, as a user runs it: time, CPU time, memory and disk.

    python -m benchmarks.scale.run [--persons 1000 10000 100000 1000000] [--stages train score] [--limit 40m] [--again]

SYNTHETIC persons in a workspace of their own below .bench/scale, which stays, so that a run that was broken off goes on where
it was: a stage that was measured with the same code is not repeated (--again repeats it). Every stage is a process. Memory is
that of its process, or of the process and its children together, shared pages once. A stage that takes too long or too much
memory is ended, and that it was is a result: what comes after it at that size is not run. Writes
benchmarks/results/scale.json; the page is made by ``python -m benchmarks.scale.report``. What one partition costs a worker of a
cluster is measured by ``python -m benchmarks.scale.partition``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from benchmarks.environments import WORK
from benchmarks.measuring import measured
from benchmarks.meta import ROOT
from benchmarks.scale.results import Results
from benchmarks.scale.stages import Stage, megabytes, stages

HOME = WORK / "scale"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MOST_MEMORY = 0.92
"""Share of the machine's memory; what asks for more would be killed by the system, or kill others."""

EVERY_SECONDS = 0.5


def run(stage: Stage, persons: int, home: Path, minutes: float) -> dict[str, Any]:
    """Run a stage and return what it took."""
    command = [sys.executable, "-m", "pipeline.cli", stage.name, "--workspace", str(home), *stage.arguments, "--json"]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    found = measured(command, environment=variables, minutes=minutes, most_memory=MOST_MEMORY, every=EVERY_SECONDS)
    return {
        "stage": stage.name, "persons": persons, "seconds": round(found.seconds, 2), "cpu_seconds": round(found.cpu_seconds, 2),
        "peak_mb": round(found.peak_mb, 1), "disk_mb": round(megabytes(home, stage.writes), 3),
        "problem": _without_places(found.problem, home), "limit_minutes": minutes,
    } | counts(stage.name, home, found.printed)  # fmt: skip


def counts(stage: str, home: Path, printed: str) -> dict[str, Any]:
    """Return how many rows a stage worked on, where it says so."""
    if stage == "ingest" and (home / "data/tables/ingest.json").exists():
        tables = json.loads((home / "data/tables/ingest.json").read_text(encoding="utf-8"))["tables"]
        return {"rows": sum(one["rows"] for one in tables.values())}
    if stage == "build-training-set" and printed.strip():
        return {"rows": sum(one["rows"] for one in json.loads(printed)["outcomes"].values())}
    if stage == "train" and printed.strip():
        champions = [one["champion"] for one in json.loads(printed)["outcomes"].values()]
        return {"champion": ", ".join(champions)}
    return {}


def _without_places(problem: str, home: Path) -> str:
    """A message without folders of this machine."""
    return re.sub(r"\s+", " ", problem.replace(f"{home}/", "").replace(str(ROOT), "."))[:300]


class Kept(Protocol):
    """What remembers the stages."""

    def has(self, stage: str, persons: int) -> bool:
        """Return whether a stage need not be run again."""

    def add(self, run: dict[str, Any]) -> None:
        """Take what a stage took."""


def of_size(persons: int, asked: argparse.Namespace, results: Kept, home: Path) -> None:
    """Run every stage of one size in a workspace, up to the first that fails."""
    home.mkdir(parents=True, exist_ok=True)
    is_repeated = False
    for stage in _up_to_last(stages(persons), asked.stages):
        is_there = (home / stage.writes[0]).exists()
        is_asked = not asked.stages or stage.name in asked.stages
        is_current = results.has(stage.name, persons) and not (asked.again and is_asked)
        # After a stage that was repeated, what later ones had made is not of its rows.
        if is_there and not is_repeated and (is_current or not is_asked):
            continue
        is_repeated = True
        found = _anew(stage, persons, home, asked.limit)
        results.add(found)
        if found["problem"]:
            return


def _anew(stage: Stage, persons: int, home: Path, limit: float) -> dict[str, Any]:
    for name in stage.writes:
        _remove(home / name)
    if stage.name == "score":
        put_into_service(home)
    print(f"{persons:>9,} persons, {stage.name:<19}", end="", flush=True)
    found = run(stage, persons, home, limit)
    print(_told(found), flush=True)
    return found


def _up_to_last(every: tuple[Stage, ...], names: list[str]) -> tuple[Stage, ...]:
    last = max((place for place, stage in enumerate(every) if stage.name in names), default=len(every) - 1)
    return every[: last + 1]


def put_into_service(home: Path) -> None:
    """Let the trained champion answer, without the policy."""
    _remove(home / "bundles")
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "benchmarks.scale.into_service", str(home)], check=True, env=variables)


def _remove(path: Path) -> None:
    if path.is_dir():
        for bundle in (one for one in path.rglob("*") if one.is_dir()):
            bundle.chmod(0o755)  # a bundle is written once, and its folder closed
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _told(found: dict[str, Any]) -> str:
    numbers = f"{found['seconds']:>9.1f} s {found['cpu_seconds']:>9.1f} s CPU {found['peak_mb']:>9,.0f} MB "
    return numbers + f"{found['disk_mb']:>9,.1f} MB on disk  {found['problem']}"


def minutes(text: str) -> float:
    """Read 90s, 40m or 2h as minutes."""
    if not re.fullmatch(r"\d+(\.\d+)?[smh]", text):
        raise argparse.ArgumentTypeError("write 90s, 40m or 2h")
    return float(text[:-1]) * {"s": 1 / 60, "m": 1, "h": 60}[text[-1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [stage.name for stage in stages(1)]
    parser.add_argument("--persons", type=int, nargs="+", default=list(SIZES))
    parser.add_argument(
        "--stages", nargs="+", choices=names, default=[], help="only these, and what is missing before them"
    )
    parser.add_argument("--limit", type=minutes, default=minutes("40m"), help="of a stage: 90s, 40m, 2h")
    parser.add_argument("--again", action="store_true", help="also repeat what was measured with this code")
    parser.add_argument("--note", default="", help="what else the machine was doing; printed in the docs")
    asked = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("This benchmark reads /proc, and so needs Linux.")
    results = Results(note=asked.note)
    for persons in sorted(asked.persons):
        of_size(persons, asked, results, HOME / str(persons))


if __name__ == "__main__":
    main()
