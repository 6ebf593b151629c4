"""The issuer as it is on bad days: rotating, gone, slow, sending rubbish. Over real sockets; what a caller would see."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from serving.access.key_sets import KeySet, KeysUnavailable
from serving.access.key_sources import UrlSource
from serving.access.tokens import TokenRefused, TokenVerifier
from tests.lib.issuer import AUDIENCE, ISSUER, claims, ec_key, key_set, public_jwk, signed

ONE = public_jwk(ec_key("one"), "one")
TWO = public_jwk(ec_key("two"), "two")


class Issuer:
    """A web server whose answer a test chooses; ``answer`` writes to the handler."""

    def __init__(self, port=0, context=None):
        self.asked = []
        self.answer = lambda handler: send(handler, key_set(ONE))
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append((time.monotonic(), self.path, dict(self.headers)))
                try:
                    issuer.answer(self)
                except OSError:
                    self.close_connection = True  # the service has hung up

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a handshake that the service refuses

        self.server = Server(("127.0.0.1", port), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def url(self, scheme="http", path="/keys?v=1"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


def send(handler, body, status=200, length=None, **headers):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def issuer():
    serves = Issuer()
    yield serves
    serves.stop()


@contextmanager
def kept_fresh(url, least=0.2, every=600.0, wait=0.5, most=1.0):
    source = UrlSource(url, wait, most)
    source.least, source.every = least, every
    keys = KeySet(source)
    keys.start()
    try:
        yield keys, TokenVerifier(ISSUER, AUDIENCE, keys)
    finally:
        keys.close()
        keys._thread.join(5)
        assert not keys._thread.is_alive()


def wait_until(holds, seconds=8.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def seen_by_caller(verifier, token):
    try:
        return verifier.verify(token).subject
    except TokenRefused as refused:
        return refused.reason
    except KeysUnavailable:
        return "keys-unavailable"


def token_of(name):
    return signed(claims(), ec_key(name), name)


def test_a_rotation_is_seen_within_the_pause_and_the_old_key_no_longer_counts(issuer):
    with kept_fresh(issuer.url()) as (keys, verifier):
        wait_until(keys.is_healthy)
        assert seen_by_caller(verifier, token_of("one")) == "ann"
        issuer.answer = lambda handler: send(handler, key_set(ONE, TWO))  # as issuers announce the next key
        assert seen_by_caller(verifier, token_of("two")) == "unknown_key"
        wait_until(lambda: seen_by_caller(verifier, token_of("two")) == "ann")
        assert seen_by_caller(verifier, token_of("one")) == "ann"
        issuer.answer = lambda handler: send(handler, key_set(TWO))
        seen_by_caller(verifier, token_of("three"))
        wait_until(lambda: seen_by_caller(verifier, token_of("one")) == "unknown_key")
        assert issuer.asked[0][1] == "/keys?v=1"


def test_many_unknown_keys_do_not_make_the_service_flood_its_issuer(issuer):
    with kept_fresh(issuer.url(), least=0.5) as (keys, verifier):
        wait_until(keys.is_healthy)
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            assert seen_by_caller(verifier, token_of("evil")) == "unknown_key"
        assert len(issuer.asked) <= 4
        times = [at for at, _, _ in issuer.asked]
        assert min(later - earlier for earlier, later in pairwise(times)) >= 0.45


def test_a_key_withdrawn_in_silence_is_gone_after_the_next_round(issuer):
    with kept_fresh(issuer.url(), least=0.05, every=0.3) as (keys, verifier):
        wait_until(keys.is_healthy)
        issuer.answer = lambda handler: send(handler, key_set(TWO))
        wait_until(lambda: seen_by_caller(verifier, token_of("one")) == "unknown_key")


def test_while_the_issuer_is_gone_tokens_go_on_to_be_checked_and_its_return_is_noticed(issuer):
    with kept_fresh(issuer.url(), every=0.3) as (keys, verifier):
        wait_until(keys.is_healthy)
        issuer.stop()
        wait_until(lambda: keys.trouble != "")
        assert "ConnectionRefusedError" in keys.trouble
        assert seen_by_caller(verifier, token_of("one")) == "ann"
        assert seen_by_caller(verifier, token_of("two")) == "unknown_key"
        assert keys.is_healthy()
        back = Issuer(issuer.port)
        back.answer = lambda handler: send(handler, key_set(ONE, TWO))
        try:
            wait_until(lambda: seen_by_caller(verifier, token_of("two")) == "ann")
            assert keys.trouble == ""
        finally:
            back.stop()


def test_an_issuer_that_was_never_there_is_503_and_its_arrival_is_noticed():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with kept_fresh(f"http://127.0.0.1:{port}/keys") as (keys, verifier):
        wait_until(lambda: "ConnectionRefusedError" in keys.trouble)
        assert seen_by_caller(verifier, token_of("one")) == "keys-unavailable"
        late = Issuer(port)
        try:
            wait_until(lambda: seen_by_caller(verifier, token_of("one")) == "ann")
        finally:
            late.stop()


def drip(handler, pause=0.2, seconds=20.0):
    """Announce a body and send it byte by byte, each within the time that one piece may take."""
    body = key_set(TWO)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    end = time.monotonic() + seconds
    for byte in body:
        if time.monotonic() > end:
            return
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(pause)


def drip_headers(handler):
    for number in range(100):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" if number == 0 else f"X-{number}: x\r\n".encode())
        handler.wfile.flush()
        time.sleep(0.2)


FAULTS = {
    "silence": lambda handler: time.sleep(3),
    "drops": drip,
    "drops of header": drip_headers,
    "garbage": lambda handler: send(handler, b"<html>Bad gateway</html>"),
    "no HTTP": lambda handler: handler.wfile.write(b"220 mail.example ESMTP\r\n"),
    "5 MB": lambda handler: send(handler, b'{"keys": [' + b" " * 5_000_000 + b"]}"),
    "5 MB in a valid set": lambda handler: send(handler, key_set(TWO) + b" " * 5_000_000),
    "cut short": lambda handler: send(handler, key_set(TWO)[:-20], length=len(key_set(TWO))),
    "error with a set": lambda handler: send(handler, key_set(TWO), 500),
    "not found": lambda handler: send(handler, b"", 404),
    "redirect": lambda handler: send(handler, key_set(TWO), 302, Location="/elsewhere"),
    "permanent redirect": lambda handler: send(handler, key_set(TWO), 308, Location="https://evil.example/"),
    "empty": lambda handler: send(handler, key_set()),
    "private key": lambda handler: send(handler, key_set({**TWO, "d": "x"})),
    "two of a name": lambda handler: send(handler, key_set(TWO, {**ONE, "kid": "two"})),
    "nothing": lambda handler: None,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_answer_changes_nothing_and_ends_in_time(issuer, fault):
    source = UrlSource(issuer.url(), 0.5, 1.0)
    keys = KeySet(source)
    assert keys.refresh()
    issuer.answer = FAULTS[fault]
    begun = time.monotonic()
    assert not keys.refresh()
    assert time.monotonic() - begun < 2.5
    assert keys.trouble
    verifier = TokenVerifier(ISSUER, AUDIENCE, keys)
    assert seen_by_caller(verifier, token_of("one")) == "ann"
    assert seen_by_caller(verifier, token_of("two")) == "unknown_key"
    assert "/elsewhere" not in [path for _, path, _ in issuer.asked]
    issuer.answer = lambda handler: send(handler, key_set(TWO))
    assert keys.refresh(), "the next good answer counts"


def test_an_answer_without_end_is_not_read_to_the_end(issuer):
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while sum(sent) < 200_000_000:
            sent.append(handler.wfile.write(b" " * 100_000))

    issuer.answer = endless
    keys = KeySet(UrlSource(issuer.url(), 5.0, 30.0))
    assert not keys.refresh()
    assert "larger than" in keys.trouble
    assert sum(sent) < 50_000_000, "what lies in the buffers of the machine, no more"


def test_the_event_loop_never_waits_for_a_stuck_issuer(issuer):
    async def worst_wait(verifier):
        worst, end = 0.0, time.monotonic() + 1.5
        while time.monotonic() < end:
            begun = time.perf_counter()
            for name, seen in (("one", "ann"), ("two", "unknown_key")):
                assert seen_by_caller(verifier, tokens[name]) == seen
            worst = max(worst, time.perf_counter() - begun)
            await asyncio.sleep(0)
        return worst

    tokens = {name: token_of(name) for name in ("one", "two")}
    with kept_fresh(issuer.url(), least=0.05, wait=1.0, most=1.0) as (keys, verifier):
        wait_until(keys.is_healthy)
        issuer.answer = lambda handler: time.sleep(1.5)
        assert asyncio.run(worst_wait(verifier)) < 0.5  # the machine may be busy; a wait for the issuer is a second
        assert len(issuer.asked) >= 2, "no fetch was under way: the test has shown nothing"


def test_no_proxy_of_the_environment_sees_the_request(issuer, monkeypatch):
    proxy = Issuer()
    proxy.answer = lambda handler: send(handler, key_set(TWO))
    try:
        for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        keys = KeySet(UrlSource(issuer.url()))
        assert keys.refresh()
        assert keys.find("two") is None
        assert proxy.asked == []
    finally:
        proxy.stop()


def certificate(directory):
    """A certificate for 127.0.0.1 that nobody has vouched for."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    now = datetime.datetime.now(datetime.UTC)
    key = ec_key("tls")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "issuer.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return path


@pytest.fixture
def https_issuer(tmp_path):
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    serves = Issuer(context=context)
    serves.certificate = path
    yield serves
    serves.stop()


def test_an_issuer_whose_certificate_nobody_vouches_for_is_not_believed(https_issuer):
    keys = KeySet(UrlSource(https_issuer.url("https")))
    assert not keys.refresh()
    assert "SSLCertVerificationError" in keys.trouble
    assert https_issuer.asked == []


def test_a_certificate_that_the_deployment_trusts_is_enough(https_issuer, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(https_issuer.certificate))
    keys = KeySet(UrlSource(https_issuer.url("https"), 2.0, 3.0))
    assert keys.refresh(), keys.trouble
    https_issuer.answer = drip
    keys = KeySet(UrlSource(https_issuer.url("https"), 1.0, 1.0))
    begun = time.monotonic()
    assert not keys.refresh()
    assert time.monotonic() - begun < 2.5


def test_plain_text_where_encryption_was_promised_is_not_believed(issuer):
    keys = KeySet(UrlSource(issuer.url("https"), 0.5, 1.0))
    assert not keys.refresh()
    assert "SSLError" in keys.trouble or "Timeout" in keys.trouble
