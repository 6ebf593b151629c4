"""Verb erase --expired: facts older than their table's retention period go from the source, the tables and DVC's cache.

The periods are declared on the record classes. A period runs from the last date that a table declares, the end of what
happened; where that is empty, it goes on, and nothing expires; persons have no such date. A fact goes with all its
versions, and when the latest of them is old enough: an old version of a running spell, or of a mistake, must not come to
count again because a newer one went first.
Training sets are not touched; they are made again from the tables, and ``dvc repro`` says so. What killed builds have left
of them goes, as no stage makes it again.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import BalanceRiskError
from data_contracts.readers.conventions import iso_day
from data_contracts.records import RECORDS, TABLES, Record, columns
from data_contracts.tables import Coded
from data_contracts.time_windows import local_date, today
from pipeline.console import progress, sha256
from pipeline.erasure import cache, certificate
from pipeline.erasure.fhir import SUFFIXES as FHIR_SUFFIXES
from pipeline.erasure.files import csv_without, parquet_without, replace_file
from pipeline.erasure.names import read_mappings
from pipeline.erasure.reports import renumbered, reports
from pipeline.erasure.texts import decoded, rows_of
from pipeline.erasures import write_certificate
from pipeline.locks import alone
from pipeline.scratch import left_over, remove
from pipeline.workspace import Workspace

_FIRST_ROW = {".csv": 2, ".parquet": 1}
_STAMP = "source.json"


class RetentionIncomplete(BalanceRiskError):
    """Rows that have expired are still there."""

    exit_code: ClassVar[int] = 3


def end_column(record: type[Record]) -> str | None:
    """Return the column that says when a fact came to its end: the last date that the table declares."""
    dates = [column.name for column in columns(record) if column.kind == "date" and column.name != "known_from"]
    return dates[-1] if dates else None


def _expired(fact: np.ndarray, known_from: np.ndarray, end: np.ndarray, record: type[Record], on: date) -> np.ndarray:
    if len(fact) == 0:
        return np.zeros(0, dtype=bool)
    order = np.lexsort((end, known_from, fact))
    is_last = np.append(np.diff(fact[order]) != 0, True)
    of_fact = np.empty(int(fact.max()) + 1, dtype="datetime64[D]")
    of_fact[fact[order][is_last]] = end[order][is_last]
    # NaT, a fact without an end, compares as false.
    return of_fact[fact] < np.datetime64(on, "D") - record.retention_days


@alone
def run(workspace: Workspace, *, on: date | None = None) -> dict[str, Any]:
    """Remove what has expired and return the certificate, or say that nothing has; raises RetentionIncomplete."""
    on = on or today()
    files: dict[str, dict[str, Any]] = {}
    expired = Counter[str]()
    left = left_over(workspace)
    for path in left:
        remove(path)
        files[_shown(workspace, path)] = {"rows": 1, "sha256_after": None}
    unread = _not_told(workspace)
    with progress("look for what has expired"):
        due = [(path, record, rows) for path, record in _places(workspace)
               if (rows := _looked(path, record, on, unread)).any()]  # fmt: skip
        gone = [cache.md5_of(path) for path, _, _ in due if cache.holds(workspace.root, path)]
    if not due:
        _refuse_unread(workspace, unread)
        also = f" What {len(left)} killed build(s) had left was deleted." if left else ""
        return {"certificate": None, "expired": {}, "summary": f"erase --expired: nothing has expired by {on}.{also}"}
    for path, record, rows in due:
        _remove(workspace, path, rows)
        expired[record.table] += int(rows.sum()) if path.parent == workspace.tables else 0
        files[_shown(workspace, path)] = {
            "rows": int(rows.sum()),
            "sha256_after": sha256(path) if path.exists() else None,
        }
    deleted, stages = cache.forget(workspace.root, gone)
    files |= {_shown(workspace, path): {"rows": 1, "sha256_after": None} for path in deleted}
    found = _prove(workspace, on, files, {name: expired[name] for name in TABLES if expired[name]}, stages, unread)
    _refuse_unread(workspace, unread, found["certificate"])
    return found


def _refuse_unread(workspace: Workspace, unread: dict[Path, str], written: str | None = None) -> None:
    if unread:
        raise RetentionIncomplete(
            "Rows that have expired may still be in files that were not searched; ask the sender to remove them."
            + (f" What has expired elsewhere is gone; the certificate is {written}." if written else "")
            + "".join(f"\n  not searched: {_shown(workspace, path)} {why}" for path, why in unread.items())
        )


def _prove(
    workspace: Workspace, on: date, files: dict[str, dict[str, Any]], expired: dict[str, int], stages: list[str],
    unread: dict[Path, str],
) -> dict[str, Any]:  # fmt: skip
    places = _places(workspace)
    left = [_shown(workspace, path) for path, record in places if _looked(path, record, on, unread).any()]
    if left:
        raise RetentionIncomplete(f"Rows that have expired are still in {', '.join(left)}. Run the same command again.")
    named = [f"{_shown(workspace, path)} {why}" for path, why in unread.items()]
    found = certificate.certificate(
        workspace.root, files, "retention period over", on, len(places), expired=expired, stages_to_run_again=stages,
        not_searched=["training sets: build them again", *named],
        retention_days={record.table: record.retention_days for record in RECORDS},
    )  # fmt: skip
    text = certificate.as_text(found)
    path = write_certificate(workspace, f"{on}-expired", found, text)
    return {**found, "certificate": str(path), "summary": f"{text}\n  certificate: {path}"}


def _not_told(workspace: Workspace) -> dict[Path, str]:
    """Files of the source in which only ingest can tell the columns of a table, and why."""
    mapped = read_mappings(workspace)
    unread = dict.fromkeys(mapped.unread, "is no mapping that can be read")
    files = sorted(workspace.source.iterdir()) if workspace.source.is_dir() else []
    for path in files:
        suffix, table = path.suffix.lower(), mapped.tables.get(path.name.lower())
        is_table = path.stem in TABLES and path.suffix in _FIRST_ROW
        if suffix in FHIR_SUFFIXES and path.name != _STAMP:
            unread[path] = "is FHIR, in which this command does not look for dates"
        elif table in TABLES and end_column(TABLES[table]) and not is_table:
            unread[path] = "is a table in the customer's columns"
        elif table is None and not is_table and suffix in (*_FIRST_ROW, ".tsv", ".txt") and path.is_file():
            unread[path] = "is no table by its name"
    return unread


def _looked(path: Path, record: type[Record], on: date, unread: dict[Path, str]) -> np.ndarray:
    """Return the rows that have expired; a file that cannot be read is noted, and blocks no other."""
    try:
        rows, doubt = expired_in(path, record, on)
    except (csv.Error, ValueError, OSError, NotImplementedError, MemoryError, pa.ArrowException):
        rows, doubt = np.zeros(0, dtype=bool), "cannot be read"
    if doubt:
        unread[path] = doubt
    return rows


def _places(workspace: Workspace) -> list[tuple[Path, type[Record]]]:
    """Files that are tables by their name: of the source, of the tables, and objects of DVC's cache."""
    names = cache.file_names(workspace.root)
    cached = [(path, names.get(cache.md5_of(path), "")) for place in cache.caches(workspace.root)
              for path in sorted(place.rglob("*")) if path.is_file()]  # fmt: skip
    files = [(path, path.name) for place in (workspace.source, workspace.tables) if place.is_dir()
             for path in sorted(place.iterdir())]  # fmt: skip
    return [(path, TABLES[Path(name).stem]) for path, name in [*files, *cached]
            if Path(name).stem in TABLES and Path(name).suffix in _FIRST_ROW]  # fmt: skip


