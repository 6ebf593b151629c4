"""FLAML's AutoML on given folds: persons stay together, log loss decides."""

from __future__ import annotations

import numpy as np
from exchange import answer
from flaml import AutoML
from sklearn.model_selection import PredefinedSplit


def fit(arrays: dict[str, np.ndarray], seconds: float, seed: int) -> tuple[np.ndarray, str]:
    """Search for ``seconds``, fit the best again on all rows."""
    search = AutoML()
    search.fit(
        arrays["X_train"], arrays["y_train"], task="classification", metric="log_loss", time_budget=seconds, seed=seed,
        eval_method="cv", split_type=PredefinedSplit(arrays["fold"]), n_jobs=2, verbose=0,
        estimator_list=["lgbm", "xgboost", "rf", "extra_tree"],  # the others refuse missing values
        sample_weight=arrays["weight"],
    )  # fmt: skip
    return search.predict_proba(arrays["X_test"])[:, 1], str(search.best_estimator)


if __name__ == "__main__":
    answer(fit)
