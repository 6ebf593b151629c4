"""Intracluster correlation by one-way analysis of variance with clusters of unequal size (Donner and Koval 1980)."""

from __future__ import annotations

import numpy as np

from pipeline.simulation_check.measured import Measured


def icc_sums(values: np.ndarray, cluster: np.ndarray, stratum: np.ndarray | None = None) -> np.ndarray:
    """Return what the ICC needs of a block: sums of squares between and within, their degrees of freedom, size weight.

    Parameters
    ----------
    values : array, shape (n,)
        NaN is left out.
    cluster : integer array, shape (n,)
    stratum : integer array, shape (n,), optional
        Clusters are compared within their stratum (an industry), so that what differs between strata does not count.
    """
    keep = ~np.isnan(values)
    values, cluster = values[keep], cluster[keep]
    stratum = np.zeros(len(cluster), dtype=int) if stratum is None else stratum[keep]
    found, place = np.unique(np.stack([stratum, cluster]), axis=1, return_inverse=True)
    place = place.ravel()
    size = np.bincount(place).astype(float)
    mean = np.bincount(place, values) / np.maximum(size, 1)
    strata, of_cluster = np.unique(found[0], return_inverse=True)
    persons = np.bincount(of_cluster, size)
    centre = np.bincount(of_cluster, size * mean) / np.maximum(persons, 1)
    between = (size * (mean - centre[of_cluster]) ** 2).sum()
    within = ((values - mean[place]) ** 2).sum()
    spare = (persons - np.bincount(of_cluster, size**2) / np.maximum(persons, 1)).sum()
    return np.array([between, within, len(size) - len(strata), len(values) - len(size), spare])


def icc(sums: np.ndarray) -> Measured:
    """Return the ICC with its standard error (Donner and Koval, large sample, clusters of the mean size)."""
    between, within, between_df, within_df, spare = sums
    if between_df < 2 or within_df < 2:
        return Measured.nothing()
    typical = spare / between_df
    mean_between, mean_within = between / between_df, within / within_df
    value = (mean_between - mean_within) / (mean_between + (typical - 1) * mean_within)
    factor = (1 - value) * (1 + (typical - 1) * value)
    error = factor * np.sqrt(2 / (typical * (typical - 1) * between_df)) if typical > 1 else np.nan
    return Measured(float(value), float(error))
