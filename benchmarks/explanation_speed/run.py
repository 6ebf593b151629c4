"""One explained risk beside Shapash and explainerdashboard: the time it takes, and whether it adds up to the number shown.

    python -m benchmarks.explanation_speed.run [--persons 2000] [--people 20] [--seconds 120]

The rows are of a SYNTHETIC cohort that the pipeline simulates; all explain the same rows, by the same LightGBM with the same
parameters, training rows and folds. Ours is calibrated by a line on out-of-fold log-odds. The rivals' is calibrated by
scikit-learn's sigmoid on probabilities: ``ensemble``, the default (a booster and a sigmoid per fold, averaged); ``single``, one
booster with a sigmoid on out-of-fold predictions; ``frozen``, a booster fitted before, with a sigmoid on the fold it has not
seen; and ``uncalibrated`` for what a tool explains where the calibrated model is beyond it. Writes
benchmarks/results/explanation_speed.json.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import meta
from benchmarks.environments import MissingRivalError, ask, pinned, python_of
from benchmarks.training.run import OUTCOME, training_set_of
from data_contracts.time_windows import NO_DAY
from models.candidate_fits import fitted_model
from models.estimators import Candidate, TreesEstimator, TreeSize
from models.estimators.trees import parameters_of
from models.explanation import explain
from models.out_of_fold import TrainingRows, out_of_fold
from models.risk_model import RiskModel, risk_of
from models.target import EVENT
from models.training import training_rows
from pipeline.train import split_of

RIVALS = Path(__file__).parent / "rivals"
RESULTS = meta.RESULTS / "explanation_speed.json"
TOOLS = ("shapash", "explainerdashboard")
MODELS = ("ensemble", "single", "frozen", "uncalibrated")
BACKGROUND = 50
"""Held-out rows that the rivals compare a person with; ours needs none."""
SEED = 17


def rows_of(persons: int, people: int) -> tuple[TrainingRows, np.ndarray, np.ndarray]:
    """Return the training rows, the rivals' background and the rows to explain, both held out."""
    with tempfile.TemporaryDirectory() as scratch:
        found, settings = training_set_of(persons, Path(scratch))
    split = split_of(found, settings.training)
    drawn = np.random.default_rng(SEED).permutation(split.test)[: BACKGROUND + people]
    return training_rows(found, split.train, settings.train.folds), *np.split(found.X[drawn], [BACKGROUND])


def usable(rows: TrainingRows) -> tuple[str, ...]:
    """Return the features with at least two known values."""
    known = [np.unique(column[np.isfinite(column)]) for column in rows.X.T]
    return tuple(name for name, values in zip(rows.feature_names, known, strict=True) if len(values) > 1)


def ours(model: RiskModel, background: np.ndarray, people: np.ndarray) -> dict[str, Any]:
    """Explain with all reasons in words, in two languages, and the sums by domain."""
    no_days, consented = np.full(people.shape[1], NO_DAY, dtype=np.int32), np.ones(4, dtype=bool)

    def explained(row: np.ndarray) -> tuple[float, float]:
        # Shown: the risk of the log-odds served. Rebuilt: the risk of the base and the contributions added up.
        found = explain(model, row, no_days, consented)
        assert found.reasons
        assert found.domains
        return float(risk_of(found.log_odds)), float(risk_of(found.base + found.contributions.sum()))

    began = time.perf_counter()
    model = replace(model)  # parses the trees anew, as a service that starts
    explained(background[0])
    line: dict[str, Any] = {"setup_seconds": time.perf_counter() - began, "ms": [], "shown": [], "rebuilt": []}
    for row in people:
        began = time.perf_counter()
        shown, rebuilt = explained(row)
        line["ms"].append(1000 * (time.perf_counter() - began))
        line["shown"].append(shown)
        line["rebuilt"].append(rebuilt)
    return line | {"note": "", "problem": ""}


def judged(tool: str, kind: str, line: dict[str, Any]) -> dict[str, Any]:
    """Add what is reported of a line: the median time of a row, and the largest gap in probability."""
    gaps = np.abs(np.array(line["shown"]) - line["rebuilt"])
    numbers = {"rows": len(gaps), "ms_per_row": None, "largest_gap": None, "mean_gap": None}
    if len(gaps):
        numbers |= {"ms_per_row": float(np.median(line["ms"]))}
        numbers |= {"largest_gap": float(gaps.max()), "mean_gap": float(gaps.mean())}
    return {"tool": tool, "model": kind, **numbers, **line}


