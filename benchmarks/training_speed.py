"""How long one outcome is trained: candidates compared, all fitted on all rows, and the champion's refits; no tuning.

    python benchmarks/training_speed.py ROWS [--persons 10000 100000] [--insufficient report]

ROWS is the stem of a training set (data/training/<outcome>/rows) of SYNTHETIC persons. Where it has fewer persons than asked
for, they are repeated under other names with a little noise in every number: good for time, not for discrimination.
Promised: 100 000 persons, full evaluation included, in under 8 minutes on 2 cores; the champion's fit in under 30 s.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.outcomes import OUTCOMES
from models.training import TrainingPlan, train
from models.training_set import TrainingSet
from pipeline.settings import Settings
from pipeline.train import split_of

RESULTS = Path(__file__).parent / "results" / "training_speed.json"


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


def measure(found: TrainingSet, insufficient: str) -> dict[str, object]:
    """Train and return the seconds of each step."""
    begun = time.perf_counter()
    marks: list[tuple[str, float]] = []
    plan = TrainingPlan(insufficient=insufficient)
    split = split_of(found, Settings().training)
    trained = train(found, split, OUTCOMES[found.outcome], plan,
                    on_step=lambda step: marks.append((step, time.perf_counter() - begun)))  # fmt: skip
    ends = [*(start for _, start in marks[1:]), time.perf_counter() - begun]
    steps = {step: round(end - start, 1) for (step, start), end in zip(marks, ends, strict=True)}
    return {
        "persons": len(np.unique(found.person)),
        "training_rows": trained.champion.facts["n"],
        "champion": trained.champion.name,
        "seconds": round(ends[-1], 1),
        "steps": steps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--persons", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--insufficient", choices=("leave out", "report"), default="leave out")
    asked = parser.parse_args()
    found = TrainingSet.load(asked.rows)
    results = []
    for persons in asked.persons:
        results.append(measure(scaled(found, persons), asked.insufficient))
        print(json.dumps(results[-1], indent=1))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
