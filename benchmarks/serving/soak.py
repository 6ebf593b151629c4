"""Memory, open files and failures of the service under load for minutes: does anything grow?

    python -m benchmarks.serving.soak [--minutes 20] [--note "beside other work"]

Sixteen connections send the request of :mod:`benchmarks.serving.run`. Writes benchmarks/results/serving_soak.json.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks import meta
from benchmarks.serving import contestants
from benchmarks.serving.load import HOW_TO_GET_WRK, has_wrk, loaded
from benchmarks.serving.run import HOME, with_server
from benchmarks.serving.servers import Server
from benchmarks.serving.subjects import make

RESULTS = meta.RESULTS / "serving_soak.json"
CONNECTIONS, SAMPLE_SECONDS = 16, 30


def soaked(server: Server, body: Path, seconds: float) -> list[dict[str, float]]:
    """Return memory, open files and failures, every half minute."""
    samples, until = [], time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        line = loaded(server.url, body, server.token, CONNECTIONS, min(SAMPLE_SECONDS, max(1, left)))
        samples.append(
            {
                "memory_mb": server.memory_mb(),
                "open_files": server.open_files(),
                "per_second": line["per_second"],
                "bad": line["requests"] - line["good"] + line["socket_errors"] + line["timeouts"],
            }
        )
        print(f"  {len(samples) * SAMPLE_SECONDS} s: {samples[-1]}", flush=True)
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0, help="of load")
    parser.add_argument("--note", default="", help="what else the machine was doing; printed in the docs")
    asked = parser.parse_args()
    if not has_wrk():
        print(HOW_TO_GET_WRK, file=sys.stderr)
        return 0
    workspace, _, body = make(HOME / "soak")
    server = contestants.ours(workspace)
    _, samples = with_server(server, lambda: soaked(server, body, 60 * asked.minutes))
    meta.save(
        RESULTS, {"sample_seconds": SAMPLE_SECONDS, "connections": CONNECTIONS, "samples": samples},
        packages=("bentoml", "lightgbm", "numpy", "orjson"), note=asked.note,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
