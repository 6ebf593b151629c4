"""docs/deploy/mlflow.md with real servers: its commands, what is left where, and every way in which a server can be away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import httpx
import pytest
from typer.testing import CliRunner

from data_contracts.errors import RegistryError
from models import promotion_log, registry, registry_runs
from models.bundle import current_bundle
from models.promotion_policy import Policy
from pipeline import promote, rollback
from pipeline.approval import Approval
from pipeline.cli import app
from pipeline.console import read_json
from pipeline.erasure.models import mark_models
from pipeline.erasure.progress import Done, Erasure
from pipeline.governance.facts import fairness_history
from pipeline.in_service import champion_in_service
from pipeline.workspace import Workspace
from tests.lib import documented, mlflow_server
from tests.lib.debian import NGINX
from tests.lib.deployment import wait_for
from tests.lib.mlflow_server import ADMIN_PASSWORD, PASSWORD, PROJECT, Registry
from tests.lib.object_store import BUCKET, WRITER, free_ports
from tests.lib.promotions import OUTCOME, difference, number, prepare, registered, sound_report, train_and_judge
from tests.lib.proxy import create_certificate, is_open

APPROVAL = Approval("per", "better in the test year")
CLIENT = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mlflow_server.registry(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture(autouse=True)
def client(server, monkeypatch) -> dict[str, str]:
    """What the page lets a data scientist set, and nothing of the server's."""
    exports = "; ".join(server.commands("export MLFLOW_TRACKING"))
    said = server.run(f"{exports}; env", server.keeper).splitlines()
    found = dict(line.split("=", 1) for line in said if line.startswith(CLIENT))
    for name in [name for name in os.environ if name.startswith(("MLFLOW_TRACKING", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def say(server: Registry, start: str, workspace: Workspace) -> str:
    """Run the page's command in this process, return what it prints."""
    (command,) = [one for one in server.commands("balance-risk") if one.startswith(start)]
    words = server.run(f"printf '%s\\n' {command.removeprefix('balance-risk ')}", server.keeper).splitlines()
    done = CliRunner().invoke(app, [*words, "--workspace", str(workspace.root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def against(workspace: Workspace) -> dict:
    champion = champion_in_service(workspace, OUTCOME).about
    report = sound_report(current_champion={"version": champion.version, "artifact_sha256": champion.artifact_sha256})
    report["differences"]["current_champion"] = difference() | {"auroc": number(0.0, 0.009)}
    return report


def serving(workspace: Workspace) -> str:
    return current_bundle(workspace.bundles, OUTCOME).name.split("-")[0]


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


def test_a_server_killed_in_the_middle_leaves_the_old_champion_and_comes_back_from_its_backup(
    server, tmp_path, monkeypatch
):
    monkeypatch.setattr("models.bundle.trial_parse", lambda files: None)
    workspace = prepare(tmp_path / "workspace")
    old = registered(workspace)
    own = promote.check(workspace, [OUTCOME], old, Policy(), Approval("kari", "mine"))["outcomes"][OUTCOME]["lines"]
    assert [line["name"] for line in own if not line["passed"]] == ["four_eyes"], (
        "kari is the account that registered it"
    )
    assert promote.run(workspace, [OUTCOME], old, Policy(), APPROVAL)["outcomes"][OUTCOME]["promoted"]
    version = registered(workspace, against(workspace), seed=3)
    assert registry.aliased_version(OUTCOME, tracking_uri=server.url) == old
    (server.home / "backup").mkdir()
    for command in [*server.commands("pg_dump"), server.commands("python - backup")[0]]:
        server.run(command, server.keeper | {"AWS_ACCESS_KEY_ID": WRITER[0], "AWS_SECRET_ACCESS_KEY": WRITER[1]})

    # The bucket is gone, the server is not: a file cannot be stored, so there is a run and no version.
    empty_bucket(server)
    before = server.rows("SELECT count(*) FROM model_versions")
    with pytest.raises(RegistryError, match=r"did not take or give a file.*bucket is missing"):
        registered(workspace, against(workspace), seed=4)
    assert server.rows("SELECT count(*) FROM model_versions") == before
    with pytest.raises(RegistryError, match=r"files of it are gone|did not take or give a file"):
        promote.run(workspace, [OUTCOME], version, Policy(), APPROVAL)

    with (
        killed_before(server, monkeypatch, registry_runs, "_log_files"),
        pytest.raises(RegistryError, match="server is up"),
    ):
        registered(workspace, against(workspace), seed=5)
    began = time.monotonic()
    with pytest.raises(RegistryError, match="nobody listens there"):
        promote.run(workspace, [OUTCOME], version, Policy(), APPROVAL)
    assert time.monotonic() - began < 10
    assert [one["fault"] for one in fairness_history(workspace, server.home)] == ["the registry cannot be asked"] * 5
    assert serving(workspace) == old

    restore(server)
    server.start()
    assert server.rows("SELECT count(*) FROM model_versions") == before
    assert promote.run(workspace, [OUTCOME], version, Policy(), APPROVAL)["outcomes"][OUTCOME]["promoted"]
    assert server.rows("SELECT version FROM registered_model_aliases") == [(int(version),)]

    newest = registered(workspace, against(workspace), seed=6)
    with (
        killed_before(server, monkeypatch, registry, "promote_alias"),
        pytest.raises(RegistryError, match="server is up"),
    ):
        promote.run(workspace, [OUTCOME], newest, Policy(), APPROVAL)
    assert serving(workspace) == version
    back = rollback.run(workspace, OUTCOME, APPROVAL)
    assert "does not say what serves: The model registry at" in back["notes"][0]
    assert serving(workspace) == old
    told = [record["what"] for record in promotion_log.read(workspace.bundles / OUTCOME)]
    assert told[-3:] == ["promote", "interrupted", "rollback"]


@contextmanager
def killed_before(server: Registry, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> Iterator[None]:
    """Kill the server just before a function runs."""
    work = getattr(module, name)

    def killed(*arguments, **named):
        server.kill()
        return work(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        yield


def empty_bucket(server: Registry) -> None:
    bucket = server.store.client()
    for name in server.store.names():
        bucket.delete_object(Bucket=BUCKET, Key=name)
    bucket.delete_bucket(Bucket=BUCKET)


def restore(server: Registry) -> None:
    """By the page's commands, into nothing; then its upgrade, which must leave a current database as it is."""
    server.store.client().create_bucket(Bucket=BUCKET)
    for name in ("mlflow", "mlflow_accounts"):
        server.run(f"dropdb --force {name}", server.keeper)
    for command in [*server.commands("createdb")[2:], *server.commands("pg_restore")]:
        server.run(command, server.keeper)
    server.run(server.commands("python - backup")[1], server.environment)
    for command in [*server.commands("mlflow db upgrade"), *server.commands("python -m mlflow.server.auth")]:
        server.run(command, server.environment)
