"""Our training beside FLAML, AutoGluon, plain LightGBM and plain logistic regression: same SYNTHETIC rows, same folds.

    python -m benchmarks.training.run [--persons 10000 40000] [--times 1 10 100] [--longest 300] [--alone]

What ours takes (every candidate compared, the champion fitted, refits for its intervals; no tuning) is the budget that the
searching tools get, once, ten and a hundred times over, if that is no longer than ``--longest``. All are judged on the same
rows: other persons at later index dates. A rival runs in an environment of its own; of one that cannot be installed or does not
finish the results say why. Writes
benchmarks/results/training_rivals.json; ``python -m benchmarks.report`` makes the page from it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import meta
from benchmarks.environments import MissingRivalError, ask, pinned, python_of
from models.evaluation.intervals import with_intervals
from models.evaluation.metrics import metrics_of
from models.splits import Split
from models.training import train, training_rows
from models.training_set import TrainingSet
from pipeline import build_training_set, ingest, simulate
from pipeline.settings import Settings
from pipeline.train import plan_of, split_of
from pipeline.workspace import Workspace

OUTCOME = "long_sick_leave"
RIVALS = Path(__file__).parent / "rivals"
RESULTS = meta.RESULTS / "training_rivals.json"
SEARCHING, PLAIN = ("flaml", "autogluon"), ("lightgbm", "logistic")
SHOWN = ("auroc", "brier", "log_loss", "observed_to_expected", "calibration_slope", "ici")
BESIDE = ("auroc", "log_loss")
"""Of these the paired difference is told: the rival minus ours, every resample of persons drawn for both."""
REPEATS, SEED = 200, 17
EDGE = 1e-9
"""Risks of exactly 0 or 1, which some rivals give, have no log-odds."""


def training_set_of(persons: int, home: Path) -> tuple[TrainingSet, Settings]:
    """Simulate firms and build the training set as a user would."""
    settings = Settings()
    settings = settings.model_copy(update={"simulate": settings.simulate.model_copy(update={"persons": persons})})
    workspace = Workspace(home)
    simulate.run(workspace, settings.simulate)
    ingest.run(workspace, settings.ingest)
    build_training_set.run(workspace, settings, [OUTCOME])
    return TrainingSet.load(workspace.training_set(OUTCOME) / "rows"), settings


def ours(found: TrainingSet, split: Split, settings: Settings, test: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
    """Train as the verb does; returns what it took and the log-odds of the test rows."""
    began, cpu = time.perf_counter(), time.process_time()
    outcome = build_training_set.configured_outcome(OUTCOME, settings)
    trained = train(found, split, outcome, replace(plan_of(settings.train), seed=SEED))
    took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    position = {name: column for column, name in enumerate(found.feature_names.tolist())}
    columns = [position[name] for name in trained.champion.feature_names]
    return took | {"chosen": trained.champion.name}, trained.champion.log_odds(found.X[np.ix_(test, columns)])


def rival(name: str, rows: Path, seconds: float) -> tuple[dict[str, Any], np.ndarray]:
    """Let a rival fit the rows; returns what it took and the log-odds of the test rows; raises MissingRivalError."""
    risks = rows.with_name(f"{name}.npy")
    interpreter = Path(sys.executable) if name in PLAIN else python_of(name, RIVALS / f"requirements-{name}.txt")
    request = {"rows": str(rows), "risks": str(risks), "seconds": seconds, "seed": SEED}
    took = ask(name, interpreter, RIVALS / f"{name}_fit.py", request)
    p = np.clip(np.load(risks), EDGE, 1 - EDGE)
    return took, np.log(p / (1 - p))


def judged(log_odds: np.ndarray, own: np.ndarray, found: TrainingSet, test: np.ndarray) -> dict[str, Any]:
    """Judge on the test rows, with intervals by resampling persons; ``own`` are our log-odds of the same rows."""
    y = found.y[test]
    its, ours = metrics_of(log_odds, y), metrics_of(own, y)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        theirs, mine = its(weights), ours(weights)
        differences = {f"{name}_minus_ours": theirs[name] - mine[name] for name in BESIDE}
        return {name: theirs[name] for name in SHOWN} | differences

    return with_intervals(statistic, found.person[test], found.weight[test], REPEATS, SEED)


def compared(persons: int, times: list[float], longest: float) -> dict[str, Any]:
    """Run everybody on the same rows."""
    with tempfile.TemporaryDirectory() as scratch:
        found, settings = training_set_of(persons, Path(scratch))
        split = split_of(found, settings.training)
        fit = training_rows(found, split.train, settings.train.folds)
        test = split.test[found.observed[split.test]]
        rows = Path(scratch) / "rows.npz"
        np.savez(rows, X_train=fit.X, y_train=fit.y, weight=fit.weight, fold=fit.fold, X_test=found.X[test])
        took, own = ours(found, split, settings, test)
        lines = [{"tool": "balance-risk", "times": None, "budget": None, **took, **judged(own, own, found, test)}]
        _tell(lines[-1])
        for name, factor in asked(took["seconds"], times, longest):
            line = {"tool": name, "times": factor, "budget": factor and factor * took["seconds"], "problem": ""}
            try:
                its, log_odds = rival(name, rows, line["budget"] or 0.0)
                lines.append(line | its | judged(log_odds, own, found, test))
            except MissingRivalError as error:
                lines.append(line | {"problem": str(error)})
            _tell(lines[-1])
    sizes = {"persons": persons, "features": fit.X.shape[1], "training_rows": len(fit.y),
             "training_persons": len(np.unique(fit.person)), "test_rows": len(test), "test_events": int(found.y[test].sum()),
             "test_persons": len(np.unique(found.person[test]))}  # fmt: skip
    return sizes | {"lines": lines, "load": os.getloadavg()[0], "cores": os.cpu_count()}


def asked(seconds: float, times: list[float], longest: float) -> list[tuple[str, float | None]]:
    """Return every rival with the times of our seconds that it gets; those that take as long as they take get None."""
    searching = [(name, one) for one in times for name in SEARCHING if one * seconds <= longest]
    return [*((name, None) for name in PLAIN), *searching]


def versions() -> dict[str, str]:
    """Return the versions of the rivals."""
    found = {tool: pinned(RIVALS / f"requirements-{tool}.txt") for tool in SEARCHING}
    rivals = {"flaml": found["flaml"]["flaml"], "autogluon": found["autogluon"]["autogluon.tabular"]}
    return rivals | {name: version(name) for name in ("lightgbm", "scikit-learn")}


def _tell(line: dict[str, Any]) -> None:
    budget = "" if line["budget"] is None else f" (allowed {line['budget']:.0f} s)"
    if line.get("problem"):
        print(f"{line['tool']}{budget}: {line['problem']}", flush=True)
        return
    numbers = ", ".join(f"{name} {line[name]['value']:.4f}" for name in SHOWN)
    print(f"{line['tool']}: {line['seconds']:.0f} s{budget}, {line['chosen']}: {numbers}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, nargs="+", default=[10_000, 40_000], help="one run each")
    parser.add_argument("--times", type=float, nargs="+", default=[1.0, 10.0, 100.0], help="budgets, in times of ours")
    parser.add_argument("--longest", type=float, default=300, help="seconds; longer budgets are left out")
    parser.add_argument("--alone", action="store_true", help="nothing else runs on this machine")
    chosen = parser.parse_args()
    found: dict[str, Any] = {"synthetic": True, "outcome": OUTCOME, "versions": versions()}
    runs = [compared(persons, chosen.times, chosen.longest) for persons in chosen.persons]
    rivals = {name: found["versions"][name] for name in SEARCHING}
    note = "nothing else on the machine" if chosen.alone else ""
    meta.save(RESULTS, found | {"runs": runs, "beside other work": not chosen.alone}, rivals=rivals, note=note)


if __name__ == "__main__":
    main()
