"""Measurements computed from other measurements: body mass index, cholesterol fractions, kidney function.

Elementwise over NumPy arrays (or single numbers) in the canonical units of ``analytes.csv``; NaN in, NaN out. A result
outside what a formula was made for is NaN, never a number that looks like a measurement.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

FRIEDEWALD_HIGHEST_TRIGLYCERIDES = 4.5
"""mmol/L (400 mg/dL); above, and with chylomicrons present, the formula does not hold."""

YOUNGEST_FOR_CKD_EPI = 18
MICROMOLES_PER_LITRE_IN_MG_PER_DL = 88.4
"""Creatinine; rounded as in the published equations, which are stated in mg/dL."""


def bmi(height_cm: ArrayLike, weight_kg: ArrayLike) -> np.ndarray:
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
    height, weight = _positive(height_cm) / 100, _positive(weight_kg)
    return weight / (height * height)


def non_hdl(total_cholesterol: ArrayLike, hdl: ArrayLike) -> np.ndarray:
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
    total, part = _positive(total_cholesterol), _positive(hdl)
    return np.where(part < total, total - part, np.nan)


def ldl_friedewald(total_cholesterol: ArrayLike, hdl: ArrayLike, triglycerides: ArrayLike) -> np.ndarray:
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
    fat = _positive(triglycerides)
    ldl = _positive(total_cholesterol) - _positive(hdl) - fat / 2.2
    return np.where((fat <= FRIEDEWALD_HIGHEST_TRIGLYCERIDES) & (ldl > 0), ldl, np.nan)


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
    numbers = _positive(creatinine), *(np.asarray(value, dtype=np.float64) for value in (age_years, is_female))
    # Of at least one axis: NumPy raises a single number to a power by other code than an array, with another last bit.
    molar, age, sex = (np.ascontiguousarray(value) for value in np.broadcast_arrays(*numbers))
    female = sex == 1
    kappa, low, scale = (np.where(female, *pair) for pair in (_KAPPA, equation.low, equation.scale))
    ratio = molar / MICROMOLES_PER_LITRE_IN_MG_PER_DL / kappa
    rate = scale * np.minimum(ratio, 1) ** low * np.maximum(ratio, 1) ** equation.high * equation.per_year**age
    rate = np.where((age >= YOUNGEST_FOR_CKD_EPI) & (female | (sex == 0)), rate, np.nan)
    return rate.reshape(np.broadcast_shapes(*map(np.shape, numbers)))


def _positive(values: ArrayLike) -> np.ndarray:
    """Return float64 with everything not above zero, and the infinite, as NaN."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.where((numbers > 0) & np.isfinite(numbers), numbers, np.nan)
