"""What every file reader does alike: check the header, fill in ``known_from``, hand out text columns."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from data_contracts.errors import SettingsError, SourceFileError
from data_contracts.records import Record, columns
from data_contracts.tables import Coded
from data_contracts.time_windows import local_date

_ASSUMPTION = re.compile(r"([a-z_]+) \+ (\d{1,3}) days?")


def check_header(path: Path, record: type[Record], found: list[str], known_from_assumption: str | None) -> list[str]:
    """Return notes on a usable header; raise SourceFileError naming what is missing or twice."""
    known = [column.name for column in columns(record)]
    twice = sorted({name for name in found if found.count(name) > 1 and name in known})
    if twice:
        raise SourceFileError(f"{path} has the column {', '.join(twice)} more than once. Keep one.")
    assumed = {"known_from"} if known_from_assumption else set()
    missing = [column.name for column in columns(record) if column.required and column.name not in {*found, *assumed}]
    if missing:
        raise SourceFileError(_missing_message(path, record, missing, [name for name in found if name in known]))
    extra = len([name for name in found if name not in known])
    # Their names are not repeated: under a wrong header they may be a person's data.
    return [f"{extra} column(s) that the contract of {record.table} does not know were ignored"] if extra else []


def _missing_message(path: Path, record: type[Record], missing: list[str], known_found: list[str]) -> str:
    if not known_found:
        return (
            f"{path} has none of the columns of {record.table} in its first line. "
            f"The first line must be the header; it needs {', '.join(missing)}."
        )
    hint = ""
    if missing == ["known_from"]:
        hint = " If the source has no such date, state an assumption for this table, such as 'first_day + 4 days'."
    return f"{path} lacks the column(s) {', '.join(missing)}; found: {', '.join(known_found)}.{hint}"


def fill_known_from(
    raw: dict[str, Coded], record: type[Record], assumption: str | None
) -> tuple[dict[str, Coded], list[str]]:
    """Return the columns with ``known_from`` computed as assumed where the source has none, and a note on it."""
    if assumption is None:
        return raw, []
    event, days = _read_assumption(record, assumption)
    if "known_from" in raw:
        return raw, [f"the assumption known_from = {assumption} was not used: the source has known_from"]
    texts = raw.get(event)
    if texts is None:
        raise SourceFileError(f"known_from cannot be assumed as {assumption}: {record.table} has no column {event}.")
    known = {text: _shifted(text, days) for text in texts.vocabulary}
    words: dict[str, int] = {}
    codes = [words.setdefault(day, len(words)) if day else -1 for day in known.values()]
    shifted = Coded(np.array([*codes, -1], dtype=np.int32)[texts.codes], tuple(words))
    return raw | {"known_from": shifted}, [f"known_from was assumed to be {assumption} in {len(texts)} rows"]


def _read_assumption(record: type[Record], assumption: str) -> tuple[str, int]:
    match = _ASSUMPTION.fullmatch(assumption)
    dates = [column.name for column in columns(record) if column.kind == "date" and column.name != "known_from"]
    if match is None or match[1] not in dates:
        example = f"'{dates[0]} + 4 days'" if dates else "not possible for a table without event dates"
        raise SettingsError(
            f"The assumption known_from = {assumption!r} for {record.table} is not understood. Write, for example, "
            f"{example}."
        )
    return match[1], int(match[2])


def _shifted(text: str, days: int) -> str | None:
    try:
        return (local_date(text) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return None  # the event's own column is reported; known_from is then missing too


def as_coded(values: pa.ChunkedArray) -> Coded:
    """Return a dictionary-encoded Arrow column as :class:`Coded`."""
    table = pa.table({"column": values}).unify_dictionaries()
    chunks = table["column"].chunks
    codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32) for chunk in chunks]
    vocabulary = tuple(chunks[0].dictionary.to_pylist()) if chunks else ()
    return Coded(np.concatenate(codes) if codes else np.empty(0, dtype=np.int32), vocabulary)
