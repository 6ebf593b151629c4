"""Source tables as CSV files: UTF-8, commas, one header line with the names of the record's columns.

Nothing is interpreted here: every cell stays text and an empty cell is missing. The row numbers of later reports are
line numbers of the file, the header being line 1.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from data_contracts.errors import MissingInputError, SourceFileError
from data_contracts.readers.source_columns import as_coded, check_header, fill_known_from
from data_contracts.records import Record, columns
from data_contracts.tables import Coded

FIRST_ROW = 2
"""Line number of the first data row. Blank lines and line breaks in ignored columns are not counted by pyarrow, so
behind them the reported number is too small; no column of a record may hold a line break.
"""

_TEXT = pa.dictionary(pa.int32(), pa.string())
_LONGEST_HEADER = 100_000
_LINES_SHOWN = 5


def read_source_file(
    path: Path, record: type[Record], known_from_assumption: str | None = None
) -> tuple[dict[str, Coded], list[str]]:
    """Return the file's columns as text, and notes for the user (ignored columns, assumed dates).

    Only with an explicit assumption, such as ``first_day + 4 days``, may the column ``known_from`` be absent. Raises
    SourceFileError when the file as a whole is unusable.
    """
    header = _read_header(path, record)
    notes = check_header(path, record, header, known_from_assumption)
    wanted = [column.name for column in columns(record) if column.name in header]
    arrow = _read_text_columns(path, wanted)
    raw = {name: as_coded(arrow[name]) for name in wanted}
    _refuse_line_breaks(path, raw)
    raw, more_notes = fill_known_from(raw, record, known_from_assumption)
    return raw, notes + more_notes


def _read_header(path: Path, record: type[Record]) -> list[str]:
    if not path.is_file():
        raise MissingInputError(f"{path} does not exist. A table without rows is a file with only the header line.")
    with path.open("rb") as file:
        first_line = file.readline(_LONGEST_HEADER)
    try:
        text = first_line.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    if not text:
        raise SourceFileError(f"{path} is an empty file: its first line must name the columns of {record.table}.")
    if "," not in text and (";" in text or "\t" in text):
        raise SourceFileError(
            f"{path} is separated by semicolons or tabs. Save it with commas, and numbers with a point."
        )
    return next(csv.reader([text]))


def _read_text_columns(path: Path, wanted: list[str]) -> pa.Table:
    n_ragged = 0

    def skip(row: pa.csv.InvalidRow) -> str:
        nonlocal n_ragged
        n_ragged += 1
        return "skip"

    try:
        arrow = _parse(path, wanted, skip, use_threads=True)
    except pa.ArrowInvalid as error:
        # pyarrow's messages quote the file, so they are not passed on.
        raise _not_utf8(path) if "UTF8" in str(error) else _not_csv(path) from None
    if n_ragged:
        raise _ragged(path, wanted)
    return arrow


def _parse(path: Path, wanted: list[str], on_ragged_row: object, *, use_threads: bool) -> pa.Table:
    return pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(use_threads=use_threads),
        # Without this, what a quoted line break does would depend on where pyarrow happens to cut the file.
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=on_ragged_row),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, _TEXT),
            include_columns=wanted,
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _ragged(path: Path, wanted: list[str]) -> SourceFileError:
    """Read once more, on one thread, because only then pyarrow knows line numbers."""
    rows: list[pa.csv.InvalidRow] = []

    def collect(row: pa.csv.InvalidRow) -> str:
        rows.append(row)
        return "skip"

    _parse(path, wanted, collect, use_threads=False)
    lines = ", ".join(str(row.number) for row in rows[:_LINES_SHOWN])
    return SourceFileError(
        f"{path}: {len(rows)} line(s) do not have the header's {rows[0].expected_columns} fields (line {lines}"
        f"{', ...' if len(rows) > _LINES_SHOWN else ''}). Write numbers with a point and quote text that holds a comma."
    )


def _refuse_line_breaks(path: Path, raw: dict[str, Coded]) -> None:
    # A quote that is never closed swallows all following lines into one cell; they must not vanish uncounted.
    for name, column in raw.items():
        if any("\n" in word for word in column.vocabulary):
            raise SourceFileError(f"{path}: a cell of the column {name} holds a line break. Is a quote left open?")


def _not_utf8(path: Path) -> SourceFileError:
    return SourceFileError(f"{path} is not UTF-8 text. Save it as UTF-8 (in Excel: CSV UTF-8).")


def _not_csv(path: Path) -> SourceFileError:
    return SourceFileError(f"{path} cannot be read as CSV. Save it again as comma-separated UTF-8 text.")
