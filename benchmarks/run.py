"""Runs all benchmarks, one after the other, and writes the pages: ``make bench``, or ``make bench-quick`` for a trial.

    python -m benchmarks.run [--quick] [--only NAME ...] [--missing] [--list] [--note "nothing else on the machine"]

One that fails stops no other; at the end it is said which, and the exit code is 1. With --quick every benchmark runs with tiny
sizes, to see that it still does: its results go to a scratch folder, and results and pages stay as they are. With --missing
only those run that have no result yet, or one that does not say of which commit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext

from benchmarks.catalogue import BENCHES, PAGES, Bench
from benchmarks.meta import RESULTS, ROOT


def run(command: Sequence[str], variables: dict[str, str], is_silent: bool) -> int:
    """Run a program of ours; of a silent one the last lines are shown if it fails."""
    output = subprocess.PIPE if is_silent else None
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | variables, stdout=output,
        stderr=subprocess.STDOUT if is_silent else None, text=True, check=False,
    )  # fmt: skip
    if done.returncode and is_silent:
        print("\n".join(done.stdout.splitlines()[-15:]))
    return done.returncode


def run_all(benches: Sequence[Bench], is_quick: bool, variables: dict[str, str]) -> list[str]:
    """Run every benchmark; return the names of those that failed."""
    failed = []
    for number, bench in enumerate(benches, 1):
        told = "a trial" if is_quick else f"about {bench.minutes:g} min"
        print(f"[{number}/{len(benches)}] {bench.name}: {bench.title} ({told})", flush=True)
        began = time.perf_counter()
        code = run(bench.command(is_quick), variables, is_silent=is_quick)
        print(f"    {'failed' if code else 'done'} after {(time.perf_counter() - began) / 60:.1f} min", flush=True)
        if code:
            failed.append(bench.name)
    return failed


def write_pages(variables: dict[str, str]) -> list[str]:
    """Write the pages from the results; return the programs that failed."""
    return [module for module, *arguments in PAGES if run(["-m", module, *arguments], variables, is_silent=False)]


def chosen(names: Sequence[str], *, is_missing: bool = False) -> list[Bench]:
    """Return the benchmarks of these names in their order, all if none is named; or of these only those without a result."""
    named = [bench for bench in BENCHES if not names or bench.name in names]
    return [bench for bench in named if not is_missing or not _says_of_what(bench)]


def _says_of_what(bench: Bench) -> bool:
    path = RESULTS / bench.results
    return path.is_file() and "commit" in json.loads(path.read_text(encoding="utf-8"))["meta"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes; nothing is kept")
    parser.add_argument("--only", nargs="+", default=[], choices=[bench.name for bench in BENCHES], metavar="NAME")
    parser.add_argument(
        "--missing", action="store_true", help="only those without a result that says of which commit it is"
    )
    parser.add_argument("--list", action="store_true", help="name all of them with their minutes, and run none")
    parser.add_argument("--note", default="", help="what else the machine is doing; printed with every table")
    asked = parser.parse_args()
    benches = chosen(asked.only, is_missing=asked.missing)
    if asked.list:
        for bench in benches:
            print(f"{bench.name:<16} {bench.minutes:>4g} min  python {' '.join(bench.command(asked.quick))}")
        return 0
    with tempfile.TemporaryDirectory() if asked.quick else nullcontext() as scratch:
        variables = {"PYTHONPATH": str(ROOT), "BENCH_NOTE": asked.note} | (
            {"BENCH_RESULTS": scratch, "BENCH_WORK": f"{scratch}/work"} if scratch else {}
        )
        failed = run_all(benches, asked.quick, variables)
        failed += [] if asked.quick else write_pages(variables)
    print(f"Failed: {', '.join(failed)}" if failed else "All ran.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
