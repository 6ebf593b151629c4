"""Requests per second, latency, processor time and memory of the service beside the usual way and ``mlflow models serve``.

    python -m benchmarks.serving.run [--seconds 15] [--note "beside other work"]

The same boosted trees (200 of 15 leaves, two outcomes, core predictors), the same raw record, the same risks (held against each
other to 1e-9 before anything is timed), one answering process each. Ours checks the token, the policy and the record, numbers
all features of the catalogue, adds the interval of 20 refits and reasons in words, and commits an audit event per answer; the
rivals compute the core predictors only, in pandas, and explain with SHAP. wrk makes the load, on the same machine. Writes
benchmarks/results/serving.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from benchmarks import meta
from benchmarks.environments import WORK
from benchmarks.serving import contestants
from benchmarks.serving.load import HOW_TO_GET_WRK, has_wrk, loaded
from benchmarks.serving.servers import Server
from benchmarks.serving.stages import stages
from benchmarks.serving.subjects import OUTCOMES, make
from pipeline.serve import DEVELOPMENT_ISSUER

RESULTS = meta.RESULTS / "serving.json"
HOME = WORK / "serving"
CONNECTIONS = (1, 16, 64)
WARM_UP_SECONDS = 4
SAME = 1e-9
ROUNDS, LONGEST_SECONDS = 8, 60


def first(body: Path) -> bytes:
    """Return the first request of a file."""
    return body.read_bytes().splitlines()[0]


def risks(server: Server, body: Path) -> dict[str, float]:
    """Return the risks that a server answers."""
    headers = {"content-type": "application/json", "x-purpose-of-use": "healthcare"}
    if server.token:
        headers["authorization"] = f"Bearer {server.token}"
    response = httpx.post(server.url, content=first(body), headers=headers, timeout=60)
    response.raise_for_status()
    told = response.json()
    answer = told["predictions"][0] if server.wraps else told
    return {name: answer["outcomes"][name]["risk"] for name in OUTCOMES}


def measured(server: Server, body: Path, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield one line per number of connections."""
    per_second = 0.0
    for connections in CONNECTIONS:
        # What is under way when wrk ends is not counted: a slow server gets as long as it takes for that to matter little.
        enough = seconds if not per_second else max(seconds, min(ROUNDS * connections / per_second, LONGEST_SECONDS))
        before = server.cpu_seconds()
        line = loaded(server.url, body, server.token, connections, enough)
        per_second = line["per_second"]
        used = server.cpu_seconds() - before
        yield line | {
            "cpu_ms": 1e3 * used / max(line["good"], 1),
            "memory_mb": server.memory_mb(),
        }


def with_server(server: Server, work: Callable[[], Any]) -> tuple[float, Any]:
    """Start a server, do the work, stop it; return the seconds until it was ready, and what the work returned."""
    ready = server.start(HOME / f"{server.name.replace(' ', '_').replace(',', '')}.log")
    try:
        return ready, work()
    finally:
        server.stop()


def compared(seconds: float) -> dict[str, Any]:
    """Measure everybody."""
    workspace, folder, body = make(HOME)
    framed = body.with_name("request_in_a_frame.json")
    servers = [
        contestants.ours(workspace), contestants.usual(folder), contestants.mlflow(folder, HOME / "pyfunc"),
    ]  # fmt: skip
    lines, wanted = [], None
    for server in servers:
        mine = framed if server.wraps else body
        cold, found = with_server(server, lambda server=server, mine=mine: risks(server, mine))
        wanted = wanted or found
        gap = max(abs(found[name] - wanted[name]) for name in OUTCOMES)
        if gap > SAME:
            raise SystemExit(f"{server.name} answers other risks (by {gap:.2g}); nothing was timed.")

        def work(server: Server = server, mine: Path = mine) -> list[dict[str, Any]]:
            risks(server, mine)
            loaded(server.url, mine, server.token, 4, WARM_UP_SECONDS)
            return list(measured(server, mine, seconds))

        warm, rows = with_server(server, work)
        for row in rows:
            print(f"{server.name:<24} {_line(row)}", flush=True)
        lines.append({"name": server.name, "cold_seconds": cold, "warm_seconds": warm, "gap": gap, "load": rows})
    empty = contestants.echo(workspace)
    _, echoed = with_server(empty, lambda: next(measured(empty, body, seconds)))
    variables = servers[0].variables
    parts = stages(
        workspace.bundles, workspace.keys / "verify.key", Path(variables["BALANCE_RISK_JWKS"]), DEVELOPMENT_ISSUER,
        servers[0].token, first(body), workspace.root / "store",
    )  # fmt: skip
    return {
        "seconds": seconds,
        "lines": lines, "echo": echoed, "stages": parts, "body_bytes": len(first(body)),
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['connections']:>3} connections: {row['per_second']:>7.1f}/s, p50 {row['p50_ms']:>8.1f} ms, "
        f"p99 {row['p99_ms']:>8.1f} ms, CPU {row['cpu_ms']:>6.1f} ms, {row['memory_mb']:>5.0f} MB, {row['statuses']}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0, help="of load per line")
    parser.add_argument("--note", default="", help="what else the machine was doing; printed in the docs")
    asked = parser.parse_args()
    if not has_wrk():
        print(HOW_TO_GET_WRK, file=sys.stderr)
        return 0
    found = compared(asked.seconds)
    ours, theirs = ("bentoml", "lightgbm", "numpy", "orjson"), ("fastapi", "uvicorn", "mlflow", "shap", "pandas")
    rivals = {name: importlib.metadata.version(name) for name in theirs}
    meta.save(RESULTS, found, packages=ours, rivals=rivals, note=asked.note)
    return 0


if __name__ == "__main__":
    sys.exit(main())
