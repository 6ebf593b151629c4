"""What tells the rows of a source file by their numbers follows when rows are taken out of it.

That are ingest's reports and, of a simulated source, the ledger of planted faults.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from pipeline.workspace import Workspace

_REPORTS, _LEDGER = ("quarantine.csv", "warnings.csv"), "truth/defects.csv"


def reports(workspace: Workspace) -> list[Path]:
    """Return those that are there."""
    paths = [*(workspace.tables / name for name in _REPORTS), workspace.source / _LEDGER]
    return [path for path in paths if path.exists()]


def renumbered(report: Path, file_name: str, gone: Sequence[int]) -> tuple[bytes, int]:
    """Return a report without the cases in rows that are gone from a file, later rows under their new numbers.

    The second value is the number of cases that went. ``gone`` is sorted.
    """
    text = report.read_bytes().decode()
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    kept = lines
    if {"file", "row"} <= set(header):
        file_at, row_at = header.index("file"), header.index("row")
        numbers = set(map(str, gone))
        kept = [line for line in lines if line[file_at] != file_name or line[row_at] not in numbers]
        for line in kept:
            if line[file_at] == file_name and line[row_at].isdecimal():
                line[row_at] = str(int(line[row_at]) - bisect_left(gone, int(line[row_at])))
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator="\r\n" if "\r\n" in text else "\n").writerows([header, *kept])
    return sink.getvalue().encode(), len(lines) - len(kept)
