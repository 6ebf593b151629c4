"""The real service in real processes, for tests: keys, bundles, tokens, start, stop, kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import httpx
import jwt
import psutil
from cryptography.hazmat.primitives.asymmetric import ec

from models.artifact import save
from models.bundle import create_keys, export_bundle, move_current
from models.risk_model import RiskModel
from serving.body import BODY_SECONDS
from serving.gate import LONGEST_BULK_SECONDS
from serving.ticket import AUDIT_SECONDS
from tests.lib.models import boosted_model, linear_model

PROJECT = Path(__file__).parents[2]
REQUEST = json.loads((PROJECT / "examples" / "request.json").read_text())
PERSON = REQUEST["record"]["person"]["person_id"]
COMPANY = REQUEST["record"]["employments"][0]["company_id"]
ISSUER, AUDIENCE, KEY_ID = "https://tokens.test.example", "balance-risk", "test-1"
LONGEST_START_SECONDS = 90
LONGEST_STOP_SECONDS = 30
LONGEST_REQUEST = BODY_SECONDS + LONGEST_BULK_SECONDS + AUDIT_SECONDS
"""Seconds until the service itself gives a request up."""


class Issuer:
    """Issues tokens, and publishes its public key as a file."""

    def __init__(self, jwks: Path) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.jwks = jwks
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        jwks.write_text(json.dumps({"keys": [public | {"kid": KEY_ID, "use": "sig", "alg": "ES256"}]}))

    def token(self, role: str = "app", organisations: Sequence[str] = (COMPANY,), **claims: Any) -> str:
        """Return a token that holds for ten minutes; ``claims`` replace or add, None removes."""
        now = int(datetime.now(UTC).timestamp())
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": f"{role}-1", "iat": now, "nbf": now, "exp": now + 600,
                 "role": role, "organisations": list(organisations)}  # fmt: skip
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(payload, self.key, algorithm="ES256", headers={"kid": KEY_ID, "typ": "at+jwt"})


class Deployment:
    """A directory with keys, bundles and store, and the service that runs on it in production mode."""

    def __init__(self, root: Path, **variables: str) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.signing, self.verify = create_keys(root / "keys")
        self.issuer = Issuer(root / "keys" / "jwks.json")
        audit_key = root / "keys" / "audit.key"
        audit_key.write_text("a1" * 32 + "\n")
        audit_key.chmod(0o600)
        self.log = root / "log.txt"
        (root / "store").mkdir(exist_ok=True)
        self.environment = {
            **os.environ,
            "BENTOML_HOME": str(root / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
            "BALANCE_RISK_BUNDLES": str(root / "bundles"),
            "BALANCE_RISK_VERIFY_KEY": str(self.verify),
            "BALANCE_RISK_STORE": f"sqlite:///{root / 'store' / 'store.db'}",
            "BALANCE_RISK_AUDIT": f"sqlite:///{root / 'store' / 'audit.db'}",
            "BALANCE_RISK_AUDIT_KEY": str(audit_key),
            "BALANCE_RISK_AUDIT_HEADS": str(root / "heads" / "heads.jsonl"),
            "BALANCE_RISK_ISSUER": ISSUER,
            "BALANCE_RISK_AUDIENCE": AUDIENCE,
            "BALANCE_RISK_JWKS": str(self.issuer.jwks),
            "BALANCE_RISK_MODE": "production",
            **variables,
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=20)

    def start(self, until_ready: bool = False) -> None:
        """Start the service and wait until it lives (and is ready)."""
        command = [sys.executable, "-m", "bentoml", "serve", "serving.service:BalanceRisk"]
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command + address, cwd=PROJECT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(lambda: self.status("/livez") == 200)
        if until_ready:
            wait_for(lambda: self.status("/readyz") == 200)

    def stop(self) -> None:
        """End the service as a deployment would; by force, and with an error, if it does not obey."""
        self.client.close()
        if getattr(self, "process", None) is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(LONGEST_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("The service did not end when it was told to.") from None

    def kill(self) -> None:
        """Kill every process of the service at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def workers(self) -> list[int]:
        """Return the processes that answer, children of the one that was started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if b"_bentoml_impl.worker" in _command_line(child)]

    def is_ready(self, workers: int = 1) -> bool:
        """True if there are so many workers and each has said so: connections stay open, and must be held by every one."""
        try:
            with ExitStack() as stack:
                for _ in range(10 * workers):
                    connection = stack.enter_context(closing(HTTPConnection("127.0.0.1", self.port, timeout=10)))
                    connection.request("GET", "/readyz")
                    answer = connection.getresponse()
                    if (answer.status, bool(answer.read())) != (200, True):
                        return False
                found = self.workers()
                return len(found) == workers and all(_holds(one, self.port) for one in found)
        except (OSError, HTTPException, psutil.Error):
            return False

    def export(self, model: RiskModel, version: str) -> Path:
        """Seal a model as a bundle, not yet in service."""
        save(model, self.root / "model" / model.outcome)
        trained = self.root / "model" / model.outcome
        return export_bundle(trained, self.root / "bundles", model.outcome, version, self.signing)

    def promote(self, model: RiskModel, version: str) -> None:
        """Put a model into service."""
        move_current(self.root / "bundles", model.outcome, self.export(model, version))

    def promote_both(self) -> None:
        """Put a model of each outcome that the example asks for into service."""
        self.promote(linear_model(), "1")
        self.promote(boosted_model(), "1")

    def status(self, path: str) -> int:
        """Return the status of a page, 0 if nobody answers."""
        try:
            return self.client.get(path).status_code
        except httpx.TransportError:
            return 0

    def headers(self, role: str = "app", purpose: str = "healthcare", **claims: Any) -> dict[str, str]:
        """Return the headers of a caller."""
        token = self.issuer.token(role, **claims)
        return {"authorization": f"Bearer {token}", "x-purpose-of-use": purpose, "content-type": "application/json"}

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Post as the app, but for the headers that are given."""
        content = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.post(path, content=content, headers=self.headers() | headers)

    def get(self, path: str, role: str = "app", purpose: str = "healthcare", **claims: Any) -> httpx.Response:
        """Get as a caller of that role."""
        return self.client.get(path, headers=self.headers(role, purpose, **claims))

    def version(self, outcome: str) -> str:
        """Return the version that answers for an outcome; empty if none does."""
        response = self.post("/v1/risk", REQUEST | {"outcomes": [outcome]})
        return response.json()["outcomes"][outcome]["model"]["version"] if response.status_code == 200 else ""


def wait_for(true: Callable[[], bool], seconds: float = LONGEST_START_SECONDS) -> None:
    """Return when it is true; fail when that takes too long."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


def _holds(process: int, port: int) -> bool:
    held = psutil.Process(process).net_connections("tcp")
    return any(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in held)


def _command_line(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
