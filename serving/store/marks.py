"""What has changed since an earlier night: who is new above the reference group, and whose number rises.

The earlier night is the newest that is five days older or more: from one morning to the next a number moves by little, and
a list that marks it every day marks nothing. Without such a night nothing is marked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, and_, select

from serving.store.consents import may_be_shown
from serving.store.tables import NIGHTS, OUTCOME_SCORES, SCORES

Mark = Literal["new", "rising"]
ABOVE = frozenset({"above", "well_above"})
DAYS_BETWEEN = 5


def marks(connection: Connection, run: Any, outcome: str, rows: Sequence[Any], today: date) -> dict[str, Mark]:
    """Return the marks of some persons of a run; ``rows`` have ``person_id``, ``number`` and ``band``."""
    earlier = _earlier(connection, run.night)
    if earlier is None or not rows:
        return {}
    before = _before(connection, earlier, outcome, [row.person_id for row in rows], today)
    is_same_model = _model(run, outcome) == _model(earlier, outcome)
    found = {row.person_id: _mark(row, before.get(row.person_id), is_same_model) for row in rows}
    return {person_id: mark for person_id, mark in found.items() if mark is not None}


def _mark(now: Any, before: Any, is_same_model: bool) -> Mark | None:
    if now.band in ABOVE and (before is None or before.band not in ABOVE):
        return "new"
    is_comparable = is_same_model and now.number is not None and before is not None and before.high is not None
    return "rising" if is_comparable and now.number > before.high else None


def _earlier(connection: Connection, night: date) -> Any:
    is_older = NIGHTS.c.night <= night - timedelta(days=DAYS_BETWEEN)
    query = select(NIGHTS.c.run_id, NIGHTS.c.night, NIGHTS.c.models).where(NIGHTS.c.is_current, is_older)
    return connection.execute(query.order_by(NIGHTS.c.night.desc())).first()


def _before(connection: Connection, run: Any, outcome: str, persons: Sequence[str], today: date) -> dict[str, Any]:
    """Return the earlier scores that may be shown; of any other nothing is used, not even to compare with."""
    of_score = and_(OUTCOME_SCORES.c.score_id == SCORES.c.score_id, OUTCOME_SCORES.c.outcome == outcome)
    query = (
        select(SCORES.c.person_id, OUTCOME_SCORES.c.band, OUTCOME_SCORES.c.high)
        .join(OUTCOME_SCORES, of_score)
        .where(SCORES.c.run_id == run.run_id, SCORES.c.person_id.in_([*persons]))
        .where(may_be_shown(SCORES.c.person_id, run.night, today))
    )
    return {row.person_id: row for row in connection.execute(query)}


def _model(run: Any, outcome: str) -> str | None:
    """Return which model it was; None where the run has none of the outcome."""
    model = json.loads(run.models).get(outcome)
    return None if model is None else str(model["artifact_sha256"])
