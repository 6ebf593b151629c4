"""How long and with how much memory a cohort is simulated, in every format, and whether the cost grows in proportion.

    python -m benchmarks.simulation_speed [--persons 1000 10000 100000] [--formats csv parquet] [--workers 2]

Five years with all tables, written to a temporary directory. Each number is of one run in a fresh process. Memory is the
most that the main process and its workers held together, sampled every 0.1 s; pages that they share count for each.
Promised: 100 000 persons in under 60 s on 2 cores; 1 000 000 in under 10 minutes and 8 GB, streamed to Parquet.
The last column compares the seconds per 1 000 persons with those of the next smaller cohort of the format: 1 is in
proportion, and small cohorts lie above it because processes take a second or two to start.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import meta
from benchmarks.measuring import family
from pipeline.simulation.cohort import simulate

START, END = date(2021, 1, 1), date(2026, 1, 1)
HEADS = ("format", "persons", "seconds", "s / 1 000", "peak MB", "rows", "files MB", "ratio")


def run(directory: str, persons: str, format: str, workers: str) -> None:
    """Simulate one cohort and print its number of rows; what the fresh process does."""
    summary = simulate(Path(directory), int(persons), 7, START, END, format=format, workers=int(workers))
    print(sum(summary["rows"].values()))


def measure(persons: int, format: str, workers: int) -> tuple[float, float, int, float]:
    """Return seconds, peak MB of all processes, rows and MB of the files of one run."""
    with tempfile.TemporaryDirectory() as directory:
        command = [
            sys.executable,
            "-m",
            "benchmarks.simulation_speed",
            "--run",
            directory,
            str(persons),
            format,
            str(workers),
        ]
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=meta.ROOT) as process:
            peaks: list[float] = [0.0]
            watcher = threading.Thread(target=watch, args=(process, peaks))
            watcher.start()
            output, _ = process.communicate()
            watcher.join()
        seconds = time.perf_counter() - start
        if process.returncode:
            raise SystemExit(f"simulate ended with {process.returncode}")
        size = sum(path.stat().st_size for path in Path(directory).rglob("*.*"))
        return seconds, peaks[0], int(output), size / 1e6


def watch(process: subprocess.Popen[str], peaks: list[float]) -> None:
    """Keep in ``peaks[0]`` the most memory that the process and its workers have held together, in MB."""
    while process.poll() is None:
        peaks[0] = max(peaks[0], sum(resident_mb(one) for one in family(process.pid)))
        time.sleep(0.1)


def resident_mb(process_id: int) -> float:
    """Return the memory that a process holds, 0 where it has ended."""
    try:
        pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Measure each format at each size and print one row for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--formats", nargs="+", default=["csv", "parquet"], choices=["csv", "parquet", "fhir"])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    print(f"{chosen.workers} workers\n" + "".join(f"{head:>12}" for head in HEADS))
    lines: list[dict[str, Any]] = []
    for format in chosen.formats:
        before = None
        for persons in sorted(chosen.persons):
            seconds, peak, rows, size = measure(persons, format, chosen.workers)
            each = 1000 * seconds / persons
            ratio = "" if before is None else f"{each / before:.2f}"
            print(f"{format:>12}{persons:>12}{seconds:>12.1f}{each:>12.3f}{peak:>12.0f}{rows:>12}{size:>12.0f}{ratio:>12}",
                  flush=True)  # fmt: skip
            before = each
            kept = {"format": format, "persons": persons, "seconds": seconds}
            lines.append(kept | {"peak_mb": peak, "rows": rows, "files_mb": size})
    document = {"synthetic": True, "workers": chosen.workers, "lines": lines}
    meta.save(meta.RESULTS / "simulation_speed.json", document, packages=("numpy", "pyarrow"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(*sys.argv[2:])
    else:
        main()
