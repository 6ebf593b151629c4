"""Wall time, CPU time and peak memory of `balance-risk demo`, as a newcomer meets it after installation.

    python -m benchmarks.demo_time [--persons 10000] [--minutes 20]

Once, in a fresh directory. Memory is of all its processes together. Writes benchmarks/results/demo_time.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

from benchmarks import meta
from benchmarks.measuring import measured


def main() -> None:
    """Run the demo once in a fresh directory and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=20, help="a demo that takes longer is ended")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        command = [
            sys.executable,
            "-m",
            "pipeline.cli",
            "demo",
            "--workspace",
            directory,
            "--persons",
            asked.persons,
            "--json",
        ]
        variables = os.environ | {"PYTHONPATH": str(meta.ROOT)}
        found = measured(command, environment=variables, minutes=asked.minutes, every=0.5)
    if found.problem:
        sys.exit(f"demo: {found.problem}")
    taken = {"seconds": found.seconds, "cpu_seconds": found.cpu_seconds, "peak_mb": found.peak_mb}
    print(
        f"demo, {asked.persons} persons: {found.seconds:.0f} s, {found.cpu_seconds:.0f} s CPU, {found.peak_mb:.0f} MB"
    )
    meta.save(meta.RESULTS / "demo_time.json", {"synthetic": True, "persons": asked.persons, **taken})


if __name__ == "__main__":
    main()
