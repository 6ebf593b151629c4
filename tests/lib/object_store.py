"""A real S3-compatible store for tests: SeaweedFS with access keys, on this machine only, stopped and gone afterwards.

Two accounts: ``KEEPER`` may do everything, ``WRITER`` may use the bucket ``BUCKET`` and no other, as the account of a server
should.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

BUCKET = "mlflow"
KEEPER = ("KEEPERKEEPERKEEPER01", "keeper-secret-that-only-the-tests-know-00")
WRITER = ("WRITERWRITERWRITER01", "writer-secret-that-only-the-tests-know-00")
LONGEST_START_SECONDS = 60

_PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
          "s3.port", "s3.port.grpc")  # fmt: skip
_OFF = ("-master.telemetry=false", "-s3.port.iceberg=0", "-s3.iam=false", "-s3.autoCreateBucket=false")


@dataclass(frozen=True)
class ObjectStore:
    """Where the store listens, and a client for it."""

    url: str

    def client(self, account: tuple[str, str] = KEEPER) -> Any:
        """Return a boto3 client; warnings of botocore itself are not ours."""
        import boto3
        from botocore.config import Config

        key, secret = account
        settings = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1})
        return boto3.client("s3", endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret,
                            region_name="us-east-1", config=settings)  # fmt: skip

    def names(self, bucket: str = BUCKET) -> list[str]:
        """Return the names of all objects of a bucket."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]


def program() -> str:
    """Return the path of ``weed``; skips the test where it is not installed."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        pytest.skip("no S3-compatible store is installed (SeaweedFS, weed)")
    return found


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Yield a store with an empty bucket ``BUCKET``."""
    weed = program()
    with tempfile.TemporaryDirectory(prefix="s3") as directory:
        home = Path(directory)
        (home / "accounts.json").write_text(json.dumps(_accounts()))
        (home / "data").mkdir()
        ports = some_ports()
        words = [
            weed, "-logtostderr=true", "server", f"-dir={home / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            "-s3", "-filer", f"-s3.config={home / 'accounts.json'}", "-volume.max=20", "-master.volumeSizeLimitMB=64", *_OFF,
            *(f"-{name}={port}" for name, port in ports.items()),
        ]  # fmt: skip
        with running(words, home, ports["s3.port"], _can_write) as store:
            store.client().create_bucket(Bucket=BUCKET)
            yield store


@contextmanager
def running(
    words: Sequence[str], home: Path, port: int, is_ready: Callable[[ObjectStore], bool]
) -> Iterator[ObjectStore]:
    """Yield the store that a command starts, when it says that it is well and ``is_ready`` agrees."""
    store = ObjectStore(f"http://127.0.0.1:{port}")
    with (home / "log.txt").open("w+b") as log:
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, cwd=home)
        try:
            _wait_for(store, process, log, is_ready)
            yield store
        finally:
            process.kill()  # a polite end takes half a minute, and nothing of it is kept
            process.wait()


def some_ports() -> dict[str, int]:
    """Return a free port for each that the store would take, by its option."""
    return dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))


def free_ports(number: int) -> list[int]:
    """Return ports that are free now, all different."""
    probes = [socket.socket() for _ in range(number)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _accounts() -> dict[str, Any]:
    def account(name: str, keys: tuple[str, str], actions: list[str]) -> dict[str, Any]:
        return {"name": name, "credentials": [{"accessKey": keys[0], "secretKey": keys[1]}], "actions": actions}

    writing = [f"{action}:{BUCKET}" for action in ("Read", "Write", "List", "Tagging")]
    return {"identities": [account("keeper", KEEPER, ["Admin", "Read", "Write", "List", "Tagging"]),
                           account("writer", WRITER, writing)]}  # fmt: skip


def _wait_for(
    store: ObjectStore, process: subprocess.Popen[bytes], log: Any, is_ready: Callable[[ObjectStore], bool]
) -> None:
    until = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{store.url}/healthz", timeout=2).status_code == 200 and is_ready(store):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    log.seek(0)
    raise RuntimeError(f"the store did not start: {log.read()[-2000:]!r}")


def _can_write(store: ObjectStore) -> bool:
    """Tell if a write goes through: the gateway answers before its volumes do."""
    from botocore.exceptions import BotoCoreError, ClientError

    client = store.client()
    try:
        client.create_bucket(Bucket="trial")
        client.put_object(Bucket="trial", Key="one", Body=b"1")
        client.delete_object(Bucket="trial", Key="one")
        client.delete_bucket(Bucket="trial")
    except (BotoCoreError, ClientError):
        return False
    return True
