"""Our own answers, by the way every deployment goes: files, ingest, tables, histories, features and training set."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.leakage.cases import Asked, visible
from data_contracts.readers.parquet_files import read_tables
from data_contracts.time_windows import calendar_date, day_number
from features.build import build_features
from features.histories import Histories
from models.outcomes import OUTCOMES
from models.training_set import build_training_set
from pipeline import ingest
from pipeline.settings import IngestSettings
from pipeline.workspace import Workspace
from tests.lib.leakage_cases import Answer, Question
from tests.lib.source_files import Rows, write_source

RECEIVED_ON = date(2027, 6, 1)


def answers(asked: Asked, directory: Path, *, only_visible: bool = False) -> dict[str, Answer]:
    """Answer one question in an empty directory."""
    question = asked.question
    rows = visible(asked.case.rows, question.t) if only_visible else asked.case.rows
    if question.kind == "label":
        rows = _of_person(rows, question.person)
    workspace = Workspace(directory)
    write_source(workspace.source, rows)
    report = ingest.run(workspace, IngestSettings(received_on=RECEIVED_ON, max_quarantined_share=1))
    tables = read_tables(workspace.tables)
    if question.kind == "check":
        return {name: _checks(report)[name] for name in question.expected}
    return _label(tables, question) if question.kind == "label" else _features(tables, question)


def _of_person(rows: Rows, person: str) -> Rows:
    # The flow counts of a training set name reasons, not persons: one person, one reason.
    return {table: [row for row in found if row.get("person_id", person) == person] for table, found in rows.items()}


def _checks(report: dict[str, Any]) -> dict[str, Answer]:
    rules = [rule.partition(": ")[2] for rule in report["rules"]]
    totals = {name: sum(table[name] for table in report["tables"].values()) for name in ("quarantined", "duplicates")}
    return {**totals, "rule": rules[0] if rules else None}


def _features(tables: dict[str, Any], question: Question) -> dict[str, Answer]:
    training = question.kind == "training features"
    consent_on = date.fromisoformat(question.data_as_of if training else question.t)
    histories = Histories.from_tables(
        tables,
        purpose="model_training" if training else "risk_scoring",
        consent_on=consent_on,
        data_as_of=consent_on if training else None,
        person_ids=[question.person],
    )
    matrix = build_features(histories, day_number(question.t))
    found = dict(zip(matrix.names, matrix.values[0].tolist(), strict=True))
    return {name: None if np.isnan(found[name]) else found[name] for name in question.expected}


def _label(tables: dict[str, Any], question: Question) -> dict[str, Answer]:
    outcome = OUTCOMES["long_sick_leave"]
    found = build_training_set(
        tables, outcome, [date.fromisoformat(question.t)], date.fromisoformat(question.data_as_of)
    )
    if not len(found):
        (reason,) = (name for name, count in found.flow.items() if count)
        return {"label": f"{'not eligible' if reason in outcome.reasons else 'left out'}: {reason}"}
    if np.isfinite(found.y[0]):
        return {"label": found.y[0]}
    return {"label": f"censored on {calendar_date(int(found.censored_on[0]))}"}
