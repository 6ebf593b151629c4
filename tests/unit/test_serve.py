"""The service replaces the verb's process, keeps its files in the workspace, and says in one line why it cannot listen."""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

from data_contracts.errors import SettingsError
from data_contracts.readers.parquet_files import write_tables
from pipeline import development_tokens, serve
from pipeline.commands import access
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


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Three companies of simulated persons, in a terminal."""
    monkeypatch.delenv("BALANCE_RISK_MODE", raising=False)
    monkeypatch.setattr(development_tokens, "MOST_COMPANIES", 2)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    jobs = [
        job(person_id=f"p{n}", company_id=company)
        for n, company in enumerate(["small", "large", "large", "mid", "mid"])
    ]
    found = Workspace(tmp_path)
    write_tables(found.tables, tables(rows_of(persons=[person(f"p{n}") for n in range(5)], employments=jobs)), 1)
    (found.tables / "ingest.json").write_text('{"synthetic": true}')
    return found


def test_in_development_the_address_and_a_token_for_each_role_are_printed(workspace):
    said = development_tokens.how_to_sign_in(workspace, "http://127.0.0.1:3000")
    assert said.startswith("Pages: http://127.0.0.1:3000/ui/ ")
    assert "one of these tokens; for the 2 largest of 3 companies, 60 minutes" in said
    tokens = re.findall(r"^(clinician|employer):\n(\S+)$", said, re.MULTILINE)
    assert [role for role, _ in tokens] == ["clinician", "employer"]
    keys = KeySet.from_file(workspace.keys / "development.jwks.json")
    verifier = TokenVerifier(serve.DEVELOPMENT_ISSUER, "balance-risk", keys)
    for role, token in tokens:
        caller = verifier.verify(token)
        assert (caller.role, caller.organisations) == (role, {"large", "mid"})
        assert caller.expires <= time.time() + 60 * 60


@pytest.mark.parametrize("stamp", ['{"synthetic": false}', "{}", None])
def test_over_real_persons_no_token_is_printed(workspace, stamp):
    path = workspace.tables / "ingest.json"
    path.unlink() if stamp is None else path.write_text(stamp)
    assert_no_token(workspace)


def test_where_it_would_be_kept_no_token_is_printed(workspace, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert_no_token(workspace)


def assert_no_token(workspace: Workspace) -> None:
    said = development_tokens.how_to_sign_in(workspace, "http://127.0.0.1:3000")
    assert not re.search(r"\S{80,}\.\S+\.\S+", said)
    assert not workspace.keys.exists()
    lines = [shlex.split(line) for line in said.splitlines() if line.startswith("balance-risk token ")]
    assert [line[3] for line in lines] == ["clinician", "employer"]
    verb = typer.Typer()
    verb.command("token")(access.token)
    assert CliRunner().invoke(verb, lines[0][2:]).exit_code == 0, "what is printed can be run"


def test_thirty_companies_with_the_longest_names_fit_into_a_cookie(tmp_path):
    companies = [f"{n:0>64}" for n in range(development_tokens.MOST_COMPANIES)]
    token = development_tokens.development_token("clinician", Workspace(tmp_path), companies)
    assert len(token) <= LONGEST_TOKEN


def test_without_tables_there_is_nobody_to_sign_in_for(tmp_path):
    assert "no tables yet" in development_tokens.how_to_sign_in(Workspace(tmp_path), "http://127.0.0.1:3000")
