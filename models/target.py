"""What a model's linear predictor stands for: the chance of an event (logit) or an expected number of days (log).

Everything that differs between the two is here: the inverse link, the loss that candidates are compared by, and the
straight line that recalibrates out-of-fold predictions. NumPy only.

References: Jorgensen B. Exponential dispersion models. J R Stat Soc B 1987;49:127 (the Tweedie deviance). McCullagh P.
Quasi-likelihood functions. Ann Stat 1983;11:59 (the line for days).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.calibration import fit_log_line, fit_recalibration
from models.evaluation.discrimination import log_losses
from models.risk_model import Link, inverse_link

TWEEDIE_POWER = 1.5
"""Between Poisson (1) and gamma (2): a mass at zero days and a long tail above it."""


@dataclass(frozen=True)
class Target:
    """The kind of number that an outcome is.

    Parameters
    ----------
    name : {"event", "days"}
    link : {"logit", "log"}
    losses : callable
        ``(linear, y)``, both (n,), to the loss of each row (n,): log loss of an event, Tweedie deviance (power 1.5) of days.
    fit_recalibration : callable
        ``(raw, y, weights)``, each (n,), to intercept and slope of the line from raw to calibrated linear predictors; the
        slope is 0 and the intercept the mean's where raw predictions say nothing or the opposite.
    """

    name: Literal["event", "days"]
    link: Link
    losses: Callable[[np.ndarray, np.ndarray], np.ndarray]
    fit_recalibration: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, float]]

    def inverse(self, linear: np.ndarray) -> np.ndarray:
        """Return risks or expected days of linear predictors, float64 of the same shape."""
        return inverse_link(self.link, linear)


def tweedie_losses(linear: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the unit deviance of each row for power 1.5, float64 (n,), from log days and days."""
    root = np.exp(linear / 4)
    return 4 * (root - np.sqrt(y) / root) ** 2


EVENT = Target("event", "logit", log_losses, fit_recalibration)
DAYS = Target("days", "log", tweedie_losses, fit_log_line)
TARGETS: dict[str, Target] = {target.name: target for target in (EVENT, DAYS)}
