"""The registry of docs/deploy/mlflow.md is lost and comes back from its backup, bucket and database, by the page's commands.

Of test_deploy_mlflow.py, which kills the server too, this is what takes minutes: files that are gone, and a second start.
"""

from __future__ import annotations

import pytest

from data_contracts.errors import RegistryError
from models import registry, registry_runs
from models.promotion_policy import Policy
from pipeline import promote
from pipeline.approval import Approval
from pipeline.governance.facts import fairness_history
from tests.lib import mlflow_server
from tests.lib.mlflow_server import Registry, become_client, killed_before
from tests.lib.object_store import BUCKET, WRITER
from tests.lib.promotions import OUTCOME, against, prepare, registered, serving

pytestmark = pytest.mark.long
APPROVAL = Approval("per", "better in the test year")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mlflow_server.registry(tmp_path_factory.mktemp("server")) as found:
        yield found


def test_a_server_killed_in_the_middle_of_registering_comes_back_from_its_backup(server, tmp_path, monkeypatch):
    become_client(server, monkeypatch)
    monkeypatch.setattr("models.bundle.trial_parse", lambda files: None)
    workspace = prepare(tmp_path / "workspace")
    old = registered(workspace)
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
    assert [one["fault"] for one in fairness_history(workspace, server.home)] == ["the registry cannot be asked"] * 5
    assert serving(workspace) == old

    restore(server)
    server.start()
    assert server.rows("SELECT count(*) FROM model_versions") == before
    assert promote.run(workspace, [OUTCOME], version, Policy(), APPROVAL)["outcomes"][OUTCOME]["promoted"]
    assert server.rows("SELECT version FROM registered_model_aliases") == [(int(version),)]


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
