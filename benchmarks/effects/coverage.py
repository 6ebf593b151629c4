"""How often 95 % intervals hold the known effect, per design: `python -m benchmarks.effects.coverage [--trials 1000]`.

Writes benchmarks/results/effects.json; the table of docs/effect.md is printed at the end.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks import meta
from benchmarks.effects.trials import World, alerted, trial
from models.effects.difference_in_differences import difference_in_differences
from models.effects.discontinuity import discontinuity
from models.effects.estimate import Estimate
from models.effects.event_study import PeriodEffect, event_study
from models.effects.pre_post import pre_post
from models.effects.stepped_wedge import stepped_wedge

RESULT = meta.RESULTS / "effects.json"


def in_the_third_period(panel: pd.DataFrame) -> PeriodEffect:
    """Return the event study's effect two periods after the first with the intervention."""
    return next(one for one in event_study(panel) if one.relative == 2)


_WEDGE = {"starts": (0, 1, 2, 3), "before": 2, "quarters": 6, "imbalance": 0.0, "leaves": 0.0}
WORLDS: dict[str, tuple[Callable[..., Estimate | PeriodEffect], World]] = {
    "did, 30 workplaces": (difference_in_differences, World(companies=30, with_intervention=14)),
    "did, 12 workplaces": (difference_in_differences, World(companies=12, with_intervention=6)),
    "stepped wedge, 12 workplaces": (stepped_wedge, World(companies=12, with_intervention=12, **_WEDGE)),
    "did, 3 starts, 24 workplaces": (
        difference_in_differences,
        World(starts=(0, 1, 3), companies=24, with_intervention=12),
    ),
    "did, 76 workplaces as in the trial": (difference_in_differences, World()),
    "stepped wedge, 40 workplaces": (stepped_wedge, World(companies=40, with_intervention=40, **_WEDGE)),
    "did, 12 workplaces, 3 with": (difference_in_differences, World(companies=12, with_intervention=3)),
    "did, 43 workplaces, 3 with": (difference_in_differences, World(companies=43, with_intervention=3)),
    "event study, 30 workplaces": (in_the_third_period, World(companies=30, with_intervention=14)),
    "pre-post, no trend, nobody chosen": (pre_post, World(trend=0.0)),
    "pre-post, the trend of the others": (pre_post, World()),
    "pre-post, chosen in a bad period": (pre_post, World(chosen_when_bad=True, imbalance=0.0, trend=0.0)),
    "did, chosen in a bad period": (
        difference_in_differences,
        World(chosen_when_bad=True, imbalance=0.0, trend=0.0),
    ),
}
"""Name, estimator and world; the last three show what a design cannot do, and are not held to 93 to 97 %."""

PACKAGES = ("numpy", "scipy", "pandas", "pyfixest", "rdrobust")
_THRESHOLD, _HELPED = 0.3, -4.0


def one_trial(name: str, seed: int) -> tuple[float, float, float, float]:
    """Return effect, low and high of one trial, and the true effect."""
    if name.startswith("discontinuity"):
        risk, days = alerted(int(name.split()[-2]), _HELPED, seed, _THRESHOLD)
        found, truth = discontinuity(risk, days, _THRESHOLD), _HELPED
    else:
        estimator, world = WORLDS[name]
        found, truth = estimator(trial(world, seed)), world.effect
    return found.effect, found.low, found.high, truth


def coverage(trials: np.ndarray) -> dict[str, Any]:
    """Return the share of intervals that hold the truth with its Monte-Carlo interval, bias, spread and width."""
    effect, low, high, truth = trials.T
    hits = int(((low <= truth) & (truth <= high)).sum())
    of = stats.binomtest(hits, len(trials)).proportion_ci(method="wilson")
    return {
        "trials": len(trials), "covered": hits / len(trials), "covered_low": float(of.low), "covered_high": float(of.high),
        "bias": float((effect - truth).mean()), "spread": float(effect.std(ddof=1)), "width": float((high - low).mean()),
        "finds_it": float(((low > 0) | (high < 0)).mean()),
    }  # fmt: skip


def table(found: dict[str, dict[str, Any]]) -> str:
    """Return the results as the table of docs/effect.md."""
    lines = ["| design | trials | covered (Monte-Carlo interval) | bias | mean width |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {row['trials']} | {row['covered']:.1%} ({row['covered_low']:.1%} to {row['covered_high']:.1%}) | "
        f"{row['bias']:+.2f} | {row['width']:.2f} |"
        for name, row in found.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Run all designs and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--trials", type=int, default=1_000)
    arguments.add_argument("--processes", type=int, default=2)
    arguments.add_argument("--only", default="")
    chosen = arguments.parse_args()
    found = json.loads(RESULT.read_text())["designs"] if RESULT.exists() else {}
    with ProcessPoolExecutor(chosen.processes) as pool:
        for name in ["discontinuity, 1000 persons", *WORLDS, "discontinuity, 3000 persons"]:
            if chosen.only not in name:
                continue
            began = time.perf_counter()
            rows = np.array([*pool.map(partial(one_trial, name), range(chosen.trials), chunksize=10)])
            first = coverage(rows[:200])
            found[name] = coverage(rows) | {
                f"first_200_{part}": first[part] for part in ("covered", "covered_low", "covered_high")
            }
            print(f"{name}: {found[name]} {time.perf_counter() - began:.0f} s", flush=True)
            meta.save(RESULT, {"synthetic": True, "designs": found}, packages=PACKAGES)
    print(table(found))


if __name__ == "__main__":
    main()
