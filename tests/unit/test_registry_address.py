"""Which registry is used, and what is not sent to whom."""

import json
import os
import socket
import time
from types import SimpleNamespace

import pytest

from data_contracts.errors import RegistryError, SettingsError
from models import registry
from models.registry_address import PLAIN_HTTP, UNVERIFIED, VARIABLE, named_server, refuse_unreachable
from models.registry_faults import broken_off, explained
from pipeline.workspace import Workspace

HERE, THERE = "https://mlflow.example.org", "http://mlflow.example.org:5000"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv(PLAIN_HTTP, raising=False)
    monkeypatch.delenv(UNVERIFIED, raising=False)
    return Workspace(tmp_path)


@pytest.mark.parametrize("address", [HERE, "http://127.0.0.1:5000", "http://localhost:5000/", "http://[::1]:5000"])
def test_a_server_is_named_by_mlflows_own_variable(address):
    assert named_server({VARIABLE: f" {address} "}) == address.rstrip("/")
    assert named_server({VARIABLE: " "}) is None
    assert named_server({}) is None


@pytest.mark.parametrize(
    ("address", "others", "message"),
    [
        ("sqlite:////srv/other/mlflow.db", {}, "not the address of a server"),
        ("postgresql://u:hunter2@db/mlflow", {}, "not the address of a server"),
        ("databricks", {}, "not the address of a server"),
        ("https://", {}, "not the address of a server"),
        ("https://host:99999", {}, "not the address of a server"),
        ("https://host/?token=hunter2", {}, "not the address of a server"),
        ("https://[half", {}, "not the address of a server"),
        ("https://kari:hunter2@mlflow.example.org", {}, "holds a name or a password"),
        (THERE, {}, "in the clear"),
        (THERE, {PLAIN_HTTP: "true"}, "in the clear"),
        ("http://127.0.0.1.example.org", {}, "in the clear"),
        (HERE, {UNVERIFIED: "true"}, "anybody could answer"),
    ],
)
def test_what_could_send_models_or_passwords_to_strangers_is_refused_and_no_password_is_repeated(
    address, others, message
):
    with pytest.raises(SettingsError, match=message) as refused:
        named_server({VARIABLE: address, **others})
    assert "hunter2" not in str(refused.value)


def test_plain_http_can_be_allowed_where_the_network_is_protected():
    assert named_server({VARIABLE: THERE, PLAIN_HTTP: "1"}) == THERE


def test_a_workspace_with_a_registry_of_its_own_does_not_follow_a_stray_variable(workspace, monkeypatch):
    own = f"sqlite:///{workspace.root.resolve() / 'mlflow.db'}"
    assert workspace.tracking_uri == own
    monkeypatch.setenv(VARIABLE, HERE)
    assert workspace.tracking_uri == HERE
    workspace.registry_file.touch()
    with pytest.raises(SettingsError, match=r"names https://mlflow.example.org, but .*mlflow.db. Unset it"):
        _ = workspace.tracking_uri
    monkeypatch.delenv(VARIABLE)
    assert workspace.tracking_uri == own


def test_a_workspace_stays_with_the_server_that_has_its_models(workspace, monkeypatch):
    workspace.registry_pin.parent.mkdir()
    workspace.registry_pin.write_text(json.dumps({"address": HERE}))
    with pytest.raises(SettingsError, match=f"registered at {HERE}, and {VARIABLE} is not set"):
        _ = workspace.tracking_uri
    monkeypatch.setenv(VARIABLE, "https://other.example.org")
    with pytest.raises(SettingsError, match=r"names https://other\.example\.org"):
        _ = workspace.tracking_uri
    monkeypatch.setenv(VARIABLE, HERE + "/")
    assert workspace.tracking_uri == HERE
    workspace.registry_pin.write_text("[]")
    with pytest.raises(SettingsError, match="is damaged"):
        _ = workspace.tracking_uri


@pytest.mark.parametrize(
    ("raised", "why"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name is not known"),
        (ConnectionRefusedError(111, "refused"), "nobody listens there"),
        (TimeoutError(), "no answer within 5 seconds"),
        (OSError(101, "Network is unreachable"), "there is no way to it"),
    ],
)
def test_a_server_that_is_away_is_said_before_mlflow_begins_to_repeat_itself(raised, why, monkeypatch):
    def away(*_, **__):
        raise raised

    monkeypatch.setattr(socket, "create_connection", away)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RegistryError, match=f"{HERE} cannot be reached: {why}. Nothing was changed"):
        refuse_unreachable(HERE)
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    refuse_unreachable(HERE)
    refuse_unreachable("sqlite:///mlflow.db")


def test_a_server_that_takes_calls_and_says_nothing_is_given_up(monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(RegistryError, match="Check that the server is up"):
            registry.versions("burnout", tracking_uri=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - began < 60


def test_nothing_diverts_a_run_and_the_environment_is_left_as_it_was(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "https://elsewhere.example.org")
    monkeypatch.setenv("MLFLOW_RUN_ID", "of-other-work")
    monkeypatch.delenv(VARIABLE, raising=False)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    with registry._connected(uri) as mlflow:
        assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == (uri, uri)
        assert "MLFLOW_RUN_ID" not in os.environ
    assert VARIABLE not in os.environ
    assert os.environ["MLFLOW_REGISTRY_URI"] == "https://elsewhere.example.org"
    assert os.environ["MLFLOW_RUN_ID"] == "of-other-work"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("UNAUTHENTICATED", "does not know this account"),
        ("PERMISSION_DENIED", "does not let this account"),
        ("RESOURCE_DOES_NOT_EXIST", "gone"),
        ("INTERNAL_ERROR", "failed: INTERNAL_ERROR"),
    ],
)
def test_a_refusal_is_said_in_our_words(code, message):
    error = SimpleNamespace(error_code=code, message="what was sent, hunter2")
    said = explained(error, HERE, "gone")
    assert message in said
    assert HERE in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("PUT /api/2.0/mlflow-artifacts/artifacts/1/x: too many 500 error responses", "bucket is missing"),
        ("SSLError [SSL: CERTIFICATE_VERIFY_FAILED] self-signed", "MLFLOW_TRACKING_SERVER_CERT_PATH"),
        ("too many 503 error responses", "server is up"),
    ],
)
def test_an_internal_error_is_told_apart_where_that_helps(words, message):
    error = OSError(words)
    error.error_code = "INTERNAL_ERROR"
    assert message in explained(error, HERE, "gone")


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "know this account"), (403, "let this account"), (500, "bucket is missing"), (None, "broke off")],
)
def test_a_transfer_that_fails_is_said_in_our_words(status, message):
    error = OSError("hunter2")
    error.response = None if status is None else SimpleNamespace(status_code=status)
    said = broken_off(error, HERE)
    assert message in said
    assert "hunter2" not in said
    assert "cannot be used" in broken_off(error, "sqlite:///mlflow.db")
