"""Where data come from: a directory of files, one file or a database, all asked for one table at a time."""

from __future__ import annotations

import difflib
import errno
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Protocol

from data_contracts.errors import MissingInputError, SettingsError, SourceFileError
from data_contracts.national_identity_number import contains, mask
from data_contracts.readers import csv_files, parquet_files
from data_contracts.readers.column_mapping import Mapping
from data_contracts.readers.fhir_files import FhirSource, read_fhir_files
from data_contracts.readers.source_columns import to_source_table
from data_contracts.readers.source_table import SourceTable
from data_contracts.records import TABLES, Record
from data_contracts.violations import Violation, shown

REQUIRED_TABLES = ("persons", "employments", "consents")
MAPPING_NAME = "mapping.yaml"

# Also what is no good URL, such as one without // or with an unknown driver: it may hold a password all the same.
_URL = re.compile(r"\s*([A-Za-z][\w+.-]*://|[A-Za-z][\w+.-]+:.*@).*", re.DOTALL)
_TABLE_SUFFIXES = (".csv", ".parquet")
_PACKED_SUFFIXES = (".gz", ".zip", ".xlsx", ".xls", ".bz2", ".xz", ".zst", ".7z")
_FHIR_SUFFIXES = (".json", ".ndjson")
_STAMP = "source.json"
_PACKED = {b"PK\x03\x04": "a ZIP archive or a workbook", b"\x1f\x8b": "packed by gzip", b"BZh": "packed by bzip2",
           b"\xfd7zXZ": "packed by xz", b"7z\xbc\xaf": "a 7-Zip archive", b"\x28\xb5\x2f\xfd": "packed by zstd",
           b"\xd0\xcf\x11\xe0": "a workbook of old Excel"}  # fmt: skip


class Source(Protocol):
    """Something that delivers tables."""

    location: str
    """Where the data came from, fit to be shown: never with a password."""
    is_synthetic: bool
    """True where the source says that it is simulated."""
    simulated_until: date | None
    """Morning on which a simulated extract is taken; it may lie in the future."""
    violations: list[Violation]
    """What could not become a row of any table, already under its origin and number."""
    refused: Counter[str]
    """Per table, how many parts of the source should have become rows and did not."""
    untaken_answers: list[SourceTable]
    """Answers above a safety limit that are in no row of survey_answers."""
    notes: list[str]
    """What the user should know about the source as a whole."""
    required: tuple[str, ...]
    """Tables without which the source is of no use."""

    def read(self, record: type[Record]) -> SourceTable | None:
        """Return the table of a record class, None where the source has none."""

    def absent(self, record: type[Record]) -> str:
        """Return what there is to say about a table that did not come."""


def open_source(location: str, mapping: Mapping | None = None) -> Source:
    """Open a directory, a file or a database URL; raises MissingInputError or SettingsError where there is none."""
    mapping = mapping or Mapping()
    if is_database(location):
        from data_contracts.readers.sql import Database

        return Database(location, mapping)
    if contains(location):
        raise SettingsError(
            "A national identity number stands in the path of the source. Give the directory another name."
        )
    _refuse_unprintable(location)
    path = Path(location)
    with _readable(path):
        if path.is_dir():
            return Files(path, sorted(one for one in path.iterdir() if one.is_file()), mapping)
        if path.is_file():
            return Files(path.parent, [path], mapping, location)
    raise MissingInputError(f"{shown_location(location)}: no such file or directory.")


def is_database(location: str) -> bool:
    """True if the location is a database URL and not a path."""
    return _URL.fullmatch(location) is not None


def shown_location(location: str) -> str:
    """Return a location that could not be opened as it may be shown: nothing of what may hold a password."""
    if is_database(location):
        return "database"
    return "the source" if "@" in location else mask(location).encode("utf-8", "replace").decode()


def mapping_beside(location: str) -> Path | None:
    """Return the mapping file that lies beside the files of a source, None where there is none."""
    if is_database(location):
        return None
    with _readable(Path(location)):
        directory = Path(location) if Path(location).is_dir() else Path(location).parent
        return directory / MAPPING_NAME if (directory / MAPPING_NAME).exists() else None


