"""Save the pyfunc: ``python -m benchmarks.serving.rivals.mlflow_save <folder of the models> <where to>``."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow

if __name__ == "__main__":
    folder, home = map(Path, sys.argv[1:])
    script = Path(__file__).with_name("mlflow_model.py")
    # Named requirements: mlflow would start a process and load the model to guess them.
    mlflow.pyfunc.save_model(
        home, python_model=str(script), artifacts={"folder": str(folder)}, pip_requirements=["mlflow"]
    )
