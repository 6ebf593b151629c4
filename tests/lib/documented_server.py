"""A server as docs/deploy/service.md sets it up: roles, variables, unit and proxy are read out of that page."""

from __future__ import annotations

import json
import shlex
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import httpx

from models.bundle import move_current
from tests.lib import documented
from tests.lib.deployment import ISSUER, PROJECT, Deployment, wait_for
from tests.lib.models import boosted_model
from tests.lib.nights import prepare
from tests.lib.postgresql import postgresql_server
from tests.lib.proxy import Proxy, need, proxy

PAGE = PROJECT / "docs" / "deploy" / "service.md"
PROXY = PROJECT / "docs" / "deploy" / "nginx.conf"
PROGRAMS = Path(sys.executable).parent
OWNER = "BALANCE_RISK_STORE=postgresql+psycopg://balance_risk_owner:owner-password@/balance_risk_store?"
DRILL = OWNER.replace("_store?", "_store_drill?")
"""How the files of variables begin that the owner of the databases has."""
DATABASES = "CREATE DATABASE balance_risk_store"
"""How the statements begin that make databases for roles that are there."""


class Server(Deployment):
    """PostgreSQL, the service and nginx, on free ports of this machine."""

    def __init__(self, root: Path, postgresql: Any) -> None:
        super().__init__(root)
        self.client.close()
        self.postgresql = postgresql
        self.direct = f"http://127.0.0.1:{self.port}"
        self.places = {
            "/opt/balance-risk/.venv/bin": str(PROGRAMS),
            "/opt/balance-risk": str(PROJECT),
            "/etc/balance-risk/verify.key": str(self.verify),
            "/etc/balance-risk": str(root / "keys"),
            "/var/lib/balance-risk": str(root),
            "/var/backups/balance-risk": str(root / "backups"),
            "/root/drill": str(root / "drill"),
            "/run/postgresql": str(postgresql.pgdata),
            "https://issuer.example.no": ISSUER,
            "--port 3000": f"--port {self.port}",
            "127.0.0.1:3000": f"127.0.0.1:{self.port}",
        }
        (root / "heads").mkdir(exist_ok=True)

    def here(self, text: str) -> str:
        """Return a text of the page with the places of this test."""
        for old, new in self.places.items():
            text = text.replace(old, new)
        return text

    def set_up(self) -> None:
        """Do what the page says up to the first start."""
        self._create_roles()
        clean = {name: value for name, value in self.environment.items() if not name.startswith("BALANCE_RISK_")}
        self.environment = clean | variables(self.here(block("BALANCE_RISK_MODE=production")))
        self.write_environment("auditor.env", "BALANCE_RISK_AUDIT=postgresql+psycopg://balance_risk_auditor")
        self.owner = variables(self.here(block(OWNER)))
        done = self.run(self.here(command("serving.prepare").rpartition(";")[2]), self.owner)
        assert done.returncode == 0, done.stderr

    def write_environment(self, name: str, start: str) -> None:
        """Write a file of variables that the page shows, where the page's commands look for it."""
        path = self.root / "keys" / name
        path.touch(mode=0o600)
        path.write_text(self.here(block(start)))

    def stand_behind(self, before: Proxy) -> None:
        """Be what the proxy passes requests on to."""
        self.proxy, self.url = before, before.url
        self.places["https://risk.example.no"] = before.url
        self.client = httpx.Client(base_url=self.url, timeout=20, verify=self.trust)

    @property
    def trust(self) -> ssl.SSLContext:
        """What believes in the certificate of the proxy."""
        return ssl.create_default_context(cafile=self.proxy.certificate)

    def start(self, until_ready: bool = True) -> None:
        """Start the service as its unit does."""
        words = shlex.split(self.here(unit("balance-risk.service")["Service"]["ExecStart"]))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words, cwd=PROJECT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(lambda: self.asked("/livez") == 200)
        if until_ready:
            wait_for(lambda: self.is_ready(workers=2))

    def asked(self, path: str) -> int:
        """Return the status of a page on the service's own port; 0 if nobody answers."""
        try:
            return self._answer(path)[0]
        except (OSError, HTTPException):
            return 0

    def told(self, path: str = "/readyz") -> Any:
        return json.loads(self._answer(path)[1])

    def _answer(self, path: str) -> tuple[int, bytes]:
        """Ask over a connection of its own, hundreds of times: a client of httpx would read all authorities for each."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def run(self, line: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a line of the page in the shell, with the service's variables and others."""
        return subprocess.run(
            ["/bin/sh", "-c", line], cwd=PROJECT, env=self.environment | (variables or {}), capture_output=True,
            text=True, check=False,
        )  # fmt: skip

    def swap(self, model: Any, version: str) -> None:
        move_current(self.root / "bundles", model.outcome, self.export(model, version))

    def psql(self, database: str, user: str, statement: str, password: str = "") -> subprocess.CompletedProcess[str]:
        """Run a statement as a role."""
        words = [str(self.postgresql.bin_path / "psql"), "--host", str(self.postgresql.pgdata), "--username", user,
                 "--set", "ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", "--dbname", database]  # fmt: skip
        environment = self.environment | {"PGPASSWORD": password}
        return subprocess.run(words, input=statement, env=environment, capture_output=True, text=True, check=False)

    def _create_roles(self) -> None:
        for first in ("CREATE ROLE balance_risk_owner", DATABASES):
            done = self.psql("postgres", "postgres", block(first))
            assert done.returncode == 0, done.stderr
        access = Path(self.postgresql.pgdata) / "pg_hba.conf"
        access.write_text(block("local balance_risk_store") + access.read_text())
        assert self.psql("postgres", "postgres", "SELECT pg_reload_conf()").returncode == 0


