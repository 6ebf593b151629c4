"""From a source to checked tables: what ingest stores and what validate reports, found in one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.absence_warnings import absence_warnings
from data_contracts.consent import in_doubt
from data_contracts.errors import SourceFileError
from data_contracts.national_identity_number import contains
from data_contracts.pseudonyms import Pseudonymiser
from data_contracts.readers.column_mapping import Mapping, read_mapping
from data_contracts.readers.source_table import SourceTable
from data_contracts.readers.sources import Source, mapping_beside, open_source
from data_contracts.records import RECORDS, TABLES, Record
from data_contracts.safety import SafetyFlag, in_order, refused_safety_flags, safety_flags
from data_contracts.tables import Table, take
from data_contracts.time_windows import today
from data_contracts.validation import Checked, Violation, check, orphans
from pipeline.console import progress
from pipeline.erasures import Tombstones
from pipeline.settings import IngestSettings

_IN_DOUBT = "a refused row of the same person, source and purpose may have withdrawn it"


@dataclass(frozen=True)
class SourceCheck:
    """What came, what of it is accepted, and everything that was found wrong.

    Parameters
    ----------
    tables : dict of str to Table
        Accepted rows of all eight tables.
    row_numbers : dict of str to int64 array
        For each row of ``tables``, the number under which it stands in the source.
    violations : list of Violation
        One per offending cell; their rows are not in ``tables``.
    warnings : list of Violation
        Rows that are accepted but that somebody should look at.
    safety_flags : list of SafetyFlag
        Accepted answers that a clinician must see at once.
    reports : dict of str to dict
        Per table the counts (rows, accepted, quarantined, duplicates), sha256 and notes.
    notes : list of str
        What there is to say about the source as a whole.
    received_on : date
        Day of receipt, against which known_from was checked.
    location : str
        Where the data came from; never with a password.
    synthetic : bool
        True where the source says that it is simulated.
    assumptions : dict of str to str
        Per table the assumption under which known_from was filled in.
    worked_out : dict of str to list of str
        Per table what else the mapping takes to be so: columns that it works out, and constants.
    """

    tables: dict[str, Table]
    row_numbers: dict[str, np.ndarray]
    violations: list[Violation]
    warnings: list[Violation]
    safety_flags: list[SafetyFlag]
    reports: dict[str, dict[str, Any]]
    notes: list[str]
    received_on: date
    location: str
    synthetic: bool
    assumptions: dict[str, str]
    worked_out: dict[str, list[str]]


def check_source(
    location: str, mapping: Path | None, settings: IngestSettings, tombstones: Tombstones | None = None
) -> SourceCheck:
    """Read and check all tables of a source.

    ``mapping`` is the column-mapping file; None: ``mapping.yaml`` beside the files, if there is one. Rows of persons whom
    the tombstones cover are not even checked, so that nothing of them is stored again. Raises SourceFileError naming every
    part that is unusable as a whole.
    """
    rules = _read_mapping(location, mapping).with_assumptions(settings.known_from_assumptions)
    source = open_source(location, rules)
    # A simulated year may end after today: nothing of it is in the future on the morning that it is taken.
    received_on = settings.received_on or max(today(), source.simulated_until or today())
    delivered, checked = _checked(source, rules.pseudonymise, tombstones, received_on)
    tables = {name: found.table for name, found in checked.items()}
    # Rows are positions up to here, so that each finding can be told under the names and numbers of its source.
    positions = {name: found.row_numbers for name, found in checked.items()}
    reports = {name: _report(found, delivered[name], source.refused[name]) for name, found in checked.items()}
    violations = [violation for found in checked.values() for violation in found.violations]
    flags = _safety_flags(checked["survey_answers"], delivered)  # before rows of unknown persons are gone
    violations += _drop_orphans(tables, positions, reports)
    violations += _drop_doubtful_consents(tables, positions, reports, delivered["consents"], violations)
    warnings = absence_warnings(tables, positions, settings.self_certification)
    return SourceCheck(
        tables=tables,
        row_numbers={name: _numbers_of(delivered[name], rows) for name, rows in positions.items()},
        violations=source.violations + [delivered[violation.origin].located(violation) for violation in violations],
        warnings=[delivered[warning.origin].located(warning) for warning in warnings],
        safety_flags=flags,
        reports=reports,
        notes=source.notes,
        received_on=received_on,
        location=source.location,
        synthetic=source.is_synthetic,
        assumptions={name: table.assumption for name, table in delivered.items() if table.assumption},
        worked_out={name: [*table.worked_out] for name, table in delivered.items() if table.worked_out},
    )


def _numbers_of(delivered: SourceTable, rows: np.ndarray) -> np.ndarray:
    """Return the sender's numbers of some rows in their order; of all rows those that are there, as there may be very many."""
    return delivered.row_numbers if len(rows) == len(delivered.row_numbers) else delivered.row_numbers[rows]


