"""The service replaces the verb's process, keeps its files in the workspace, and says in one line why it cannot listen."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from data_contracts.errors import SettingsError
from pipeline import serve
from pipeline.workspace import Workspace


@pytest.fixture
def taken_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_port_in_use_is_one_line_and_nothing_is_started(tmp_path, monkeypatch, taken_port):
    (tmp_path / "bundles").mkdir()
    monkeypatch.setattr(os, "execvpe", lambda *_: pytest.fail("started"))
    with pytest.raises(serve.AddressNotFree) as error:
        serve.run(Workspace(tmp_path), "127.0.0.1", taken_port)
    assert f"port {taken_port}" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_process_becomes_the_service_with_its_files_in_the_workspace(tmp_path, monkeypatch):
    (tmp_path / "bundles").mkdir()
    monkeypatch.chdir(tmp_path)
    started = []
    monkeypatch.setattr(os, "execvpe", lambda *arguments: started.append(arguments))
    monkeypatch.setattr(serve, "check_address", lambda host, port: None)
    for name in [name for name in os.environ if name.startswith("BALANCE_RISK_")]:
        monkeypatch.delenv(name)
    serve.run(Workspace(), "127.0.0.1", 3000)
    ((program, words, variables),) = started
    assert program == words[0] == sys.executable
    assert words[-4:] == ["--host", "127.0.0.1", "--port", "3000"]
    # Made absolute before the working directory changes.
    assert variables["BENTOML_HOME"] == str(tmp_path / ".bentoml")
    assert variables["BALANCE_RISK_BUNDLES"] == str(tmp_path / "bundles")
    # Without an issuer the service runs with development tokens, whose keys were made before it starts.
    assert variables["BALANCE_RISK_MODE"] == "development"
    assert {"audit.key", "development.jwks.json", "development.key"} <= {
        path.name for path in (tmp_path / "keys").iterdir()
    }
    assert (tmp_path / "store" / "store.db").is_file()


def test_development_tokens_open_no_door_to_the_network(tmp_path, monkeypatch):
    (tmp_path / "bundles").mkdir()
    monkeypatch.delenv("BALANCE_RISK_ISSUER", raising=False)
    monkeypatch.setattr(os, "execvpe", lambda *_: pytest.fail("started"))
    monkeypatch.setattr(serve, "check_address", lambda host, port: None)
    with pytest.raises(SettingsError, match="this machine only"):
        serve.run(Workspace(tmp_path), "0.0.0.0", 3000)


def test_what_production_lacks_is_said_before_anything_starts(tmp_path, monkeypatch):
    (tmp_path / "bundles").mkdir()
    monkeypatch.setenv("BALANCE_RISK_ISSUER", serve.DEVELOPMENT_ISSUER)
    monkeypatch.setattr(os, "execvpe", lambda *_: pytest.fail("started"))
    monkeypatch.setattr(serve, "check_address", lambda host, port: None)
    with pytest.raises(serve.NotPrepared) as error:
        serve.run(Workspace(tmp_path), "127.0.0.1", 3000)
    assert "BALANCE_RISK_ISSUER and BALANCE_RISK_JWKS" in str(error.value)
    assert "audit key" in str(error.value)
