"""Measurements computed from other measurements: body mass index, cholesterol fractions, kidney function.

Elementwise over NumPy arrays (or single numbers) in the canonical units of ``analytes.csv``; NaN in, NaN out. A result
outside what a formula was made for is NaN, never a number that looks like a measurement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

FRIEDEWALD_HIGHEST_TRIGLYCERIDES = 4.5
"""mmol/L (400 mg/dL); above, and with chylomicrons present, the formula does not hold."""

YOUNGEST_FOR_CKD_EPI = 18
MICROMOLES_PER_LITRE_IN_MG_PER_DL = 88.4
"""Creatinine; rounded as in the published equations, which are stated in mg/dL."""


class Formula:
    """A formula over positive numbers: whatever else it is called with is made NaN; ``of_positive`` trusts its caller."""

    def __init__(self, of_positive: Callable[..., np.ndarray]) -> None:
        self.of_positive = of_positive
        self.__doc__ = of_positive.__doc__

    def __call__(self, *values: ArrayLike) -> np.ndarray:
        """Return the result in float64, NaN unless all values are above zero and finite."""
        return self.of_positive(*map(_positive, values))


@Formula
def bmi(height_cm: np.ndarray, weight_kg: np.ndarray) -> np.ndarray:
    """Return the body mass index in kg/m2 (Quetelet): weight over the square of the height.

    Parameters
    ----------
    height_cm, weight_kg : array_like, shape (n,)
        Body height in cm and weight in kg.

    Returns
    -------
    float64 array, shape (n,)
        NaN unless both are above zero.
    """
    height = height_cm / 100
    return np.asarray(weight_kg / (height * height))


@Formula
def non_hdl(total_cholesterol: np.ndarray, hdl: np.ndarray) -> np.ndarray:
    """Return the cholesterol in all atherogenic particles, in the unit of the inputs: total minus HDL cholesterol.

    Parameters
    ----------
    total_cholesterol, hdl : array_like, shape (n,)
        In the same unit (here mmol/L).

    Returns
    -------
    float64 array, shape (n,)
        NaN where HDL is not below the total: one of the two is wrong then.
    """
    return np.where(hdl < total_cholesterol, total_cholesterol - hdl, np.nan)


@Formula
def ldl_friedewald(total_cholesterol: np.ndarray, hdl: np.ndarray, triglycerides: np.ndarray) -> np.ndarray:
    """Return LDL cholesterol by the Friedewald formula: total - HDL - triglycerides / 2.2.

    The paper's own form is in mg/dL, total - HDL - triglycerides / 5. The divisor takes triglycerides to the cholesterol in
    VLDL: 5 mg per mg is 5 x 386.7 / 885.5 = 2.18 mol per mol, by convention 2.2. The two forms therefore differ by less than
    1 % of the triglyceride term.

    Parameters
    ----------
    total_cholesterol, hdl, triglycerides : array_like, shape (n,)
        In mmol/L; triglycerides fasting.

    Returns
    -------
    float64 array, shape (n,)
        NaN where triglycerides are above 4.5 mmol/L or the result is not above zero.

    References
    ----------
    Friedewald WT, Levy RI, Fredrickson DS. Clin Chem 1972; 18: 499-502.
    """
    ldl = total_cholesterol - hdl - triglycerides / 2.2
    return np.where((triglycerides <= FRIEDEWALD_HIGHEST_TRIGLYCERIDES) & (ldl > 0), ldl, np.nan)


def egfr_ckd_epi_2009(creatinine: ArrayLike, age_years: ArrayLike, is_female: ArrayLike) -> np.ndarray:
    """Return estimated glomerular filtration rate by the creatinine equation of CKD-EPI 2009, without its race term.

    Parameters
    ----------
    creatinine : array_like, shape (n,)
        Serum or plasma creatinine in umol/L, by a method traceable to IDMS.
    age_years : array_like, shape (n,)
        Age in years on the day of the sample.
    is_female : array_like, shape (n,)
        1 female, 0 male; anything else (-1, NaN) is unknown.

    Returns
    -------
    float64 array, shape (n,)
        In mL/min per 1.73 m2. NaN under 18 years and where sex, age or creatinine is unknown.

    Notes
    -----
    As in the paper's Table 2 and in Nordic laboratories, women have the factor 144. The one-line form of the same equation,
    141 x 1.018 = 143.5, gives women 0.3 % less.

    References
    ----------
    Levey AS et al. Ann Intern Med 2009; 150: 604-612.
    """
    return _ckd_epi(_CKD_EPI_2009, creatinine, age_years, is_female)


def egfr_ckd_epi_2021(creatinine: ArrayLike, age_years: ArrayLike, is_female: ArrayLike) -> np.ndarray:
    """Return estimated glomerular filtration rate by the race-free creatinine equation of CKD-EPI 2021.

    Parameters and result as for :func:`egfr_ckd_epi_2009`.

    References
    ----------
    Inker LA et al. N Engl J Med 2021; 385: 1737-1749.
    """
    return _ckd_epi(_CKD_EPI_2021, creatinine, age_years, is_female)


class _CkdEpi(NamedTuple):
    """``scale * min(k, 1)**low * max(k, 1)**high * per_year**age``; k is creatinine in mg/dL over kappa; (female, male)."""

    scale: tuple[float, float]
    low: tuple[float, float]
    high: float
    per_year: float


_CKD_EPI_2009 = _CkdEpi(scale=(144, 141), low=(-0.329, -0.411), high=-1.209, per_year=0.993)
_CKD_EPI_2021 = _CkdEpi(scale=(142 * 1.012, 142), low=(-0.241, -0.302), high=-1.200, per_year=0.9938)
_KAPPA = (0.7, 0.9)


def _ckd_epi(equation: _CkdEpi, creatinine: ArrayLike, age_years: ArrayLike, is_female: ArrayLike) -> np.ndarray:
    # Of at least one axis: NumPy raises a single number to a power by other code than an array, with another last bit.
    molar = _positive(creatinine)[np.newaxis]
    age, sex = (np.asarray(value, dtype=np.float64)[np.newaxis] for value in (age_years, is_female))
    female = (sex == 1).astype(np.intp)
    kappa, low, scale = _BY_SEX[equation][:, female]
    ratio = molar / MICROMOLES_PER_LITRE_IN_MG_PER_DL / kappa
    rate = scale * np.minimum(ratio, 1) ** low * np.maximum(ratio, 1) ** equation.high * equation.per_year**age
    is_known = (age >= YOUNGEST_FOR_CKD_EPI) & (female | (sex == 0))
    return np.asarray(np.where(is_known, rate, np.nan)[0])


_BY_SEX = {
    one: np.array([pair[::-1] for pair in (_KAPPA, one.low, one.scale)]) for one in (_CKD_EPI_2009, _CKD_EPI_2021)
}
"""Of each equation kappa, low and scale, each for men and for women."""


def _positive(values: ArrayLike) -> np.ndarray:
    """Return float64 with everything not above zero, and the infinite, as NaN."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.where((numbers > 0) & (numbers < np.inf), numbers, np.nan)
