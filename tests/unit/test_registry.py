"""One round trip through a real MLflow on SQLite; slow because mlflow is."""

import sys

import numpy as np
import pytest

from data_contracts.errors import RegistryError
from models import artifact
from models.registry import fetch, latest_version, promote_alias, register, resolve
from tests.lib.models import boosted_model, linear_model, random_rows

PICKLES = (".pkl", ".pickle", ".joblib", ".cloudpickle", ".skops")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def tracking_uri(place):
    """A registry with one version of each model."""
    uri = f"sqlite:///{place}/mlflow.db"
    for model in (linear_model(), boosted_model()):
        directory = place / "models" / model.outcome
        artifact.save(model, directory)
        version = register(model, directory, metrics={"champion.auroc": 0.71}, tags={"git": "abc"}, tracking_uri=uri)
        assert version.version == "1"
    return uri


@pytest.mark.parametrize("model", [linear_model(), boosted_model()], ids=["linear", "lightgbm"])
def test_what_comes_back_by_alias_is_the_same_model_to_the_bit(model, place, tracking_uri):
    promote_alias(model.outcome, latest_version(model.outcome, tracking_uri=tracking_uri), tracking_uri=tracking_uri)
    version = resolve(model.outcome, tracking_uri=tracking_uri)
    found = fetch(model.outcome, version, place / "down", tracking_uri=tracking_uri)
    assert found.name == f"balance-risk.{model.outcome}"
    assert artifact.to_files(artifact.load(found.path)) == artifact.to_files(model)


def test_a_version_has_no_pickle_and_its_artifacts_lie_beside_the_database(place, tracking_uri):
    files = [path for path in (place / "mlartifacts").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"MLmodel", "model.json", "booster.txt"}
    assert not [path for path in files if path.suffix in PICKLES or path.read_bytes()[:1] == b"\x80"]


def test_mlflow_itself_loads_it_with_pickle_forbidden(place, tracking_uri, monkeypatch):
    import mlflow
    import pandas

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    model = linear_model()
    promote_alias(model.outcome, "1", tracking_uri=tracking_uri)
    version = resolve(model.outcome, tracking_uri=tracking_uri)
    found = fetch(model.outcome, version, place / "down", tracking_uri=tracking_uri)
    loaded = mlflow.pyfunc.load_model(str(found.path.parents[1]))
    rows = random_rows(4)
    frame = pandas.DataFrame(rows.astype(np.float64), columns=list(model.feature_names))
    assert loaded.predict(frame).tolist() == model.risks(rows).tolist()
    with pytest.raises(mlflow.exceptions.MlflowException, match="missing inputs"):
        loaded.predict(frame.drop(columns="age_years"))


def test_a_run_says_where_the_model_comes_from_and_holds_no_rows(tracking_uri):
    import mlflow

    (found,) = mlflow.MlflowClient(tracking_uri).search_model_versions("name='balance-risk.burnout'")
    run = mlflow.MlflowClient(tracking_uri).get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"champion.auroc": 0.71}
    assert run.data.params["estimator"] == boosted_model().name
    assert run.data.tags["git"] == "abc"
    assert run.data.tags["synthetic"] == "True"
    assert not run.inputs.dataset_inputs


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda uri, to: resolve("burnout", alias="no", tracking_uri=uri), "has the alias .no..*promote"),
        (lambda uri, to: fetch("burnout", "99", to, tracking_uri=uri), "no version 99 of balance-risk.burnout"),
        (lambda uri, to: promote_alias("burnout", "99", tracking_uri=uri), "no version 99 of balance-risk.burnout"),
        (lambda uri, to: latest_version("other", tracking_uri=uri), "Nothing is registered as balance-risk.other"),
        (lambda uri, to: resolve("burnout", tracking_uri=f"sqlite:///{to}/x"), "no model registry.*register"),
        (lambda uri, to: latest_version("burnout", tracking_uri="http://127.0.0.1:9"), "Check that the server is up"),
    ],
)  # fmt: skip
def test_errors_say_what_to_do(ask, message, tracking_uri, tmp_path):
    with pytest.raises(RegistryError, match=message):
        ask(tracking_uri, tmp_path)


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path):
    with pytest.raises(RegistryError, match="cannot be used"):
        register(linear_model(), tmp_path, metrics={}, tags={}, tracking_uri=f"sqlite:///{tmp_path}/no/such/place.db")


def test_an_interrupted_registration_cannot_be_promoted(tracking_uri):
    import mlflow

    client = mlflow.MlflowClient(tracking_uri)
    (found,) = client.search_model_versions("name='balance-risk.burnout'")
    client.set_terminated(found.run_id, "KILLED")
    try:
        with pytest.raises(RegistryError, match="its run KILLED"):
            promote_alias("burnout", "1", tracking_uri=tracking_uri)
    finally:
        client.set_terminated(found.run_id, "FINISHED")


def test_nothing_is_imported_until_the_registry_is_used():
    assert "mlflow" not in sys.modules["models.registry"].__dict__
