"""Boosted trees grown on a Dask cluster by LightGBM's own estimators: each worker holds a share of the rows.

Trees grown so are not the same, split by split, as those of one process (every worker finds the bins of its share), but as
good: tested to 0.002 of AUROC. The workers speak plain TCP to each other, whatever protects Dask's own messages: keep
them inside a trusted network. LightGBM looks for Dask once, when it is loaded:
call :func:`meet_dask` first of all.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import EngineError, SettingsError
from pipeline.engine import RETRIES, open_cluster

Grow = Callable[..., str]
"""As :func:`models.estimators.grow`: parameters, rows and names in, LightGBM's text model out."""

PARTS_PER_WORKER = 2
PORT_WAIT_MINUTES = 2
RECOVERY_SECONDS = 60
"""How long lost workers are waited for before a model begins anew with those that are there."""

_LOADED_WITHOUT_DASK = (
    "LightGBM was loaded without Dask in this process. Use the verb: balance-risk train --engine dask"
)


@contextmanager
def cluster_that_grows(scheduler: str | None, most_workers: int, rows: Path, spill: Path) -> Iterator[Grow]:
    """Yield what grows trees on a cluster.

    Parameters
    ----------
    scheduler : str or None
        As in :func:`pipeline.engine.open_engine`.
    most_workers : int
    rows : Path
        The training set's file: every worker must see it, and be able to write beside it.
    spill : Path

    Raises
    ------
    SettingsError, EngineError
        As :func:`pipeline.engine.open_engine`.
    """
    with open_cluster(scheduler, most_workers, rows, rows.parent, spill) as (client, _, _):
        meet_dask()
        _silence()
        yield partial(_grown, client, _n_workers(client))


def _silence() -> None:
    """Keep LightGBM's Dask estimators from writing about ports and parameters among what the verb says."""
    quiet = logging.getLogger(f"{__name__}.lightgbm")
    quiet.propagate = False
    quiet.addHandler(logging.NullHandler())
    import_module("lightgbm").register_logger(quiet)


def meet_dask() -> None:
    """Load what LightGBM looks for when it is loaded itself; to be called before anything of ``models`` is imported.

    Raises
    ------
    SettingsError
        Dask is not installed.
    EngineError
        LightGBM was loaded before.
    """
    try:
        for name in ("dask.dataframe", "pandas", "sklearn"):
            import_module(name)
    except ImportError:
        raise SettingsError("--engine dask needs Dask: install with its extra 'cluster', as make setup does") from None
    if not import_module("lightgbm.compat").PANDAS_INSTALLED:
        raise EngineError(_LOADED_WITHOUT_DASK)


def _grown(
    client: Any, n_workers: int, parameters: dict[str, Any], X: np.ndarray, y: np.ndarray, weight: np.ndarray,
    feature_names: Sequence[str] = (),
) -> str:  # fmt: skip
    from dask.distributed import KilledWorker
    from lightgbm.basic import LightGBMError

    for _ in range(RETRIES):
        # What a worker held is lost with it, but all rows are here: the others begin anew.
        with suppress(KilledWorker, CancelledError, LightGBMError, OSError):
            return _grown_once(client, parameters, X, y, weight, feature_names)
        _recover(client, n_workers)
    try:
        return _grown_once(client, parameters, X, y, weight, feature_names)
    except KilledWorker:
        raise EngineError(
            "The training was given up: every worker that began a share of the rows was lost. The workers' logs say "
            "why; most often there was too little memory for it (dask worker --memory-limit)."
        ) from None
    except (CancelledError, LightGBMError, OSError) as error:
        raise EngineError(
            f"The workers were lost or cannot reach each other ({type(error).__name__}). Run it again."
        ) from None


def _grown_once(
    client: Any, parameters: dict[str, Any], X: np.ndarray, y: np.ndarray, weight: np.ndarray,
    feature_names: Sequence[str],
) -> str:  # fmt: skip
    from lightgbm.dask import DaskLGBMRegressor

    from models.estimators.trees import without_extremes

    # The regressor takes any objective, "binary" included: labels and text model are what matters here.
    trees = DaskLGBMRegressor(client=client, tree_learner="data", time_out=PORT_WAIT_MINUTES, **parameters)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Parameter .* will be ignored")  # threads are Dask's to give
        shared = [_shared(client, values, PARTS_PER_WORKER * _n_workers(client)) for values in (X, y, weight)]
        trees.fit(shared[0], shared[1], sample_weight=shared[2])
    return without_extremes(_named(trees.booster_.model_to_string(), feature_names))


def _n_workers(client: Any) -> int:
    return len(client.scheduler_info(n_workers=-1)["workers"])


def _recover(client: Any, n_workers: int) -> None:
    """End what still waits for a lost worker, and give the cluster time to be whole again.

    LightGBM tries for two minutes to reach a worker that was lost before they had met, cannot be told to stop, and may
    crash at the end; what it holds is of no use any more.
    """
    # Nobody starts a worker without a nanny again (ValueError): it has to give up by itself. One may go meanwhile (KeyError).
    with suppress(ValueError, KeyError, OSError):
        busy = client.run(_grows, on_error="ignore")
        stuck = [address for address, grows in busy.items() if grows]
        client.restart_workers(stuck, timeout=RECOVERY_SECONDS, raise_for_error=False)
    with suppress(OSError):
        client.wait_for_workers(n_workers, timeout=RECOVERY_SECONDS)


def _grows(dask_worker: Any) -> bool:
    """Say whether a worker is growing trees; Dask gives it itself, by the name of the parameter."""
    return any("_train_part" in str(task.key) for task in dask_worker.state.executing)


def _named(text: str, feature_names: Sequence[str]) -> str:
    """Give the columns of an array their names; the trees go by number."""
    if not feature_names:
        return text
    numbered = "feature_names=" + " ".join(f"Column_{number}" for number in range(len(feature_names)))
    return text.replace(numbered, "feature_names=" + " ".join(feature_names), 1)


def _shared(client: Any, values: np.ndarray, n_parts: int) -> Any:
    """Scatter rows over the workers and return them as one Dask array."""
    import dask
    import dask.array

    parts = np.array_split(values, n_parts)
    arrays = [
        dask.array.from_delayed(dask.delayed(future), part.shape, part.dtype)
        for future, part in zip(client.scatter(parts), parts, strict=True)
    ]
    return dask.array.concatenate(arrays)
