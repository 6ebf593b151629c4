"""Where a key set comes from: a file beside the service, or the issuer's address. Each read is bounded in size and time."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from data_contracts.errors import SettingsError
from serving.access.jwks import MOST_BYTES, KeySetRefused, VerifyKey, parse_key_set

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
WAIT_SECONDS = 5.0
"""For the connection and for each piece of the answer."""
MOST_SECONDS = 15.0
"""For the whole answer: one that trickles would otherwise hold up every later refresh."""


class Source(Protocol):
    """Something that gives a key set."""

    where: str
    """For the log: a path, or an address without its query."""
    every: float
    """Seconds between looks when nothing asks for one."""
    least: float
    """Seconds that lie at least between two looks, whoever asks."""

    def read(self) -> Mapping[str, VerifyKey]:
        """Return the keys; raises KeySetRefused or OSError."""
        ...


class FileSource:
    """A file, parsed again only when it is another than before."""

    every = 5.0
    least = 1.0

    def __init__(self, path: Path) -> None:
        self._path, self.where = path, str(path)
        self._seen: tuple[tuple[int, int, int], Mapping[str, VerifyKey]] | None = None

    def read(self) -> Mapping[str, VerifyKey]:
        """Return the keys of the file."""
        with open(self._path, "rb") as file:
            state = os.fstat(file.fileno())
            stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
            if self._seen is None or self._seen[0] != stamp:
                self._seen = (stamp, parse_key_set(file.read(MOST_BYTES + 1)))
        return self._seen[1]


class UrlSource:
    """An https address, asked directly: neither a redirect nor a proxy of the environment is followed.

    Parameters
    ----------
    url : str
        http is taken for this machine only.
    wait_seconds, most_seconds : float
        How long a piece, and the whole, may take.
    """

    every = 600.0
    least = 60.0

    def __init__(self, url: str, wait_seconds: float = WAIT_SECONDS, most_seconds: float = MOST_SECONDS) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            raise SettingsError("The address of the key set is no URL. Set BALANCE_RISK_JWKS.") from None
        is_clean = url.isascii() and url.isprintable() and " " not in url
        local_http = parts.scheme == "http" and self._host in LOOPBACK
        if (
            not is_clean
            or not (parts.scheme == "https" or local_http)
            or not self._host
            or parts.username
            or parts.fragment
        ):
            raise SettingsError(
                "The key set must come from an https address without user name or fragment (http for this machine only), "
                "or from a file. Set BALANCE_RISK_JWKS."
            )
        self.where = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._is_https = parts.scheme == "https"
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._wait, self._most = wait_seconds, most_seconds

    def read(self) -> Mapping[str, VerifyKey]:
        """Fetch the keys once; raises KeySetRefused or OSError."""
        connection = self._connection()
        try:
            connection.connect()
            cut = threading.Timer(self._most, _hang_up, [connection.sock])
            cut.daemon = True
            cut.start()
            try:
                return parse_key_set(self._answer(connection))
            finally:
                cut.cancel()
        except HTTPException as error:
            raise KeySetRefused(f"The issuer's answer is no HTTP ({type(error).__name__}).") from None
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if self._is_https:
            return HTTPSConnection(self._host, self._port, timeout=self._wait, context=ssl.create_default_context())
        return HTTPConnection(self._host, self._port, timeout=self._wait)

    def _answer(self, connection: HTTPConnection) -> bytes:
        connection.request("GET", self._target, headers={"Accept": "application/jwk-set+json, application/json"})
        with connection.getresponse() as answer:
            if answer.status != 200:
                raise KeySetRefused(f"The issuer answered with status {answer.status} instead of a key set.")
            return answer.read(MOST_BYTES + 1)


def _hang_up(line: socket.socket) -> None:
    # Not SSLSocket.shutdown, which would drop the encryption first and let the reader see what is left, raw.
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
