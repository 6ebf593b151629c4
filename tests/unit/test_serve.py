"""The service replaces the verb's process, keeps its files in the workspace, and says in one line why it cannot listen."""

from __future__ import annotations

import os
import re
import socket
import sys

import pytest

from data_contracts.errors import SettingsError
from data_contracts.readers.parquet_files import write_tables
from pipeline import development_tokens, serve
from pipeline.workspace import Workspace
from serving.access.key_sets import KeySet
from serving.access.tokens import TokenVerifier
from serving.clinician.sign_in import LONGEST_TOKEN
from tests.lib.records import job, person, rows_of, tables


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


def test_the_process_becomes_the_service_with_its_files_in_the_workspace(tmp_path, monkeypatch, capsys):
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
    assert "Pages: http://127.0.0.1:3000/ui/" in capsys.readouterr().out


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


def test_in_development_the_address_and_a_token_for_each_role_are_printed(tmp_path, monkeypatch):
    monkeypatch.delenv("BALANCE_RISK_MODE", raising=False)
    monkeypatch.setattr(development_tokens, "MOST_COMPANIES", 2)
    jobs = [
        job(person_id=f"p{n}", company_id=company)
        for n, company in enumerate(["small", "large", "large", "mid", "mid"])
    ]
    write_tables(
        Workspace(tmp_path).tables, tables(rows_of(persons=[person(f"p{n}") for n in range(5)], employments=jobs)), 1
    )
    said = development_tokens.how_to_sign_in(Workspace(tmp_path), "http://127.0.0.1:3000")
    assert said.startswith("Pages: http://127.0.0.1:3000/ui/ ")
    assert "for the 2 largest of 3 companies, 8 hours" in said
    tokens = re.findall(r"^(clinician|employer):\n(\S+)$", said, re.MULTILINE)
    assert [role for role, _ in tokens] == ["clinician", "employer"]
    keys = KeySet.from_file(tmp_path / "keys" / "development.jwks.json")
    verifier = TokenVerifier(serve.DEVELOPMENT_ISSUER, "balance-risk", keys)
    for role, token in tokens:
        caller = verifier.verify(token)
        assert (caller.role, caller.organisations) == (role, {"large", "mid"})


def test_thirty_companies_with_the_longest_names_fit_into_a_cookie(tmp_path):
    companies = [f"{n:0>64}" for n in range(development_tokens.MOST_COMPANIES)]
    token = development_tokens.development_token("clinician", Workspace(tmp_path), companies)
    assert len(token) <= LONGEST_TOKEN


def test_without_tables_there_is_nobody_to_sign_in_for(tmp_path):
    assert "no tables yet" in development_tokens.how_to_sign_in(Workspace(tmp_path), "http://127.0.0.1:3000")
