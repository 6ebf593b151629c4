"""What a model is made of, read off its artifact: the shape of its terms, and all of them in numbers where they are few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from models.published_models import ROELEN_FEATURES
from models.risk_model import RiskModel

MOST_TERMS_PRINTED = 40
"""A sum of so many terms is printed whole; a longer one is in the artifact only."""

BOOSTED = ("trees", "steps")
"""Families whose parameters nobody can count: one per predictor is the least that they choose."""


def family_of(model: RiskModel) -> str:
    """Return ``trees``, ``steps``, ``broken lines`` (straight ones among them), ``lines`` or ``formula`` (as published).

    The kind of a model says only how it is computed: a sum of curves may be of steps or of lines nearly all straight.
    """
    if model.kind == "lightgbm":
        return "trees"
    if model.kind == "linear":
        return "formula" if model.feature_names == ROELEN_FEATURES else "lines"
    return "steps" if "steps" in _shapes(model) else "broken lines"


def shapes_of(model: RiskModel) -> dict[str, Any]:
    """Return how many terms are ``straight``, ``bent``, ``steps`` and ``flat``, and which may tell that they are unknown.

    A flat term is the same for every known value. Which are ``flagged`` is a setting of the estimator: the artifact holds
    one number for unknown, which does not tell a median's from a flag's.
    """
    settings = model.facts.get("estimator", {}).get("settings", {})
    counted = Counter(_shapes(model))
    return {name: counted[name] for name in ("straight", "bent", "steps", "flat")} | {
        "flagged": [name for name in settings.get("flagged", ()) if name in model.feature_names]
    }


def specification(model: RiskModel) -> dict[str, Any]:
    """Return the intercept and all terms of a sum of few, nothing for a longer one or for trees."""
    if model.kind == "lightgbm" or len(model.feature_names) > MOST_TERMS_PRINTED:
        return {}
    terms = _lines(model) if model.kind == "linear" else _curves(model)
    return {"intercept": model.intercept, "terms": terms}


def _shapes(model: RiskModel) -> list[str]:
    if model.kind == "lightgbm":
        return []
    if model.coefficients is not None:
        return ["straight" if coefficient else "flat" for coefficient in model.coefficients]
    return [_shape(len(knots), len(values)) for knots, values in _told(model)]


def _shape(n_knots: int, n_values: int) -> str:
    if n_knots == 0:
        return "flat"
    if n_values > n_knots:
        return "steps"
    return "straight" if n_knots <= 2 else "bent"


def _lines(model: RiskModel) -> list[dict[str, Any]]:
    parts = {name: getattr(model, name) for name in ("coefficients", "mean", "scale", "low", "high", "impute")}
    return [
        {"predictor": name} | {part: float(values[place]) for part, values in parts.items()}
        for place, name in enumerate(model.feature_names)
    ]


def _curves(model: RiskModel) -> list[dict[str, Any]]:
    unknown: Iterable[float] = [] if model.terms is None else model.terms.missing
    return [
        {"predictor": name, "curve": _words(knots, values), "unknown": f"{missing:.4f}"}
        for name, (knots, values), missing in zip(model.feature_names, _told(model), unknown, strict=True)
    ]


def _told(model: RiskModel) -> list[tuple[list[float], list[float]]]:
    """Knots and values of each curve of an additive model."""
    terms = model.terms
    if terms is None:
        return []
    knots, values = np.split(terms.knots, np.cumsum(terms.n_knots)), np.split(terms.values, np.cumsum(terms.n_values))
    return [(own.tolist(), found.tolist()) for own, found in zip(knots, values, strict=True)][:-1]


def _words(knots: list[float], values: list[float]) -> str:
    """A curve as text: its corners; or its one value, or its steps, each with where it begins."""
    if len(values) == len(knots):
        return ", ".join(f"{knot:.5g}: {value:.4f}" for knot, value in zip(knots, values, strict=True))
    steps = (f"from {knot:.5g}: {value:.4f}" for knot, value in zip(knots, values[1:], strict=True))
    return ", ".join([f"{values[0]:.4f}", *steps])
