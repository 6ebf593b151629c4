"""Run as a process of its own, is the command line on a machine of two processors: as many workers, whatever there are."""

from __future__ import annotations

import os

from pipeline.cli import main

if __name__ == "__main__":  # Dask's workers import this module again
    os.cpu_count = lambda: 2
    main()
