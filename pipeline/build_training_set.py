"""Stage build-training-set: tables → eligible (person, index date) pairs with features, labels, weights and flow counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from data_contracts.errors import NotEnoughDataError, SettingsError
from data_contracts.readers.parquet_files import read_tables
from data_contracts.tables import Table
from models.comparison import onset_note
from models.outcomes import OUTCOMES
from models.outcomes.outcome import Outcome
from models.training_set import TrainingSet, build_training_set, index_dates
from pipeline.console import progress, read_json
from pipeline.settings import Settings, TrainingSettings
from pipeline.workspace import Workspace, require

LABEL_TABLES: dict[str, str] = {"absence": "absence_spells", "survey": "survey_answers"}
"""The table whose rows decide the labels of a source."""

LONGEST_SILENCE = timedelta(days=366)
"""A small firm may have no absence for months, and surveys come once a year; longer silence is the end of the data."""

LOOKBACK_BEFORE_FIRST = timedelta(days=182)
"""Without a chosen first index date, half a year of history comes before it."""


def run(workspace: Workspace, settings: Settings, outcomes: list[str]) -> dict[str, Any]:
    """Build and store the training set of each outcome; return the flow counts."""
    tables = read_tables(require(workspace.tables / "persons.parquet", "ingest").parent)
    synthetic = read_json(require(workspace.tables / "ingest.json", "ingest"))["synthetic"]
    report: dict[str, Any] = {"outcomes": {}}
    lines = ["build-training-set"]
    for name in outcomes:
        outcome = configured_outcome(name, settings)
        data_as_of = _data_as_of(settings.training, tables, outcome)
        with progress(f"build training set {name}"):
            dates = _index_dates(settings.training, tables, outcome, data_as_of)
            built = build_training_set(tables, outcome, dates, data_as_of, synthetic=synthetic)
            built.save(workspace.training_set(name) / "rows")
        note = onset_note(built.y, built.followed_days)
        report["outcomes"][name] = {
            "rows": len(built),
            "flow": built.flow,
            "facts": built.facts,
            "notes": [note] * bool(note),
        }
        lines += [*_lines(name, built), *(["    note: " + note] * bool(note))]
    report["summary"] = "\n".join(lines)
    return report


def configured_outcome(name: str, settings: Settings) -> Outcome:
    """Return an outcome with the parameters of params.yaml."""
    parameters = getattr(settings.outcomes, name).model_dump()
    return replace(OUTCOMES[name], registration_lag_days=settings.training.registration_lag_days, **parameters)


def _index_dates(
    settings: TrainingSettings, tables: dict[str, Table], outcome: Outcome, data_as_of: date
) -> list[date]:
    first = settings.first_index_date or _next_quarter(_first_event_known(tables) + LOOKBACK_BEFORE_FIRST)
    last = settings.last_index_date or data_as_of - timedelta(days=outcome.mature_after_days)
    dates = index_dates(first, last, settings.months_between)
    if not dates:
        raise NotEnoughDataError(
            f"{outcome.name}: no index date between {first} and {last} (the last whose label is mature as of {data_as_of}; "
            f"a label takes {outcome.mature_after_days} days). Bring data over a longer time, or set training.*_index_date."
        )
    return dates


def _data_as_of(settings: TrainingSettings, tables: dict[str, Table], outcome: Outcome) -> date:
    """The chosen morning, or the one after the last row that labels come from: later, "no event" would be "no data"."""
    end = max(_known_days({outcome.label_source: tables[LABEL_TABLES[outcome.label_source]]})) + timedelta(days=1)
    chosen = settings.data_as_of or end
    if chosen > end + LONGEST_SILENCE:
        raise SettingsError(
            f"training.data_as_of {chosen}: the last row of {LABEL_TABLES[outcome.label_source]} became known on "
            f"{end - timedelta(days=1)}. After that nothing is known, and nothing known must not become a label of no event. "
            f"Choose a day up to {end + LONGEST_SILENCE}, or bring the rest of the data."
        )
    return chosen


def _next_quarter(day: date) -> date:
    """First day of a calendar quarter on or after a day: index dates fall where reports and the simulator's truth do."""
    quarter = -(-(day.year * 12 + day.month - 1 + (day.day > 1)) // 3)
    return date(quarter // 4, quarter % 4 * 3 + 1, 1)


def _first_event_known(tables: dict[str, Table]) -> date:
    """First day on which anything but persons, jobs and consents was known: those may be loaded years before the rest."""
    return min(_known_days({name: tables[name] for name in ("survey_answers", "absence_spells")}))


def _known_days(tables: dict[str, Table]) -> list[date]:
    ends = [end for table in tables.values() if len(table["known_from"]) for end in _span(table["known_from"])]
    if not ends:
        raise NotEnoughDataError("There are no survey answers and no absence spells: nothing to learn from.")
    return ends


def _span(days: np.ndarray) -> tuple[date, date]:
    return days.min().item(), days.max().item()


def _lines(name: str, built: TrainingSet) -> list[str]:
    counts = [f"    {count:>9}  {reason}" for reason, count in built.flow.items()]
    dates = built.facts["index_dates"]
    pairs = f"{sum(built.flow.values())} person × index date pairs, {dates[0]} to {dates[-1]}"
    return [f"  {name} as of {built.facts['data_as_of']}: {pairs}", *counts]
