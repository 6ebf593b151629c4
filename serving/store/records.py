"""The record behind each score of the newest night: what profile, timeline and what-if are made of, and shown with it.

Only what the score may be made of is kept. Of a source without consent nothing is, but answers with a safety flag, which
count whatever the consents; of a diagnosis only its chapter is, which is all that a model sees.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Connection, select

from data_contracts.consent import SOURCES
from data_contracts.diagnoses import chapter, is_code_of
from data_contracts.records import TABLES, Source
from data_contracts.time_windows import local_date
from serving.case import Case
from serving.notices import SafetyNotice
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
        As ``/v1/risk`` takes it, and as :func:`kept_record` leaves it.
    """

    night: date
    received_on: date
    record: dict[str, Any]


def kept_record(record: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """Return what of a checked record is kept; the case of it is the same as of the whole."""
    return kept_of(record, case.consented, case.safety_flags)


def kept_of(record: Mapping[str, Any], holds: np.ndarray, safety_flags: Collection[SafetyNotice]) -> dict[str, Any]:
    """Return what of a checked record is kept, given which consents hold, as of ``consent.SOURCES``, and its flags."""
    consented = {source for source, it_holds in zip(SOURCES, holds.tolist(), strict=True) if it_holds}
    kept = {name: _usable(name, rows, consented) for name, rows in record.items()}
    flagged = {(one.instrument, one.item, one.answered_on) for one in safety_flags}
    if flagged and not kept["survey_answers"]:
        answers = record["survey_answers"]
        kept["survey_answers"] = [row for row in answers if _key(row) in flagged]
    if kept.get("absence_spells"):
        kept["absence_spells"] = [_without_diagnosis(row) for row in kept["absence_spells"]]
    return kept


def _key(answer: Mapping[str, Any]) -> tuple[str, str, date]:
    return answer["instrument"], answer["item"], local_date(answer["answered_on"])


def _usable(name: str, rows: Any, consented: Collection[Source]) -> Any:
    """Return the rows of a table; none, which is not the same as no table, where there is no consent for its source."""
    source = TABLES[name].consent_source if name in TABLES else None
    return rows if rows is None or source is None or source in consented else []


def _without_diagnosis(spell: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spell with the chapter of its diagnosis."""
    code, system = spell.get("diagnosis"), spell.get("diagnosis_system")
    letter = chapter(code, system) if code and is_code_of(code, system) else None
    return {**spell} if code is None else {**spell, "diagnosis": letter, "diagnosis_system": None}


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
