"""The workplaces as the training data know them last: what a model takes along to tell a single record of the others.

Taken for risk scoring, with consent in force on its day, as that is what it will be used for; the training set itself is
of those who consent to training. All outcomes take the same day. See docs/decisions/17-workplace-context.md.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

from data_contracts.readers.parquet_files import read_partition
from data_contracts.time_windows import day_number
from features.histories import Histories
from features.workplace_context import Sum, WorkplaceContext, workplace_context
from models.artifact import CONTEXT_FILE, parse_context
from pipeline.console import Advance, write_json
from pipeline.engine import Each
from pipeline.workspace import Workspace, require

WORKPLACE_TABLES = ("persons", "consents", "employments", "absence_spells", "survey_answers")
"""The tables that workplaces are told from; the others need not be gathered."""


def store_snapshot(home: Path, tables: Path, day: date, each: Each, n_partitions: int, advance: Advance) -> None:
    """Add up the workplaces of all partitions and write what may be published of them beside the training set."""
    whole = Sum()
    for _, found in each(partial(snapshot_of, tables, day), n_partitions):
        whole.add(found)
        advance(1)
    write_json(home / CONTEXT_FILE, whole.context().to_document())


def snapshot_of(tables: Path, day: date, partition: int) -> WorkplaceContext:
    """Add up the workplaces of a partition's persons: what one worker does."""
    needed = read_partition(tables, partition, WORKPLACE_TABLES)
    histories = Histories.from_tables(needed, purpose="risk_scoring", consent_on=day, data_as_of=day)
    return workplace_context(histories, day_number(day))


def stored_snapshot(workspace: Workspace, outcome: str) -> WorkplaceContext:
    """Read the snapshot of a training set; raises MissingInputError, ArtifactError if it is damaged."""
    path = require(workspace.training_set(outcome) / CONTEXT_FILE, f"build-training-set --outcome {outcome}")
    return parse_context(path.read_bytes())
