"""The section of ``docs/benchmarks.md`` about features beside other tools, and its picture, from the saved results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.features.environments import SCRIPTS

Row = dict[str, Any]
Found = dict[str, Any]
NAMES = {"ours": "balance-risk", "duckdb": "DuckDB (SQL)", "polars": "Polars", "pandas": "pandas"}
PICTURE = Path("images") / "features_speed.png"
_TARGET_SHARE, _TARGET_GB, _LINEAR = 0.5, 4.0, 1.25
_COLOURS = {"ours": "#1b5e8c", "duckdb": "#c98500", "polars": "#7a7a7a", "pandas": "#a8577e"}


def features_section(document: Found) -> Iterator[str]:
    """Yield the lines of the section."""
    rows = shown(document)
    n_features = max((row.get("features", 0) for row in rows), default=0)
    yield f"The same {n_features} features at one index date, from the same Parquet files to a Parquet file of numbers."
    yield ""
    yield f"![time by persons, and CPU time at the largest size]({PICTURE.as_posix()})"
    yield ""
    yield from _targets(rows)
    for n_persons in sorted({row["persons"] for row in rows}, reverse=True):
        yield from _size(n_persons, [row for row in rows if row["persons"] == n_persons])
    yield from _METHOD.splitlines()
    yield ""


def shown(document: Found) -> list[Row]:
    """Return the rows that were measured with the code of the last run."""
    return [row for row in document["rows"] if row["code"] == document["code"]]


def _targets(rows: list[Row]) -> Iterator[str]:
    ours = [row for row in rows if row["tool"] == "ours" and row["threads"] == 1 and not row["problem"]]
    if not ours:
        return
    largest = ours[-1]
    yield f"### Targets, at {largest['persons']:,} persons"
    yield ""
    yield "| target | measured | |"
    yield "|---|---:|---|"
    for tool in ("duckdb", "polars"):
        row = _found(rows, tool, largest["persons"], 1)
        if row is None or row["problem"]:
            yield f"| at most half of the CPU time of {NAMES[tool]} | - | {row['problem'] if row else 'not run'} |"
        else:
            share = largest["cpu_seconds"] / row["cpu_seconds"]
            yield f"| at most half of the CPU time of {NAMES[tool]} | {share:.2f} | {_met(share <= _TARGET_SHARE)} |"
    peak = largest["peak_mb"] / 1000
    yield f"| under {_TARGET_GB:g} GB | {peak:.2f} GB | {_met(peak < _TARGET_GB)} |"
    smaller = [
        row for row in ours if 1 < row["persons"] < largest["persons"] and row["persons"] >= largest["persons"] / 10
    ]
    if smaller:
        growth = largest["cpu_seconds"] / smaller[-1]["cpu_seconds"] / (largest["persons"] / smaller[-1]["persons"])
        head = f"CPU time per person, of that at {smaller[-1]['persons']:,} persons: linear"
        yield f"| {head} | {growth:.2f} | {_met(growth <= _LINEAR)} |"
    yield ""


def _met(is_met: bool) -> str:
    return "✓ met" if is_met else "✗ missed"


def _size(n_persons: int, rows: list[Row]) -> Iterator[str]:
    ours = _found(rows, "ours", n_persons, 1)
    yield f"### {n_persons:,} person{'s' if n_persons > 1 else ''}, {rows[0]['rows']:,} rows"
    yield ""
    if n_persons == 1:
        yield "| tool | one call, median ms | × ours | from files, starting the process: s | MB | features equal to ours |"
        yield "|---|---:|---:|---:|---:|---|"
    else:
        yield (
            "| tool | s | CPU s | × our CPU | rows/s | peak MB | s on 2 cores | 1 → 2 cores | features equal to ours |"
        )
        yield "|---|---:|---:|---:|---:|---:|---:|---:|---|"
    for tool in SCRIPTS:
        row = _found(rows, tool, n_persons, 1)
        if row is not None:
            yield (
                _one_person(row, ours) if n_persons == 1 else _many_persons(row, ours, _found(rows, tool, n_persons, 2))
            )
    yield ""


def _one_person(row: Row, ours: Row | None) -> str:
    if row["problem"]:
        return f"| {NAMES[row['tool']]} | {row['problem']} | | | | |"
    times = f"{row['p50_ms'] / ours['p50_ms']:.0f}" if ours else ""
    cells = f"{row['p50_ms']:.2f}", times, f"{row['seconds']:.1f}", f"{row['peak_mb']:,}", _equal(row)
    return f"| {NAMES[row['tool']]} | {' | '.join(cells)} |"


def _many_persons(row: Row, ours: Row | None, two: Row | None) -> str:
    if row["problem"]:
        return f"| {NAMES[row['tool']]} | {row['problem']} | | | | | | | |"
    times = f"{row['cpu_seconds'] / ours['cpu_seconds']:.1f}" if ours and not ours["problem"] else ""
    on_two = ["", ""] if two is None else [two["problem"], ""]
    if two is not None and not two["problem"]:
        on_two = [f"{two['seconds']:.1f}", f"{row['seconds'] / two['seconds']:.2f} ×"]
    return (
        f"| {NAMES[row['tool']]} | {row['seconds']:.1f} | {row['cpu_seconds']:.1f} | {times} | "
        f"{row['rows'] / row['seconds']:,.0f} | {row['peak_mb']:,} | {on_two[0]} | {on_two[1]} | {_equal(row)} |"
    )


def _equal(row: Row) -> str:
    if row["tool"] == "ours":
        return f"{row['features']}"
    if row["equal"]:
        n_unknown = len(row["left_out_unknown_for_all"])
        return f"✓ {row['compared']}" + (f" ({n_unknown} left out, unknown for all)" if n_unknown else "")
    return f"✗ {len(row['different'])} differ, {len(row['left_out'])} left out"


def _found(rows: list[Row], tool: str, n_persons: int, threads: int) -> Row | None:
    return next((r for r in rows if (r["tool"], r["persons"], r["threads"]) == (tool, n_persons, threads)), None)


def draw(document: Found, path: Path) -> None:
    """Draw the picture of the section."""
    rows = shown(document)
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    done = [row for row in rows if row["threads"] == 1 and not row["problem"]]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", width_ratios=(3, 2))
    for tool in SCRIPTS:
        mine = [row for row in done if row["tool"] == tool]
        seconds = [row["p50_ms"] / 1000 if row["persons"] == 1 else row["seconds"] for row in mine]
        left.plot([row["persons"] for row in mine], seconds, "o-", color=_COLOURS[tool], label=NAMES[tool])
    left.set(xscale="log", yscale="log", xlabel="persons (1: one call on tables in memory)", ylabel="seconds, one core")
    left.set_title("From files to features")
    left.grid(alpha=0.3)
    left.legend(frameon=False)
    most = max((row["persons"] for row in done), default=0)
    bars = [row for row in done if row["persons"] == most]
    bars.sort(key=lambda row: row["cpu_seconds"])
    drawn = right.barh(
        [NAMES[row["tool"]] for row in bars],
        [row["cpu_seconds"] for row in bars],
        color=[_COLOURS[row["tool"]] for row in bars],
    )
    right.bar_label(drawn, fmt="%.0f s" if most > 1000 else "%.1f s", padding=3)
    right.invert_yaxis()
    right.margins(x=0.15)
    right.set_title(f"CPU time for {most:,} persons")
    right.spines[["top", "right"]].set_visible(False)
    left.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150, metadata={"Software": None})
    plt.close(figure)


_METHOD = """\
### How it was measured