def expired_in(path: Path, record: type[Record], on: date) -> tuple[np.ndarray, str | None]:
    """Return which rows of a table's file have expired, and what cannot be said about the file (None: nothing)."""
    end = end_column(record)
    if end is None:
        return np.zeros(0, dtype=bool), None
    needed = {*record.natural_key, "known_from", end}
    texts = _texts(path, needed)
    if not needed <= {*texts}:
        return np.zeros(0, dtype=bool), "is a table in the customer's columns"
    days = {text: _day(text) for name in ("known_from", end) for text in set(texts[name])}
    known_from, ended = (
        np.array([days[text] for text in texts[name]], dtype="datetime64[D]") for name in ("known_from", end)
    )
    fact = Coded.from_texts(["\0".join(row) for row in zip(*(texts[name] for name in record.natural_key), strict=True)])
    is_unreadable = any(text and day == _NO_DAY for text, day in days.items())
    doubt = "holds dates that cannot be read" if is_unreadable else None
    return _expired(fact.codes, known_from, ended, record, on), doubt


_NO_DAY = "NaT"


def _day(text: str) -> str:
    try:
        return local_date(iso_day(text)).isoformat()
    except (ValueError, OverflowError):
        return _NO_DAY


def _remove(workspace: Workspace, path: Path, rows: np.ndarray) -> None:
    if cache.holds(workspace.root, path):
        path.unlink()
        return
    if path.suffix == ".parquet":
        content = parquet_without(path, rows)
    else:
        numbers = set((np.flatnonzero(rows) + _FIRST_ROW[path.suffix]).tolist())
        content, _ = csv_without(path, lambda _: lambda number, _: number in numbers)
    if path.parent == workspace.source:
        gone = (np.flatnonzero(rows) + _FIRST_ROW[path.suffix]).tolist()
        for report in reports(workspace):
            replace_file(report, renumbered(report, path.name, gone)[0])
    replace_file(path, content)


def _shown(workspace: Workspace, path: Path) -> str:
    return str(path.relative_to(workspace.root)) if path.is_relative_to(workspace.root) else str(path)


def _texts(path: Path, wanted: set[str]) -> dict[str, list[str]]:
    """Return some columns of a file as text; a missing value is empty."""
    content = path.read_bytes()
    if content[:4] == b"PAR1":
        table = pq.ParquetFile(io.BytesIO(content)).read()
        chosen = {name: table[name].to_pylist() for name in table.column_names if name in wanted}
        return {name: ["" if value is None else str(value) for value in values] for name, values in chosen.items()}
    header, *rows = rows_of(decoded(content)[0]) or [[]]
    places = [(i, name) for i, name in enumerate(header) if name in wanted]
    return {name: [row[i] if i < len(row) else "" for row in rows] for i, name in places}
