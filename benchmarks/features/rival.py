"""What every tool of the comparison shares: its command line, the repeated call for one person, and what it reports.

    python <tool>.py <data folder> <output.parquet> [--threads 1] [--repeat 0]

Standard library only: it is imported in the environments of the rivals.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Protocol

_LONG_ENOUGH = 30.0
"""Seconds after which no call is repeated any more."""


class Tool(Protocol):
    """A tool at work on one data folder.

    It is made with ``(data, threads, in_memory)``. In memory all tables are read when it is made, and ``features`` returns the
    finished numbers of all; otherwise reading and computing may wait until ``write``, and be done in parts.
    """

    def features(self) -> Any:
        """Compute the features of everybody."""

    def write(self, features: Any, output: Path) -> None:
        """Write them as one Parquet file: ``person_id`` and one float32 column per feature, in any order of rows."""


class MakeTool(Protocol):
    """The class of a tool."""

    def __call__(self, data: Path, threads: int, in_memory: bool) -> Tool:
        """Get ready."""


def facts(data: Path) -> dict[str, Any]:
    """Return what ``facts.json`` says: ``t`` (ISO date), ``t_day`` (days since 1970), ``features`` (names in order)."""
    return json.loads((data / "facts.json").read_text(encoding="utf-8"))


def main(make: MakeTool) -> None:
    """Run a tool as the command line says; its last line is a JSON document with the seconds of every repeated call."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--repeat", type=int, default=0, help="most calls of features() on tables in memory, timed one by one"
    )
    asked = parser.parse_args()
    tool = make(asked.data, asked.threads, asked.repeat > 0)
    seconds: list[float] = []
    while len(seconds) < asked.repeat and sum(seconds) < _LONG_ENOUGH:
        seconds.append(_timed(tool))
    tool.write(tool.features(), asked.output)
    print(json.dumps({"seconds": seconds}))


def _timed(tool: Tool) -> float:
    start = time.perf_counter()
    tool.features()
    return time.perf_counter() - start
