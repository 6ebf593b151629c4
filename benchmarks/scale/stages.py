"""The stages of the pipeline as a user calls them, one after the other, and what each leaves on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

OUTCOME = "long_sick_leave"
SEED = 7
INDEX_DATE = "2026-01-01"


class Stage(NamedTuple):
    """A verb with its arguments, and the paths that it writes, below the workspace."""

    name: str
    arguments: tuple[str, ...]
    writes: tuple[str, ...]


def stages(persons: int) -> tuple[Stage, ...]:
    """Return the stages in order."""
    one = ("--outcome", OUTCOME)
    return (
        Stage("simulate", ("--persons", str(persons), "--seed", str(SEED), "--format", "parquet"), ("data/source",)),
        Stage("ingest", (), ("data/tables",)),
        Stage("validate", (), ("data/validation",)),
        Stage("build-training-set", one, ("data/training",)),
        Stage("train", one, ("data/models",)),
        Stage("evaluate", one, ("data/evaluation",)),
        Stage("register", one, ("mlflow.db", "mlruns", "mlartifacts")),
        Stage("score", (*one, "--index-date", INDEX_DATE), ("data/scores", "store")),
    )


def megabytes(home: Path, writes: tuple[str, ...]) -> float:
    """Return how large the files are that a stage has left."""
    places = [home / name for name in writes]
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
