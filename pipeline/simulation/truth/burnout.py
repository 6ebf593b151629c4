"""The true risk of burnout: a score of 50 or more on the personal or the work scale of the CBI at the next survey.

The survey is 245 days away and answered by everyone. The two scale values are normal given today's latents and stable
parts, their changes taken as perfectly correlated; a score given its scale value is normal with the mean and variance of
its items. Who ticks every item at one place has the score of the first item. Who answers is somewhat healthier than
everyone, and where a group under-reports its strain, the risk is that of honest answers.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RectBivariateSpline

from pipeline.simulation.blocks import Block
from pipeline.simulation.latents import Latents, correlation_matrix, quarterly_correlation
from pipeline.simulation.normal import normal_probability
from pipeline.simulation.survey import ScaleModel
from pipeline.simulation.timeline import DAYS_PER_YEAR, QUARTERS_PER_YEAR

_CODES = np.arange(0, 101, 25.0)
_HALF_CODE = 12.5
_GRID = np.linspace(-6, 6, 101)
"""Expected scale values (SD) at which the risk is computed; in between it is a cubic spline (error below 1e-4)."""


class BurnoutRisk:
    """True risk of a high burnout score at the next survey, tabulated over the two expected scale values."""

    def __init__(self, block: Block, models: dict[str, ScaleModel]) -> None:
        parameters = block.parameters
        self._scales = [models["cbi_personal"], models["cbi_work"]]
        quarters = parameters.truth.burnout_gap / DAYS_PER_YEAR * QUARTERS_PER_YEAR
        self._kept = quarterly_correlation(parameters) ** quarters
        nodes, shares = np.polynomial.hermite_e.hermegauss(9)
        shares = shares / shares.sum()
        correlation = correlation_matrix(parameters)
        later = []
        for model in self._scales:
            change = (1 - self._kept**2) * (model.weights @ correlation @ model.weights)
            later.append(_GRID[:, None] + np.sqrt(change + model.passing**2) * nodes)
        personal, work = (
            1 - _high_score(model, values, parameters.truth.burnout_cut)
            for model, values in zip(self._scales, later, strict=True)
        )
        straight = parameters.survey.straight_lining
        first_item = _below(self._scales[0], later[0], 0, parameters.truth.burnout_cut - _HALF_CODE) @ shares
        low = (1 - straight) * (personal * shares) @ work.T + straight * first_item[:, None]
        self._table = RectBivariateSpline(_GRID, _GRID, 1 - low)

    def on(self, quarter: int, latents: Latents, stable: dict[str, np.ndarray]) -> np.ndarray:
        """Return each person's risk on the first day of a quarter."""
        expected = self._kept * latents.own[quarter] + latents.workplace[quarter] + latents.expected[quarter]
        values = [model.trait(expected, stable[model.scale.name]) for model in self._scales]
        risk: np.ndarray = np.clip(self._table.ev(*values), 0, 1)
        return risk


def _below(model: ScaleModel, values: np.ndarray, item: int, answer: float) -> np.ndarray:
    """P(an item is answered below ``answer``, which lies between two codes) given the scale's value."""
    standing = (answer - model.centres[item]) / model.spread - model.loading * values
    return normal_probability(standing / np.sqrt(1 - model.loading**2))


def _high_score(model: ScaleModel, values: np.ndarray, cut: float) -> np.ndarray:
    """P(score >= cut) given the scale's value; half a score step is the continuity correction."""
    mean, variance, count = np.zeros_like(values), np.zeros_like(values), len(model.centres)
    for item in range(count):
        below = np.stack([_below(model, values, item, code + _HALF_CODE) for code in _CODES[:-1]], axis=-1)
        chance = np.diff(below, axis=-1, prepend=0, append=1)
        expected = chance @ _CODES
        mean += expected / count
        variance += (chance @ _CODES**2 - expected**2) / count**2
    return 1 - normal_probability((cut - _HALF_CODE / count - mean) / np.sqrt(variance))
