"""Cumulative incidences against R's ``survival`` (``../shared/vectors/survival``)."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from models.evaluation.competing_exits import aalen_johansen, daily_counts
from models.observation_weights import censoring_weights

VECTORS = Path(__file__).parents[2] / "../shared/vectors/survival"

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/vectors is not here")


def columns(name: str, *wanted: str) -> list[np.ndarray]:
    with (VECTORS / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [np.array([float(row[column]) for row in rows]) for column in wanted]


def test_aalen_johansen_of_two_competing_events():
    months, event = columns("mgus2_competing.csv", "time", "event")
    expected = json.loads((VECTORS / "aalen_johansen_expected.json").read_text())
    last = int(months.max())
    counts = daily_counts(months.astype(int), event.astype(int) - 1, np.ones((1, len(months))), last + 1)
    curves = aalen_johansen(*counts)[0][:, expected["times"]]
    for place, (neither, *both) in enumerate(expected["pstate"]):
        assert curves[:, place] == pytest.approx(both, abs=1e-10)
        assert 1 - curves[:, place].sum() == pytest.approx(neither, abs=1e-10)


def test_kaplan_meier_and_the_weights_that_estimate_the_same():
    """R's curve of the validation patients by years; here in days of 1/365.25 year, as they were measured."""
    years, status = columns("gbsg_validation_predictions.csv", "time", "status")
    expected = json.loads((VECTORS / "expected.json").read_text())
    days, event = np.round(years * 365.25).astype(int), status == 1
    assert days == pytest.approx(years * 365.25, abs=1e-6)
    curve = aalen_johansen(*daily_counts(days, event.astype(int) - 1, np.ones((1, len(days))), int(days.max()) + 1))
    for year, survival in zip(expected["times"], expected["km_surv"], strict=True):
        last = int(year * 365.25)
        assert 1 - curve[0, 0, last] == pytest.approx(survival, abs=1e-10)
        before = event & (days <= last)
        weight = censoring_weights(np.minimum(days, last + 1), before, ~event & (days <= last), last + 1)
        assert np.average(before, weights=weight) == pytest.approx(1 - survival, abs=1e-10)
