"""Where the partitions of persons are worked on: one after the other in this process, or on a Dask cluster.

Both do the same work on the same files and hand back the same small results; whoever calls puts them in order. A Dask
cluster speaks pickle: whoever reaches its scheduler can run code as its user, and a worker in the process that asks. So other
machines are spoken to by tls:// only; the service never imports this module.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, TypeVar

from data_contracts.errors import EngineError, SettingsError
from features.catalogue import FINGERPRINT
from pipeline.console import sha256
from pipeline.memory import keep_freed_memory
from pipeline.scheduler_address import refuse_address

Result = TypeVar("Result")
EngineName = Literal["local", "dask"]
Each = Callable[[Callable[[int], Any], int], Iterator[tuple[int, Any]]]
"""Given work and the number of partitions, yields each partition's number and result as they come."""
Describe = Callable[[], dict[str, str]]

CONNECT_SECONDS = 10
RETRIES = 2
"""How often a partition is tried again after an error, such as a file system that was away. A worker that is lost is another
matter: its partition goes to the next one, until ``distributed.scheduler.allowed-failures`` workers were lost on it."""

_PACKAGES = ("data_contracts", "features", "models", "pipeline", "serving")
_SILENT: dict[str, list[str]] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.preload": ["pipeline.dask_process"],
    "distributed.worker.preload": ["pipeline.dask_process"],
}
"""Without these, a scheduler and its workers answer plain HTTP, whatever protects what they say to each other."""


@contextmanager
def open_engine(
    engine: EngineName, scheduler: str | None, most_workers: int, read: Path, write: Path, spill: Path
) -> Iterator[Each]:
    """Yield what works on partitions.

    Parameters
    ----------
    engine : "local" or "dask"
    scheduler : str or None
        Address of a Dask scheduler, as tls://host:port, or tcp:// on this machine. None: a cluster on this machine with one
        process per processor, gone afterwards.
    most_workers : int
        A cluster on this machine needs no more.
    read, write : Path
        A file that every worker must see as it is here, and a directory in which every worker must be able to write.
    spill : Path
        Directory for what the workers of a cluster on this machine do not keep in memory: pseudonyms and labels.

    Raises
    ------
    SettingsError
        The choice makes no sense.
    EngineError
        The cluster is out of reach, runs other code than this process, sees other files, or loses its workers.
    """
    if engine == "local":
        refuse_scheduler(scheduler)
        yield _one_by_one
    else:
        with open_cluster(scheduler, most_workers, read, write, spill) as (client, describe, expected):
            yield partial(_on_cluster, client, describe, expected)


def refuse_scheduler(scheduler: str | None) -> None:
    """Raise SettingsError if a scheduler is named for work on this machine."""
    if scheduler is not None:
        raise SettingsError("--scheduler is the address of a Dask cluster: give --engine dask too, or leave it out.")


@contextmanager
def open_cluster(
    scheduler: str | None, most_workers: int, read: Path, write: Path | None, spill: Path
) -> Iterator[tuple[Any, Describe, dict[str, str]]]:
    """Yield the client of a Dask cluster whose workers fit this process, and how each of them is to describe itself.

    Parameters, and what is raised, are those of :func:`open_engine`; without ``write`` the workers write nothing.
    """
    with _client(scheduler, most_workers, spill) as client:
        describe = partial(description, read, write)
        expected = describe()
        _refuse_strangers(client, describe, expected)
        yield client, describe, expected


def _one_by_one(work: Callable[[int], Result], n_partitions: int) -> Iterator[tuple[int, Result]]:
    keep_freed_memory()
    for partition in range(n_partitions):
        yield partition, work(partition)


def _on_cluster(
    client: Any, describe: Describe, expected: dict[str, str], work: Callable[[int], Result], n_partitions: int
) -> Iterator[tuple[int, Result]]:
    from distributed import as_completed

    waiting = _submitted(client, describe, expected, work, n_partitions)
    with _failures_in_words():
        for future in as_completed(list(waiting)):
            yield waiting.pop(future), future.result()  # fetched when it is asked for, not when it is there


def in_turn(
    client: Any, describe: Describe, expected: dict[str, str], work: Callable[[int], Result], n_partitions: int
) -> Iterator[tuple[int, Result]]:
    """Yield each partition's number and result from the first to the last; what is done early waits on its worker."""
    waiting = _submitted(client, describe, expected, work, n_partitions)
    with _failures_in_words():
        while waiting:
            future = next(iter(waiting))
            yield waiting.pop(future), future.result()