def _read_mapping(location: str, path: Path | None) -> Mapping:
    path = path or mapping_beside(location)
    return Mapping() if path is None else read_mapping(path)


def _checked(
    source: Source, pseudonymise: bool, tombstones: Tombstones | None, received_on: date
) -> tuple[dict[str, SourceTable], dict[str, Checked]]:
    """Read and check one table after the other: as text, a table may be half of what is in memory."""
    pseudonymiser = Pseudonymiser.from_environment() if pseudonymise else None
    tables: Iterable[tuple[type[Record], SourceTable]] = _read_each(source)
    if pseudonymiser and tombstones and tombstones.marks:
        # A new key gives everybody a new name, under which the erased must be known before any row is taken.
        read = [*tables]
        _carry_over(pseudonymiser, tombstones, [*(table for _, table in read), *source.untaken_answers])
        tables = _one_by_one(read)

    def ours(table: SourceTable) -> SourceTable:
        named = table if pseudonymiser is None else _renamed(table, pseudonymiser)
        return named if tombstones is None else _without_erased(named, tombstones)

    delivered: dict[str, SourceTable] = {}
    checked: dict[str, Checked] = {}
    for record, table in tables:
        delivered[record.table], checked[record.table] = _check(record, ours(table), received_on)
        del table  # it would stay while the next is read
    return delivered | {f"untaken {i}": ours(table) for i, table in enumerate(source.untaken_answers)}, checked


def _one_by_one(tables: list[tuple[type[Record], SourceTable]]) -> Iterator[tuple[type[Record], SourceTable]]:
    while tables:
        yield tables.pop(0)


def _read_each(source: Source) -> Iterator[tuple[type[Record], SourceTable]]:
    """Yield the tables up to the first that is unusable; at the end it is told which are."""
    faults: list[str] = []
    with progress("read the source", len(RECORDS)) as advance:
        for record in RECORDS:
            try:
                table = _read(source, record)
            except SourceFileError as fault:
                faults.append(str(fault))
            else:
                if not faults:
                    yield record, table
                del table
            advance(1)
    if faults:
        raise SourceFileError("\n".join(dict.fromkeys(faults)))


def _read(source: Source, record: type[Record]) -> SourceTable:
    table = source.read(record)
    if table is not None:
        return table
    absent = source.absent(record)
    if record.table in source.required:
        raise SourceFileError(
            f"{source.location}: {record.table} is missing ({absent}); a source needs {', '.join(source.required)}."
        )
    return SourceTable({}, record.table, np.empty(0, dtype=np.int64), [f"{absent}: the table is empty"])


def _carry_over(pseudonymiser: Pseudonymiser, tombstones: Tombstones, tables: Iterable[SourceTable]) -> None:
    keys = {name.partition("-")[0] for name in pseudonymiser.all_pseudonyms("any")}
    tombstones.require_keys(keys)
    names = {
        name
        for table in tables
        if "person_id" in table.raw
        for name in table.raw["person_id"].vocabulary
        if name and not contains(name)
    }
    tombstones.carry_over((name, *pseudonymiser.all_pseudonyms(name)) for name in sorted(names))


