"""The model registry: runs, versions and aliases in MLflow. The only door to mlflow.

A version holds the artifact's text files and names ``models.artifact`` as their loader, so nothing is pickled. mlflow
is imported on first use, after its settings are in place: no telemetry, and a quick answer when a server is down.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType
from typing import Any

from data_contracts.errors import RegistryError
from models.risk_model import RiskModel

DEFAULT_TRACKING_URI = "sqlite:///mlflow.db"
EXPERIMENT = "balance-risk"
CHAMPION = "champion"

_SQLITE = "sqlite:///"
_LOADER = "models.artifact"
_NEEDS = ("numpy", "lightgbm", "cryptography")
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}


@dataclass(frozen=True)
class ModelVersion:
    """One registered version of an outcome's model, and where its artifact is on this machine (if it was fetched)."""

    outcome: str
    version: str
    run_id: str
    path: Path | None = None

    @property
    def name(self) -> str:
        """Name in the registry."""
        return registered_name(self.outcome)


def registered_name(outcome: str) -> str:
    """Return the name under which models of an outcome are registered."""
    return f"balance-risk.{outcome}"


def register(
    model: RiskModel,
    directory: Path,
    *,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    tracking_uri: str = DEFAULT_TRACKING_URI,
) -> ModelVersion:
    """Record a run and register its artifact as a new version; no alias moves.

    Parameters
    ----------
    model : RiskModel
    directory : Path
        Its artifact as ``models.artifact.save`` wrote it.
    metrics : mapping
        Numbers of the evaluation; see :func:`flat_metrics`.
    tags : mapping
        Lineage: git commit, hash of the data, contract version, ...
    tracking_uri : str

    Returns
    -------
    ModelVersion

    Raises
    ------
    RegistryError
        The registry cannot be reached or refuses.
    """
    _refuse_unusable(tracking_uri)
    with _connected(tracking_uri) as mlflow:
        experiment = _experiment(mlflow, tracking_uri)
        with mlflow.start_run(experiment_id=experiment, run_name=f"{model.outcome} {model.name}") as run:
            _log_numbers(mlflow, run.info.run_id, model, metrics, tags)
            logged = mlflow.pyfunc.log_model(
                name=model.outcome,
                loader_module=_LOADER,
                data_path=str(directory),
                signature=_signature(mlflow, model.feature_names),
                pip_requirements=[f"{package}=={installed_version(package)}" for package in _NEEDS],
            )
        created = _new_version(mlflow, registered_name(model.outcome), logged, run.info.run_id)
        return ModelVersion(model.outcome, str(created.version), run.info.run_id)


def promote_alias(
    outcome: str, version: str, *, alias: str = CHAMPION, tracking_uri: str = DEFAULT_TRACKING_URI
) -> ModelVersion:
    """Point an alias at a version; raises RegistryError if there is none or it is not complete."""
    name = registered_name(outcome)
    _refuse_empty(tracking_uri)
    with _connected(tracking_uri, f"There is no version {version} of {name}") as mlflow:
        found = _complete_version(mlflow, name, version)
        mlflow.MlflowClient().set_registered_model_alias(name, alias, version)
        return ModelVersion(outcome, version, found.run_id)


def fetch(outcome: str, version: str, destination: Path, *, tracking_uri: str = DEFAULT_TRACKING_URI) -> ModelVersion:
    """Copy the artifact of a version into a directory of its own under ``destination``.

    Returns
    -------
    ModelVersion, its ``path`` the artifact directory for ``models.artifact.load``.

    Raises
    ------
    RegistryError
        There is no such version, it is not complete, or the registry cannot be reached.
    """
    name = registered_name(outcome)
    _refuse_empty(tracking_uri)
    with _connected(tracking_uri, f"There is no version {version} of {name}") as mlflow:
        found = _complete_version(mlflow, name, version)
        place = destination / name / version
        place.mkdir(parents=True, exist_ok=True)
        copy = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/{version}", dst_path=str(place))
        flavour = mlflow.models.Model.load(copy).flavors["python_function"]
        return ModelVersion(outcome, version, found.run_id, Path(copy) / flavour["data"])


def resolve(outcome: str, *, alias: str = CHAMPION, tracking_uri: str = DEFAULT_TRACKING_URI) -> str:
    """Return the version an alias points at; raises RegistryError if there is none."""
    name = registered_name(outcome)
    _refuse_empty(tracking_uri)
    with _connected(tracking_uri, f"No version of {name} has the alias '{alias}'") as mlflow:
        return str(mlflow.MlflowClient().get_model_version_by_alias(name, alias).version)


def _complete_version(mlflow: ModuleType, name: str, version: str) -> Any:
    client = mlflow.MlflowClient()
    found = client.get_model_version(name, version)
    run = client.get_run(found.run_id)
    if found.status != "READY" or run.info.status != "FINISHED":
        raise RegistryError(
            f"Version {version} of {name} is {found.status}, its run {run.info.status}: registering it was interrupted. "
            "Run: balance-risk register"
        )
    return found


