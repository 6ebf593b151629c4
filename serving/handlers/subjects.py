"""Whom a raw record is about, read before anything of it has been checked."""

from __future__ import annotations

from datetime import date
from typing import Any

from serving.access.policy import Subject


def subject_of(record: Any, day: date) -> Subject:
    """Return the person of a raw record and the companies that employ her on a day, as far as they can be read.

    Of an employment the newest version counts: an older one may still lack the day on which it ended. A record that is not
    sound gives a subject without a person; it is never answered, because its check refuses it.
    """
    person_id = person_of(record)
    rows = record.get("employments") if isinstance(record, dict) else None
    employments = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return Subject(person_id, employers(employments, day.isoformat()))


def person_of(record: Any) -> str | None:
    """Return the pseudonym of a raw record, None if there is none to be read."""
    person = record.get("person") if isinstance(record, dict) else None
    person_id = person.get("person_id") if isinstance(person, dict) else None
    return person_id if isinstance(person_id, str) else None


def employers(rows: list[dict[str, Any]], day: str) -> frozenset[str]:
    """Return the companies of employments that hold on a day, an ISO text; what cannot be read employs nobody."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    # ISO dates sort as text; what is no text is refused by the check of the record.
    for row in sorted(rows, key=lambda one: _text(one.get("known_from"))):
        company, start = row.get("company_id"), _text(row.get("start_date"))
        if isinstance(company, str) and company:
            newest[company, start] = row
    return frozenset(company for (company, start), row in newest.items() if start <= day and _holds(row, day))


def _holds(row: dict[str, Any], day: str) -> bool:
    end = _text(row.get("end_date"))
    return not row.get("is_deleted") and not (end and end < day)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
