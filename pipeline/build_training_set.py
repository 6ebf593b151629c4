"""Stage build-training-set: tables → eligible (person, index date) pairs with features, labels, weights and flow counts.

Partitions of persons are worked on alone, here or on a cluster; what they hand back is put into one order and weighted
here. The features of all persons pass from partition files to the training set's file without ever being in memory
together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import EngineError, NotEnoughDataError
from data_contracts.readers.parquet_files import n_partitions, read_partition
from data_contracts.records import TABLES
from data_contracts.time_windows import day_number
from features.catalogue import FEATURE_NAMES
from features.histories import Histories
from features.workplace_context import Sum, WorkplaceContext, workplace_context
from models.artifact import CONTEXT_FILE
from models.cohorts import Part, part_of, published_contexts
from models.comparison import onset_note
from models.outcomes import OUTCOMES
from models.outcomes.outcome import Outcome
from models.row_accounts import exits_note
from models.row_files import merged_rows, rows_between, rows_kept_in
from models.training_set import Rows, assembled
from pipeline.console import Advance, progress, read_json
from pipeline.engine import Each, EngineName, open_engine
from pipeline.lacking import forget, remember, told, with_data, with_outlook
from pipeline.lacking import lines as lacking_lines
from pipeline.locks import Stand, building, refuse_changed, stand
from pipeline.scratch import left_over, made, new_scratch, remove
from pipeline.settings import Settings
from pipeline.training_dates import (
    Span,
    data_as_of_for,
    dates_between,
    first_day,
    known_spans,
    short_history_note,
    snapshot_day,
)
from pipeline.workplace_files import read_context, write_context
from pipeline.workplace_snapshot import WORKPLACE_TABLES, store_snapshot
from pipeline.workspace import Workspace, require


def run(
    workspace: Workspace,
    settings: Settings,
    outcomes: list[str],
    engine: EngineName = "local",
    scheduler: str | None = None,
) -> dict[str, Any]:
    """Build and store the training set of each outcome; return the flow counts.

    Raises
    ------
    WorkspaceBusy
        An ingest, an erasure or another build of the same outcome is under way.
    EngineError
        The engine failed, or the tables were changed meanwhile; what was there before is there still.
    """
    with building(workspace, outcomes):
        return _run(workspace, settings, outcomes, engine, scheduler)


def _run(
    workspace: Workspace, settings: Settings, outcomes: list[str], engine: EngineName, scheduler: str | None
) -> dict[str, Any]:
    home = require(workspace.tables / "persons.parquet", "ingest").parent.resolve()
    stamp = require(home / "ingest.json", "ingest")
    synthetic = read_json(stamp)["synthetic"]
    before = stand(home)
    partitions, spans = n_partitions(home), known_spans(home)
    begun = first_day(home, "absence_spells", "first_day")
    found, lacking = with_data(outcomes, lambda name: _job_or_word(workspace, settings, name, home, partitions, spans))
    jobs = list(found.values())
    for left in [left for job in jobs for left in left_over(workspace, job.outcome.name)]:
        remove(left)
    training, spilled = workspace.training.resolve(), new_scratch(jobs[0].scratch.parent)
    report: dict[str, Any] = {"outcomes": {}, "not_enough_data": told(lacking)}
    lines = ["build-training-set"]
    with made(spilled), open_engine(engine, scheduler, partitions, stamp, training, spilled) as each:
        for job in jobs:
            built = _built(job, each, synthetic, before)
            notes = [note for note in (*_row_notes(job.outcome, built), short_history_note(begun, job.dates)) if note]
            report["outcomes"][built.outcome] = {
                "rows": len(built),
                "flow": built.flow,
                "facts": built.facts,
                "notes": notes,
            }
            lines += [*_lines(built), *("    note: " + note for note in notes)]
    report["summary"] = "\n".join(lines + lacking_lines(lacking))
    return report


def _job_or_word(
    workspace: Workspace, settings: Settings, name: str, home: Path, partitions: int, spans: dict[str, Span]
) -> Job:
    """Return what is to be built; where no label is known yet, leave word of what is missing for the next stages."""
    try:
        job = _job(workspace, settings, name, home, partitions, spans)
    except NotEnoughDataError as error:
        n_persons = read_json(home / "ingest.json")["tables"]["persons"]["accepted"]
        error = with_outlook(error, name, n_persons)
        remember(workspace.training_set(name), error)
        raise error from None
    forget(workspace.training_set(name))
    return job


def _row_notes(outcome: Outcome, built: Rows) -> tuple[str, str]:
    onset = onset_note(built.arrays["y"], built.arrays["followed_days"]) if outcome.target == "event" else ""
    return onset, exits_note(built.facts["exits"])


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
    snapshot_on : date
        Morning of the workplaces that a model takes along.
    """

    tables: Path
    scratch: Path
    partitions: int
    outcome: Outcome
    dates: tuple[date, ...]
    data_as_of: date
    snapshot_on: date

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
        return self.scratch / f"context-{t}.npz"

    def context(self, t: int) -> WorkplaceContext:
        """Read the workplaces of all partitions at an index date."""
        return read_context(self.context_file(t))

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


