"""Shapash: one row through the predictor it offers for production; where that refuses the model, through its explainer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from exchange import Explain, answer
from lightgbm import LGBMClassifier
from shapash import SmartExplainer


def set_up(model: Any, background: pd.DataFrame) -> tuple[Explain, str]:
    """Compile an explainer on one row and make the predictor of it."""
    is_tree = isinstance(model, LGBMClassifier)
    # As in its tutorial: trees need no masker; for other models SHAP chooses the method and needs rows to compare with.
    others = {} if is_tree else {"explainer_args": {"model": model.predict_proba, "masker": background}}
    explainer = SmartExplainer(model=model, **others)
    explainer.compile(x=background.iloc[[0]])
    backend = explainer.explainer.backend
    # Trees are explained in log-odds, other models in what predict_proba gives. Shapash does not show the base; SHAP has it.
    base = np.ravel(backend.run_explainer(background.iloc[[0]])["base_values"])
    base = np.array([-base[0], base[0]]) if is_tree else base
    try:
        predictor = explainer.to_smartpredictor()
        note = ""
    except KeyError as error:
        predictor, note = None, f"to_smartpredictor: KeyError: {error}; compile and to_pandas for each row instead"

    def explain(row: pd.DataFrame) -> tuple[float, float]:
        # Shown: the probability beside the contributions. Both are of the class predicted, and turned to those of the event.
        if predictor is not None:
            predictor.add_input(x=row)
            shown, parts = predictor.summarize().iloc[0], predictor.data["contributions"].to_numpy()
            predicted = int(shown["ypred"])
        else:
            explainer.compile(x=row)
            shown = explainer.to_pandas(proba=True).iloc[0]
            predicted = int(shown.iloc[0])
            parts = explainer.explainer.contributions[predicted].to_numpy()
        total = base[predicted] + parts.sum()
        rebuilt = 1 / (1 + np.exp(-total)) if is_tree else total
        return (shown["proba"], rebuilt) if predicted else (1 - shown["proba"], 1 - rebuilt)

    return explain, note


if __name__ == "__main__":
    answer(set_up)
