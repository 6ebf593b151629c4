"""Verb serve: the BentoML service, in place of the process that was asked for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from data_contracts.errors import BalanceRiskError, SettingsError
from models.outcomes import OUTCOMES
from pipeline.development_tokens import how_to_sign_in
from pipeline.erasure.models import retrain_due
from pipeline.workspace import Workspace, require

DEVELOPMENT_ISSUER = "urn:balance-risk:development"
IN_DEVELOPMENT = "Development mode: tokens by `balance-risk token --role app` (docs/access.md).\n"
SERVICE = "serving.service:BalanceRisk"
TEAMS = "teams.yaml"
"""In a workspace: who is alerted to what."""

PROJECT = Path(__file__).parents[1]
"""Where the service is started, so that its package is found."""


class AddressNotFree(BalanceRiskError):
    """The service cannot listen where it was told to."""


def command(host: str, port: int) -> list[str]:
    """Return the command that serves; the Python that runs us also runs the service."""
    return [sys.executable, "-m", "bentoml", "serve", SERVICE, "--host", host, "--port", str(port)]


def environment(workspace: Workspace, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of every process of the service; a deployment's settings in ``given`` are kept.

    Where no issuer of tokens is configured it is the development one, with a key of this workspace.
    """
    keys, store = workspace.keys.resolve(), (workspace.root / "store").resolve()
    defaults = {
        "BENTOML_HOME": str((workspace.root / ".bentoml").resolve()),
        "BALANCE_RISK_BUNDLES": str(workspace.bundles.resolve()),
        "BALANCE_RISK_VERIFY_KEY": str(keys / "verify.key"),
        "BALANCE_RISK_STORE": f"sqlite:///{store / 'store.db'}",
        "BALANCE_RISK_AUDIT": f"sqlite:///{store / 'audit.db'}",
        "BALANCE_RISK_AUDIT_KEY": str(keys / "audit.key"),
        "BALANCE_RISK_AUDIT_HEADS": str(store / "audit-heads.jsonl"),
    }
    if (workspace.root / TEAMS).is_file():
        defaults["BALANCE_RISK_TEAMS"] = str((workspace.root / TEAMS).resolve())
    if not given.get("BALANCE_RISK_ISSUER"):
        defaults |= {
            "BALANCE_RISK_ISSUER": DEVELOPMENT_ISSUER,
            "BALANCE_RISK_JWKS": str(keys / "development.jwks.json"),
            "BALANCE_RISK_MODE": "development",
        }
    others = {name: value for name, value in os.environ.items() if not name.startswith("BALANCE_RISK_")}
    settings = {name: value for name, value in given.items() if name.startswith("BALANCE_RISK_") and value}
    return {**others, **defaults, **settings, "BENTOML_DO_NOT_TRACK": "True"}


def prepare(variables: dict[str, str]) -> None:
    """Make keys (in development) and tables, and raise NotPrepared with what is lacking."""
    done = subprocess.run(
        [sys.executable, "-m", "serving.prepare"],
        cwd=PROJECT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotPrepared(done.stderr.strip().removeprefix("balance-risk: ") or "The service cannot be prepared.")


class NotPrepared(BalanceRiskError):
    """The service would never be ready."""


def run(workspace: Workspace, host: str, port: int) -> None:
    """Become the service: signals reach it, and its exit code is ours."""
    require(workspace.bundles, "promote")
    check_address(host, port)
    for note in retrain_due(workspace, OUTCOMES):
        sys.stderr.write(f"{note}\n")
    variables, words = environment(workspace), command(host, port)
    if variables.get("BALANCE_RISK_MODE") == "development":
        check_loopback(host)
        sys.stderr.write(IN_DEVELOPMENT)
    prepare(variables)
    address = f"http://{host}:{port}"
    if variables["BALANCE_RISK_ISSUER"] == DEVELOPMENT_ISSUER:
        sys.stdout.write(how_to_sign_in(workspace, address))
    else:
        sys.stdout.write(f"Pages: {address}/ui/\n")
    sys.stdout.flush()  # before the process is another
    os.chdir(PROJECT)
    os.execvpe(words[0], words, variables)


def check_loopback(host: str) -> None:
    """Raise SettingsError where tokens that anybody with this disk can make would open a door to the network."""
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise SettingsError(
            f"--host {host}: with development tokens the service listens on this machine only. For others set "
            "BALANCE_RISK_ISSUER and BALANCE_RISK_JWKS (docs/access.md)."
        )


def check_address(host: str, port: int) -> None:
    """Raise AddressNotFree if the service could not listen there, before a framework says so in fifty lines."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the service does it: a port whose last connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise AddressNotFree(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Stop what listens there, or choose another --port."
        ) from None
