"""The section of ``docs/benchmarks.md`` about the scoring service, from what ``benchmarks.serving.run`` saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

OURS, USUAL, MLFLOW = "balance-risk", "FastAPI, pandas, SHAP", "mlflow models serve"
TIMES_USUAL, TIMES_MLFLOW, FASTEST_MS, COLD_SECONDS, WARM_SECONDS, MOST_GROWTH = 10, 3, 10, 10, 5, 0.05
SETTLED_SECONDS = 180
"""By now the time is over for which BentoML holds a timer of each request (``TimeoutMiddleware`` cancels none)."""


def serving_section(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the section."""
    yield from _METHOD.splitlines()
    yield ""
    yield from _targets(found)
    yield "| server | connections | requests/s | p50 ms | p99 ms | CPU ms per request | RSS MB | answers |"
    yield "|---|---:|---:|---:|---:|---:|---:|---|"
    for line in found["lines"]:
        for row in line["load"]:
            statuses = ", ".join(f"{status}: {n}" for status, n in sorted(row["statuses"].items()))
            yield (
                f"| {line['name']} | {row['connections']} | {row['per_second']:.1f} | {row['p50_ms']:.1f} | "
                f"{row['p99_ms']:.1f} | {row['cpu_ms']:.1f} | {row['memory_mb']:.0f} | {statuses} |"
            )
    yield ""
    yield from _split(found)


def _targets(found: dict[str, Any]) -> Iterator[str]:
    lines = {line["name"]: line for line in found["lines"]}
    ours = lines[OURS]
    yield "| target | measured | |"
    yield "|---|---|---|"
    for name, times in ((USUAL, TIMES_USUAL), (MLFLOW, TIMES_MLFLOW)):
        shares = [a["per_second"] / b["per_second"] for a, b in zip(ours["load"], lines[name]["load"], strict=True)]
        words = ", ".join(f"{share:.1f}" for share in shares)
        missed = [f"{row['connections']}" for row, share in zip(ours["load"], shares, strict=True) if share < times]
        target = f"at least {times} times the requests per second of {name} (1, 16, 64 connections)"
        yield f"| {target} | {words} | {_verdict(missed, len(shares))} |"
    p50 = ours["load"][0]["p50_ms"]
    yield _row(f"p50 under {FASTEST_MS} ms with one connection", f"{p50:.1f} ms", p50 < FASTEST_MS)
    statuses = set(ours["load"][-1]["statuses"])
    yield _row(
        "only 200, 429 and 503 with 64 connections", ", ".join(sorted(statuses)), statuses <= {"200", "429", "503"}
    )
    for kind, most in (("cold", COLD_SECONDS), ("warm", WARM_SECONDS)):
        seconds = ours[f"{kind}_seconds"]
        yield _row(f"ready within {most} s, {kind}", f"{seconds:.1f} s", seconds < most)
    yield ""


def soak_section(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the section about the long load."""
    samples = found["samples"]
    memory = [sample["memory_mb"] for sample in samples]
    minutes = len(samples) * found["sample_seconds"] / 60
    n_bad = sum(sample["bad"] for sample in samples)
    n_sent = sum(sample["per_second"] for sample in samples) * found["sample_seconds"] + n_bad
    growth = memory[-1] / memory[0] - 1
    yield f"{found['connections']} connections for {minutes:g} minutes, about {n_sent:,.0f} requests."
    yield ""
    yield "| target | measured | |"
    yield "|---|---|---|"
    words = (
        f"{memory[0]:.0f} MB after {found['sample_seconds']} s, {memory[-1]:.0f} MB at the end: {100 * growth:+.1f} %"
    )
    yield _row("memory grows by 5 % at most", words, growth <= MOST_GROWTH)
    settled = SETTLED_SECONDS // found["sample_seconds"] - 1
    if 0 <= settled < len(memory) - 1:
        later = memory[-1] / memory[settled] - 1
        words = (
            f"{memory[settled]:.1f} MB after {SETTLED_SECONDS} s, {memory[-1]:.1f} MB at the end: {100 * later:+.1f} %"
        )
        yield _row("the same, from the third minute on", words, later <= MOST_GROWTH)
    yield _row("no request fails", f"{n_bad:.0f} failed", n_bad == 0)
    files = [sample["open_files"] for sample in samples]
    yield f"| open files | {min(files):.0f} to {max(files):.0f} | |"
    yield ""
    yield (
        "What memory rises by is in the first 75 s: so long BentoML keeps a timer of each request, also of one that was "
        "answered."
    )
    yield ""


def _row(target: str, measured: str, is_met: bool) -> str:
    return f"| {target} | {measured} | {'met' if is_met else 'NOT met'} |"


def _verdict(missed: list[str], n: int) -> str:
    if not missed:
        return "met"
    return "NOT met" if len(missed) == n else f"NOT met at {', '.join(missed)}"


def _split(found: dict[str, Any]) -> Iterator[str]:
    p50 = found["lines"][0]["load"][0]["p50_ms"]
    yield f"Where the {p50:.1f} ms of an answer go (each step alone, one thread; the audit event is written beside the rest):"
    yield ""
    yield "| step | p50 ms |"
    yield "|---|---:|"
    yield f"| an empty BentoML echo of the same {found['body_bytes']:,} bytes | {found['echo']['p50_ms']:.2f} |"
    for name, milliseconds in found["stages"].items():
        yield f"| {name} | {milliseconds:.2f} |"
    yield ""


_METHOD = """\
The same boosted trees (two outcomes, 200 trees of 15 leaves on the 15 core predictors), the same raw
records of 500 persons at 40 companies in turn, the same risks
(held against each other to 1e-9 before anything is timed), one answering process each, load by wrk on the same machine. Ours
is `balance-risk serve`: it checks token, policy and record, numbers all features of the catalogue, gives the interval of 20
refits, warnings and reasons in two languages, and commits an audit event per answer. The rivals read the record into pandas,
compute only the 15 predictors, explain with `shap.TreeExplainer`, and do nothing else. RSS is the sum over all processes of a
server."""
