"""One round trip through a real MLflow on SQLite; slow because mlflow is."""

import getpass
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from data_contracts.errors import ArtifactError, RegistryError
from models import artifact
from models.registry import aliased_version, fetch, latest_version, promote_alias, release_alias, resolve
from models.registry_runs import DataUsed, Evidence, register
from tests.lib.models import boosted_model, linear_model, random_rows

ROWS = DataUsed("burnout.training", "training", "data/training/burnout/rows.npz", "c" * 64, {"rows": 3})
REFUSED = "{}3-0123456789ab: the manifest is not signed with the key of {}verify.key. Promote the model again."
PICKLES = (".pkl", ".pickle", ".joblib", ".cloudpickle", ".skops")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("registry")


def evidence(place: Path) -> Evidence:
    (place / "model_card.md").write_text("# A card")
    return Evidence(
        report={
            "champion": "x",
            "models": {"x": {"auroc": {"value": 0.71, "low": 0.7, "high": 0.72}}},
            "curve": [0.1],
            "current_champion": {"version": "3", "refused": REFUSED.format("/home/Ola N/ws/b/", "/home/Ola N/keys/")},
        },
        tags={"git": "abc"},
        parameters={"train": {"seed": 17, "lightgbm": {"num_leaves": 15}}, "estimator.settings": {"many": "x" * 9000}},
        flow={"no consent, so no label": 70, "left on the day": 7, "event": 400},
        data=(ROWS,),
        files={"model_card": (place / "model_card.md",)},
    )


@pytest.fixture(scope="module")
def tracking_uri(place):
    """A registry with one version of each model."""
    uri = f"sqlite:///{place}/mlflow.db"
    for model in (linear_model(), boosted_model()):
        directory = place / "models" / model.outcome
        artifact.save(model, directory)
        version = register(model, directory, evidence(place), tracking_uri=uri)
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


def test_a_run_says_where_the_model_comes_from_and_how_good_it_is(tracking_uri):
    import mlflow

    client = mlflow.MlflowClient(tracking_uri)
    (found,) = client.search_model_versions("name='balance-risk.burnout'")
    run = client.get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"champion.auroc": 0.71, "champion.auroc.low": 0.7, "champion.auroc.high": 0.72,
                                "flow.no consent:2c so no label": 70.0, "flow.event": 400.0}  # fmt: skip
    assert run.data.params["estimator"] == boosted_model().name
    assert (run.data.params["train.seed"], run.data.params["train.lightgbm.num_leaves"]) == ("17", "15")
    assert len(run.data.params["estimator.settings.many"]) == 6000
    assert run.data.tags["git"] == "abc"
    assert run.data.tags["synthetic"] == "True"
    assert {"artifact_sha256", "evaluation_sha256"} <= {*found.tags}
    assert client.list_artifacts(found.run_id, "model_card")[0].path == "model_card/model_card.md"


def test_a_run_names_its_rows_and_holds_none(tracking_uri, place):
    import mlflow

    client = mlflow.MlflowClient(tracking_uri)
    (found,) = client.search_model_versions("name='balance-risk.burnout'")
    (used,) = client.get_run(found.run_id).inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("burnout.training", "c" * 36)
    assert json.loads(used.dataset.source) == {"uri": "data/training/burnout/rows.npz"}
    assert {tag.key: tag.value for tag in used.tags} == {
        "mlflow.data.context": "training", "sha256": "c" * 64, "rows": "<10"
    }  # fmt: skip
    assert "age_years" in used.dataset.schema


def test_signature_and_input_example_are_of_nobody(tracking_uri, place):
    import mlflow

    model = linear_model()
    found = fetch(model.outcome, "1", place / "down", tracking_uri=tracking_uri)
    about = mlflow.models.Model.load(str(found.path.parents[1]))
    example = about.load_input_example(str(found.path.parents[1]))
    assert np.array_equal(example.to_numpy(dtype=np.float32), model.golden[0][:3], equal_nan=True)
    assert all(column.required and column.type.name == "double" for column in about.signature.inputs)


def test_what_is_fetched_is_what_was_registered(tracking_uri, place, tmp_path):
    found = fetch("burnout", "1", tmp_path, tracking_uri=tracking_uri)
    without_places = evidence(place).report["current_champion"] | {"refused": REFUSED.format("", "")}
    assert found.report == evidence(place).report | {"current_champion": without_places}
    assert found.registered_by == getpass.getuser()


def _other_model(model: Path, report: Path) -> None:
    (model / "data" / "burnout" / "booster.txt").write_text("tree")


def _one_more_file(model: Path, report: Path) -> None:
    (model / "data" / "burnout" / "sitecustomize.py").write_text("")


def _one_less_file(model: Path, report: Path) -> None:
    (model / "data" / "burnout" / "refit_00.txt").unlink()


def _another_place(model: Path, report: Path) -> None:
    text = (model / "MLmodel").read_text()
    (model / "MLmodel").write_text(text.replace("data: data/burnout", "data: ../../../.."))


def _other_report(model: Path, report: Path) -> None:
    report.write_text(report.read_text().replace("0.71", "0.91"))


def _no_report(model: Path, report: Path) -> None:
    report.unlink()


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (_other_model, "artifact of version 1 .* is not what was registered"),
        (_one_more_file, "artifact of version 1 .* is not what was registered"),
        (_one_less_file, "artifact of version 1 .* is not what was registered"),
        (_another_place, "MLmodel file of version 1 .* was altered"),
        (_other_report, "evaluation of version 1 .* is not what was registered"),
        (_no_report, "files of it are gone"),
    ],
)
def test_what_was_altered_in_the_store_is_refused(tracking_uri, place, tmp_path, alter, message):
    import mlflow

    (found,) = mlflow.MlflowClient(tracking_uri).search_model_versions("name='balance-risk.burnout'")
    (artifact_store,) = {path.parents[2] for path in (place / "mlartifacts").rglob("data/burnout/booster.txt")}
    (report,) = (place / "mlartifacts" / found.run_id).rglob("report.json")
    saved = tmp_path / "saved"
    shutil.copytree(place / "mlartifacts", saved)
    try:
        alter(artifact_store, report)
        with pytest.raises((ArtifactError, RegistryError), match=message):
            fetch("burnout", "1", tmp_path / "down", tracking_uri=tracking_uri)
    finally:
        shutil.rmtree(place / "mlartifacts")
        shutil.move(saved, place / "mlartifacts")


def test_a_version_without_digests_is_refused(tracking_uri, tmp_path):
    import mlflow

    client = mlflow.MlflowClient(tracking_uri)
    (found,) = client.search_model_versions("name='balance-risk.burnout'")
    client.delete_model_version_tag(found.name, found.version, "artifact_sha256")
    try:
        with pytest.raises(ArtifactError, match="has no digest"):
            fetch("burnout", "1", tmp_path, tracking_uri=tracking_uri)
    finally:
        client.set_model_version_tag(found.name, found.version, "artifact_sha256", found.tags["artifact_sha256"])


def test_an_alias_is_set_read_and_released(tracking_uri):
    promote_alias("burnout", "1", tracking_uri=tracking_uri)
    assert aliased_version("burnout", tracking_uri=tracking_uri) == "1"
    for _ in range(2):
        release_alias("burnout", tracking_uri=tracking_uri)
        assert aliased_version("burnout", tracking_uri=tracking_uri) is None


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
        register(linear_model(), tmp_path, Evidence({}), tracking_uri=f"sqlite:///{tmp_path}/no/such/place.db")


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
