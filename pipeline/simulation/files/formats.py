"""The formats of source files: a block's rows as pieces that are only appended to files."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TypeAlias

import pyarrow as pa
import pyarrow.csv

from pipeline.simulation.defects.planting import Defect, Texts, wanted_kinds
from pipeline.simulation.files.arrow_rows import TABLE_NAMES, schema_of, schema_of_rows, to_arrow
from pipeline.simulation.files.fhir_lines import FHIR_TABLES, fhir_lines
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.rows import Rows

Part: TypeAlias = bytes | pa.Table
"""What is appended to one file: text, or rows for a Parquet file."""

FHIR_PART = "fhir"


def text_columns(parameters: Parameters, format: str) -> dict[str, frozenset[str]]:
    """Return, per table, the columns that must be written as text because words are planted in them."""
    kinds = [kind for kind in wanted_kinds(parameters, format) if kind.word is not None]
    return {
        table: frozenset(kind.column for kind in kinds if kind.table == table) for table in {one.table for one in kinds}
    }


def to_arrow_tables(tables: dict[str, Rows], texts: Texts, as_text: dict[str, frozenset[str]]) -> dict[str, pa.Table]:
    """Return all tables of a block under their schemas."""
    return {
        table: to_arrow(rows, schema_of(table, as_text.get(table, frozenset())), texts.get(table))
        if table in TABLE_NAMES
        else to_arrow(rows, schema_of_rows(rows))
        for table, rows in tables.items()
    }


def encode(
    format: str, arrow: dict[str, pa.Table], defects: list[Defect], *, is_first: bool
) -> tuple[dict[str, Part], list[Defect]]:
    """Return the parts of a block by table, the first with headers, and where its defects stand: in FHIR in lines."""
    text = {table: as_csv(rows, header=is_first) for table, rows in arrow.items() if _is_csv(format, table)}
    if format == "csv":
        return dict(text), defects
    if format == "parquet":
        return arrow | text, defects
    lines, line_of_row = fhir_lines({table: arrow[table] for table in FHIR_TABLES})
    fhir = "".join(f"{line}\n" for line in lines).encode()
    return text | {FHIR_PART: fhir}, [
        replace(one, row=line_of_row[one.table][one.row]) if one.table in FHIR_TABLES else one for one in defects
    ]


def _is_csv(format: str, table: str) -> bool:
    """The truth is always CSV; so is what FHIR has no resource for."""
    in_other = {"csv": (), "parquet": TABLE_NAMES, "fhir": FHIR_TABLES}
    return table not in in_other[format]


def as_csv(rows: pa.Table, *, header: bool) -> bytes:
    """Return rows as CSV text; nothing that is written has to be quoted."""
    buffer = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=header, quoting_style="none", quoting_header="none")
    pa.csv.write_csv(pa.table([_spelled(column) for column in rows.columns], names=rows.column_names), buffer, options)
    return buffer.getvalue()


def _spelled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return days and numbers as text; each of the few distinct ones is spelled once, which halves the time."""
    if not (pa.types.is_date(column.type) or pa.types.is_floating(column.type)):
        return column
    coded = column.combine_chunks().dictionary_encode()
    return coded.dictionary.cast(pa.string()).take(coded.indices)
