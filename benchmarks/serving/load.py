"""Load by wrk: the records of a file in turn, over and over, so many connections at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("post.lua")
HOW_TO_GET_WRK = (
    "wrk is not here. Debian and Ubuntu: apt-get install wrk; macOS: brew install wrk. Then run this again."
)
LONGEST_SECONDS = 120
"""A slow rival at 64 connections takes longer than wrk's own two seconds."""


def has_wrk() -> bool:
    """Say whether load can be made."""
    return shutil.which("wrk") is not None


def loaded(url: str, body: Path, token: str, connections: int, seconds: float) -> dict[str, Any]:
    """Return latencies, rates and status codes of some seconds of load."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", f"--timeout={LONGEST_SECONDS}s"]
    variables = {**os.environ, "BENCH_BODY": str(body), "BENCH_TOKEN": token}
    done = subprocess.run([*command, "-s", str(SCRIPT), url], env=variables, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    found: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    good = found["statuses"].get("200", 0)
    return found | {"connections": connections, "good": good, "per_second": good / found["seconds"]}
