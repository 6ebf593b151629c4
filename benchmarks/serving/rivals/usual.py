"""One record to explained risks as it is usually done: pandas for tables and features, SHAP for the reasons.

The same trees and calibration line as ours, on the core predictors. Left out, to the rivals' favour: every check of the record
beyond its form, the interval of the refits, warnings, reasons in words, tokens, audit.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import shap

from benchmarks.serving.rivals.usual_features import core_features

RAISING, LOWERING = 5, 3
# A word at every call about an interface that has changed; it would only fill the log.
warnings.filterwarnings("ignore", message="LightGBM binary classifier")


class Calibrated:
    """Boosted trees with a calibration line, and what explains them."""

    def __init__(self, folder: Path, told: dict[str, Any]) -> None:
        self.booster = lightgbm.Booster(model_file=str(folder / told["trees"]))
        self.slope, self.intercept = told["slope"], told["intercept"]
        self.explainer = shap.TreeExplainer(self.booster)

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the calibrated probability of every row."""
        raw = self.booster.predict(rows, raw_score=True, num_threads=1)
        return 1 / (1 + np.exp(-(self.intercept + self.slope * np.asarray(raw))))

    def reasons(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Return the strongest contributions to the log-odds of the first row, the largest first."""
        terms = self.slope * np.asarray(self.explainer.shap_values(rows))[0]
        ranked = np.argsort(-np.abs(terms), kind="stable")
        kept = {*ranked[terms[ranked] > 0][:RAISING].tolist(), *ranked[terms[ranked] < 0][:LOWERING].tolist()}
        values = rows.to_numpy()[0]
        return [
            {
                "feature": rows.columns[place],
                "value": None if np.isnan(values[place]) else float(values[place]),
                "contribution": float(terms[place]),
            }
            for place in ranked.tolist()
            if place in kept
        ]


class Usual:
    """The work behind a request, without a framework around it.

    ``folder`` has ``facts.json`` (features; per outcome its trees and its calibration), the trees, and ``declarations/``.
    """

    def __init__(self, folder: Path) -> None:
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        self.features = facts["features"]
        self.models = {name: Calibrated(folder, told) for name, told in facts["models"].items()}
        scales, items, codes = (
            pd.read_parquet(folder / "declarations" / f"{name}.parquet") for name in ("scales", "scale_items", "codes")
        )
        asked = scales.loc[scales["scale"].isin(self.features), ["scale", "fewest_answers", "factor"]]
        self.keys = {"scales": items.merge(asked, on="scale"), "codes": codes}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the risks that a request of /v1/risk asks for, with reasons."""
        found = core_features(request["record"], request["index_date"], self.keys)
        rows = pd.DataFrame([found], columns=self.features).astype(np.float32)
        risks = {
            name: {"risk": float(self.models[name].predict_proba(rows)[0]), "reasons": self.models[name].reasons(rows)}
            for name in request["outcomes"]
        }
        return {"index_date": request["index_date"], "outcomes": risks}
