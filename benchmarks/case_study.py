"""What the public data "Absenteeism at work" can carry: the usual question asked of records, and ours asked of persons.

    python -m benchmarks.case_study Absenteeism_at_work.csv [--workspace DIRECTORY] [--json]

Per record: is an absence, known to have begun, longer than 8 hours? Logistic regression, five folds, dealt ten times anew.
Per person and index date, from the training set in the workspace: does a long absence begin? Every AUROC is the mean over
the deals, every interval (95 %) draws employees with all that belongs to them.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from data_contracts.readers.parquet_files import read_table
from data_contracts.records import AbsenceSpell
from data_contracts.time_windows import horizon, is_within
from models.estimators.literature import PRIOR_ABSENCE
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.intervals import with_intervals

SEEDS = range(10)
RESAMPLES = 1000
LONG_HOURS = 8
ID, REASON, DISCIPLINARY = "ID", "Reason for absence", "Disciplinary failure"
HOURS = "Absenteeism time in hours"
AFTER_THE_FACT = (REASON, DISCIPLINARY)
HORIZON_DAYS = 180
DAYS = "days_doctor_365"

Folds = Callable[[int], Any]


def random_folds(seed: int) -> StratifiedKFold:
    """Deal rows, whoever they are of."""
    return StratifiedKFold(5, shuffle=True, random_state=seed)


def folds_of_employees(seed: int) -> StratifiedGroupKFold:
    """Deal employees, each with all rows."""
    return StratifiedGroupKFold(5, shuffle=True, random_state=seed)


def read(path: Path) -> dict[str, np.ndarray]:
    """Read the file, separated by semicolons as at UCI or by commas."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        header = file.readline()
        rows = np.array([*csv.reader(file, delimiter=";" if ";" in header else ",")], dtype=float)
    names = next(csv.reader([header], delimiter=";" if ";" in header else ","))
    return {name.strip(): rows[:, place] for place, name in enumerate(names)}


def of_records(data: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Ask the usual question in six ways, the first being how it is usually asked."""
    known = [name for name in data if name not in (ID, HOURS)]
    before = [name for name in known if name not in AFTER_THE_FACT]
    asked: dict[str, tuple[list[str], Folds]] = {
        "all columns, random folds": (known, random_folds),
        "all columns, folds of employees": (known, folds_of_employees),
        "without reason and discipline, random folds": (before, random_folds),
        "without reason and discipline, folds of employees": (before, folds_of_employees),
        "the employee's number alone, random folds": ([ID], random_folds),
        "the reason alone, folds of employees": ([REASON], folds_of_employees),
    }
    y = (data[HOURS] > LONG_HOURS).astype(float)
    found = {}
    for name, (columns, folds) in asked.items():
        found[name] = judged(encoded(data, columns), y, data[ID], folds)
    return found


def encoded(data: dict[str, np.ndarray], columns: list[str]) -> np.ndarray:
    """Return numbers in standard deviations, and for each code a column of its own; no outcome is looked at."""
    codes = [data[name][:, None] == np.unique(data[name]) for name in columns if name in (ID, REASON)]
    numbers = [_standardised(data[name][:, None]) for name in columns if name not in (ID, REASON)]
    return np.hstack([*codes, *numbers]).astype(float)


def of_persons(workspace: Path) -> dict[str, dict[str, Any]]:
    """Ask our question of the training set that build-training-set has left."""
    with np.load(workspace / "data" / "training" / "long_sick_leave" / "rows.npz", allow_pickle=False) as rows:
        x, y, person, names = rows["X"], rows["y"], rows["person"], [*rows["feature_names"]]
    prior = _standardised(np.nan_to_num(x[:, [names.index(one) for one in PRIOR_ABSENCE]].astype(float)))
    days = x[:, names.index(DAYS)].astype(float)
    return {
        "doctor-certified days of the last year, nothing fitted": _counted([days], y, person),
        "prior absence, folds of employees": judged(prior, y, person, folds_of_employees),
        "prior absence, random folds": judged(prior, y, person, random_folds),
    }


def of_labels(workspace: Path) -> dict[str, int]:
    """Count the events, and those of them in whose horizon one certified absence alone was longer than a day."""
    spells = read_table(workspace / "data" / "tables" / "absence_spells.parquet", AbsenceSpell)
    certified = spells["kind"].recode({"doctor_certified": 1}) == 1
    longer = certified & (spells["last_day"] > spells["first_day"])
    owner, first = np.array(spells["person_id"].texts())[longer], spells["first_day"][longer].astype(int)
    with np.load(workspace / "data" / "training" / "long_sick_leave" / "rows.npz", allow_pickle=False) as rows:
        person, t, y = rows["person_ids"][rows["person"]], rows["t"], rows["y"] == 1
    alone = [
        is_within(first[owner == who], horizon(day, HORIZON_DAYS)).any()
        for who, day in zip(person[y], t[y], strict=True)
    ]
    return {"events": int(y.sum()), "of one absence": int(np.sum(alone))}


def judged(x: np.ndarray, y: np.ndarray, person: np.ndarray, folds: Folds) -> dict[str, Any]:
    """Return the AUROC of risks that were given to rows out of fold, with its interval."""
    groups = person if folds is folds_of_employees else None
    model = LogisticRegression(max_iter=5000)
    with threadpool_limits(1):  # on matrices so small, threads only wait for one another
        risks = [
            cross_val_predict(model, x, y, groups=groups, cv=folds(seed), method="predict_proba") for seed in SEEDS
        ]
    return _counted([one[:, 1] for one in risks], y, person)


def _counted(risks: list[np.ndarray], y: np.ndarray, person: np.ndarray) -> dict[str, Any]:
    rankings = [Ranking.of(one) for one in risks]

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"auroc": np.mean([auroc(ranking, y, weights) for ranking in rankings], axis=0)}

    found = with_intervals(statistic, person, np.ones(len(y)), RESAMPLES, seed=17)["auroc"]
    single = [auroc(ranking, y, np.ones((1, len(y)))).item() for ranking in rankings]
    return {
        **{key: round(value, 3) for key, value in found.items()},
        "deals": [round(min(single), 3), round(max(single), 3)],
        "rows": len(y), "events": int(y.sum()), "persons": len(np.unique(person)),
    }  # fmt: skip


def _standardised(values: np.ndarray) -> np.ndarray:
    standardised: np.ndarray = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    return standardised


def table(found: dict[str, dict[str, Any]]) -> str:
    """Return results as a table of Markdown."""
    lines = ["| asked | AUROC (95 % interval) | lowest and highest of ten deals |", "|---|---|---|"]
    for name, one in found.items():
        low, high = one["deals"]
        deals = f"{low:.2f}–{high:.2f}" if low < high else "none is dealt"
        lines.append(f"| {name} | {one['value']:.2f} ({one['low']:.2f}–{one['high']:.2f}) | {deals} |")
    return "\n".join(lines)


def main() -> None:
    """Print both tables, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="Absenteeism_at_work.csv of UCI 445")
    parser.add_argument("--workspace", type=Path, help="where build-training-set has run")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {"records": of_records(read(given.file))}
    if given.workspace:
        found["persons"] = of_persons(given.workspace)
    if given.json:
        labels = {"labels": of_labels(given.workspace)} if given.workspace else {}
        print(json.dumps(found | labels))
    else:
        print("\n\n".join(map(table, found.values())))


if __name__ == "__main__":
    main()
