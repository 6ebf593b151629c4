"""One record to explained risks as it is usually done: pandas for the tables and the features, SHAP for the reasons.

The features are those of ``benchmarks/features``, which holds pandas against ours feature by feature: code that a team has for
its training set and, to get the same numbers in service, calls on one person. The model is the same as ours: the trees of
LightGBM and a calibration line. Left out, to the rivals' favour: checks of the record beyond its form, the interval of the refits,
warnings, reasons in words, tokens and audit.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import shap

sys.path.insert(0, str(Path(__file__).parents[2] / "features"))

from pandas_frames import Pandas
from pandas_tables import declarations

RAISING, LOWERING = 5, 3
_FIRST = dt.date(1970, 1, 1)


class Calibrated:
    """Boosted trees with a calibration line, and what explains them."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.booster = lightgbm.Booster(model_file=str(folder / facts["trees"]))
        self.slope, self.intercept = facts["slope"], facts["intercept"]
        self.explainer = shap.TreeExplainer(self.booster)

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the calibrated probability of every row."""
        raw = self.booster.predict(rows, raw_score=True, num_threads=1)
        return 1 / (1 + np.exp(-(self.intercept + self.slope * raw)))

    def reasons(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Return the strongest contributions to the log-odds of the first row."""
        terms = pd.Series(self.slope * np.asarray(self.explainer.shap_values(rows))[0], rows.columns)
        ranked = terms.reindex(terms.abs().sort_values(ascending=False, kind="stable").index)
        kept = ranked[ranked.index.isin(ranked[ranked > 0].index[:RAISING].union(ranked[ranked < 0].index[:LOWERING]))]
        row = rows.iloc[0]
        return [
            {"feature": name, "value": None if pd.isna(row[name]) else float(row[name]), "contribution": float(term)}
            for name, term in kept.items()
        ]


class Usual:
    """The work behind a request, without a framework around it.

    ``folder`` has ``facts.json`` (features, the columns of every table with their kinds, and per outcome its trees and its
    calibration), the trees, and ``declarations/`` for the features.
    """

    def __init__(self, folder: Path) -> None:
        self.facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        self.models = {name: Calibrated(folder, told) for name, told in self.facts["models"].items()}
        self.work = Pandas.__new__(Pandas)
        self.work.names, self.work.keys = self.facts["features"], declarations(folder)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the risks of a request of /v1/risk, with reasons."""
        rows = self.features(request["record"], request["index_date"])
        risks = {
            name: {"risk": float(self.models[name].predict_proba(rows)[0]), "reasons": self.models[name].reasons(rows)}
            for name in request["outcomes"]
        }
        return {"index_date": request["index_date"], "outcomes": risks}

    def features(self, record: dict[str, Any], index_date: str) -> pd.DataFrame:
        """Return one row of all features."""
        person_id = record["person"]["person_id"]
        frame = partial(_frame, person_id=person_id)
        tables = {
            name: frame([record["person"]] if name == "persons" else record.get(name) or [], kinds)
            for name, kinds in self.facts["tables"].items()
        }
        self.work.t = _day(index_date)
        found, _ = self.work._part(tables)
        return found.reindex(columns=self.facts["features"]).astype(np.float32)


def _frame(rows: list[dict[str, Any]], kinds: dict[str, str], person_id: str) -> pd.DataFrame:
    """Return a table as the feature code takes it: texts as categories, dates as days since 1970, flags as numbers."""
    table = pd.DataFrame(rows, columns=list(kinds))
    if "person_id" in kinds:
        table["person_id"] = person_id
    for name, kind in kinds.items():
        if kind in ("text", "code"):
            table[name] = table[name].astype("category" if len(table) else pd.CategoricalDtype([]))
        elif kind == "date":
            # Every column of days of a record is short: parsing them one by one is faster than to_datetime.
            table[name] = _days(table[name])
        elif name == "is_deleted":
            table[name] = table[name].eq(True).astype(float)
        else:
            table[name] = table[name].astype(float)
    return table


def _days(texts: pd.Series) -> pd.Series:
    days = texts.map(_day, na_action="ignore").astype(float)
    return days if days.isna().any() else days.astype(np.int64)


def _day(text: str) -> int:
    return (dt.date.fromisoformat(text) - _FIRST).days
