"""A person's numbers of all nights, for the trend: each only while it may be shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from serving.store.consents import may_be_shown
from serving.store.tables import NIGHTS, OUTCOME_SCORES, SCORES


@dataclass(frozen=True)
class PastScore:
    """The number of one outcome and night, None where the model had none to give, and which model that was."""

    night: date
    target: str
    number: float | None
    low: float | None
    high: float | None
    band: str | None
    version: str
    artifact_sha256: str


def history(connection: Connection, person_id: str, outcome: str, today: date) -> tuple[PastScore, ...]:
    """Return what may be shown of a person's nights, oldest first."""
    of_score = (OUTCOME_SCORES.c.score_id == SCORES.c.score_id) & (OUTCOME_SCORES.c.outcome == outcome)
    query = (
        select(OUTCOME_SCORES, NIGHTS.c.night, NIGHTS.c.models)
        .join(SCORES, of_score)
        .join(NIGHTS, NIGHTS.c.run_id == SCORES.c.run_id)
        .where(SCORES.c.person_id == person_id, NIGHTS.c.is_current)
        .where(may_be_shown(SCORES.c.person_id, NIGHTS.c.night, today))
        .order_by(NIGHTS.c.night)
    )
    return tuple(map(_past, connection.execute(query)))


def _past(row: Any) -> PastScore:
    model = json.loads(row.models)[row.outcome]
    return PastScore(
        night=row.night,
        target=row.target,
        number=row.number,
        low=row.low,
        high=row.high,
        band=row.band,
        version=model["version"],
        artifact_sha256=model["artifact_sha256"],
    )
