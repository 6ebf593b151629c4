"""Who may work in a workspace at the same time: ingest and erase alone, builds of different outcomes beside each other.

A build that has read a person must not put her features in place after an erasure has certified that she is gone. The
locks are the operating system's and end with the process that holds them, however it ends. Machines that share a
workspace may not see each other's, so a build also compares how the tables stand before it puts anything in place.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from data_contracts.errors import BalanceRiskError, EngineError
from pipeline.workspace import Workspace

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Stand = dict[str, tuple[int, int]]
"""Name of a file -> its size and when it was changed, in nanoseconds."""

_NAME = ".lock"
_BUSY = "Another ingest, erase or build-training-set works in {}. Wait until it has ended, then run this again."
_BUSY_POINTER = "Another promote works on {}. Wait until it has ended, then run this again."
_BUSY_OUTCOME = "Another build-training-set works on {}. Wait until it has ended, or build another outcome meanwhile."


class WorkspaceBusy(BalanceRiskError):
    """Another command is at work where this one would change, or read, what must stand still."""


def alone(
    stage: Callable[Concatenate[Workspace, Parameters], Result],
) -> Callable[Concatenate[Workspace, Parameters], Result]:
    """Let a stage, whose first argument is the workspace, run only while nothing else works there.

    Raises
    ------
    WorkspaceBusy
        Something does; nothing is waited for.
    """

    @wraps(stage)
    def locked(workspace: Workspace, *args: Parameters.args, **options: Parameters.kwargs) -> Result:
        with _held(_home(workspace) / _NAME, fcntl.LOCK_EX, _BUSY.format(workspace.root.resolve())):
            return stage(workspace, *args, **options)

    return locked


@contextmanager
def building(workspace: Workspace, outcomes: Iterable[str]) -> Iterator[None]:
    """Hold a workspace against ingest and erase, and each outcome against a second build of it.

    Raises
    ------
    WorkspaceBusy
        One of them is taken; nothing is waited for.
    """
    home = _home(workspace)
    with ExitStack() as held:
        held.enter_context(_held(home / _NAME, fcntl.LOCK_SH, _BUSY.format(workspace.root.resolve())))
        for name in sorted({*outcomes}):
            # Beside data/training, which is DVC's: it empties an output before the stage that makes it.
            held.enter_context(_held(home / f"{_NAME}-{name}", fcntl.LOCK_EX, _BUSY_OUTCOME.format(name)))
        yield


@contextmanager
def promoting(workspace: Workspace, outcome: str) -> Iterator[None]:
    """Hold what serves an outcome against a second promotion or rollback.

    Raises
    ------
    WorkspaceBusy
        There is one; nothing is waited for.
    """
    with _held(workspace.bundles / f"{_NAME}-{outcome}", fcntl.LOCK_EX, _BUSY_POINTER.format(outcome)):
        yield


def _home(workspace: Workspace) -> Path:
    return workspace.tables.parent


@contextmanager
def _held(path: Path, mode: int, busy: str) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("ab")
    except OSError as error:
        raise BalanceRiskError(
            f"{path} cannot be written ({error.strerror}), and without it nothing is safe."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceBusy(busy) from None
        except OSError as error:
            raise BalanceRiskError(
                f"{path} cannot be locked ({error.strerror}). Keep the workspace on a file system that has locks."
            ) from None
        yield


def stand(tables: Path) -> Stand:
    """Return how the tables of a directory stand now; a file that is replaced stands differently."""
    found = {}
    for path in sorted(tables.glob("*.parquet")):
        with path.open("rb") as file:  # opened, so that a network file system asks anew
            about = os.fstat(file.fileno())
        found[path.name] = (about.st_size, about.st_mtime_ns)
    return found


def refuse_changed(tables: Path, before: Stand) -> None:
    """Raise EngineError if tables do not stand as they did."""
    if stand(tables) != before:
        raise EngineError(
            f"The tables in {tables} were changed while they were read, perhaps from another machine. Nothing was put in "
            "place. Run build-training-set again."
        )
