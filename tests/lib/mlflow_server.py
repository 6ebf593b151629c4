"""The registry of docs/deploy/mlflow.md, set up by the commands that stand there: PostgreSQL, object store, MLflow server.

Names of the page become those of this machine: addresses, ports and directories. Nothing else is changed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text

from tests.lib import documented
from tests.lib.object_store import WRITER, ObjectStore, free_ports, object_store
from tests.lib.postgresql import client_programs, postgresql_url

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "deploy" / "mlflow.md"
ADMIN_PASSWORD, PASSWORD = "an-administrators-secret", "a-data-scientists-secret"
CLIENT = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
LONGEST_START_SECONDS = 120


class Registry:
    """The servers, the page, and a way to run what it says."""

    def __init__(self, home: Path, store: ObjectStore, database: str) -> None:
        self.home, self.store, self.log = home, store, home / "server.log"
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}"
        host = str(make_url(database).query["host"])
        self.database = f"postgresql+psycopg:///mlflow?host={host}&user=postgres"
        self.keeper = _environment(PGHOST=host, PGUSER="postgres", HOME=str(home), MLFLOW_S3_ENDPOINT_URL=store.url)
        self.environment = self.keeper | self._of_the_page() | {"PGHOST": host}
        self.process: subprocess.Popen[bytes] | None = None

    def _of_the_page(self) -> dict[str, str]:
        accounts, server = (block.text for block in documented.blocks(PAGE, "ini"))
        (self.home / "accounts.ini").write_text(accounts)
        parser = documented.Settings()
        parser.read_string("[server]\n" + server)
        ours = {"MLFLOW_AUTH_CONFIG_PATH": str(self.home / "accounts.ini"), "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN_PASSWORD,
                "MLFLOW_FLASK_SERVER_SECRET_KEY": "5e" * 32, "MLFLOW_S3_ENDPOINT_URL": self.store.url,
                "AWS_ACCESS_KEY_ID": WRITER[0], "AWS_SECRET_ACCESS_KEY": WRITER[1],
                "PGPASSFILE": "/dev/null", "PGSSLMODE": "disable"}  # fmt: skip
        said = dict(parser["server"])
        assert set(ours) < set(said), "the page lacks a setting"
        return said | ours

    def here(self, command: str) -> str:
        """Return a command of the page with the names of this machine."""
        port = self.url.rpartition(":")[2]
        names = {"https://mlflow.example.org": self.url, "machine mlflow.example.org": "machine 127.0.0.1",
                 "/etc/mlflow": str(self.home), "--port 5000": f"--port {port}", "--workers 2": "--workers 1"}  # fmt: skip
        for name, ours in names.items():
            command = command.replace(name, ours)
        return command

    def commands(self, start: str) -> list[str]:
        """Return the commands of the page that start so."""
        found = [self.here(one.text) for one in documented.commands(PAGE) if one.text.startswith(start)]
        assert found, f"the page has no command {start}"
        return found

    def run(self, command: str, environment: dict[str, str]) -> str:
        """Run a command of the page; it must succeed."""
        done = subprocess.run(["bash", "-c", command], env=environment, cwd=self.home, capture_output=True, text=True,
                              check=False, timeout=120)  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Start the server and wait until it answers."""
        (command,) = self.commands("mlflow server")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(["bash", "-c", f"exec {command}"], env=self.environment, cwd=self.home, stdout=log,
                                            stderr=log, start_new_session=True)  # fmt: skip
        until = time.monotonic() + LONGEST_START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", timeout=10).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.3)
        raise RuntimeError(f"the MLflow server did not start: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """Kill the server and its workers, as a machine that loses power does."""
        if self.process is not None:
            with suppress(ProcessLookupError):  # workers may have outlived the one that was started
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the database says."""
        engine = create_engine(self.database)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()


def _environment(**variables: str) -> dict[str, str]:
    """What a shell has: programs of the project and of PostgreSQL first, and nothing of MLflow's or of S3."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_", "PG"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), str(client_programs()), kept["PATH"]])
    return kept | {"PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true"} | variables


@contextmanager
def registry(home: Path) -> Iterator[Registry]:
    """Yield a running registry with one account, ``kari``; skips where a server or the login extension is missing."""
    pytest.importorskip("flask_wtf", reason="MLflow's accounts are not installed (mlflow[auth])")
    with postgresql_url() as database, object_store() as store:
        found = Registry(home, store, database)
        (found.home / "netrc").write_text(f"machine 127.0.0.1 login admin password {ADMIN_PASSWORD}\n")
        (found.home / "account.json").write_text(f'{{"username": "kari", "password": "{PASSWORD}"}}')
        (found.home / ".mlflow_password").write_text(PASSWORD + "\n")
        for command in [*found.commands("createuser"), *found.commands("createdb")[:2]]:
            found.run(command, found.keeper)
        try:
            found.start()
            (create,) = found.commands("curl")
            found.run(create, found.keeper)
            yield found
        finally:
            found.kill()


def become_client(server: Registry, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set in this process what the page lets a data scientist set, and nothing of the server's; return it."""
    exports = "; ".join(server.commands("export MLFLOW_TRACKING"))
    said = server.run(f"{exports}; env", server.keeper).splitlines()
    found = dict(line.split("=", 1) for line in said if line.startswith(CLIENT))
    for name in [name for name in os.environ if name.startswith(("MLFLOW_TRACKING", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


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