def latest_version(outcome: str, *, tracking_uri: str = DEFAULT_TRACKING_URI) -> str:
    """Return the newest registered version of an outcome; raises RegistryError if there is none."""
    name = registered_name(outcome)
    _refuse_empty(tracking_uri)
    with _connected(tracking_uri) as mlflow:
        versions = mlflow.MlflowClient().search_model_versions(f"name='{name}'")
    if not versions:
        raise RegistryError(f"Nothing is registered as {name} yet. Run: balance-risk register")
    return str(max(int(found.version) for found in versions))


def flat_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Name the numbers of an evaluation report as MLflow wants them: ``champion.auroc``, ``champion.auroc.low``, ..."""
    numbers = {}
    for model, metrics in report["models"].items():
        who = "champion" if model == report["champion"] else model
        for metric, found in metrics.items():
            numbers[f"{who}.{metric}"] = found["value"]
            if who == "champion":
                numbers |= {f"{who}.{metric}.{end}": found[end] for end in ("low", "high")}
    return numbers


def _new_version(mlflow: ModuleType, name: str, logged: Any, run_id: str) -> Any:
    client = mlflow.MlflowClient()
    if not client.search_registered_models(f"name='{name}'"):
        client.create_registered_model(name)
    return client.create_model_version(name, logged.model_uri, run_id=run_id, model_id=logged.model_id)


def _log_numbers(
    mlflow: ModuleType, run_id: str, model: RiskModel, metrics: Mapping[str, float], tags: Mapping[str, str]
) -> None:
    entities, now = mlflow.entities, int(time.time() * 1000)
    params = {
        "outcome": model.outcome,
        "estimator": model.name,
        "kind": model.kind,
        "features": len(model.feature_names),
        "refits": len(model.refits),
        **{name: model.facts[name] for name in ("n", "persons", "events", "data_as_of") if name in model.facts},
    }
    about = {name: str(model.facts[name]) for name in ("fingerprint", "synthetic") if name in model.facts}
    mlflow.MlflowClient().log_batch(
        run_id,
        metrics=[entities.Metric(name, float(value), now, 0) for name, value in metrics.items()],
        params=[entities.Param(name, str(value)) for name, value in params.items()],
        tags=[entities.RunTag(name, value) for name, value in (about | dict(tags)).items()],
    )


def _signature(mlflow: ModuleType, feature_names: tuple[str, ...]) -> Any:
    """Every feature a required double: inferred from rows, one with a missing value would become optional."""
    columns = [mlflow.types.ColSpec("double", name) for name in feature_names]
    schema = mlflow.types.Schema
    return mlflow.models.ModelSignature(inputs=schema(columns), outputs=schema([mlflow.types.ColSpec("double")]))


def _experiment(mlflow: ModuleType, tracking_uri: str) -> str:
    found = mlflow.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    beside = _sqlite_file(tracking_uri)
    location = None if beside is None else str(beside.parent / "mlartifacts")
    return str(mlflow.create_experiment(EXPERIMENT, artifact_location=location))


def _sqlite_file(tracking_uri: str) -> Path | None:
    return Path(tracking_uri.removeprefix(_SQLITE)).resolve() if tracking_uri.startswith(_SQLITE) else None


def _refuse_empty(tracking_uri: str) -> None:
    """Say that nothing is there, rather than let MLflow make an empty database."""
    file = _sqlite_file(tracking_uri)
    if file is not None and not file.exists():
        raise RegistryError(f"There is no model registry at {tracking_uri} yet. Run: balance-risk register")


def _refuse_unusable(tracking_uri: str) -> None:
    """Try the database file first: MLflow would retry for 100 seconds before it says that it cannot be opened."""
    file = _sqlite_file(tracking_uri)
    if file is None:
        return
    try:
        sqlite3.connect(file).close()
    except sqlite3.Error:
        raise RegistryError(_cannot_use(tracking_uri)) from None


def _cannot_use(tracking_uri: str) -> str:
    return (
        f"The model registry at {tracking_uri} cannot be used. Check that the place exists, can be written and is not "
        "locked by another process."
    )


@contextmanager
def _connected(
    tracking_uri: str, missing: str = "The registry does not have what was asked for"
) -> Iterator[ModuleType]:
    """Import mlflow pointed at the registry; its errors become RegistryError."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        # mlflow and SQLAlchemy warn about each other's deprecations, which nobody here can mend.
        warnings.simplefilter("ignore")
        mlflow = import_module("mlflow")
        with _mlflow_errors_explained(tracking_uri, missing):
            mlflow.set_tracking_uri(tracking_uri)
            yield mlflow


@contextmanager
def _mlflow_errors_explained(tracking_uri: str, missing: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        raise RegistryError(_explain(error, tracking_uri, missing)) from None
    except (SQLAlchemyError, OSError):
        raise RegistryError(_cannot_use(tracking_uri)) from None


def _explain(error: Any, tracking_uri: str, missing: str) -> str:
    # MLflow reports a missing alias as INVALID_PARAMETER_VALUE, a missing version or model as RESOURCE_DOES_NOT_EXIST.
    if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
        return f"{missing} (registry {tracking_uri}). Run: balance-risk register, then: balance-risk promote"
    return (
        f"The model registry at {tracking_uri} failed: {error.error_code}. Check that the server is up and try again."
    )
