"""What drives a model over many persons, as a picture; the one door to the shap library.

Single explanations never come through here: serving computes the same numbers without shap (see ``models.risk_model``).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data_contracts.errors import NotEnoughDataError
from models.risk_model import RiskModel

with warnings.catch_warnings():
    # shap's import warns about how it uses matplotlib.
    warnings.simplefilter("ignore")
    import shap

FEATURES_SHOWN = 15
FEWEST_ROWS = 20
"""A picture of fewer rows could show a person."""


def draw_summary(model: RiskModel, X: np.ndarray, path: Path, seed: int = 17) -> None:
    """Draw mean absolute contributions (bars) and their spread by value (swarm) as a PNG file.

    Parameters
    ----------
    model : RiskModel
    X : float32 array, shape (n, n_features)
        The model's own columns, at least 20 rows.
    path : Path
    seed : int
        For the jitter of the swarm.

    Raises
    ------
    NotEnoughDataError
        Fewer rows than may be shown.
    """
    if len(X) < FEWEST_ROWS:
        raise NotEnoughDataError(
            f"{len(X)} rows: a picture of fewer than {FEWEST_ROWS} could show a person. Use more rows."
        )
    terms = model.contributions(X)
    explanation = shap.Explanation(
        terms[:, :-1], base_values=terms[:, -1], data=X, feature_names=list(model.feature_names)
    )
    figure = Figure(figsize=(13, 6), layout="constrained")
    FigureCanvasAgg(figure)
    bars, swarm = figure.subplots(1, 2)
    shap.plots.bar(explanation, max_display=FEATURES_SHOWN, ax=bars, show=False)
    with _fixed_jitter(seed):
        shap.plots.beeswarm(explanation, max_display=FEATURES_SHOWN, ax=swarm, show=False, plot_size=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


@contextmanager
def _fixed_jitter(seed: int) -> Iterator[None]:
    # shap draws its jitter from NumPy's global generator and offers no other way to fix it.
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
