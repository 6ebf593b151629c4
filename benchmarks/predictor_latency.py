"""How long one record takes from JSON to an explained risk, on one thread, without the web around it.

    python -m benchmarks.predictor_latency [--calls 1000]

The record is examples/request.json (48 answers, 3 lab results, 2 spells). The models are stand-ins of the size that
training makes: 200 trees of 15 leaves with 10 refits, fitted on random rows, and a linear model of all features.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import meta
from features.catalogue import FEATURE_NAMES
from models.booster import lightgbm
from models.risk_model import RiskModel
from serving.predictor import Predictor

REQUEST = json.loads((Path(__file__).parents[1] / "examples" / "request.json").read_text())
TREES, LEAVES, REFITS = 200, 15, 10
N = len(FEATURE_NAMES)


def boosted(outcome: str, seed: int = 1) -> RiskModel:
    random = np.random.default_rng(seed)
    rows = random.gamma(2.0, 20.0, size=(2000, N)).astype(np.float32)
    events = (rows[:, 0] + random.normal(0, 20, len(rows)) > 60).astype(float)
    settings = {"objective": "binary", "num_leaves": LEAVES, "num_threads": 1, "verbosity": -1, "seed": seed}
    text = lightgbm.train(settings, lightgbm.Dataset(rows, events), TREES).model_to_string()
    return RiskModel(
        outcome=outcome, name="lightgbm", kind="lightgbm", feature_names=FEATURE_NAMES, booster_text=text,
        reference_risk=0.1,
    )  # fmt: skip


def linear(outcome: str, seed: int = 1) -> RiskModel:
    ones, weights = np.ones(N), np.random.default_rng(seed).normal(0, 0.05, N)
    return RiskModel(
        outcome=outcome, name="linear", kind="linear", feature_names=FEATURE_NAMES, impute=ones,
        low=0 * ones, high=1e4 * ones, mean=ones, scale=ones,         coefficients=weights, reference_risk=0.1,
    )  # fmt: skip


def predictor(make: Callable[..., RiskModel], outcomes: list[str]) -> Predictor:
    """Refits cost what a model costs, and lie near it: where they do not, an answer holds its number and reasons back."""
    models = {}
    for outcome in outcomes:
        model = make(outcome)
        refits = [replace(model, recalibration_intercept=0.01 * turn) for turn in range(REFITS)]
        models[outcome] = replace(model, refits=tuple(refits))
    return Predictor(models)


def milliseconds(call: Callable[[], object], calls: int) -> np.ndarray:
    taken = np.empty(calls)
    for turn in range(calls):
        start = time.perf_counter()
        call()
        taken[turn] = time.perf_counter() - start
    return taken * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    calls = parser.parse_args().calls
    record, day, outcomes = REQUEST["record"], date.fromisoformat(REQUEST["index_date"]), REQUEST["outcomes"]
    lines: list[dict[str, Any]] = []
    print(f"{'one record, ' + str(calls) + ' calls':<42} {'fastest':>8} {'p50 ms':>8} {'p95 ms':>8}")
    for make in (linear, boosted):
        serving = predictor(make, outcomes)
        for method, asked in (
            (serving.predict, outcomes[:1]),
            (serving.predict, outcomes),
            (serving.explain, outcomes),
        ):
            taken = milliseconds(partial(method, record, day, asked, day), calls)
            name = f"{make.__name__}: {method.__name__}, {len(asked)} outcome(s)"
            fastest, p50, p95 = (float(np.quantile(taken, share)) for share in (0, 0.5, 0.95))
            lines.append({"what": name, "fastest_ms": fastest, "p50_ms": p50, "p95_ms": p95})
            print(f"{name:<42} {fastest:>8.2f} {p50:>8.2f} {p95:>8.2f}", flush=True)
    meta.save(meta.RESULTS / "predictor_latency.json", {"calls": calls, "lines": lines}, packages=("numpy", "orjson"))


if __name__ == "__main__":
    main()