def _submitted(
    client: Any, describe: Describe, expected: dict[str, str], work: Callable[[int], Any], n_partitions: int
) -> dict[Any, int]:
    guarded = partial(_as_here, describe, expected, work)
    return {
        client.submit(guarded, partition, pure=False, retries=RETRIES): partition for partition in range(n_partitions)
    }


@contextmanager
def _failures_in_words() -> Iterator[None]:
    from distributed import KilledWorker

    try:
        yield
    except KilledWorker:
        raise EngineError(
            "A partition was given up: every worker that began it was lost. The workers' logs say why; most often there "
            "was too little memory for it (dask worker --memory-limit)."
        ) from None
    except (CancelledError, OSError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise EngineError(f"The Dask cluster failed while it worked ({why}). Run it again.") from None


def _as_here(describe: Describe, expected: dict[str, str], work: Callable[[int], Result], partition: int) -> Result:
    """Do the work of a partition; workers that came later than the others are looked at here."""
    differing = _differing(describe(), expected)
    if differing:
        raise EngineError(f"A worker that came later than the others does not fit: {differing}")
    keep_freed_memory()
    return work(partition)


@contextmanager
def _client(scheduler: str | None, most_workers: int, spill: Path) -> Iterator[Any]:
    try:
        import distributed  # noqa: F401  asked here, once, whether it is installed at all
    except ImportError:
        raise SettingsError("--engine dask needs Dask: install with its extra 'cluster', as make setup does") from None
    if scheduler is None:
        with _cluster_here(most_workers, spill) as client:
            yield client
        return
    import dask

    refuse_address(scheduler, dask.config.get)
    with _connected(scheduler) as client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise EngineError(
                f"The scheduler at {scheduler} has no workers. Start some with: dask worker {scheduler}"
            ) from None
        yield client


@contextmanager
def _cluster_here(most_workers: int, spill: Path) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    workers = max(1, min(most_workers, os.cpu_count() or 1))
    # A certificate of its own: other users of this machine cannot give it work. What fails is raised here; a worker's
    # log would show stack traces of a heartbeat that found the cluster closing.
    with dask.config.set(_SILENT), LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, security=True, local_directory=str(spill),
        silence_logs=logging.CRITICAL,
    ) as cluster, Client(cluster) as client:  # fmt: skip
        yield client


def _connected(scheduler: str) -> Any:
    from distributed import Client

    try:
        return Client(scheduler, timeout=CONNECT_SECONDS)
    except (TypeError, ValueError, RuntimeError, ssl.SSLError) as error:
        raise EngineError(
            f"Dask cannot speak to {scheduler} ({type(error).__name__}). Check the certificates and distributed.comm in "
            "Dask's configuration."
        ) from None
    except OSError:
        raise EngineError(
            f"No Dask scheduler answers at {scheduler} within {CONNECT_SECONDS} s. Start one with: dask scheduler"
        ) from None


def _refuse_strangers(client: Any, describe: Describe, expected: dict[str, str]) -> None:
    try:
        found = client.run(describe, on_error="return")
    except Exception as error:  # whatever a worker without this code makes of it
        raise EngineError(f"The workers cannot run balance-risk ({type(error).__name__}): install it there.") from None
    for worker, its in found.items():
        if isinstance(its, Exception):
            raise EngineError(f"{worker} cannot run balance-risk ({type(its).__name__}): install it there.")
        differing = _differing(its, expected)
        if differing:
            raise EngineError(f"{worker} does not fit: {differing}")


def _differing(its: dict[str, str], expected: dict[str, str]) -> str:
    return "; ".join(
        f"{name} is {its.get(name)} there, {here} here" for name, here in expected.items() if its.get(name) != here
    )


def description(read: Path, write: Path | None) -> dict[str, str]:
    """Say what decides the results of a process and whether it works on the same files; equal in every worker.

    Parameters
    ----------
    read : Path
        A file, named by its content.
    write : Path, optional
        A directory, named by whether this process may write in it.
    """
    seen = {f"{read}": sha256(read)[:12] if read.is_file() else "not there (the workspace must be at the same path)"}
    written = {} if write is None else {f"{write}": "writable" if os.access(write, os.W_OK) else "not writable"}
    return _code() | seen | written


@cache  # what was imported, not what an update has put there since
def _code() -> dict[str, str]:
    root = Path(__file__).parents[1]
    files = sorted(path for name in _PACKAGES for path in (root / name).rglob("*") if path.suffix in (".py", ".csv"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(root)}\0{sha256(path)}\n".encode())
    libraries = {name: _version(name) for name in ("balance-risk", "numpy", "pyarrow")}
    return libraries | {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "the catalogue of features": FINGERPRINT[:12],
        "the code": digest.hexdigest()[:12],
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # an image holds the code as files; its digest says more
        return "not installed"
