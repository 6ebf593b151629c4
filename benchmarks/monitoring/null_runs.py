"""How often does monitoring raise an alarm where nothing has moved? Every test, promised against measured.

    python -m benchmarks.monitoring.null_runs            # 200 runs at each size, to benchmarks/results/monitoring_null.json
    python -m benchmarks.monitoring.null_runs --table    # the table of docs/monitoring.md from the results

All samples are SYNTHETIC (null_samples.py). Inputs: a reference of as many persons as the customer has, and one of 400. The
sequential test looks at 12 quarterly dates, each the outcome of a year, so that neighbouring rows of a person overlap; it is
run at 2 000 persons too, a fifth as often.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from benchmarks import meta
from benchmarks.monitoring.null_samples import FEATURE_GROUPS, null_answers, null_outcomes, null_samples
from models.monitoring.calibration_drift import CalibrationTest
from models.monitoring.comparison import shifts
from models.monitoring.estimated_performance import estimated_performance
from models.monitoring.false_discovery import alarms
from models.monitoring.response import response_shifts

RESULTS = meta.RESULTS / "monitoring_null.json"
SIZES = (20, 50, 200, 2000)
LARGE = 2000
"""From this size on only the sequential test is asked."""

REFERENCE = 400
DATES, QUARTER = 12, 92
COMPANY_SPREAD = 0.3
PROMISED = 0.05
ANY_SIZE = {"level": 0.0, "missing": 0.0}


def inputs(random: np.random.Generator, n: int) -> Iterator[tuple[str, float, bool]]:
    """Yield test, promised rate and whether it raised an alarm."""
    for title, reference in (("as many in the reference", n), (f"{REFERENCE} in the reference", REFERENCE)):
        found = shifts(*null_samples(random, reference, n), FEATURE_GROUPS)
        yield f"inputs, {title}: any alarm", PROMISED, bool(alarms(found))
        yield f"inputs, {title}: any alarm of any size", PROMISED, bool(alarms(found, smallest=ANY_SIZE))
        yield f"inputs, {title}: any alarm, Yekutieli", PROMISED, bool(alarms(found, method="fdr_by"))
        yield (
            f"inputs, {title}: any of the tests alone",
            1.0,
            any(one.p < PROMISED for one in found if one.p is not None),
        )
        for one in found:
            if one.p is not None:
                yield f"inputs, {title}: one test of {one.kind}", PROMISED, one.p < PROMISED
                yield f"inputs, {title}: one test of {one.kind} at 0.001", 0.001, one.p < 0.001


def answers(random: np.random.Generator, n: int) -> Iterator[tuple[str, float, bool]]:
    """Yield whether a change in who answers was seen."""
    found = [one.shift for one in response_shifts(*null_answers(random, n))]
    yield "who answers: any alarm", PROMISED, bool(alarms(found))


def calibration(random: np.random.Generator, n: int) -> Iterator[tuple[str, float, bool]]:
    """Yield whether the sequential test, or a test at every look, ever raised an alarm."""
    for title, spread in (("", 0.0), (f", companies differ by SD {COMPANY_SPREAD}", COMPANY_SPREAD)):
        risks, outcomes, company = null_outcomes(random, n, DATES, spread)
        for tolerance in (0.1, 0.0):
            test = _run(outcomes, risks, tolerance)
            yield f"calibration, tolerance {tolerance}{title}: ever an alarm", PROMISED, test.state.is_alarm
        state = test.state
        outside = not state.low <= 1 <= state.high
        yield f"calibration{title}: 1 outside the confidence sequence at the last date", PROMISED, outside
        yield f"calibration{title}: ever, z test at 5 % at each look", PROMISED, _ever_by_z(outcomes, risks)
        if spread:
            averaged = _run(outcomes, risks, 0.1, company)
            yield (
                f"calibration, tolerance 0.1{title}, averaged within company: ever an alarm",
                PROMISED,
                averaged.state.is_alarm,
            )


def estimates(random: np.random.Generator, n: int) -> Iterator[tuple[str, float, bool]]:
    """Yield whether what was observed lies outside the interval that was told before."""
    risks, outcomes, _ = null_outcomes(random, n, 1)
    told = estimated_performance(risks, np.arange(n), repeats=400)
    events = outcomes[0].sum()
    yield (
        "estimated events: outside the interval",
        PROMISED,
        not told["events"]["low"] <= events <= told["events"]["high"],
    )


def _run(
    outcomes: list[np.ndarray], risks: np.ndarray, tolerance: float, company: np.ndarray | None = None
) -> CalibrationTest:
    test = CalibrationTest(PROMISED, horizon_days=4 * QUARTER, streams=4, tolerance=tolerance)
    for date, y in enumerate(outcomes):
        test.update(date * QUARTER, risks, y, company)
    return test


def _ever_by_z(outcomes: list[np.ndarray], risks: np.ndarray) -> bool:
    """Test observed minus expected over all rows so far at every date, as if rows were independent."""
    observed = np.cumsum([y.sum() for y in outcomes])
    looks = np.arange(1, len(outcomes) + 1)
    z = (observed - looks * risks.sum()) / np.sqrt(looks * (risks * (1 - risks)).sum())
    return bool((np.abs(z) > 1.96).any())


def measured(n: int, runs: int) -> list[dict[str, Any]]:
    """Return a line for each test at one size."""
    shares: dict[str, list[float]] = {}
    promised: dict[str, float] = {}
    for run in range(runs):
        of_run: dict[str, list[bool]] = {}
        for part, question in enumerate((calibration, estimates, answers, inputs)[: 2 if n >= LARGE else None]):
            for test, rate, alarm in question(np.random.default_rng([17, n, run, part]), n):
                of_run.setdefault(test, []).append(alarm)
                promised[test] = rate
        for test, alarmed in of_run.items():
            shares.setdefault(test, []).append(float(np.mean(alarmed)))
    return [{"test": test, "n": n, "runs": len(found), "promised": promised[test], **_with_interval(np.array(found))}
            for test, found in shares.items()]  # fmt: skip


def _with_interval(shares: np.ndarray) -> dict[str, float]:
    """Mean over runs with its 95 % Monte-Carlo interval: Wilson's where a run says yes or no, else by the spread of runs."""
    share = float(shares.mean())
    if set(shares.tolist()) <= {0.0, 1.0}:
        low, high = proportion_confint(int(shares.sum()), len(shares), method="wilson")
    else:
        half = 1.96 * float(shares.std(ddof=1)) / len(shares) ** 0.5
        low, high = max(0.0, share - half), share + half
    return {"share": share, "low": float(low), "high": float(high)}


