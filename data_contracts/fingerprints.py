"""What identifies one version of a table's contract."""

from __future__ import annotations

import hashlib
from functools import cache

from data_contracts.records import Record, columns


@cache
def fingerprint(record: type[Record]) -> str:
    """SHA-256 over everything that decides which rows are accepted; rewording a meaning does not change it."""
    declared = [
        (column.name, column.kind, column.required, column.unit, str(column.minimum), str(column.maximum),
         column.minimum_is_open, column.codes, column.pattern)
        for column in columns(record)
    ]  # fmt: skip
    text = repr((record.table, record.natural_key, record.rules, declared))
    return hashlib.sha256(text.encode()).hexdigest()
