"""A real nginx for tests: a declared configuration on free ports of this machine, in a directory of its own."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.lib.debian import NGINX
from tests.lib.deployment import wait_for

NAME = "localhost"
"""What the proxy is called: a name that every machine knows to be itself."""
KEPT_OUT = ("body", "proxy", "fastcgi", "scgi", "uwsgi")
"""Directories into which nginx writes what it does not hold in memory."""


class Proxy:
    """nginx with a configuration in which names, paths and ports were replaced by those of a test."""

    def __init__(self, root: Path, configuration: Path, replaced: Mapping[str, str]) -> None:
        self.root = root
        self.port, self.clear_port = free_port(), free_port()
        self.certificate = root / "certificate" / "fullchain.pem"
        self.logs = root / "log"
        for directory in (root, self.logs, root / "run", *self.written):
            directory.mkdir(parents=True, exist_ok=True)
        create_certificate(self.certificate, root / "certificate" / "privkey.pem")
        self.configuration = root / "nginx.conf"
        self.configuration.write_text(self._here(configuration.read_text(), replaced))
        self.url = f"https://{NAME}:{self.port}"

    @property
    def written(self) -> list[Path]:
        """The directories for bodies and answers that do not fit into memory."""
        return [self.root / "temporary" / name for name in KEPT_OUT]

    def access_log(self) -> str:
        return (self.logs / "access.log").read_text()

    def error_log(self) -> str:
        return (self.logs / "error.log").read_text()

    def start(self) -> None:
        """Check the configuration, start, and wait until it takes connections."""
        checked = subprocess.run([*self._command(), "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert "[warn]" not in checked.stderr, checked.stderr
        self.process = subprocess.Popen(
            [*self._command(), "-g", "daemon off;"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        wait_for(lambda: is_open(self.port), 10)
        for directory in self.written:  # made by nginx for itself; now whoever is to be kept in a file fails
            directory.chmod(0)

    def stop(self) -> None:
        """End it."""
        if getattr(self, "process", None) is None:
            return
        self.process.terminate()
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def _command(self) -> list[str]:
        program = NGINX.find()
        assert program is not None
        return [program, "-p", str(self.root), "-c", str(self.configuration), "-e", str(self.logs / "error.log")]

    def _here(self, text: str, replaced: Mapping[str, str]) -> str:
        """Return the configuration with this machine's ports and directories."""
        ports = {"443": self.port, "80": self.clear_port}
        listens = [(f"listen {old}", f"listen 127.0.0.1:{new}") for old, new in ports.items()]
        listens += [(f"listen [::]:{old}", f"listen [::1]:{new}") for old, new in ports.items()]
        places = [("/etc/letsencrypt/live/risk.example.no", str(self.certificate.parent)), ("/var/log/nginx", str(self.logs)),
                  ("/run/nginx.pid", str(self.root / "run" / "nginx.pid")), ("/var/www/acme", str(self.root / "acme")),
                  ("risk.example.no", NAME)]  # fmt: skip
        for old, new in (*listens, *places, *replaced.items()):
            assert old in text, f"{old} is not in the configuration any more"
            text = text.replace(old, new)
        if os.geteuid() != 0:
            text = text.replace("user www-data;\n", "")
        if not has_ipv6():
            text = "\n".join(line for line in text.splitlines() if "listen [::1]" not in line)
        directories = "".join(f"    {_directive(one.name)} {one};\n" for one in self.written)
        return text.replace("http {\n", f"http {{\n{directories}", 1)


@contextmanager
def proxy(root: Path, configuration: Path, replaced: Mapping[str, str]) -> Iterator[Proxy]:
    """Yield a running nginx, for which :func:`need` has asked."""
    found = Proxy(root, configuration, replaced)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def need() -> None:
    """Skip the test where nginx is not installed."""
    if NGINX.find() is None:
        pytest.skip(NGINX.lacking)


def create_certificate(certificate: Path, key: Path) -> None:
    """Make a certificate of this machine that is its own authority and holds for a day."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.parent.mkdir(parents=True, exist_ok=True)
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    key.chmod(0o600)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def is_open(port: int, address: str = "127.0.0.1") -> bool:
    """True if somebody takes connections there."""
    try:
        with socket.create_connection((address, port), 2):
            return True
    except OSError:
        return False


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _directive(name: str) -> str:
    return "client_body_temp_path" if name == "body" else f"{name}_temp_path"
