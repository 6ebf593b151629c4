"""The model registry: runs, versions and aliases in MLflow. The only door to mlflow.

A version holds the artifact's text files and names ``models.artifact`` as their loader, so nothing is pickled. mlflow
is imported on first use, after its settings are in place: no telemetry, and a quick answer when a server is down.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from data_contracts.errors import ArtifactError, RegistryError
from models.registry_address import refuse_unreachable
from models.registry_faults import broken_off, cannot_use, explained

DEFAULT_TRACKING_URI = "sqlite:///mlflow.db"
CHAMPION = "champion"

ARTIFACT_DIGEST, REPORT_DIGEST = "artifact_sha256", "evaluation_sha256"
"""Tags of a version, written when it was registered. They are in the database, what they vouch for is in files."""

REPORT = "evaluation/report.json"
"""Where a run keeps its evaluation."""

_NOTHING = "Nothing is registered as {} yet. Run: balance-risk register"
_SQLITE = "sqlite:///"
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_ELSEWHERE = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_RUN_ID")
"""Variables by which MLflow would divert a run, or which it sets itself when it is told where to go."""


class NothingRegistered(RegistryError):
    """An outcome has no version yet."""


@dataclass(frozen=True)
class ModelVersion:
    """One registered version of an outcome's model.

    Parameters
    ----------
    outcome, version, run_id : str
    registered_by : str
        Account under which it was registered, as MLflow has it; "" if that is not known.
    path : Path, optional
        Where its artifact is on this machine, if it was fetched.
    report : dict
        The evaluation that was registered with it, if it was fetched.
    """

    outcome: str
    version: str
    run_id: str
    registered_by: str = ""
    path: Path | None = None
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name in the registry."""
        return registered_name(self.outcome)


def registered_name(outcome: str) -> str:
    """Return the name under which models of an outcome are registered."""
    return f"balance-risk.{outcome}"


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


def aliased_version(outcome: str, *, alias: str = CHAMPION, tracking_uri: str = DEFAULT_TRACKING_URI) -> str | None:
    """Return the version an alias points at, None if at none; raises NothingRegistered (a RegistryError) without versions."""
    name = registered_name(outcome)
    _refuse_empty(tracking_uri)
    with _connected(tracking_uri) as mlflow:
        found = mlflow.MlflowClient().search_registered_models(f"name='{name}'")
    if not found:
        raise NothingRegistered(_NOTHING.format(name))
    version = found[0].aliases.get(alias)
    return None if version is None else str(version)


def release_alias(outcome: str, *, alias: str = CHAMPION, tracking_uri: str = DEFAULT_TRACKING_URI) -> None:
    """Take an alias away; none is there already is no error. Raises RegistryError if the registry cannot be reached."""
    with _connected(tracking_uri) as mlflow:
        mlflow.MlflowClient().delete_registered_model_alias(registered_name(outcome), alias)


def fetch(outcome: str, version: str, destination: Path, *, tracking_uri: str = DEFAULT_TRACKING_URI) -> ModelVersion:
    """Copy a version's artifact into a directory of its own under ``destination``, and read its evaluation.

    Returns
    -------
    ModelVersion, its ``path`` the artifact directory for ``models.artifact.load``.

    Raises
    ------
    RegistryError
        There is no such version, it is not complete, or the registry cannot be reached.
    ArtifactError
        The artifact or its evaluation is not what was registered.
    """
    name = registered_name(outcome)
    _refuse_empty(tracking_uri)
    with _connected(tracking_uri, f"There is no version {version} of {name}, or files of it are gone") as mlflow:
        found = _complete_version(mlflow, name, version)
        place = destination / name / version
        place.mkdir(parents=True, exist_ok=True)
        copy = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/{version}", dst_path=str(place))
        path = Path(copy) / _data_of(mlflow, copy, f"version {version} of {name}")
        report = mlflow.artifacts.download_artifacts(run_id=found.run_id, artifact_path=REPORT, dst_path=str(place))
        content = Path(report).read_bytes()
        user = mlflow.MlflowClient().get_run(found.run_id).data.tags.get("mlflow.user", "")
    where = f"version {version} of {name} in {tracking_uri}"
    _refuse_altered(f"The artifact of {where}", digest_of(path), found.tags.get(ARTIFACT_DIGEST))
    _refuse_altered(f"The evaluation of {where}", hashlib.sha256(content).hexdigest(), found.tags.get(REPORT_DIGEST))
    return ModelVersion(outcome, version, found.run_id, user, path, json.loads(content))


def digest_of(directory: Path) -> str:
    """Return one SHA-256 for the names and contents of all files of a directory."""
    digests = {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if not path.is_dir()
    }
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()


def _data_of(mlflow: ModuleType, copy: str, what: str) -> str:
    """Where the artifact lies in a downloaded model, as MLflow's own file says; that file has no digest, so it is doubted."""
    try:
        data = mlflow.models.Model.load(copy).flavors["python_function"]["data"]
        inside = (Path(copy) / data).resolve().relative_to(Path(copy).resolve())
    except (KeyError, TypeError, ValueError):
        raise ArtifactError(f"The MLmodel file of {what} was altered. Register the model again.") from None
    return str(inside)


def _refuse_altered(what: str, digest: str, registered: str | None) -> None:
    if registered is None:
        raise ArtifactError(f"{what} has no digest, so it cannot be verified. Run: balance-risk register")
    if digest != registered:
        raise ArtifactError(f"{what} is not what was registered. Find out who altered it, then: balance-risk register")


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
    """Return the newest registered version of an outcome; raises NothingRegistered (a RegistryError) if there is none."""
    return versions(outcome, tracking_uri=tracking_uri)[-1]


def versions(outcome: str, *, tracking_uri: str = DEFAULT_TRACKING_URI) -> list[str]:
    """Return all registered versions of an outcome, oldest first; raises NothingRegistered (a RegistryError) without any."""
    name = registered_name(outcome)
    _refuse_empty(tracking_uri)
    with _connected(tracking_uri) as mlflow:
        found = mlflow.MlflowClient().search_model_versions(f"name='{name}'")
    if not found:
        raise NothingRegistered(_NOTHING.format(name))
    return [str(number) for number in sorted(int(one.version) for one in found)]


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
        raise RegistryError(cannot_use(tracking_uri)) from None


@contextmanager
def _connected(
    tracking_uri: str, missing: str = "The registry does not have what was asked for"
) -> Iterator[ModuleType]:
    """Import mlflow pointed at the registry; its errors become RegistryError."""
    refuse_unreachable(tracking_uri)
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with warnings.catch_warnings(), _nowhere_else():
        # mlflow and SQLAlchemy warn about each other's deprecations, which nobody here can mend.
        warnings.simplefilter("ignore")
        mlflow = import_module("mlflow")
        with _mlflow_errors_explained(tracking_uri, missing):
            mlflow.set_tracking_uri(tracking_uri)
            yield mlflow


@contextmanager
def _nowhere_else() -> Iterator[None]:
    """Hide what diverts, and leave the environment as it was: the next registry may be another one."""
    hidden = {name: os.environ.pop(name) for name in _ELSEWHERE if name in os.environ}
    try:
        yield
    finally:
        for name in _ELSEWHERE:
            os.environ.pop(name, None)
        os.environ.update(hidden)


@contextmanager
def _mlflow_errors_explained(tracking_uri: str, missing: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        raise RegistryError(explained(error, tracking_uri, missing)) from None
    except (SQLAlchemyError, OSError) as error:
        raise RegistryError(broken_off(error, tracking_uri)) from None
