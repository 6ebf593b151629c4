"""docs/deploy/mlflow.md with real servers: its commands, what is left where, and every way in which a server can be away."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import httpx
import pytest
from typer.testing import CliRunner

from data_contracts.errors import RegistryError
from models import promotion_log, registry
from models.promotion_policy import Policy
from pipeline import promote, rollback
from pipeline.approval import Approval
from pipeline.cli import app
from pipeline.console import read_json
from pipeline.erasure.models import mark_models
from pipeline.erasure.progress import Done, Erasure
from pipeline.governance.facts import fairness_history
from pipeline.workspace import Workspace
from tests.lib import documented, mlflow_server
from tests.lib.debian import NGINX
from tests.lib.deployment import wait_for
from tests.lib.mlflow_server import ADMIN_PASSWORD, PASSWORD, PROJECT, Registry, become_client, killed_before
from tests.lib.object_store import BUCKET, WRITER, free_ports
from tests.lib.promotions import OUTCOME, against, prepare, registered, serving, sound_report, train_and_judge
from tests.lib.proxy import create_certificate, is_open

APPROVAL = Approval("per", "better in the test year")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mlflow_server.registry(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture(autouse=True)
def client(server, monkeypatch) -> dict[str, str]:
    """What the page lets a data scientist set. That a bundle can be read is tried elsewhere, in a process each time."""
    monkeypatch.setattr("models.bundle.trial_parse", lambda files: None)
    return become_client(server, monkeypatch)


def say(server: Registry, start: str, workspace: Workspace) -> str:
    """Run the page's command in this process, return what it prints."""
    (command,) = [one for one in server.commands("balance-risk") if one.startswith(start)]
    words = server.run(f"printf '%s\\n' {command.removeprefix('balance-risk ')}", server.keeper).splitlines()
    done = CliRunner().invoke(app, [*words, "--workspace", str(workspace.root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    return prepare(tmp_path_factory.mktemp("workspace") / "of_kari")


def test_the_commands_of_the_page_from_register_to_rollback(server, workspace, client, tmp_path):
    train_and_judge(workspace, sound_report())
    assert f"✓ registry: {server.url} answers" in say(server, "balance-risk doctor", Workspace(tmp_path))
    told = say(server, "balance-risk register", workspace)
    assert told.startswith(f"register in {server.url}\n  balance-risk.{OUTCOME} version 1 ")
    say(server, "balance-risk promote --check", workspace)
    say(server, "balance-risk promote --outcome", workspace)
    assert serving(workspace) == "1"

    train_and_judge(workspace, against(workspace))
    say(server, "balance-risk register", workspace)
    say(server, "balance-risk promote --outcome", workspace)
    assert server.rows("SELECT alias, version FROM registered_model_aliases") == [("champion", 2)]
    say(server, "balance-risk promote --rollback", workspace)
    assert server.rows("SELECT alias, version FROM registered_model_aliases") == [("champion", 1)]
    assert serving(workspace) == "1"
    assert PASSWORD not in told
    assert "get-history" not in server.log.read_text(), "one request for each of hundreds of metrics"
    assert "incidents" in say(server, "balance-risk report governance", Workspace(tmp_path))
    fairness = fairness_history(workspace, tmp_path)
    assert [(one["version"], one["fault"]) for one in fairness] == [("1", None), ("2", None)]

    # Runs are in PostgreSQL, files in the bucket, and the workspace has none of it.
    versions = "SELECT name, version, current_stage FROM model_versions ORDER BY version"
    assert [row[:2] for row in server.rows(versions)] == [
        (f"balance-risk.{OUTCOME}", 1),
        (f"balance-risk.{OUTCOME}", 2),
    ]
    assert server.rows("SELECT count(*) FROM metrics WHERE key LIKE '%auroc%'")[0][0] > 0
    names = {name.rpartition("/")[2] for name in server.store.names()}
    assert names >= {"report.json", "model.json", "model_card.html", "calibration.png", "comparison.json", "MLmodel"}
    assert "not_ours.csv" not in names
    assert not list(workspace.root.glob("ml*"))
    assert not [name for name in client if name.startswith("AWS")]
    assert not [name for name in os.environ if name.startswith("AWS")]


def test_nobody_is_on_the_server_and_no_password_in_its_log(server, workspace):
    """The training set of this workspace holds ``SYNTHETIC-person-17 and her rows``."""
    assert registered(workspace, sound_report())
    bucket = server.store.client()
    files = [bucket.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in server.store.names()]
    dump = server.run("pg_dump mlflow", server.keeper)
    assert len(files) > 10
    assert "balance-risk.long_sick_leave" in dump
    assert not [one for one in files if b"person-17" in one]
    assert "person-17" not in dump
    log = server.log.read_text()
    assert not [secret for secret in (ADMIN_PASSWORD, PASSWORD, WRITER[1]) if secret in log]


def test_a_stranger_is_told_so_and_nothing_is_registered(server, workspace, client):
    before = server.rows("SELECT count(*) FROM runs")
    train_and_judge(workspace, sound_report())
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "register", "--outcome", OUTCOME, "-w", str(workspace.root)],
        env=server.keeper | client | {"MLFLOW_TRACKING_PASSWORD": "a-guess"}, cwd=PROJECT,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == RegistryError.exit_code
    assert "does not know this account. Set MLFLOW_TRACKING_USERNAME" in done.stderr
    assert "a-guess" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert server.rows("SELECT count(*) FROM runs") == before


def test_the_server_answers_to_its_name_only_and_to_nobody_without_an_account(server):
    health, search = f"{server.url}/health", f"{server.url}/api/2.0/mlflow/registered-models/search"
    kari = ("kari", PASSWORD)
    assert httpx.get(search, auth=kari, timeout=30, headers={"Host": "mlflow.example.org"}).status_code == 200
    assert httpx.get(search, auth=kari, timeout=30, headers={"Host": "rebound.example.net"}).status_code == 403
    assert httpx.get(search, timeout=30).status_code == 401
    assert httpx.get(health, timeout=30).status_code == 200


def test_through_the_proxy_of_the_page_only_what_shows_a_trusted_certificate_gets_a_model(
    server, tmp_path, monkeypatch
):
    program = NGINX.find() or pytest.skip(NGINX.lacking)
    port, certificate = free_ports(1)[0], tmp_path / "live" / "fullchain.pem"
    create_certificate(certificate, certificate.with_name("privkey.pem"))
    (block,) = documented.blocks(mlflow_server.PAGE, "nginx")
    ours = {"listen 443": f"listen 127.0.0.1:{port}", "/etc/letsencrypt/live/mlflow.example.org": str(certificate.parent),
            "http://127.0.0.1:5000": server.url}  # fmt: skip
    text = block.text
    for name, here in ours.items():
        assert name in text
        text = text.replace(name, here)
    places = "".join(f"{name}_temp_path {tmp_path};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ access_log off; {places}\n{text} }}\n"
    )
    command = [
        program,
        "-p",
        str(tmp_path),
        "-c",
        str(tmp_path / "nginx.conf"),
        "-e",
        str(tmp_path / "log"),
        "-g",
        "daemon off;",
    ]
    process = subprocess.Popen(command)
    try:
        wait_for(lambda: is_open(port), 20)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://localhost:{port}")
        workspace = prepare(tmp_path / "workspace")
        with pytest.raises(RegistryError, match="certificate that this machine does not trust"):
            registered(workspace)
        assert not workspace.registry_pin.exists()
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
        assert registered(workspace)
        assert read_json(workspace.registry_pin) == {"address": f"https://localhost:{port}"}
    finally:
        process.terminate()
        process.wait(20)


def test_an_erasure_marks_versions_on_the_server(server, workspace):
    version = registered(workspace, sound_report())
    mark_models(Erasure(workspace, None, "a" * 64, Done()), "a person was erased on 2026-03-01")
    tags = server.rows(f"SELECT value FROM model_version_tags WHERE key = 'retrain_due' AND version = {version}")
    assert tags == [("a person was erased on 2026-03-01",)]


def test_a_server_that_is_killed_leaves_the_champion_and_a_rollback_needs_none(server, tmp_path, monkeypatch):
    """Last: it does not come back here. test_deploy_mlflow_backup.py has it back, from its backup."""
    workspace = prepare(tmp_path / "workspace")
    old = registered(workspace)
    own = promote.check(workspace, [OUTCOME], old, Policy(), Approval("kari", "mine"))["outcomes"][OUTCOME]["lines"]
    failed = [line["name"] for line in own if not line["passed"]]
    assert failed == ["four_eyes"], "kari is the account that registered it"
    assert promote.run(workspace, [OUTCOME], old, Policy(), APPROVAL)["outcomes"][OUTCOME]["promoted"]
    version = registered(workspace, against(workspace), seed=3)
    assert promote.run(workspace, [OUTCOME], version, Policy(), APPROVAL)["outcomes"][OUTCOME]["promoted"]
    newest = registered(workspace, against(workspace), seed=6)
    with (
        killed_before(server, monkeypatch, registry, "promote_alias"),
        pytest.raises(RegistryError, match="server is up"),
    ):
        promote.run(workspace, [OUTCOME], newest, Policy(), APPROVAL)
    assert serving(workspace) == version
    began = time.monotonic()
    with pytest.raises(RegistryError, match="nobody listens there"):
        promote.run(workspace, [OUTCOME], newest, Policy(), APPROVAL)
    assert time.monotonic() - began < 10
    assert {one["fault"] for one in fairness_history(workspace, tmp_path)} == {"the registry cannot be asked"}
    back = rollback.run(workspace, OUTCOME, APPROVAL)
    assert "does not say what serves: The model registry at" in back["notes"][0]
    assert serving(workspace) == old
    told = [record["what"] for record in promotion_log.read(workspace.bundles / OUTCOME)]
    assert told[-3:] == ["promote", "interrupted", "rollback"]
