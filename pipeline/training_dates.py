"""Which mornings a training set is made for: its index dates, its state of the store, and the day of its snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from data_contracts.errors import NotEnoughDataError, SettingsError
from data_contracts.readers.parquet_files import day_span
from models.outcomes.outcome import Outcome
from models.training_set import index_dates
from pipeline.settings import TrainingSettings

LABEL_TABLES: dict[str, str] = {"absence": "absence_spells", "survey": "survey_answers"}
"""The table whose rows decide the labels of a source."""

LONGEST_SILENCE = timedelta(days=366)
"""A small firm may have no absence for months, and surveys come once a year; longer silence is the end of the data."""

LOOKBACK_BEFORE_FIRST = timedelta(days=182)
"""Without a chosen first index date, half a year of history comes before it."""

Span = tuple[date, date] | None
"""First and last ``known_from`` of a table, None where it has no rows."""

_LONGEST_WINDOW = timedelta(days=730)
"""What features of earlier absence look back at most."""


def known_spans(tables: Path) -> dict[str, Span]:
    """Return the span of ``known_from`` of the tables that labels come from."""
    return {name: day_span(tables, name, "known_from") for name in LABEL_TABLES.values()}


def first_day(tables: Path, table: str, column: str) -> date | None:
    """Return the earliest day in a column, None where the table has no rows."""
    span = day_span(tables, table, column)
    return None if span is None else span[0]


def short_history_note(begun: date | None, dates: Sequence[date]) -> str | None:
    """Say so if counts of absence look back further than absence was recorded: there, nothing recorded is not nothing."""
    if begun is None:
        return "no absence is recorded at all: counts of earlier absence are 0 for everybody, which says nothing"
    short = sum(t - begun < _LONGEST_WINDOW for t in dates)
    if not short:
        return None
    return (
        f"absence is recorded from {begun}: at {short} of {len(dates)} index dates the counts of the last "
        f"{_LONGEST_WINDOW.days} days look back further and are too low. Set training.first_index_date later, or bring "
        "earlier absence."
    )


def dates_between(settings: TrainingSettings, spans: dict[str, Span], outcome: Outcome, data_as_of: date) -> list[date]:
    """Return the index dates of an outcome; raises NotEnoughDataError where there is none."""
    first = settings.first_index_date or _next_quarter(_first_event_known(spans) + LOOKBACK_BEFORE_FIRST)
    last = settings.last_index_date or data_as_of - timedelta(days=outcome.mature_after_days)
    dates = index_dates(first, last, settings.months_between)
    if not dates:
        raise NotEnoughDataError(_why_no_date(settings, outcome, first, last, data_as_of))
    return dates


def _why_no_date(settings: TrainingSettings, outcome: Outcome, first: date, last: date, data_as_of: date) -> str:
    first_date = index_dates(first, first + timedelta(days=31), 1)[0]  # the day itself or the next first of a month
    if settings.last_index_date and settings.last_index_date < first_date:
        return f"{outcome.name}: no index date between {first} and {last}. Set training.*_index_date otherwise."
    known = first_date + timedelta(days=outcome.mature_after_days)
    return (
        f"{outcome.name}: no label is known yet. The first index date is {first_date}, its label takes "
        f"{outcome.mature_after_days} days and is known on {known}; the data end on {data_as_of}. Bring data until then, or "
        "set training.first_index_date earlier."
    )


def data_as_of_for(settings: TrainingSettings, spans: dict[str, Span], outcome: Outcome) -> date:
    """Return the chosen morning, or the one after the last row of labels: later, "no event" would be "no data".

    Raises SettingsError if the chosen one is much later, NotEnoughDataError if there is no row.
    """
    end = max(_known_days(spans[LABEL_TABLES[outcome.label_source]])) + timedelta(days=1)
    chosen = settings.data_as_of or end
    if chosen > end + LONGEST_SILENCE:
        raise SettingsError(
            f"training.data_as_of {chosen}: the last row of {LABEL_TABLES[outcome.label_source]} became known on "
            f"{end - timedelta(days=1)}. After that nothing is known, and nothing known must not become a label of no event. "
            f"Choose a day up to {end + LONGEST_SILENCE}, or bring the rest of the data."
        )
    return chosen


def snapshot_day(settings: TrainingSettings, spans: dict[str, Span]) -> date:
    """Return one morning for the snapshots of all outcomes, the earliest that any of them is of.

    With one of its own day for each, the difference of two snapshots would tell of the few who came, left, answered or
    fell ill between two days.
    """
    ends = [span[1] + timedelta(days=1) for span in spans.values() if span is not None]
    return settings.data_as_of or min(ends)


def _next_quarter(day: date) -> date:
    """First day of a calendar quarter on or after a day: index dates fall where reports and the simulator's truth do."""
    quarter = -(-(day.year * 12 + day.month - 1 + (day.day > 1)) // 3)
    return date(quarter // 4, quarter % 4 * 3 + 1, 1)


def _first_event_known(spans: dict[str, Span]) -> date:
    """First day on which anything but persons, jobs and consents was known: those may be loaded years before the rest."""
    return min(_known_days(*spans.values()))


def _known_days(*spans: Span) -> list[date]:
    ends = [end for span in spans if span is not None for end in span]
    if not ends:
        raise NotEnoughDataError("There are no survey answers and no absence spells: nothing to learn from.")
    return ends
