"""Verb serve: the BentoML service, in place of the process that was asked for it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from data_contracts.errors import BalanceRiskError
from models.outcomes import OUTCOMES
from pipeline.erasure.models import retrain_due
from pipeline.workspace import Workspace, require

SERVICE = "serving.service:BalanceRisk"
PROJECT = Path(__file__).parents[1]
"""Where the service is started, so that its package is found."""


class AddressNotFree(BalanceRiskError):
    """The service cannot listen where it was told to."""


def command(host: str, port: int) -> list[str]:
    """Return the command that serves; the Python that runs us also runs the service."""
    return [sys.executable, "-m", "bentoml", "serve", SERVICE, "--host", host, "--port", str(port)]


def environment(workspace: Workspace) -> dict[str, str]:
    """Return the environment in which the service finds bundles and verification key and keeps what it writes."""
    return {
        **os.environ,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str((workspace.root / ".bentoml").resolve()),
        "BALANCE_RISK_BUNDLES": str(workspace.bundles.resolve()),
        "BALANCE_RISK_VERIFY_KEY": str((workspace.keys / "verify.key").resolve()),
    }


def run(workspace: Workspace, host: str, port: int) -> None:
    """Become the service: signals reach it, and its exit code is ours."""
    require(workspace.bundles, "promote")
    check_address(host, port)
    for note in retrain_due(workspace, OUTCOMES):
        sys.stderr.write(f"{note}\n")
    variables, words = environment(workspace), command(host, port)
    os.chdir(PROJECT)
    os.execvpe(words[0], words, variables)


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
