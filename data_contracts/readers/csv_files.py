"""CSV files as spreadsheets and systems write them: comma, semicolon or tab, UTF-8 or the encodings of Windows.

Every cell stays text and an empty cell is missing. The row numbers of later reports are line numbers of the file, the
header being line 1. What is not stated is detected: the delimiter from the header, the encoding from the bytes.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from data_contracts.errors import SourceFileError
from data_contracts.readers.coded_columns import as_coded
from data_contracts.readers.column_mapping import Format
from data_contracts.readers.source_table import Sheet

FIRST_ROW = 2
"""Line number of the first data row under a header of one line."""

_TEXT = pa.dictionary(pa.int32(), pa.string())
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_LONGEST_HEADER = 1_000_000
_MOST_COLUMNS = 5_000
_LINES_SHOWN = 5
_UTF8_LETTER = re.compile(rb"[\xc3\xc2][\x80-\xbf]")


def read_sheet(path: Path, wanted: Collection[str], form: Format) -> Sheet:
    """Return the file as a sheet; ``wanted`` names help to tell the delimiter.

    Raises SourceFileError when the file as a whole is unusable; its text is never quoted.
    """
    content, notes = _as_utf8(path, form.encoding)
    header, delimiter = _read_header(path, content, wanted, form.delimiter)
    if not any(name in wanted for name in header):  # refused by whoever knows what is needed, without reading on
        return Sheet(header, [], np.empty(0, dtype=np.int64), [])
    if len(header) > _MOST_COLUMNS:
        raise SourceFileError(f"{path} has more than {_MOST_COLUMNS} columns. Leave out those that are not needed.")
    if delimiter != ",":
        notes.append(f"the file is separated by {_DELIMITERS[delimiter]}")
    arrow = _parse(path, content, len(header), delimiter)
    row_numbers = _line_numbers(path, content, delimiter, arrow.num_rows)
    cells = [as_coded(column) for column in arrow.columns]
    decimal = form.decimal or ("." if delimiter == "," else None)
    sheet = Sheet(header, cells, row_numbers, [False] * len(header), decimal, notes)
    _refuse_line_breaks(path, sheet, wanted)
    return sheet


def _as_utf8(path: Path, encoding: str | None) -> tuple[bytes, list[str]]:
    """Return the file's text as UTF-8 without byte order mark, and a note on any other encoding it came in."""
    content = path.read_bytes()
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if is_utf16 else encoding or ("utf-8" if _is_utf8(content) else "windows-1252")
    if not is_utf16 and b"\0" in content[:_LONGEST_HEADER]:
        raise SourceFileError(f"{path} is not text (it holds zero bytes). Save it as CSV in UTF-8.")
    if encoding == "windows-1252" and _UTF8_LETTER.search(content):
        raise SourceFileError(f"{path} is UTF-8 text with damaged or foreign characters in it. Save it anew as UTF-8.")
    if encoding == "utf-8" and _is_utf8(content):
        return content.removeprefix(codecs.BOM_UTF8), []
    try:
        text = content.decode(encoding)
    except UnicodeError:
        raise SourceFileError(f"{path} is not {encoding} text. Save it as UTF-8 (in Excel: CSV UTF-8).") from None
    return text.encode("utf-8"), [f"the file was read as {encoding}, since it is not UTF-8"]


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_header(path: Path, content: bytes, wanted: Collection[str], delimiter: str | None) -> tuple[list[str], str]:
    head = content[:_LONGEST_HEADER].decode("utf-8", "ignore")
    if not head.split("\n", 1)[0].strip():
        raise SourceFileError(f"{path} is an empty file, or its first line is: it must name the columns.")
    candidates = {sign: _first_row(head, sign) for sign in ([delimiter] if delimiter else _DELIMITERS)}

    def fit(sign: str) -> tuple[int, int]:
        return sum(name in wanted for name in candidates[sign]), len(candidates[sign])

    best = max(candidates, key=fit)
    if not candidates[best]:
        raise _not_csv(path)
    return candidates[best], best


def _first_row(text: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])]
    except csv.Error:
        return []


def _parse(path: Path, content: bytes, n_columns: int, delimiter: str) -> pa.Table:
    n_ragged = 0

    def skip(row: pa.csv.InvalidRow) -> str:
        nonlocal n_ragged
        n_ragged += 1
        return "skip"

    names = [str(place) for place in range(n_columns)]  # the sender's names may stand twice
    try:
        arrow = pa.csv.read_csv(
            pa.BufferReader(content if content.endswith((b"\n", b"\r")) else content + b"\n"),
            read_options=pa.csv.ReadOptions(column_names=names, skip_rows_after_names=1),
            # Without newlines_in_values, what a quoted line break does would depend on where pyarrow cuts the file.
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, _TEXT), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as error:
        # pyarrow's messages quote the file, so they are not passed on.
        if "straddling" in str(error):
            raise SourceFileError(f"{path} has a line of more than 1 MB. Is a quote left open?") from None
        raise _not_csv(path) from None
    if n_ragged:
        raise _ragged(path, content, n_columns, delimiter)
    return arrow


def _rows(path: Path, content: bytes, delimiter: str) -> list[tuple[int, int]]:
    """Return first line and number of fields of every row that is not blank; slow, but it knows line numbers."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""), delimiter=delimiter, strict=True)
    rows, line = [], 1
    try:
        for row in reader:
            if row:
                rows.append((line, len(row)))
            line = reader.line_num + 1
    except csv.Error:
        raise SourceFileError(f"{path}, line {line}: this row cannot be read. Is a quote left open?") from None
    return rows


def _ragged(path: Path, content: bytes, n_columns: int, delimiter: str) -> SourceFileError:
    lines = [line for line, n_fields in _rows(path, content, delimiter) if n_fields != n_columns]
    shown = ", ".join(map(str, lines[:_LINES_SHOWN])) + (", ..." if len(lines) > _LINES_SHOWN else "")
    advice = "Write numbers with a point and quote" if delimiter == "," else "Quote"
    sign = {",": "a comma", ";": "a semicolon", "\t": "a tab"}[delimiter]
    return SourceFileError(
        f"{path}: {len(lines)} line(s) do not have the header's {n_columns} fields (line {shown}). "
        f"{advice} text that holds {sign}."
    )


def _line_numbers(path: Path, content: bytes, delimiter: str, n_rows: int) -> np.ndarray:
    ending = b"\n" if b"\n" in content else b"\r"
    n_lines = content.count(ending) + (not content.endswith(ending))
    if n_lines == n_rows + 1:  # neither blank lines nor line breaks in cells
        return np.arange(FIRST_ROW, n_rows + FIRST_ROW)
    lines = [line for line, _ in _rows(path, content, delimiter)[1:]]
    if len(lines) != n_rows:
        raise _not_csv(path)
    return np.array(lines, dtype=np.int64)


def _refuse_line_breaks(path: Path, sheet: Sheet, wanted: Collection[str]) -> None:
    # Quotes that do not match swallow whole rows into one cell; they must not vanish uncounted.
    for name, column in zip(sheet.header, sheet.cells, strict=True):
        if name in wanted and any("\n" in word or "\r" in word for word in column.vocabulary):
            raise SourceFileError(f"{path}: a cell of the column {name} holds a line break. Is a quote left open?")


def _not_csv(path: Path) -> SourceFileError:
    return SourceFileError(f"{path} cannot be read as CSV. Save it again as text with one row per line.")
