"""explainerdashboard: the prediction card and the contributions table of its what-if tab, in probabilities as it ships."""

from __future__ import annotations

from typing import Any

import pandas as pd
from exchange import Explain, answer
from explainerdashboard import ClassifierExplainer

ALL_DECIMALS = 15


def set_up(model: Any, background: pd.DataFrame) -> tuple[Explain, str]:
    """Build the explainer on one row: before the first table it computes the contributions of all rows that it was given."""
    explainer = ClassifierExplainer(model, background.iloc[[0]], X_background=background)
    explainer.get_contrib_df(X_row=background.iloc[[0]])
    assert explainer.model_output == "probability"

    def explain(row: pd.DataFrame) -> tuple[float, float]:
        # Shown: the card's probability of the event. Rebuilt: the table's last line, "Final prediction", which is the base
        # and all contributions added up. Both before they are rounded.
        card = explainer.prediction_result_df(X_row=row, round=ALL_DECIMALS)
        table = explainer.get_contrib_df(X_row=row)
        return card["probability"].iloc[1], table["contribution"].iloc[-1]

    return explain, f"shap={explainer.shap} of {type(explainer.model_for_shap).__name__}"


if __name__ == "__main__":
    answer(set_up)
