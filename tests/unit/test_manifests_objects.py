"""The object store of compose.yaml and its account as containers.md has it, run for real, outside of a container."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lib import documented
from tests.lib.manifests import COMPOSE, DEPLOY, ROOT, SERVICES
from tests.lib.object_store import program, running, some_ports

PAGE = DEPLOY / "containers.md"
PLACES = {"-dir=": "data", "-s3.config=": "accounts.json"}
"""Options of the command whose place on the test's machine is another."""


def command(home: Path, ports: dict[str, int]) -> list[str]:
    """The command of compose.yaml, at places and ports of this test."""
    words = [word for word in SERVICES["objects"]["command"] if not word.startswith(("-s3.port=", "-ip="))]
    for option, place in PLACES.items():
        words = [f"{option}{home / place}" if word.startswith(option) else word for word in words]
    # As the image's own start does, but small.
    small = ["-ip=127.0.0.1", "-volume.max=20", "-master.volumeSizeLimitMB=64"]
    return [program(), *words, *small, *(f"-{name}={port}" for name, port in ports.items())]


def bucket_command() -> str:
    (line,) = (line for line in PAGE.read_text().splitlines() if "s3.bucket.create" in line)
    words = shlex.split(line)
    assert words[:6] == ["docker", "compose", "exec", "objects", "sh", "-c"]
    return words[6]


def written(client: Any, bucket: str) -> bool:
    try:
        client.put_object(Bucket=bucket, Key="one", Body=b"1")
    except ClientError:
        return False
    return True


def test_the_bucket_is_made_and_the_account_of_the_page_may_use_it_and_no_other(tmp_path):
    (accounts,) = documented.blocks(PAGE, "json")
    (credentials,) = documented.blocks(PAGE, "ini")
    (tmp_path / "data").mkdir()
    (tmp_path / "accounts.json").write_text(accounts.text)
    (identity,) = json.loads(accounts.text)["identities"]
    account = tuple(identity["credentials"][0][name] for name in ("accessKey", "secretKey"))
    assert tuple(re.findall(r"= (\S+)", credentials.text)) == account
    ports = some_ports()
    with running(command(tmp_path, ports), tmp_path, ports["s3.port"], lambda _: True) as store:
        master = f"127.0.0.1:{ports['master.port']}.{ports['master.port.grpc']}"
        line = bucket_command().replace("weed shell", f"{program()} shell").replace("objects:9333", master)
        subprocess.run(["sh", "-c", line], check=True, timeout=60, cwd=tmp_path)
        (bucket,) = {action.split(":")[1] for action in identity["actions"]}
        assert f"s3://{bucket}" == SERVICES["mlflow"]["environment"]["MLFLOW_ARTIFACTS_DESTINATION"]
        client = store.client(account)
        until = time.monotonic() + 60  # the gateway answers before its volumes do
        while not written(client, bucket) and time.monotonic() < until:
            time.sleep(0.3)
        assert [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["one"]
        client.delete_object(Bucket=bucket, Key="one")
        for stranger, name in ((client, "other"), (store.client(("x", "y")), bucket)):
            with pytest.raises(ClientError):
                stranger.create_bucket(Bucket=name)
            with pytest.raises(ClientError):
                stranger.put_object(Bucket=name, Key="two", Body=b"2")


def test_directories_that_containers_write_are_made_for_their_account_by_the_page():
    """A named volume would take the owner of the image's directory, which for a stranger's image is another account."""
    user = SERVICES["objects"]["user"]
    assert user == re.search(r"USER (\S+)", (ROOT / "Containerfile").read_text())[1]
    assert "objects" not in COMPOSE["volumes"]
    (line,) = (line for line in PAGE.read_text().splitlines() if line.startswith("install -d"))
    account = user.split(":")[0]
    assert f"-o {account} -g {account} -m 700" in line
    written = {name for one in SERVICES.values() for volume in one.get("volumes", []) if not volume.endswith(":ro")
               for name in re.findall(r"^\$\{([A-Z]+)", volume)}  # fmt: skip
    assert written == set(re.findall(r"[A-Z]{2,}", line.partition("#")[2])) == {"BACKUPS", "OBJECTS"}
    pattern = dict(re.findall(r"^([A-Z]+)=(.*)$", (DEPLOY / "compose.env").read_text(), re.MULTILINE))
    assert {pattern[name] for name in written} == set(line.partition("#")[0].split()[-2:])
