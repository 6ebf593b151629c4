"""What has changed since an earlier night: whose number is new among the high ones, and whose number rises.

The earlier night is the newest that is 5 to 35 days older: from one morning to the next a number moves by little, and a
list that marks it every day marks nothing; what was so a year ago is no news either. Without such a night, or where another
model gave its numbers, nothing is marked: a new model moves numbers of which nothing else has changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, and_, case, select

from models.wording import RISK_BANDS
from serving.store.consents import may_be_shown
from serving.store.tables import NIGHTS, OUTCOME_SCORES, SCORES

Mark = Literal["new", "rising"]
ABOVE = frozenset({"above", "well_above"})
ABOVE_TIMES = max(band.below for band in RISK_BANDS if band.name not in ABOVE)
"""So many times the mean of the reference group is where those bands begin."""

DAYS_BETWEEN, MOST_DAYS_BETWEEN = 5, 35


def marks(connection: Connection, run: Any, outcome: str, rows: Sequence[Any], today: date) -> dict[str, Mark]:
    """Return the marks of some persons of a run; ``rows`` have ``person_id``, ``number`` and ``band``."""
    earlier = earlier_night(connection, run.night)
    if earlier is None or not rows or model_of(run, outcome) != model_of(earlier, outcome):
        return {}
    before = _before(connection, earlier, outcome, [row.person_id for row in rows], today)
    found = {row.person_id: _mark(row, before.get(row.person_id)) for row in rows}
    return {person_id: mark for person_id, mark in found.items() if mark is not None}


def _mark(now: Any, before: Any) -> Mark | None:
    """Return what is new of a person; nothing where she was scored and the number of then is not there to compare with."""
    if before is None:
        return "new" if now.band in ABOVE else None
    if now.number is None or before.number is None:
        return None
    if now.band in ABOVE and before.band not in ABOVE:
        return "new"
    return "rising" if before.high is not None and now.number > before.high else None


def earlier_night(connection: Connection, night: date) -> Any:
    """Return the run that the numbers of a night are compared with, None where there is none."""
    oldest, newest = (night - timedelta(days=days) for days in (MOST_DAYS_BETWEEN, DAYS_BETWEEN))
    is_between = NIGHTS.c.night.between(oldest, newest)
    query = select(NIGHTS.c.run_id, NIGHTS.c.night, NIGHTS.c.models).where(NIGHTS.c.is_current, is_between)
    return connection.execute(query.order_by(NIGHTS.c.night.desc())).first()


def _before(connection: Connection, run: Any, outcome: str, persons: Sequence[str], today: date) -> dict[str, Any]:
    """Return who was scored, with the number of then; it is None where it was withheld or may not be shown any more."""
    of_score = and_(OUTCOME_SCORES.c.score_id == SCORES.c.score_id, OUTCOME_SCORES.c.outcome == outcome)
    is_shown = may_be_shown(SCORES.c.person_id, run.night, today)
    query = (
        select(SCORES.c.person_id, OUTCOME_SCORES.c.band, OUTCOME_SCORES.c.high)
        .add_columns(case((is_shown, OUTCOME_SCORES.c.number)).label("number"))
        .join_from(SCORES, OUTCOME_SCORES, of_score, isouter=True)
        .where(SCORES.c.run_id == run.run_id, SCORES.c.person_id.in_([*persons]))
    )
    return {row.person_id: row for row in connection.execute(query)}


def model_of(run: Any, outcome: str) -> str | None:
    """Return which model it was; None where the run has none of the outcome."""
    model = json.loads(run.models).get(outcome)
    return None if model is None else str(model["artifact_sha256"])