* **The same input.** Eight Parquet files made from a fixed seed: for every person about six spells of absence (a third
  corrected once), three survey waves of 100 items in one of four batteries, two lab panels of 20 analytes (one in ten has a
  third), jobs, sessions, events, consents; with deletions, late rows, bounds, several units and own reference limits, so that
  every feature has values and no trap of point-in-time data is missing. 20 000 persons are one row group.
* **The same output.** One Parquet file with a single-precision column per feature. A rival's number is taken for equal if both
  are unknown or if the two differ by at most two units in the last place in single precision (or by 1e-9, which is what remains
  when two equal numbers are subtracted). All features of all persons are compared, at every size, in the run that is timed.
* **Each as its users would write it.** DuckDB in SQL (`benchmarks/features/sql`), Polars in lazy expressions, pandas in
  vectorised calls; declarations (scoring keys, codes, limits) are small tables to join with. All may go through the file some
  partitions at a time, as ours does, and each does so in the portions that suit it.
* **The same machine.** Each run is a process of its own, bound to one core or to two (where one core's seconds exceed its CPU
  seconds, something else ran on it); seconds include starting it, reading
  and writing; CPU seconds are user and system time of the process and its children; memory is the most that they held together.
  Ours uses a second core by working on two partitions at once. For one person, the median of up to 300 calls on tables in
  memory.
* A run that takes longer than 15 minutes or nearly all memory is ended and says so.\
"""