class Files:
    """Files of one directory: a CSV or Parquet file per table, and FHIR files, which hold several tables each."""

    def __init__(self, directory: Path, files: list[Path], mapping: Mapping, location: str | None = None) -> None:
        if any(contains(path.name) for path in files):
            raise SourceFileError(f"{directory}: a file is named by a national identity number. Give it another name.")
        for path in files:
            _refuse_unprintable(path.name)
        self.location = location or str(directory)
        stamp = read_stamp(directory / _STAMP)
        self.is_synthetic = bool(stamp.get("synthetic"))
        self.simulated_until = _day(stamp.get("end")) if self.is_synthetic else None
        self.required: tuple[str, ...] = REQUIRED_TABLES
        self._directory = directory
        self._names = {path.name for path in files}
        self._is_whole_directory = location is None
        self._mapping = mapping
        bundles = [path for path in files if path.suffix.lower() in _FHIR_SUFFIXES and path.name != _STAMP]
        if bundles:
            self.required = ("persons",)  # FHIR may lack employments, and a laboratory's bundle has no consents
        fhir = _read_fhir(bundles)
        self.violations, self.notes, self.refused = fhir.violations, fhir.notes, fhir.refused
        self.untaken_answers = fhir.untaken_answers
        self._fhir = fhir.tables

    def read(self, record: type[Record]) -> SourceTable | None:
        """Return the table of a record class, None where there is no file for it."""
        path = self._path(record)
        if path is None:
            return self._fhir.get(record.table)
        with _readable(path):
            return self._read_file(path, record)

    def _read_file(self, path: Path, record: type[Record]) -> SourceTable:
        if record.table in self._fhir:
            raise SourceFileError(f"{self.location}: {record.table} comes both in {path.name} and in FHIR. Keep one.")
        _refuse_packed(path)
        form = self._mapping.format
        if path.suffix.lower() == ".parquet":
            sheet = parquet_files.read_sheet(path, form)
        else:
            sheet = csv_files.read_sheet(path, self._mapping.names(record), form)
        origin = path.relative_to(self._directory).as_posix()
        return to_source_table(sheet, record, self._mapping, origin, _sha256(path))

    def absent(self, record: type[Record]) -> str:
        """Return what there is to say about a table that did not come."""
        read = {f"{table}{suffix}" for table in TABLES for suffix in _TABLE_SUFFIXES}
        others = self._names - read - {table.source for table in self._mapping.tables.values()}
        close = difflib.get_close_matches(f"{record.table}.csv", others, n=1, cutoff=0.8)
        hint = f"; {shown(close[0])} is not read, is it meant?" if close else ""
        return f"no such file{hint}"

    def _path(self, record: type[Record]) -> Path | None:
        source = self._mapping.table(record).source
        if source is not None:
            path = self._inside(source, record)
            if not _is_file(path):
                raise SourceFileError(f"{path}: no such file; the mapping names it as the source of {record.table}.")
            return path if self._is_whole_directory or path.name in self._names else None
        named = [name for suffix in _TABLE_SUFFIXES if (name := f"{record.table}{suffix}") in self._names]
        if len(named) > 1:
            raise SourceFileError(f"{self.location} has {' and '.join(named)}: two files for one table. Keep one.")
        if named:
            return self._directory / named[0]
        for name in sorted(self._names):
            if name.startswith(f"{record.table}.") and name.lower().endswith(_PACKED_SUFFIXES):
                raise SourceFileError(
                    f"{self._directory / name} is packed or a workbook. Save the table as a CSV file."
                )
        return None

    def _inside(self, source: str, record: type[Record]) -> Path:
        """Return the path of a mapped file; raises SettingsError where it leads out of the source directory."""
        parts = {*PurePosixPath(source).parts, *PureWindowsPath(source).parts}
        path = self._directory / source
        is_outside = ".." in parts or PurePosixPath(source).is_absolute() or bool(PureWindowsPath(source).anchor)
        if "\0" in source or is_outside or not path.resolve().is_relative_to(self._directory.resolve()):
            raise SettingsError(f"tables.{record.table}.source: the file must lie inside the source directory.")
        return path


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.errno == errno.ENAMETOOLONG:
            raise MissingInputError("The source: this path is longer than any file's can be.") from None
        why = fault.strerror or type(fault).__name__
        raise SourceFileError(f"{shown_location(str(path))} cannot be read: {why}. May this user read it?") from None


def _refuse_unprintable(name: str) -> None:
    # Names are repeated in reports, which are UTF-8 as all text here.
    if not name.isprintable():
        raise SettingsError(
            f"{shown_location(ascii(name))}: this name is not printable UTF-8 text. Give the file another name."
        )


def _read_fhir(paths: list[Path]) -> FhirSource:
    for path in paths:
        with _readable(path):
            _refuse_packed(path)
    return read_fhir_files(paths)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the file system allows
        return False


def read_stamp(path: Path) -> dict[str, Any]:
    """Return what simulate says of the files beside its stamp, nothing where there is none."""
    if not path.is_file():
        return {}
    try:
        return {**json.loads(path.read_text(encoding="utf-8"))}
    except (ValueError, TypeError, RecursionError):
        raise SourceFileError(f"{path} is not the stamp that `simulate` writes. Take it away.") from None


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _refuse_packed(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(8)
    for magic, what in _PACKED.items():
        if start.startswith(magic):
            raise SourceFileError(f"{path} is {what}. Unpack it, or save it as CSV.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
