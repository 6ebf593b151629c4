"""The runs of the registry as a table, for whoever explores: a row is a version, what it is of and how good it was."""

from __future__ import annotations

from typing import Any

from models.registry import CHAMPION, DEFAULT_TRACKING_URI, _connected, _refuse_empty, registered_name
from models.registry_runs import EXPERIMENT

_ABOUT = {"start_time": "started", "status": "status", "params.outcome": "outcome", "params.estimator": "model",
          "params.features": "features", "params.persons": "persons", "params.events": "events"}  # fmt: skip
_NUMBERS = ("auroc", "calibration_slope", "observed_to_expected")
_ENDS = ("", ".low", ".high")


def runs(outcome: str, *, tracking_uri: str = DEFAULT_TRACKING_URI) -> Any:
    """Return the registered runs of an outcome, oldest first.

    Returns
    -------
    pandas.DataFrame
        Version, whether it is the champion, when and of what it was made, and the champion's numbers on the test rows with
        their intervals (``auroc``, ``auroc.low``, ``auroc.high`` ...). Empty if nothing is registered.

    Raises
    ------
    RegistryError
        There is no registry yet, or it cannot be reached.
    """
    _refuse_empty(tracking_uri)
    name = registered_name(outcome)
    with _connected(tracking_uri) as mlflow:
        client = mlflow.MlflowClient()
        models = client.search_registered_models(f"name='{name}'")
        champion = models[0].aliases.get(CHAMPION) if models else None
        versions = {one.run_id: int(one.version) for one in client.search_model_versions(f"name='{name}'")}
        found = mlflow.search_runs(experiment_names=[EXPERIMENT], filter_string=f"params.outcome = '{outcome}'")
    columns = _ABOUT | {f"metrics.champion.{one}{end}": f"{one}{end}" for one in _NUMBERS for end in _ENDS}
    table = found.reindex(columns=["run_id", *columns]).rename(columns=columns)
    table.insert(0, "version", table.pop("run_id").map(versions))
    table = table[table["version"].notna()].astype({"version": int}).sort_values("version", ignore_index=True)
    table.insert(1, "champion", table["version"] == (-1 if champion is None else int(champion)))
    return table
