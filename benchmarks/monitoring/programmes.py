"""SYNTHETIC programmes to monitor: a cohort for each scenario and seed, cut month by month, and the model in service.

Trained on other persons, on index dates of July 2021 to April 2022 with the labels of the morning of the change; everything
is watched from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from data_contracts.time_windows import day_number
from models.estimators import LinearEstimator
from models.estimators.literature import CORE
from models.outcomes import OUTCOMES
from models.risk_model import risk_of
from models.training_set import index_dates
from pipeline import ingest, simulate
from pipeline.monitoring.windows import Window, past_dates, reference_dates, window_of
from pipeline.settings import Settings, SimulateSettings
from pipeline.workspace import Workspace

CHANGE = date(2023, 7, 1)
"""First day of the change in every dated scenario."""

TRAINED = date(2021, 7, 1), date(2022, 6, 1)
"""First and last month of the training period."""

BEGUN = date(2021, 4, 1)
"""From here on a window of three months is not cut off by the beginning of the data."""

END = date(2026, 1, 1)
STEADY = "steady"
"""Laid under every programme: in the base response halves in three waves, and that is found everywhere."""

OUTCOME = OUTCOMES["long_sick_leave"]
PENALTY = 0.01


@dataclass(frozen=True)
class Champion:
    """A line over the features of the literature."""

    estimator: LinearEstimator

    def linear(self, window: Window) -> np.ndarray:
        """Return the log-odds of the rows, (n,)."""
        return self.estimator.decision_function(window.columns(CORE))

    def risks(self, window: Window) -> np.ndarray:
        """Return the risks of the rows, (n,)."""
        return risk_of(self.linear(window))


def programme(root: Path, scenario: str | None, seed: int, persons: int) -> Path:
    """Simulate and ingest a cohort; returns the directory of its tables."""
    workspace = Workspace(root / f"{scenario or 'base'}-{seed}")
    workspace.root.mkdir(parents=True)
    scenarios = (STEADY, scenario) if scenario else (STEADY,)
    settings = SimulateSettings(persons=persons, seed=seed, end=END, format="parquet", workers=1, scenarios=scenarios)
    simulate.run(workspace, settings)
    ingest.run(workspace, Settings(simulate=settings).ingest)
    return workspace.tables


def champion(tables: Path) -> Champion:
    """Fit the model on the programme of others, as it stood on the morning of the change."""
    window = window_of(tables, OUTCOME, index_dates(*TRAINED, 3), CHANGE)
    rows = window.take(window.observed)
    estimator = LinearEstimator(PENALTY)
    return Champion(estimator.fit(rows.columns(CORE), rows.y, rows.weight))


def month_of(tables: Path, month: date) -> tuple[Window, Window]:
    """Return the reference (same season of the training period) and the current rows, as known on the first of a month."""
    dates = reference_dates(month, *TRAINED, BEGUN)
    window = window_of(tables, OUTCOME, [*dates, month], month)
    is_current = window.t == day_number(month)
    return window.take(~is_current), window.take(is_current)


def matured(tables: Path) -> Window:
    """Return the rows of quarterly index dates, a horizon after the training, whose labels have matured by the end."""
    after = TRAINED[1] + timedelta(days=OUTCOME.embargo_days)
    window = window_of(tables, OUTCOME, past_dates(after, END, 3), END)
    return window.take(window.observed)


def firms(windows: tuple[Window, ...], persons: int) -> Iterator[tuple[Window, ...]]:
    """Cut programmes into customers of so many persons each, colleagues together; who is left over is left out."""
    of = {person: company for one in windows for person, company in zip(one.person, one.company, strict=True)}
    ordered = np.array(sorted(of, key=lambda person: (of[person], person)))
    for start in range(0, len(ordered) - persons + 1, persons):
        chosen = ordered[start : start + persons]
        yield tuple(one.take(np.isin(one.person, chosen)) for one in windows)
