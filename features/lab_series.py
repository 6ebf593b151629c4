"""The results of each person and analyte: the series of exact values by day, and the latest, exact or a bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_contracts.analytes import ANALYTES
from data_contracts.time_windows import NO_DAY
from features.as_of import Known
from features.derived_labs import Results, derived_results
from features.gathering import EXACT, NO_OWN_INTERVAL
from features.segments import day_of, group_of, point, run_ends

N_ANALYTES = len(ANALYTES)


class Series(NamedTuple):
    """Exact results, one per place (person x analyte) and day, sorted so.

    Measured: of several on a day the one known last; without any, what follows from other measurements. ``distance`` is that
    from the laboratory's own interval, as in the block.
    """

    place: np.ndarray
    day: np.ndarray
    value: np.ndarray
    distance: np.ndarray


class Latest(NamedTuple):
    """The latest result of every place, with or without one: ``day`` is ``NO_DAY`` and all else NaN without."""

    day: np.ndarray
    value: np.ndarray
    distance: np.ndarray
    comparator: np.ndarray
    has_bounds: bool


def places(known: Known) -> np.ndarray:
    """Return the place, person x analyte, of each row of ``known.labs``; it has at least one."""
    return known.labs["person"].astype(np.int64) * N_ANALYTES + known.labs["analyte"]


def series(known: Known, place: np.ndarray) -> Series:
    """Return the exact results of all persons, measured and derived; ``place`` as in :func:`places`."""
    rows = known.labs
    points, analyte, value, distance = point(place, rows["day"]), rows["analyte"], rows["value"], rows["distance"]
    last = run_ends(points)
    if rows["comparator"].any():
        # Of the results of a day the exact ones come last.
        last = last[rows["comparator"][last] == EXACT]
    if len(last) < len(points):
        points, analyte, value, distance = (column[last] for column in (points, analyte, value, distance))
    derived = derived_results(known, Results(points, analyte, value))
    if derived is not None:
        # Where both are of one day, the measured one comes last in a stable sort.
        points = np.concatenate((derived.point, points))
        order = points.argsort(kind="stable")
        order = order[run_ends(points[order])]
        points, value = points[order], np.concatenate((derived.value, value))[order]
        without = np.full(len(derived.point), NO_OWN_INTERVAL, dtype=distance.dtype)
        distance = np.concatenate((without, distance))[order]
    return Series(group_of(points), day_of(points), value, distance)


def latest(known: Known, place: np.ndarray, exact: Series) -> Latest:
    """Return the latest result of every person and analyte; a bound gives way to an exact result of its day."""
    n_places = len(known) * N_ANALYTES
    day = np.full(n_places, NO_DAY, dtype=np.int32)
    value, distance = np.full((2, n_places), np.nan)
    comparator = np.full(n_places, EXACT, dtype=np.int8)
    last = run_ends(exact.place)
    at = exact.place[last]
    day[at], value[at], distance[at] = exact.day[last], exact.value[last], exact.distance[last]
    bounds = known.labs["comparator"].nonzero()[0]
    if len(bounds):
        last = bounds[run_ends(place[bounds])]
        last = last[known.labs["day"][last] > day[place[last]]]
        for name, column in (("day", day), ("value", value), ("distance", distance), ("comparator", comparator)):
            column[place[last]] = known.labs[name][last]
    return Latest(day, value, distance, comparator, has_bounds=len(bounds) > 0)
