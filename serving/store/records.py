"""The record behind each score of the newest night: what profile, timeline and what-if are made of, and shown with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, select

from serving.store.consents import may_be_shown
from serving.store.scores import newest_night, packed, unpacked
from serving.store.tables import NIGHTS, RECORDS


@dataclass(frozen=True)
class StoredRecord:
    """What was known of a person on a night, withdrawals that came through the service included.

    Parameters
    ----------
    night : date
        Morning of the prediction.
    received_on : date
        When the tables came in.
    record : dict
        As ``/v1/risk`` takes it.
    """

    night: date
    received_on: date
    record: dict[str, Any]


def packed_record(record: dict[str, Any]) -> bytes:
    """Return a record as it is stored."""
    return packed(orjson.dumps(record))


def record(connection: Connection, person_id: str, today: date) -> StoredRecord | None:
    """Return the record of the newest night, None where its score may not be shown, or none was kept."""
    query = (
        select(RECORDS.c.record, NIGHTS.c.night, NIGHTS.c.received_on)
        .join(NIGHTS, NIGHTS.c.run_id == RECORDS.c.run_id)
        .where(RECORDS.c.person_id == person_id, NIGHTS.c.is_current, NIGHTS.c.night == newest_night())
        .where(may_be_shown(RECORDS.c.person_id, NIGHTS.c.night, today))
    )
    row = connection.execute(query).first()
    return None if row is None else StoredRecord(row.night, row.received_on, orjson.loads(unpacked(row.record)))
