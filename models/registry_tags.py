"""What the registry knows about the rows each version was trained on, and the mark that a version should be retrained."""

from __future__ import annotations

from models.registry import DEFAULT_TRACKING_URI, _connected, _refuse_empty, registered_name

TRAINING_SET = "training_set_sha256"
RETRAIN_DUE = "retrain_due"


def training_sets(outcomes: list[str], *, tracking_uri: str = DEFAULT_TRACKING_URI) -> dict[tuple[str, str], str]:
    """Return (outcome, version) -> SHA-256 of the training set, "" where it was not recorded; raises RegistryError."""
    _refuse_empty(tracking_uri)
    found = {}
    with _connected(tracking_uri) as mlflow:
        client = mlflow.MlflowClient()
        for outcome in outcomes:
            for version in client.search_model_versions(f"name='{registered_name(outcome)}'"):
                tags = client.get_run(version.run_id).data.tags
                found[outcome, str(version.version)] = str(tags.get(TRAINING_SET, ""))
    return found


def mark_retrain_due(outcome: str, version: str, reason: str, *, tracking_uri: str = DEFAULT_TRACKING_URI) -> None:
    """Tag a version; raises RegistryError."""
    _refuse_empty(tracking_uri)
    with _connected(tracking_uri) as mlflow:
        mlflow.MlflowClient().set_model_version_tag(registered_name(outcome), version, RETRAIN_DUE, reason)
