"""Stage build-training-set: tables → eligible (person, index date) pairs with features, labels, weights and flow counts.

Partitions of persons are worked on alone, here or on a cluster; what they hand back is put into one order and weighted
here. The features of all persons pass from partition files to the training set's file without ever being in memory
together.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from data_contracts.errors import EngineError, NotEnoughDataError, SettingsError
from data_contracts.readers.parquet_files import known_span, n_partitions, read_partition
from data_contracts.records import TABLES
from data_contracts.time_windows import day_number
from features.catalogue import FEATURE_NAMES
from features.histories import Histories
from features.workplace_context import WorkplaceContext, from_document, merged, workplace_context
from models.artifact import CONTEXT_FILE
from models.cohorts import Part, part_of, published_contexts
from models.comparison import onset_note
from models.outcomes import OUTCOMES
from models.outcomes.outcome import Outcome
from models.row_files import merged_rows, rows_between, rows_kept_in
from models.training_set import Rows, assembled, index_dates
from pipeline.console import Advance, progress, read_json, write_json
from pipeline.engine import Each, EngineName, open_engine
from pipeline.settings import Settings, TrainingSettings
from pipeline.workplace_snapshot import WORKPLACE_TABLES, store_snapshot
from pipeline.workspace import Workspace, require

LABEL_TABLES: dict[str, str] = {"absence": "absence_spells", "survey": "survey_answers"}
"""The table whose rows decide the labels of a source."""

LONGEST_SILENCE = timedelta(days=366)
"""A small firm may have no absence for months, and surveys come once a year; longer silence is the end of the data."""

LOOKBACK_BEFORE_FIRST = timedelta(days=182)
"""Without a chosen first index date, half a year of history comes before it."""


_SCRATCH = "parts-"

Span = tuple[date, date] | None
"""First and last ``known_from`` of a table, None where it has no rows."""


def run(
    workspace: Workspace,
    settings: Settings,
    outcomes: list[str],
    engine: EngineName = "local",
    scheduler: str | None = None,
) -> dict[str, Any]:
    """Build and store the training set of each outcome; return the flow counts."""
    home = require(workspace.tables / "persons.parquet", "ingest").parent.resolve()
    stamp = require(home / "ingest.json", "ingest")
    synthetic = read_json(stamp)["synthetic"]
    partitions, spans = n_partitions(home), {name: known_span(home, name) for name in LABEL_TABLES.values()}
    jobs = [_job(workspace, settings, name, home, partitions, spans) for name in outcomes]
    training = workspace.training.resolve()
    training.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"outcomes": {}}
    lines = ["build-training-set"]
    with open_engine(engine, scheduler, partitions, stamp, training) as each:
        for job in jobs:
            built = _built(job, each, synthetic)
            note = onset_note(built.arrays["y"], built.arrays["followed_days"])
            report["outcomes"][built.outcome] = {
                "rows": len(built),
                "flow": built.flow,
                "facts": built.facts,
                "notes": [note] * bool(note),
            }
            lines += [*_lines(built), *(["    note: " + note] * bool(note))]
    report["summary"] = "\n".join(lines)
    return report


@dataclass(frozen=True)
class Job:
    """What a process must know to work on a partition; the rest is in the files.

    Parameters
    ----------
    tables, scratch : Path
        Directories at the same place for every process: the ingested tables, and what is on its way.
    partitions : int
    outcome : Outcome
    dates : tuple of date
        Index dates, rising.
    data_as_of : date
    """

    tables: Path
    scratch: Path
    partitions: int
    outcome: Outcome
    dates: tuple[date, ...]
    data_as_of: date

    @property
    def days(self) -> list[int]:
        """Index dates as day numbers."""
        return [day_number(t) for t in self.dates]

    def histories(self, partition: int, names: Iterable[str] = tuple(TABLES)) -> Histories:
        """Read and gather everybody of a partition, from some tables or all."""
        tables = read_partition(self.tables, partition, names)
        on = self.data_as_of
        return Histories.from_tables(tables, purpose="model_training", consent_on=on, data_as_of=on)

    def context_file(self, t: int) -> Path:
        """Where the workplaces of all partitions at an index date are, if there are several."""
        return self.scratch / f"context-{t}.json"

    def context(self, t: int) -> WorkplaceContext:
        """Read the workplaces of all partitions at an index date."""
        return from_document(read_json(self.context_file(t)))

    def features_file(self, partition: int) -> Path:
        """Where the features of a partition's rows are."""
        return self.scratch / f"{partition}.f4"

    def features(self, partition: int, first: int, end: int) -> np.ndarray:
        """Read features of a partition's rows, float32, shape (end - first, n_features)."""
        return rows_between(self.features_file(partition), len(FEATURE_NAMES), first, end)


def contexts_of(job: Job, partition: int) -> list[WorkplaceContext]:
    """Add up the workplaces of a partition's persons at every index date: what one worker does first."""
    histories = job.histories(partition, WORKPLACE_TABLES)
    return [workplace_context(histories, t) for t in job.days]


def rows_of(job: Job, partition: int) -> Part:
    """Write the features of a partition's rows, and return all else about them: what one worker does then."""
    histories = job.histories(partition)
    context = published_contexts(histories) if job.partitions == 1 else job.context
    with rows_kept_in(job.features_file(partition)) as keep:
        return part_of(histories, job.outcome, job.days, day_number(job.data_as_of), context, keep)