def compared(persons: int, people: int, seconds: int) -> dict[str, Any]:
    """Fit ours, let everybody explain the same rows."""
    rows, background, chosen = rows_of(persons, people)
    names = usable(rows)
    columns = [rows.feature_names.index(name) for name in names]
    candidate = Candidate("lightgbm", names, (TreesEstimator(TreeSize(), names, SEED),))
    model = fitted_model(out_of_fold(candidate, rows), rows, OUTCOME, {}, SEED)
    lines = [judged("balance-risk", "line on log-odds", ours(model, background, chosen))]
    _tell(lines[-1])
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows.npz"
        np.savez(path, X=rows.X[:, columns], y=rows.y, weight=rows.weight, fold=rows.fold, names=np.array(names),
                 background=background[:, columns], people=chosen[:, columns])  # fmt: skip
        parameters = parameters_of(TreeSize(), SEED, EVENT.name, names)
        lines += _of_rivals({"rows": str(path), "parameters": parameters, "seconds": seconds})
    about = {"synthetic": True, "outcome": OUTCOME, "persons": persons, "training_rows": len(rows.y), "features": len(names),
             "trees": TreeSize().n_estimators, "background_rows": BACKGROUND, "seconds_allowed": seconds}  # fmt: skip
    raw = (model.log_odds(chosen[:, columns]) - model.recalibration_intercept) / model.recalibration_slope
    about |= {"uncalibrated": _beside_the_calibrated(lines, raw), "versions": _versions()}
    return about | {"lines": lines}


def _of_rivals(request: dict[str, Any]) -> list[dict[str, Any]]:
    lines = []
    for tool in TOOLS:
        try:
            interpreter = python_of(tool, RIVALS / f"requirements-{tool}.txt")
            for kind in MODELS:
                found = ask(tool, interpreter, RIVALS / f"{tool}_explain.py", request | {"model": kind})
                lines.append(judged(tool, kind, found))
                _tell(lines[-1])
        except MissingRivalError as error:
            print(error, flush=True)
    return lines


def _beside_the_calibrated(lines: list[dict[str, Any]], raw: np.ndarray) -> dict[str, Any]:
    """Say how far an uncalibrated explanation is from the calibrated risk of the same trees, and that they are the same."""
    found: dict[str, Any] = {}
    single = next((line["shown"] for line in lines if line["model"] == "single" and not line["problem"]), None)
    for line in lines:
        if line["model"] != "uncalibrated" or line["problem"]:
            continue
        found[line["tool"]] = {"trees_differ_by": float(np.abs(np.array(line["shown"]) - risk_of(raw)).max())}
        if single is not None:
            found[line["tool"]]["largest_gap"] = float(np.abs(np.array(line["rebuilt"]) - single).max())
    return found


def _versions() -> dict[str, dict[str, str]]:
    return {tool: pinned(RIVALS / f"requirements-{tool}.txt") for tool in TOOLS}


def _tell(line: dict[str, Any]) -> None:
    name = f"{line['tool']:20}{line['model']:18}"
    if line["rows"]:
        numbers = (
            f"{line['ms_per_row']:9.2f} ms a row, gap at most {line['largest_gap']:.2g}, mean {line['mean_gap']:.2g}"
        )
        name += f"{numbers} (n = {line['rows']}); set-up {line['setup_seconds']:.2f} s"
    print("; ".join(part for part in (name, line["note"], line["problem"]) if part), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=2000)
    parser.add_argument("--people", type=int, default=20, help="rows that each tool explains")
    parser.add_argument("--seconds", type=int, default=120, help="allowed for set-up and rows, per tool and model")
    parser.add_argument("--alone", action="store_true", help="nothing else runs on this machine")
    chosen = parser.parse_args()
    found = compared(chosen.persons, chosen.people, chosen.seconds)
    rivals = {tool: found["versions"][tool][tool] for tool in TOOLS}
    note = "nothing else on the machine" if chosen.alone else ""
    meta.save(RESULTS, found, packages=("numpy", "lightgbm", "scikit-learn"), rivals=rivals, note=note)


if __name__ == "__main__":
    main()
