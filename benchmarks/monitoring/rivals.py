"""False alarms of drift tools on the same SYNTHETIC samples in which nothing has moved, at 20, 50 and 200 persons.

``python -m benchmarks.monitoring.rivals``. An alarm of a tool is a run in which it calls anything drifted; every tool as
its documentation uses it, on rows. Ours counts persons. Writes ``benchmarks/results/monitoring_rivals.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ks_2samp
from statsmodels.stats.proportion import proportion_confint

from benchmarks import environments, meta
from benchmarks.environments import CACHE, MissingRivalError
from benchmarks.monitoring.null_samples import CURRENT_ROWS, FEATURE_GROUPS, NAMES, REFERENCE_ROWS, null_samples
from models.monitoring.comparison import Sample, shifts
from models.monitoring.false_discovery import alarms

HERE = Path(__file__).parent
RESULTS = meta.RESULTS / "monitoring_rivals.json"
RUNS, PERSONS = 200, (20, 50, 200)
TOOLS = ("evidently", "nannyml")
SEED = 9
LARGE_PSI = 0.2
"""The rule of thumb for a population stability index that has moved."""

Pair = tuple[Sample, Sample]
Flags = list[list[bool]]
"""By run and column: called drifted."""


def main() -> None:
    """Run every tool at every size and write what each found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, nargs="+", default=list(PERSONS))
    parser.add_argument("--runs", type=int, default=RUNS, help="of each tool at each size")
    asked = parser.parse_args()
    rows = [found for persons in asked.persons for found in at(persons, asked.runs)]
    versions = {
        name: number for tool in TOOLS for name, number in environments.pinned(requirements(tool), tool).items()
    }
    meta.save(RESULTS, {"synthetic": True, "seed": SEED, "rows": rows}, packages=("numpy", "scipy"), rivals=versions)
    print(json.dumps(rows, indent=1))


def at(persons: int, runs: int = RUNS) -> list[dict[str, Any]]:
    """Return one result for each tool at one size."""
    random = np.random.default_rng([SEED, persons])
    pairs = [null_samples(random, persons, persons) for _ in range(runs)]
    tools: dict[str, Callable[[], Flags]] = {
        "balance-risk": lambda: [ours(*pair) for pair in pairs],
        "KS test of each column, p < 0.05": lambda: [kolmogorov(*pair, 0.05) for pair in pairs],
        "KS test, Bonferroni": lambda: [kolmogorov(*pair, 0.05 / len(NAMES)) for pair in pairs],
        "PSI of ten bins, > 0.2": lambda: [stability(*pair) for pair in pairs],
        pinned("evidently"): lambda: rival("evidently", pairs, persons),
        pinned("nannyml"): lambda: rival("nannyml", pairs, persons),
    }
    return [_result(name, persons, flags) for name, flags in tools.items()]


def ours(reference: Sample, current: Sample) -> list[bool]:
    """Return the columns that lead an alarm of ours."""
    found = alarms(shifts(reference, current, FEATURE_GROUPS))
    leading = {shift.name for alarm in found for shift in alarm.leading}
    return [name in leading for name in reference.names]


def kolmogorov(reference: Sample, current: Sample, level: float) -> list[bool]:
    """Return the columns whose known values, row by row, differ by a Kolmogorov-Smirnov test."""
    columns = zip(reference.values.T, current.values.T, strict=True)
    return [bool(ks_2samp(known(before), known(after)).pvalue < level) for before, after in columns]


def stability(reference: Sample, current: Sample) -> list[bool]:
    """Return the columns whose population stability index over the deciles of the reference is large."""
    columns = zip(reference.values.T, current.values.T, strict=True)
    return [stability_index(known(before), known(after)) > LARGE_PSI for before, after in columns]


def stability_index(before: np.ndarray, after: np.ndarray) -> float:
    """Sum of (share after - share before) * log(share after / share before); an empty bin counts as one in ten thousand."""
    edges = np.unique(np.quantile(before, np.linspace(0, 1, 11)))[1:-1]
    shares = [np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) / len(values)
              for values in (before, after)]  # fmt: skip
    first, second = (np.maximum(share, 1e-4) for share in shares)
    return float(((second - first) * np.log(second / first)).sum())


def known(values: np.ndarray) -> np.ndarray:
    """Return the values that are not missing."""
    return values[~np.isnan(values)]


def rival(name: str, pairs: list[Pair], persons: int) -> Flags:
    """Ask a tool in an environment of its own; its rows come date by date, all persons of a date together."""
    interpreter = environments.python_of(name, requirements(name), CACHE / "monitoring")
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.npz"
        reference = np.array([by_date(one, REFERENCE_ROWS) for one, _ in pairs])
        current = np.array([by_date(one, CURRENT_ROWS) for _, one in pairs])
        np.savez(samples, reference=reference, current=current)
        request = {"samples": str(samples), "rows": persons}
        found: Flags = environments.ask(name, interpreter, HERE / f"rivals/{name}_runner.py", request)
    return found


def pinned(name: str) -> str:
    """Return a tool with its version as pinned."""
    lines = requirements(name).read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(name)).replace("==", " ")


def requirements(name: str) -> Path:
    """Return the list of a tool's packages."""
    return HERE / f"rivals/requirements-{name}.txt"


def by_date(sample: Sample, dates: int) -> np.ndarray:
    """Return the rows in the order of dates; the samples have them person by person."""
    n, k = sample.values.shape
    return sample.values.reshape(n // dates, dates, k).swapaxes(0, 1).reshape(n, k)


def _result(name: str, persons: int, run: Callable[[], Flags]) -> dict[str, Any]:
    try:
        flags = np.array(run())
    except MissingRivalError as error:
        return {"tool": name, "persons": persons, "left_out": str(error)}
    alarmed = flags.any(axis=1)
    low, high = proportion_confint(int(alarmed.sum()), len(alarmed), method="wilson")
    return {
        "tool": name, "persons": persons, "runs": len(flags), "runs_with_alarm": float(alarmed.mean()),
        "low": low, "high": high, "columns_called_drifted": float(flags.mean()),
    }  # fmt: skip


if __name__ == "__main__":
    main()
