"""The same work as a pyfunc, for ``mlflow models serve``: a frame of requests in, a list of answers out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from benchmarks.serving.rivals.usual import Usual


class Served(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]  # mlflow has no types
    """Loads the models once, answers row by row."""

    def load_context(self, context: Any) -> None:
        """Read the models."""
        self.work = Usual(Path(context.artifacts["folder"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[dict[str, Any]]:
        """Answer every row."""
        return [self.work.answer(row) for row in model_input.to_dict("records")]


mlflow.models.set_model(Served())
