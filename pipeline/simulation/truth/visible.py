"""What a model may see of a simulated cohort: its source files, through ingest's checks, as features at index dates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from data_contracts.time_windows import day_number
from features.build import build_features
from features.catalogue import POSITIONS
from features.histories import Histories
from features.workplace_context import workplace_context
from models.outcomes import OUTCOMES
from models.outcomes.outcome import ELIGIBLE, general_eligibility
from models.training_set import index_dates
from pipeline.settings import IngestSettings
from pipeline.source_check import check_source

MONTHS_BETWEEN = 3
"""The truth is known on the first day of every quarter from the start of the data on."""


@dataclass(frozen=True)
class Period:
    """First day of a simulated cohort's data, and the morning of its extract."""

    start: date
    end: date

    @classmethod
    def of(cls, directory: Path) -> Period:
        """Read the stamp of a simulated cohort."""
        stamp = json.loads((directory / "source.json").read_text(encoding="utf-8"))
        return cls(date.fromisoformat(stamp["start"]), date.fromisoformat(stamp["end"]))

    def index_dates(self, months_before: int, last: date | None = None, every: int = MONTHS_BETWEEN) -> list[date]:
        """Return index dates at which the truth is known, ``months_before`` after the start at the earliest."""
        first = (np.datetime64(self.start, "M") + months_before).astype("datetime64[D]").item()
        return index_dates(first, last or self.end, every)


@dataclass(frozen=True)
class Visible:
    """The features of everyone who is eligible for some outcome at one index date.

    ``person`` is a position in the histories' ``person_ids``; ``eligible`` has one array per outcome, shape (n,).
    """

    t: int
    person: np.ndarray
    X: np.ndarray
    eligible: dict[str, np.ndarray]


def visible_histories(directory: Path) -> Histories:
    """Return the histories that training sees of a cohort: of rows that pass the checks, with consent for training."""
    end = Period.of(directory).end
    tables = check_source(str(directory), None, IngestSettings(received_on=end)).tables
    return Histories.from_tables(tables, purpose="model_training", consent_on=end, data_as_of=end)


def visible(histories: Histories, dates: list[date]) -> Iterator[Visible]:
    """Yield one index date after the other."""
    for day in dates:
        t = day_number(day)
        # In the form in which training sees the workplaces, so that what is attainable holds for its features.
        values = build_features(histories, t, workplace_context(histories, t).published()).values
        general = general_eligibility(histories, t, values[:, POSITIONS["age_years"]])
        eligible = {
            name: outcome.eligibility_given(general, histories, t) == ELIGIBLE for name, outcome in OUTCOMES.items()
        }
        person = np.flatnonzero(np.any(list(eligible.values()), axis=0))
        yield Visible(t, person, values[person], {name: chosen[person] for name, chosen in eligible.items()})
