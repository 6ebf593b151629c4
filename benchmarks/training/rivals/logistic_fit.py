"""scikit-learn's logistic regression as it comes, after median imputation and scaling."""

from __future__ import annotations

import numpy as np
from exchange import answer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def fit(arrays: dict[str, np.ndarray], seconds: float, seed: int) -> tuple[np.ndarray, str]:
    """Fit the default; it takes as long as it takes."""
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(arrays["X_train"], arrays["y_train"], logisticregression__sample_weight=arrays["weight"])
    return model.predict_proba(arrays["X_test"])[:, 1], "C = 1"


if __name__ == "__main__":
    answer(fit)