@contextmanager
def server(root: Path) -> Iterator[Server]:
    """Yield the whole of it, running; skips the test where nginx or PostgreSQL is not installed."""
    need()
    with postgresql_server() as postgresql:
        found = Server(root, postgresql)
        prepare(root)  # persons, and a model of long sick leave, signed with the key that the page names
        found.promote(boosted_model(), "1")
        with proxy(root / "proxy", PROXY, {"127.0.0.1:3000": f"127.0.0.1:{found.port}"}) as before:
            found.stand_behind(before)
            found.set_up()
            try:
                found.start()
                yield found
            finally:
                found.stop()


@contextmanager
def databases(root: Path) -> Iterator[Server]:
    """Yield the roles, databases and tables alone; skips the test where PostgreSQL is not installed."""
    with postgresql_server() as postgresql:
        found = Server(root, postgresql)
        found.set_up()
        yield found


def block(start: str) -> str:
    """Return the block of the page that begins so."""
    (found,) = [one.text for one in documented.blocks(PAGE) if one.text.startswith(start)]
    return found


def command(part: str) -> str:
    """Return the command of the page that holds this."""
    (found,) = [one.text for one in documented.commands(PAGE) if part in one.text]
    return found


def units() -> dict[str, str]:
    """Return the units of the page by the name that stands before each."""
    text = PAGE.read_text()
    found = {}
    for one in documented.blocks(PAGE, "ini"):
        if one.text.startswith("[Unit]"):
            name = text[: text.index(one.text)].rpartition("/etc/systemd/system/")[2].partition("`")[0]
            found[name] = one.text
    return found


def unit(name: str) -> documented.Settings:
    """Return a unit; of a key that stands more than once, the last."""
    parser = documented.Settings(strict=False)
    parser.read_string(units()[name])
    return parser


def starts(name: str) -> list[str]:
    """Return all that a unit starts, in order."""
    return [line.partition("=")[2] for line in units()[name].splitlines() if line.startswith("ExecStart=")]


def variables(text: str) -> dict[str, str]:
    """Return the variables of an environment file."""
    return dict(line.split("=", 1) for line in text.splitlines() if line)