def _renamed(table: SourceTable, pseudonymiser: Pseudonymiser) -> SourceTable:
    if "person_id" not in table.raw:
        return table
    return replace(table, raw=table.raw | {"person_id": pseudonymiser.rename(table.raw["person_id"])})


def _without_erased(table: SourceTable, tombstones: Tombstones) -> SourceTable:
    if "person_id" not in table.raw:
        return table
    is_erased = tombstones.covers_rows(table.raw["person_id"])
    if not is_erased.any():
        return table
    left = table.without(is_erased)
    return replace(left, notes=[*left.notes, f"{is_erased.sum()} row(s) of erased persons were not taken"])


def _check(record: type[Record], delivered: SourceTable, received_on: date) -> tuple[SourceTable, Checked]:
    """Check a table; of one without a fault what it was as text goes."""
    found = check(
        record, delivered.raw, received_on=received_on, origin=record.table, first_row=0, refusals=delivered.refusals
    )
    # The text of refused rows is asked for again, and that of consents of persons who turn out to be unknown.
    if not found.violations and record.table != "consents":
        delivered = replace(delivered, raw={})
    return delivered, found


def _safety_flags(answers: Checked, delivered: dict[str, SourceTable]) -> list[SafetyFlag]:
    """Return the flags of accepted rows, of refused ones and of what could not even become a row."""
    refused = np.unique(np.array([violation.row for violation in answers.violations], dtype=np.int64))
    flags = safety_flags(answers.table) + refused_safety_flags(delivered["survey_answers"].raw, refused)
    for name, table in delivered.items():
        if name not in TABLES:
            flags += refused_safety_flags(table.raw, np.arange(len(table.row_numbers)))
    return in_order(flags)


def _report(checked: Checked, delivered: SourceTable, n_refused: int) -> dict[str, Any]:
    return {
        "rows": checked.n_rows + n_refused,
        "accepted": checked.n_accepted,
        "quarantined": checked.n_quarantined + n_refused,
        "duplicates": checked.n_duplicates,
        "sha256": delivered.sha256,
        "notes": delivered.notes,
    }


def _drop_doubtful_consents(
    tables: dict[str, Table], positions: dict[str, np.ndarray], reports: dict[str, dict[str, Any]],
    delivered: SourceTable, violations: list[Violation],
) -> list[Violation]:  # fmt: skip
    """Take away consents that a refused row may have withdrawn: what a person says must never be lost to a slip."""
    refused = sorted({violation.row for violation in violations if violation.origin == "consents"})
    if not refused:
        return []
    doubtful = in_doubt(tables["consents"], {name: column[np.array(refused)] for name, column in delivered.raw.items()})
    return _set_aside("consents", doubtful, tables, positions, reports, "consent in doubt", "source", _IN_DOUBT)


def _set_aside(
    name: str, lost: np.ndarray, tables: dict[str, Table], positions: dict[str, np.ndarray],
    reports: dict[str, dict[str, Any]], rule: str, column: str, reason: str,
) -> list[Violation]:  # fmt: skip
    """Take accepted rows out of a table again; the row number is enough to find a person, so no value is repeated."""
    if not lost.any():
        return []  # and no second copy of many million rows
    violations = [Violation(name, row, column, rule, None, reason) for row in positions[name][lost].tolist()]
    tables[name], positions[name] = take(tables[name], ~lost), positions[name][~lost]
    reports[name]["accepted"] -= int(lost.sum())
    reports[name]["quarantined"] += int(lost.sum())
    return violations


def _drop_orphans(
    tables: dict[str, Table], positions: dict[str, np.ndarray], reports: dict[str, dict[str, Any]]
) -> list[Violation]:
    """Take rows of unknown persons out of the tables; the persons table may itself have lost rows to quarantine."""
    reason = "no accepted row of persons has it"
    return [
        violation
        for name, lost in orphans(tables).items()
        for violation in _set_aside(
            name, lost, tables, positions, reports, "person not in persons", "person_id", reason
        )
    ]
