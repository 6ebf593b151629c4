"""Directories of unfinished work: features, labels and pseudonyms of persons, gone when a run ends.

A run that was killed leaves its own. Nobody works on it any more, so the next build of the outcome and every erasure
delete it; both hold locks that keep a living run out (see :mod:`pipeline.locks`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from data_contracts.errors import BalanceRiskError, EngineError
from pipeline.workspace import Workspace

_PREFIX = "parts-"


def new_scratch(home: Path) -> Path:
    """Name a directory in the directory of an outcome.

    Named anew, so that a worker which was given up but goes on does not write among the files of a later run.
    """
    return home / f"{_PREFIX}{uuid4().hex}"


@contextmanager
def made(scratch: Path) -> Iterator[None]:
    """A directory for as long as the block runs; raises EngineError if somebody else deletes it meanwhile."""
    scratch.mkdir(parents=True)
    try:
        yield
    except FileNotFoundError:
        if scratch.is_dir():
            raise
        raise EngineError(
            f"{scratch} was deleted while this run worked in it, perhaps from another machine. Run it again."
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)  # what failed before matters more


def left_over(workspace: Workspace, outcome: str = "*") -> list[Path]:
    """Return what killed runs have left, of an outcome or of all, those of scoring on a cluster among them."""
    of_scores = workspace.scores.glob(f"{_PREFIX}*") if outcome == "*" else ()
    return sorted([*workspace.training.glob(f"{outcome}/{_PREFIX}*"), *of_scores])


def remove(left: Path) -> None:
    """Delete what a killed run has left; raises BalanceRiskError if it cannot be deleted."""
    shutil.rmtree(left, ignore_errors=True)
    if left.exists() or left.is_symlink():
        raise BalanceRiskError(
            f"{left} was left by a build that was killed, holds data of persons and cannot be deleted. Delete it, then run "
            "this again."
        )
