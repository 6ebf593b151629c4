"""The normal distribution function on arrays; NumPy has none."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr


def normal_probability(z: np.ndarray) -> np.ndarray:
    """Return P(Z <= z)."""
    probability: np.ndarray = ndtr(z)
    return probability
