"""Wall time and peak memory of `balance-risk demo` with 5 000 persons, as a newcomer meets it after installation."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time


def main() -> None:
    """Run the demo once in a fresh directory and print what it cost."""
    with tempfile.TemporaryDirectory() as directory:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "demo", "--workspace", directory, "--persons", "5000", "--json"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"demo, 5 000 persons, {os.cpu_count()} cores: {seconds:.0f} s, peak memory of one process {peak:.2f} GB")


if __name__ == "__main__":
    main()