def table(lines: list[dict[str, Any]]) -> str:
    """Return the page's table: a row for each test, a column for each size."""
    sizes = sorted({line["n"] for line in lines})
    rows = [
        "| test | promised at most | " + " | ".join(f"n = {n}" for n in sizes) + " |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for test in dict.fromkeys(line["test"] for line in lines):
        own = {line["n"]: line for line in lines if line["test"] == test}
        promised = next(iter(own.values()))["promised"]
        cells = [_cell(own.get(n)) for n in sizes]
        rows.append(f"| {test} | {'none' if promised == 1 else f'{100 * promised:g} %'} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _cell(line: dict[str, Any] | None) -> str:
    if line is None:
        return "not tested"
    return f"{100 * line['share']:.1f} % ({100 * line['low']:.1f} to {100 * line['high']:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="results of other sizes are kept")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="print the table of the results, run nothing")
    chosen = parser.parse_args()
    if not chosen.table:
        with ProcessPoolExecutor() as pool:  # the largest first, so that none is waited for alone
            sizes = sorted(chosen.sizes, reverse=True)
            found = pool.map(measured, sizes, [chosen.runs // 5 if n >= LARGE else chosen.runs for n in sizes])
        lines = [line for lines_of_size in reversed(list(found)) for line in lines_of_size]
        kept = json.loads(chosen.results.read_text(encoding="utf-8"))["lines"] if chosen.results.exists() else []
        lines += [line for line in kept if line["n"] not in chosen.sizes]
        meta.save(chosen.results, {"synthetic": True, "lines": lines}, packages=("numpy", "scipy", "statsmodels"))
    print(table(json.loads(chosen.results.read_text(encoding="utf-8"))["lines"]))


if __name__ == "__main__":
    main()
