"""Which registry is used: the workspace's own file, or the server that MLflow's own variable names.

A variable is easily left over from other work, so an address is doubted before anything is sent: a server only, encrypted
unless it is on this machine, and no password in an address that messages show. Names and passwords are MLflow's own variables
(``MLFLOW_TRACKING_USERNAME`` and ``_PASSWORD``, or ``_TOKEN``); nothing here reads them.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from data_contracts.errors import RegistryError, SettingsError

VARIABLE = "MLFLOW_TRACKING_URI"
PLAIN_HTTP = "BALANCE_RISK_PLAIN_HTTP_REGISTRY"
UNVERIFIED = "MLFLOW_TRACKING_INSECURE_TLS"

LONGEST_CONNECT_SECONDS = 5
PORTS = {"http": 80, "https": 443}


def named_server(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of the server that the environment names, None if it names none; raises SettingsError."""
    address = environ.get(VARIABLE, "").strip()
    if not address:
        return None
    parts = _parts(address)
    if parts.username or parts.password:
        raise SettingsError(
            f"{VARIABLE} holds a name or a password. Give them in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
            "or a token in MLFLOW_TRACKING_TOKEN, and the address alone."
        )
    if not is_this_machine(str(parts.hostname)):
        _refuse_unprotected(parts, environ)
    return address.rstrip("/")


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        wrong = parts.scheme not in PORTS or not parts.hostname or parts.query or parts.fragment or parts.port == 0
    except ValueError:
        wrong = True
    if wrong:  # the value is not repeated: it may hold a password
        raise SettingsError(
            f"{VARIABLE} is not the address of a server, such as https://mlflow.example.org. Unset it to use the "
            "registry of the workspace."
        )
    return parts


def _refuse_unprotected(parts: SplitResult, environ: Mapping[str, str]) -> None:
    if parts.scheme == "http" and environ.get(PLAIN_HTTP) != "1":
        raise SettingsError(
            f"{VARIABLE} names {parts.hostname} by http://: passwords and models would cross the network in the clear. "
            f"Use https://, or set {PLAIN_HTTP}=1 where the network between is protected by other means."
        )
    if environ.get(UNVERIFIED, "").strip().lower() in ("1", "true"):
        raise SettingsError(
            f"{UNVERIFIED} is set, so anybody could answer for {parts.hostname}. Unset it and name the certificate of your "
            "authority in MLFLOW_TRACKING_SERVER_CERT_PATH."
        )


def is_this_machine(host: str) -> bool:
    """True for localhost and loopback addresses."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_server(tracking_uri: str) -> bool:
    """True if an address is of a server, False if of a file."""
    return tracking_uri.startswith(("http://", "https://"))


def refuse_unreachable(tracking_uri: str) -> None:
    """Try the server's port: MLflow would repeat every request and its answer comes late; raises RegistryError.

    Nothing is tried where a proxy stands between: it may reach what this machine cannot.
    """
    if not is_server(tracking_uri):
        return
    parts = urlsplit(tracking_uri)
    host = str(parts.hostname)
    if parts.scheme in getproxies() and not proxy_bypass(host):
        return
    try:
        socket.create_connection((host, parts.port or PORTS[parts.scheme]), LONGEST_CONNECT_SECONDS).close()
    except OSError as error:
        raise RegistryError(
            f"The model registry at {tracking_uri} cannot be reached: {_why(error)}. Nothing was changed. Check that the "
            f"server is up and that {VARIABLE} names it, then try again."
        ) from None


def _why(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, TimeoutError):
        return f"no answer within {LONGEST_CONNECT_SECONDS} seconds"
    return "nobody listens there" if isinstance(error, ConnectionRefusedError) else "there is no way to it"