def _built(job: Job, each: Each, synthetic: bool, before: Stand) -> Rows:
    passes = 2 if job.partitions == 1 else 3  # one partition knows all workplaces itself; the snapshot is the last
    title = f"build training set {job.outcome.name}"
    with made(job.scratch), progress(title, passes * job.partitions) as advance:
        if job.partitions > 1:
            _store_contexts(job, each, advance)
        parts: dict[int, Part] = {}
        for partition, part in each(partial(rows_of, job), job.partitions):
            _refuse_incomplete(job.features_file(partition), part)
            parts[partition] = part
            advance(1)
        facts = {"data_as_of": job.data_as_of.isoformat(), "synthetic": synthetic}
        built = assembled(job.outcome, [parts[partition] for partition in range(job.partitions)], facts)
        store_snapshot(job.scratch, job.tables, job.snapshot_on, each, job.partitions, advance)
        built.save(job.scratch / "rows", merged_rows(built.part, len(FEATURE_NAMES), job.features))
        refuse_changed(job.tables, before)  # somebody who was read may have been erased since
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
    sums = [Sum() for _ in job.days]
    for _, found in each(partial(contexts_of, job), job.partitions):
        for whole, part in zip(sums, found, strict=True):
            whole.add(part)
        advance(1)
    for t, whole in zip(job.days, sums, strict=True):
        write_context(job.context_file(t), whole.context())


def _refuse_incomplete(path: Path, part: Part) -> None:
    """A worker may have written elsewhere than where we read."""
    if not path.is_file() or path.stat().st_size != len(part) * len(FEATURE_NAMES) * 4:
        raise EngineError(f"{path} is not what its worker has written. Is the workspace one shared file system?")


def _job(
    workspace: Workspace, settings: Settings, name: str, home: Path, partitions: int, spans: dict[str, Span]
) -> Job:
    outcome = configured_outcome(name, settings)
    data_as_of = data_as_of_for(settings.training, spans, outcome)
    dates = dates_between(settings.training, spans, outcome, data_as_of)
    scratch = new_scratch(workspace.training_set(name).resolve())
    snapshot_on = snapshot_day(settings.training, spans)
    return Job(home, scratch, partitions, outcome, tuple(dates), data_as_of, snapshot_on)


def configured_outcome(name: str, settings: Settings) -> Outcome:
    """Return an outcome with the parameters of params.yaml."""
    parameters = settings.outcomes.of(name)
    return replace(OUTCOMES[name], registration_lag_days=settings.training.registration_lag_days, **parameters)


def _lines(built: Rows) -> list[str]:
    counts = [f"    {count:>9}  {reason}" for reason, count in built.flow.items()]
    dates = built.facts["index_dates"]
    pairs = f"{sum(built.flow.values())} person × index date pairs, {dates[0]} to {dates[-1]}"
    return [f"  {built.outcome} as of {built.facts['data_as_of']}: {pairs}", *counts]
