"""What a run in the registry holds, so that the registry alone can tell how a model came about and how good it is.

The evaluation is kept whole, with the exact counts; metrics, parameters and tags, which the registry's pages show to whoever
may open them, leave out counts of 1 to 9. Digests of it and of the artifact go into the database, and the data are named by
digest and place only: no row of a person is copied. The input example is the model's golden rows, which mix the columns of many
persons and so are nobody's.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType
from typing import Any

from models.promotion_comparisons import CURRENT
from models.registry import (
    ARTIFACT_DIGEST,
    DEFAULT_TRACKING_URI,
    REPORT,
    REPORT_DIGEST,
    ModelVersion,
    _connected,
    _refuse_unusable,
    _sqlite_file,
    digest_of,
    registered_name,
)
from models.registry_numbers import flat_counts, flat_metrics, plain_name, shown
from models.risk_model import RiskModel

EXPERIMENT = "balance-risk"
EXAMPLE_ROWS = 3

_LOADER = "models.artifact"
_NEEDS = ("numpy", "lightgbm", "cryptography")
_METRICS_AT_ONCE, _PARAMETERS_AT_ONCE, _LONGEST_PARAMETER = 500, 100, 6000
"""What MLflow takes in one request, and of one parameter."""

_PLACE = re.compile(r"(?<![\w./:])/(?:(?!\. |: |\n).)*/")
"""The directories before a file's name: they tell of the machine, and may tell of its user."""

_DIGEST_DIGITS = 36
"""MLflow keeps no more of a data set's digest; the whole one is a tag."""


@dataclass(frozen=True)
class DataUsed:
    """A set of rows by name, place and digest.

    Parameters
    ----------
    name : str
        For example ``burnout.training``.
    context : str
        ``training`` or ``test``.
    source : str
        Where the rows lie.
    sha256 : str
        Of the file.
    about : mapping
        Counts and dates: rows, persons, events, first and last index date.
    """

    name: str
    context: str
    source: str
    sha256: str
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What is recorded beside a model.

    Parameters
    ----------
    report : mapping
        The evaluation, whole.
    tags : mapping
        Lineage: code revision, digests of training set, catalogue and contract.
    parameters : mapping
        Settings that were used, nested as in params.yaml.
    flow : mapping
        Reason -> how many rows it left out or kept.
    data : tuple of DataUsed
    files : mapping of folder in the run to paths
        Pictures, model card, comparison of the candidates.
    """

    report: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    flow: Mapping[str, int] = field(default_factory=dict)
    data: tuple[DataUsed, ...] = ()
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)


def register(
    model: RiskModel, directory: Path, evidence: Evidence, *, tracking_uri: str = DEFAULT_TRACKING_URI
) -> ModelVersion:
    """Record a run and register its artifact as a new version; no alias moves.

    Parameters
    ----------
    model : RiskModel
    directory : Path
        Its artifact as ``models.artifact.save`` wrote it.
    evidence : Evidence
    tracking_uri : str

    Returns
    -------
    ModelVersion

    Raises
    ------
    RegistryError
        The registry cannot be reached or refuses.
    """
    report = json.dumps(_without_places(evidence.report), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    digests = {ARTIFACT_DIGEST: digest_of(directory), REPORT_DIGEST: hashlib.sha256(report.encode()).hexdigest()}
    _refuse_unusable(tracking_uri)
    with _connected(tracking_uri) as mlflow:
        experiment = _experiment(mlflow, tracking_uri)
        with mlflow.start_run(experiment_id=experiment, run_name=f"{model.outcome} {model.name}") as run:
            _log_facts(mlflow, run.info.run_id, model, evidence, digests)
            _log_data(mlflow, model, evidence.data)
            _log_files(mlflow, run.info.run_id, report, evidence)
            logged = mlflow.pyfunc.log_model(
                name=model.outcome,
                loader_module=_LOADER,
                data_path=str(directory),
                signature=_signature(mlflow, model.feature_names),
                input_example=_example(model),
                pip_requirements=[f"{package}=={installed_version(package)}" for package in _NEEDS],
            )
            # Not before: log_model asks the server for the history of every metric that is there, one request each.
            _log_metrics(mlflow, run.info.run_id, evidence)
        created = _new_version(mlflow, registered_name(model.outcome), logged, run.info.run_id, digests)
        return ModelVersion(model.outcome, str(created.version), run.info.run_id, run.data.tags.get("mlflow.user", ""))


def _without_places(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report, with the file's name alone where the champion in service could not be opened."""
    current = report.get(CURRENT)
    if not current or not current.get("refused"):
        return dict(report)
    return {**report, CURRENT: {**current, "refused": _PLACE.sub("", current["refused"])}}


