"""An effect with its interval, and what must be known to read it: what every design gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """An effect in units of the outcome.

    Parameters
    ----------
    design : str
    effect, standard_error, low, high, p : float
        ``low`` and ``high`` are the 95 % interval; ``p`` is two-sided.
    counted : str
        What ``n`` and ``n_with`` count, ``companies`` or ``persons``.
    n, n_with : int
        How many in all, and how many of them get the intervention.
    method : str
        Estimator and interval, in one sentence.
    notes : tuple of str
        Warnings, each a sentence.
    details : dict
        JSON values that belong to the design.
    """

    design: str
    effect: float
    standard_error: float
    low: float
    high: float
    p: float
    counted: Literal["companies", "persons"]
    n: int
    n_with: int
    method: str
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


def t_interval(effect: float, standard_error: float, df: float) -> dict[str, float]:
    """Return ``low``, ``high`` and the two-sided ``p`` of Student's t with ``df`` degrees of freedom."""
    half = stats.t.ppf((1 + LEVEL) / 2, df) * standard_error
    p = 2 * stats.t.sf(abs(effect) / standard_error, df) if standard_error > 0 else np.nan
    return {"low": float(effect - half), "high": float(effect + half), "p": float(p)}
