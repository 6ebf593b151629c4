"""The JSON record of one person: through the checks of the API, into tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from data_contracts.errors import ContractViolation
from data_contracts.record_safety import record_safety_flags
from data_contracts.safety import SafetyFlag
from data_contracts.tables import Table
from data_contracts.validation import MOST_VIOLATIONS, check_record


class RecordViolation(ContractViolation):
    """A record of one person breaks the data contract."""

    def __init__(self, violations: Sequence[Any], safety_flags: Sequence[SafetyFlag] = ()) -> None:
        count = f"{'at least ' if len(violations) >= MOST_VIOLATIONS else ''}{len(violations)}"
        super().__init__(f"The record breaks the data contract in {count} place(s): mend them and send it again.")
        self.violations = tuple(violations)
        self.safety_flags = tuple(safety_flags)


def tables_of_record(record: dict[str, Any], received_on: date) -> dict[str, Table]:
    """Return the checked tables of the JSON record of the API, without those that the record does not have.

    A list that is left out, or null, is not an empty one: nobody has said that nothing happened.

    Raises
    ------
    RecordViolation
        If any row breaks the contract.
    """
    tables, violations = check_record(record, received_on)
    if violations:
        # A fault must not hide what a row, be it the faulty one, says about the person's safety.
        raise RecordViolation(violations, record_safety_flags(record, received_on))
    return {name: table for name, table in tables.items() if name == "persons" or record.get(name) is not None}
