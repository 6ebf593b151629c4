"""What a rival is given, the model it explains, and what it hands back."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import PredefinedSplit

Explain = Callable[[pd.DataFrame], tuple[float, float]]
"""Takes one row; returns the probability shown, and the one rebuilt from the base and the contributions shown."""

SetUp = Callable[[Any, pd.DataFrame], tuple[Explain, str]]
"""Takes the model and rows to compare with; returns the way to explain, and what has to be said about it."""


class TooLongError(BaseException):
    """The time allowed is over; no rival may take it for an error of its own."""


def answer(set_up: SetUp) -> None:
    """Read the request from standard input, fit, set up, explain row by row while time lasts, print what was found."""
    request = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    with np.load(request["rows"]) as stored:
        arrays = {name: stored[name] for name in stored.files}
    # Rivals print as they go; the answer is the last line.
    with contextlib.redirect_stdout(sys.stderr):
        model = fitted(request["model"], arrays, request["parameters"])
        found = _explained(set_up, model, arrays, request["seconds"])
    print(json.dumps(found))


def fitted(kind: str, arrays: dict[str, np.ndarray], parameters: dict[str, Any]) -> Any:
    """Fit the same LightGBM, calibrated by scikit-learn's sigmoid in one of the ways its users would."""
    X, y, weight, fold = frame(arrays, "X"), arrays["y"].astype(int), arrays["weight"], arrays["fold"]
    booster, folds = LGBMClassifier(**parameters), PredefinedSplit(fold)
    if kind == "uncalibrated":
        return booster.fit(X, y, weight)
    if kind == "frozen":
        kept, held_out = fold != 0, fold == 0
        ready = FrozenEstimator(booster.fit(X[kept], y[kept], weight[kept]))
        return CalibratedClassifierCV(ready, method="sigmoid").fit(X[held_out], y[held_out], weight[held_out])
    calibrated = CalibratedClassifierCV(booster, method="sigmoid", cv=folds, ensemble=kind == "ensemble")
    return calibrated.fit(X, y, weight)


def frame(arrays: dict[str, np.ndarray], name: str) -> pd.DataFrame:
    """Return an array with the names of its columns."""
    return pd.DataFrame(arrays[name], columns=arrays["names"].tolist())


def _explained(set_up: SetUp, model: Any, arrays: dict[str, np.ndarray], seconds: int) -> dict[str, Any]:
    people = frame(arrays, "people")
    found: dict[str, Any] = {"setup_seconds": None, "ms": [], "shown": [], "rebuilt": []}
    found |= {"note": "", "problem": ""}
    signal.signal(signal.SIGALRM, _ring)
    signal.alarm(seconds)
    try:
        began = time.perf_counter()
        explain, found["note"] = set_up(model, frame(arrays, "background"))
        found["setup_seconds"] = time.perf_counter() - began
        for position in range(len(people)):
            began = time.perf_counter()
            shown, rebuilt = explain(people.iloc[[position]])
            found["ms"].append(1000 * (time.perf_counter() - began))
            found["shown"].append(float(shown))
            found["rebuilt"].append(float(rebuilt))
    except TooLongError:
        what = "set-up" if found["setup_seconds"] is None else f"row {len(found['ms']) + 1}"
        found["problem"] = f"{what} not done when {seconds} s were over"
    except Exception as error:
        found["problem"] = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    finally:
        signal.alarm(0)
    return found


def _ring(*_: Any) -> None:
    raise TooLongError
