"""Clients that no library would be: one that never ends its header, one that sends whatever bytes it is given."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress

import httpx

from tests.lib.proxy import NAME


class HalfAHeader(threading.Thread):
    """A client that never ends its header, and how long it was listened to."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        super().__init__(daemon=True)
        self.port, self.context, self.seconds = port, context, 0.0

    def run(self) -> None:
        raw = socket.create_connection(("127.0.0.1", self.port), 60)
        with self.context.wrap_socket(raw, server_hostname=NAME) as connection:
            connection.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n")
            begun = time.monotonic()
            with suppress(OSError):  # a reset, or an end without a goodbye
                while connection.recv(100):
                    pass
            self.seconds = time.monotonic() - begun


def first_line(port: int, context: ssl.SSLContext, request: bytes) -> bytes:
    """Return the first line of the answer to bytes that no library would send."""
    connection = socket.create_connection(("127.0.0.1", port), 10)
    with context.wrap_socket(connection, server_hostname=NAME) as secured:
        secured.sendall(request)
        return secured.recv(4096).split(b"\r\n")[0]


def flood(url: str, context: ssl.SSLContext, seconds: float = 20) -> list[httpx.Response]:
    """Ask for a page from eight threads at once until one answer is no 200; return all answers."""
    answers: list[httpx.Response] = []
    until = time.monotonic() + seconds
    with httpx.Client(verify=context, limits=httpx.Limits(max_connections=20), timeout=20) as client:

        def ask() -> None:
            for _ in range(60):
                answers.append(client.get(url))

        while {one.status_code for one in answers} <= {200} and time.monotonic() < until:
            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    return answers
