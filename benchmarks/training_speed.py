"""How long one outcome takes: candidates compared, all fitted, the champion's refits, and the full evaluation; no tuning.

    python -m benchmarks.training_speed [ROWS] [--persons 10000 100000] [--insufficient report] [--note "..."]

ROWS is the stem of a training set (data/training/<outcome>/rows) of SYNTHETIC persons; without it, one is simulated for the
largest size. Where it has fewer persons than asked
for, they are repeated under other names with a little noise in every number: good for time, not for discrimination.
Promised: 100 000 persons, full evaluation included, in under 8 minutes on 2 cores; the champion's fit in under 30 s.
Seconds of the clock count only on a machine that does nothing else; seconds of the processors (of this process and those
that it started) and the load at start and end tell how far it did.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from benchmarks import meta
from benchmarks.training.run import training_set_of
from models.estimators import refittable
from models.evaluation.report import evaluate
from models.outcomes import OUTCOMES
from models.splits import Split
from models.training import Trained, TrainingPlan, train, training_rows
from models.training_set import TrainingSet
from pipeline.settings import Settings
from pipeline.train import split_of

RESULTS = meta.RESULTS / "training_speed.json"


def scaled(found: TrainingSet, persons: int) -> TrainingSet:
    """Return the rows of so many persons, some of them repeated."""
    n = len(found.person_ids)
    parts = [np.flatnonzero(found.person < max(0, min(n, persons - n * copy))) for copy in range(-(-persons // n))]
    rows = np.concatenate(parts)
    copy = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    X = found.X[rows]
    X *= 1 + np.float32(0.001) * np.random.default_rng(1).normal(size=X.shape).astype(np.float32) * (copy > 0)[:, None]
    ids = np.array([f"{name}-{number}" for number in range(len(parts)) for name in found.person_ids])
    columns = {name: getattr(found, name)[rows] for name in ("y", "status", "company", "t", "followed_days", "weight")}
    return replace(found, X=X, person_ids=ids, person=(found.person[rows] + copy * n).astype(np.int32), **columns)


@dataclass
class Clock:
    """When each step began, by the clock and by the processors."""

    steps: list[tuple[str, float, float]] = field(default_factory=list)

    def __call__(self, step: str) -> None:
        """Begin a step."""
        used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        self.steps.append((step, time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in used)))

    def seconds(self, first: int = 0) -> dict[str, float]:
        """Return the seconds from a step to the last one."""
        (_, begun, used), (_, ended, used_then) = self.steps[first], self.steps[-1]
        return {"wall": round(ended - begun, 1), "cpu": round(used_then - used, 1)}

    def by_step(self) -> dict[str, dict[str, float]]:
        """Return the seconds of each step; of steps side by side, those for which it was waited."""
        return {one[0]: Clock([one, then]).seconds() for one, then in pairwise(self.steps)}


def measure(found: TrainingSet, insufficient: str) -> dict[str, object]:
    """Train, evaluate and fit the champion once more alone; return the seconds of each."""
    load, outcome, clock = os.getloadavg()[0], OUTCOMES[found.outcome], Clock()
    split = split_of(found, Settings().training)
    clock("splitting")
    trained = train(found, split, outcome, TrainingPlan(insufficient=insufficient), on_step=clock)
    clock("numbering the test rows")
    evaluation = len(clock.steps) - 1
    report = evaluate(trained.champion, trained.candidates, found, split, outcome, on_step=clock)
    clock("end")
    return {
        "persons": len(np.unique(found.person)),
        "columns": found.X.shape[1],
        "features_of_champion": len(trained.champion.feature_names),
        "training_rows": trained.champion.facts["n"],
        "compared_on": trained.comparison.compared_on,
        "test_rows": report["test"]["rows"],
        "champion": trained.champion.name,
        "all": clock.seconds(),
        "evaluation": clock.seconds(evaluation),
        "champion_fit_alone": seconds_of(lambda: fit_alone(found, split, trained)),
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "steps": clock.by_step(),
    }


def fit_alone(found: TrainingSet, split: Split, trained: Trained) -> None:
    """Fit the champion's estimator on all training rows, with nothing beside it."""
    candidate = refittable(trained.champion)
    rows = training_rows(found, split.train, 2)
    with threadpool_limits(1):
        X = rows.columns(candidate.feature_names)
        clone(candidate.estimators[0]).fit(X, rows.y, rows.weight, groups=rows.person)


def simulated(persons: int) -> TrainingSet:
    """Return the training set of so many simulated persons."""
    with tempfile.TemporaryDirectory() as scratch:
        found, _ = training_set_of(persons, Path(scratch))
    return found


def seconds_of(work: Callable[[], None]) -> dict[str, float]:
    """Return what a piece of work takes."""
    clock = Clock()
    clock("begin")
    work()
    clock("end")
    return clock.seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, nargs="?")
    parser.add_argument("--persons", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--insufficient", choices=("leave out", "report"), default="leave out")
    parser.add_argument("--note", default="", help="of the machine and what else ran, kept with the results")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    found = TrainingSet.load(asked.rows) if asked.rows else simulated(max(asked.persons))
    results = []
    for persons in asked.persons:
        results.append(measure(scaled(found, persons), asked.insufficient))
        print(json.dumps(results[-1], indent=1))
    meta.save(asked.results, {"synthetic": True, "runs": results}, note=asked.note)


if __name__ == "__main__":
    main()
