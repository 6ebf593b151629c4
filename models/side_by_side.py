"""Independent pieces of work, such as the fits of a comparison, side by side on two processors.

Every piece runs on one thread and sums in its own order, so results have the same bits whatever the number of workers, and on
any machine. Threads, not processes: the work is done by LightGBM, BLAS and interpret, which let go of the interpreter, and
nothing is copied. (Two threads inside one LightGBM fit were measured too: beside other work they wait for each other most
of the time.)
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from pathlib import Path
from threading import Lock
from typing import TypeVar

from threadpoolctl import threadpool_limits

WORKERS = 2
"""Pieces that run at the same time: more would need as much more memory, each fit having a copy of its rows."""

Item = TypeVar("Item")
Result = TypeVar("Result")

_WORKERS: ContextVar[int] = ContextVar("workers", default=WORKERS)

_EXPECTED = (
    "Missing values detected",  # interpret, about drawings that nobody sees
    "Objective did not converge",  # scikit-learn's paths, which are near enough to rank strengths
)


@contextmanager
def workers(n: int) -> Iterator[None]:
    """Let so many pieces run at the same time meanwhile; 1: one after the other, in the caller's thread."""
    token = _WORKERS.set(n)
    try:
        yield
    finally:
        _WORKERS.reset(token)


def memory_of_this_machine(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the bytes of memory of the machine, or of the container or service that we are in if it has a limit below."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([whole, *_limits(groups, own)])


def _limits(groups: Path, own: Path) -> Iterator[int]:
    """Yield what the control groups allow, version 2 or 1, ours and those that it is in."""
    lines = own.read_text(encoding="utf-8").splitlines() if own.is_file() else []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "memory" not in controllers.split(","):
            continue
        top, name = (groups / "memory", "memory.limit_in_bytes") if controllers else (groups, "memory.max")
        place = top / path.lstrip("/")
        for folder in (place, *place.parents):
            said = (folder / name).read_text().strip() if (folder / name).is_file() else ""
            if said.isdigit():
                yield int(said)
            if folder == top:
                break


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield the result of each item in the order of the items; inside a piece of work there is one worker only.

    Parameters
    ----------
    work : callable
        Must not depend on what other pieces do.
    items : iterable
    """
    pieces, n = list(items), _WORKERS.get()
    if min(n, len(pieces)) < 2:
        yield from map(work, pieces)
        return
    # Limits of BLAS are the process's and those of OpenMP each thread's, so both are set: here and in every piece.
    with threadpool_limits(1), without_expected_warnings(), ThreadPoolExecutor(n) as pool:
        waiting = deque(pool.submit(copy_context().run, _alone, work, piece) for piece in pieces)
        try:
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _alone(work: Callable[[Item], Result], piece: Item) -> Result:
    with workers(1), threadpool_limits(1):
        return work(piece)


class _Quiet:
    """How many are inside :func:`without_expected_warnings`, in all threads, and what the first found."""

    lock = Lock()
    inside = 0
    caught: warnings.catch_warnings | None = None


@contextmanager
def without_expected_warnings() -> Iterator[None]:
    """Ignore the warnings that the estimators' libraries give by habit, until the last of all threads has left.

    ``warnings.catch_warnings`` alone is not made for threads: who leaves first takes the filter from who is still inside.
    """
    with _Quiet.lock:
        _Quiet.inside += 1
        if _Quiet.inside == 1:
            _Quiet.caught = warnings.catch_warnings()
            _Quiet.caught.__enter__()
            for message in _EXPECTED:
                warnings.filterwarnings("ignore", message=message)
    try:
        yield
    finally:
        with _Quiet.lock:
            _Quiet.inside -= 1
            if _Quiet.inside == 0 and _Quiet.caught is not None:
                _Quiet.caught.__exit__(None, None, None)
