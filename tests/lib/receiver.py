"""A receiver of webhooks that fails as it is told to, and keeps what it was sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = b"0123456789abcdef0123456789abcdef"
SECRET_TEXT = "whsec_" + base64.b64encode(SECRET).decode()


@dataclass
class Receiver:
    """What it answers next (a status, or what it does with the connection), and all that came."""

    url: str = ""
    behaviours: list[int | Callable[[Any], None]] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def ids(self) -> list[str]:
        """The identifiers of what came, in order."""
        return [headers["webhook-id"] for headers, _ in self.got]


def is_signed(headers: dict[str, str], body: bytes, secret: bytes = SECRET) -> bool:
    """Verify as the specification tells receivers to, independently of the sender's code."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    is_recent = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    given = [one.partition(",") for one in headers["webhook-signature"].split()]
    return is_recent and any(v == "v1" and hmac.compare_digest(text, wanted) for v, _, text in given)


@contextmanager
def receiving(*behaviours: int | Callable[[Any], None], tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Yield a receiver on this machine; after what it is told it answers 204."""
    receiver = Receiver(behaviours=[*behaviours])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            behaviour = receiver.behaviours.pop(0) if receiver.behaviours else 204
            if callable(behaviour):
                behaviour(self)
                return
            self.send_response(behaviour)
            if 300 <= behaviour < 400:
                self.send_header("location", f"{receiver.url}elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of clients that are gone."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook/"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            receiver.url = f"https://localhost:{server.server_port}/hook/"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def closes_mid_answer(handler: Any) -> None:
    """Break the answer off in its first line."""
    handler.wfile.write(b"HTTP/1.1 2")
    handler.close_connection = True


def is_silent(handler: Any) -> None:
    """Keep the connection and say nothing for two seconds."""
    time.sleep(2)
    handler.close_connection = True


def drips(handler: Any) -> None:
    """Say a little every fifth of a second: no single wait is long, all of them together are."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(10):
        time.sleep(0.2)
        handler.wfile.write(b"x-more: and more\r\n")
    handler.close_connection = True