def _new_version(mlflow: ModuleType, name: str, logged: Any, run_id: str, tags: dict[str, str]) -> Any:
    client = mlflow.MlflowClient()
    if not client.search_registered_models(f"name='{name}'"):
        client.create_registered_model(name)
    return client.create_model_version(name, logged.model_uri, run_id=run_id, tags=tags, model_id=logged.model_id)


def _log_metrics(mlflow: ModuleType, run_id: str, evidence: Evidence) -> None:
    entities, client, now = mlflow.entities, mlflow.MlflowClient(), int(time.time() * 1000)
    metrics = flat_metrics(evidence.report) | flat_counts(evidence.flow, "flow")
    for some in _batches(metrics.items(), _METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=[entities.Metric(name, value, now, 0) for name, value in some])


def _log_facts(
    mlflow: ModuleType, run_id: str, model: RiskModel, evidence: Evidence, digests: Mapping[str, str]
) -> None:
    entities, client = mlflow.entities, mlflow.MlflowClient()
    for few in _batches(_parameters(model, evidence.parameters).items(), _PARAMETERS_AT_ONCE):
        client.log_batch(run_id, params=[entities.Param(name, value[:_LONGEST_PARAMETER]) for name, value in few])
    about = {name: str(model.facts[name]) for name in ("fingerprint", "synthetic") if name in model.facts}
    tags = about | dict(evidence.tags) | dict(digests)
    client.log_batch(run_id, tags=[entities.RunTag(name, value) for name, value in tags.items()])


def _parameters(model: RiskModel, settings: Mapping[str, Any]) -> dict[str, str]:
    known = {name: model.facts[name] for name in ("n", "persons", "events", "data_as_of") if name in model.facts}
    used = {"estimator.settings": model.facts.get("estimator", {}).get("settings", {})} | dict(settings)
    return {
        "outcome": model.outcome,
        "estimator": model.name,
        "kind": model.kind,
        "features": str(len(model.feature_names)),
        "refits": str(len(model.refits)),
        **{plain_name(name): shown(name, value) for name, value in known.items()},
        **{plain_name(name): str(value) for name, value in _leaves(used)},
    }


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _batches(items: Iterable[tuple[str, Any]], size: int) -> Iterator[list[tuple[str, Any]]]:
    every = list(items)
    return (every[start : start + size] for start in range(0, len(every), size))


def _log_data(mlflow: ModuleType, model: RiskModel, data: tuple[DataUsed, ...]) -> None:
    schema = mlflow.types.Schema([mlflow.types.ColSpec("double", name) for name in model.feature_names])
    sources = import_module("mlflow.data.dataset_source_registry")
    for used in data:
        found = import_module("mlflow.data.meta_dataset").MetaDataset(
            sources.resolve_dataset_source(used.source), used.name, used.sha256[:_DIGEST_DIGITS], schema
        )
        tags = {"sha256": used.sha256} | {name: shown(name, value) for name, value in used.about.items()}
        mlflow.log_input(found, context=used.context, tags=tags)


def _log_files(mlflow: ModuleType, run_id: str, report: str, evidence: Evidence) -> None:
    client = mlflow.MlflowClient()
    client.log_text(run_id, report, REPORT)
    for folder, paths in evidence.files.items():
        for path in paths:
            client.log_artifact(run_id, str(path), folder)


def _example(model: RiskModel) -> Any:
    if model.golden is None:
        return None
    rows = model.golden[0][:EXAMPLE_ROWS].astype(float)
    return import_module("pandas").DataFrame(rows, columns=list(model.feature_names))


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