def _built(job: Job, each: Each, synthetic: bool) -> Rows:
    passes = 2 if job.partitions == 1 else 3  # one partition knows all workplaces itself; the snapshot is the last
    title = f"build training set {job.outcome.name}"
    with _made(job.scratch), progress(title, passes * job.partitions) as advance:
        if job.partitions > 1:
            _store_contexts(job, each, advance)
        parts: dict[int, Part] = {}
        for partition, part in each(partial(rows_of, job), job.partitions):
            _refuse_incomplete(job.features_file(partition), part)
            parts[partition] = part
            advance(1)
        facts = {"data_as_of": job.data_as_of.isoformat(), "synthetic": synthetic}
        built = assembled(job.outcome, [parts[partition] for partition in range(job.partitions)], facts)
        store_snapshot(job.scratch, job.tables, job.data_as_of, each, job.partitions, advance)
        built.save(job.scratch / "rows", merged_rows(built.part, len(FEATURE_NAMES), job.features))
        _put_in_place(job.scratch)
    return built


def _put_in_place(scratch: Path) -> None:
    """Move a whole training set to where it is read: rows.npz goes first and comes last, so no half of one is ever read."""
    home = scratch.parent
    (home / "rows.npz").unlink(missing_ok=True)
    for name in (CONTEXT_FILE, "rows.json", "rows.npz"):
        os.replace(scratch / name, home / name)


def _store_contexts(job: Job, each: Each, advance: Advance) -> None:
    """Add up the workplaces of all partitions, one partition at a time, and put them where every worker reads them."""
    whole: list[WorkplaceContext] = []
    for _, found in each(partial(contexts_of, job), job.partitions):
        whole = [merged(pair) for pair in zip(whole, found, strict=True)] if whole else found
        advance(1)
    for context in whole:
        write_json(job.context_file(context.day), context.to_document())


def _refuse_incomplete(path: Path, part: Part) -> None:
    """A worker may have written elsewhere than where we read."""
    if not path.is_file() or path.stat().st_size != len(part) * len(FEATURE_NAMES) * 4:
        raise EngineError(f"{path} is not what its worker has written. Is the workspace one shared file system?")


@contextmanager
def _made(scratch: Path) -> Iterator[None]:
    """A directory for as long as the block runs; what killed runs have left beside it goes first."""
    for left in scratch.parent.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left)
    scratch.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(scratch)


def _job(
    workspace: Workspace, settings: Settings, name: str, home: Path, partitions: int, spans: dict[str, Span]
) -> Job:
    outcome = configured_outcome(name, settings)
    data_as_of = _data_as_of(settings.training, spans, outcome)
    dates = _index_dates(settings.training, spans, outcome, data_as_of)
    # Named anew, so that a worker which was given up but goes on does not write among the files of a later run.
    scratch = workspace.training_set(name).resolve() / f"{_SCRATCH}{uuid4().hex}"
    return Job(home, scratch, partitions, outcome, tuple(dates), data_as_of)


def configured_outcome(name: str, settings: Settings) -> Outcome:
    """Return an outcome with the parameters of params.yaml."""
    parameters = getattr(settings.outcomes, name).model_dump()
    return replace(OUTCOMES[name], registration_lag_days=settings.training.registration_lag_days, **parameters)


def _index_dates(settings: TrainingSettings, spans: dict[str, Span], outcome: Outcome, data_as_of: date) -> list[date]:
    first = settings.first_index_date or _next_quarter(_first_event_known(spans) + LOOKBACK_BEFORE_FIRST)
    last = settings.last_index_date or data_as_of - timedelta(days=outcome.mature_after_days)
    dates = index_dates(first, last, settings.months_between)
    if not dates:
        raise NotEnoughDataError(
            f"{outcome.name}: no index date between {first} and {last} (the last whose label is mature as of {data_as_of}; "
            f"a label takes {outcome.mature_after_days} days). Bring data over a longer time, or set training.*_index_date."
        )
    return dates


def _data_as_of(settings: TrainingSettings, spans: dict[str, Span], outcome: Outcome) -> date:
    """The chosen morning, or the one after the last row that labels come from: later, "no event" would be "no data"."""
    end = max(_known_days(spans[LABEL_TABLES[outcome.label_source]])) + timedelta(days=1)
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


def _first_event_known(spans: dict[str, Span]) -> date:
    """First day on which anything but persons, jobs and consents was known: those may be loaded years before the rest."""
    return min(_known_days(*spans.values()))


def _known_days(*spans: Span) -> list[date]:
    ends = [end for span in spans if span is not None for end in span]
    if not ends:
        raise NotEnoughDataError("There are no survey answers and no absence spells: nothing to learn from.")
    return ends


def _lines(built: Rows) -> list[str]:
    counts = [f"    {count:>9}  {reason}" for reason, count in built.flow.items()]
    dates = built.facts["index_dates"]
    pairs = f"{sum(built.flow.values())} person × index date pairs, {dates[0]} to {dates[-1]}"
    return [f"  {built.outcome} as of {built.facts['data_as_of']}: {pairs}", *counts]
