"""A person's own log, as CSV or JSON; that it was taken out is itself an event, written first."""

from __future__ import annotations

import csv
import getpass
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

from serving.audit.event import AuditEvent, Decision, row_of
from serving.audit.reading import require_log
from serving.audit.writer import ChainWriter

FIELDS = ("n", "when", "who", "role", "organisations", "purpose", "action", "decision")
READ_ACCESSES = "read_accesses"

_FORMULA = ("=", "+", "-", "@")


def record_export(url: str, key: bytes, heads: Path | None, person_id: str) -> int:
    """Write the event of this reading and return its number; raises AuditUnavailable, and then nothing may be shown."""
    return append_by_operator(url, key, heads, READ_ACCESSES, person_id, "own log taken out on the command line")


def append_by_operator(
    url: str, key: bytes, heads: Path | None, action: str, person_id: str | None, reason: str, *,
    purpose: str = "audit", organisations: tuple[str, ...] = (), decision: Decision = "allowed",
) -> int:  # fmt: skip
    """Append one event of whoever runs this command; there must be a log already."""
    require_log(url)
    event = AuditEvent(
        at=datetime.now(UTC),
        caller=f"operator:{_account()}",
        role="auditor",
        organisations=organisations,
        purpose=purpose,
        action=action,
        person_id=person_id,
        decision=decision,
        reason=reason,
        models=(),
        data_version="",
        request_id=str(uuid4()),
    )
    writer = ChainWriter(url, key, heads, may_create=False)
    try:
        writer.open()
        return writer.write([[row_of(event)]])[0]
    finally:
        writer.close()


def write_csv(accesses: Iterable[dict[str, Any]], file: TextIO) -> int:
    """Write one line an access and return how many there are."""
    lines, count = csv.writer(file, lineterminator="\n"), 0
    lines.writerow(FIELDS)
    for access in accesses:
        cells = {**access, "organisations": " ".join(access["organisations"])}
        lines.writerow([_cell(cells[name]) for name in FIELDS])
        count += 1
    return count


def write_json(accesses: Iterable[dict[str, Any]], file: TextIO) -> int:
    """Write one JSON array, an object an access, and return how many there are."""
    count = 0
    file.write("[")
    for access in accesses:
        file.write(("," if count else "") + "\n" + json.dumps(access, ensure_ascii=False))
        count += 1
    file.write("\n]\n")
    return count


def _cell(value: Any) -> Any:
    """Keep spreadsheets from running what a caller called itself."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _account() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's account may have no name
        return "unknown"
