"""AutoGluon's tabular predictor on given folds: persons stay together, log loss decides."""

from __future__ import annotations

import tempfile

import numpy as np
import pandas as pd
from autogluon.tabular import TabularDataset, TabularPredictor
from exchange import answer

LABEL, WEIGHT, FOLD = "event", "weight", "fold"


def fit(arrays: dict[str, np.ndarray], seconds: float, seed: int) -> tuple[np.ndarray, str]:
    """Bag and stack what is installed (LightGBM, random forest, extra trees, linear) for ``seconds``."""
    frame = pd.DataFrame(arrays["X_train"])
    frame.columns = [f"x{column}" for column in frame.columns]
    test = TabularDataset(pd.DataFrame(arrays["X_test"], columns=frame.columns))
    frame = frame.assign(**{LABEL: arrays["y_train"].astype(int), WEIGHT: arrays["weight"], FOLD: arrays["fold"]})
    with tempfile.TemporaryDirectory() as scratch:
        predictor = TabularPredictor(
            LABEL, eval_metric="log_loss", path=scratch, sample_weight=WEIGHT, groups=FOLD, verbosity=0
        )
        predictor.fit(
            TabularDataset(frame), time_limit=seconds, num_cpus=2,
            ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
            num_stack_levels=0, hyperparameters={"GBM": {"seed": seed}, "RF": {}, "XT": {}, "LR": {}},
        )  # fmt: skip
        return predictor.predict_proba(test.assign(**{WEIGHT: 1.0, FOLD: 0}))[1].to_numpy(), str(predictor.model_best)


if __name__ == "__main__":
    answer(fit)
