"""What clinicians say about a score: agree, disagree, not relevant, and why; it comes back as data for monitoring."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, or_, select

from serving.store.consents import may_be_shown
from serving.store.scores import StoredScore
from serving.store.tables import DECISIONS, NIGHTS, OUTCOME_SCORES, SCORES

Verdict = Literal["agree", "disagree", "not_relevant"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
NextStep = Literal["none", "conversation", "workplace_measure", "programme_offer", "general_practitioner", "wait"]
NEXT_STEPS: tuple[NextStep, ...] = get_args(NextStep)
TALK_STEPS: tuple[NextStep, ...] = ("conversation", "general_practitioner")
"""With these somebody turns to the person herself; a safety flag asks for no less."""

FOLLOW_UP_STEPS: tuple[NextStep, ...] = (*TALK_STEPS, "programme_offer", "workplace_measure")
"""With these a person is followed up, whichever outcome it began with."""


@dataclass(frozen=True)
class LastDecision:
    """The newest word of any clinician about a person and an outcome, or of a follow-up that began with another outcome."""

    outcome: str
    verdict: Verdict
    next_step: NextStep
    decided_at: datetime


@dataclass(frozen=True)
class DecisionAbout:
    """One decision about a person, for those who have her in their care: also who made it."""

    decision_id: int
    outcome: str
    verdict: Verdict
    reason: str
    next_step: NextStep
    caller: str
    decided_at: datetime
    night: date


@dataclass(frozen=True)
class Decision:
    """One decision with exactly what it was about; who decided is not told."""

    decision_id: int
    score_id: str
    person_id: str
    night: date
    outcome: str
    verdict: Verdict
    reason: str
    next_step: NextStep
    decided_at: datetime
    number: float | None
    low: float | None
    high: float | None
    band: str | None
    model: str
    data_version: str


@dataclass(frozen=True)
class Recorded:
    """A decision that was noted."""

    decision_id: int
    decided_at: datetime


def record(
    connection: Connection, caller: str, score: StoredScore, outcome: str, verdict: Verdict, reason: str,
    next_step: NextStep,
) -> Recorded | None:  # fmt: skip
    """Note a decision about a score; None if the score says nothing about the outcome."""
    if not _has_outcome(connection, score.score_id, outcome):
        return None
    at = datetime.now(UTC).replace(microsecond=0)
    row = {"caller": caller, "score_id": score.score_id, "person_id": score.person_id, "outcome": outcome,
           "verdict": verdict, "reason": reason, "next_step": next_step, "decided_at": at.isoformat()}  # fmt: skip
    result = connection.execute(DECISIONS.insert().returning(DECISIONS.c.decision_id), row)
    return Recorded(int(result.scalar_one()), at)


def _has_outcome(connection: Connection, score_id: str, outcome: str) -> bool:
    query = select(OUTCOME_SCORES.c.score_id).where(
        OUTCOME_SCORES.c.score_id == score_id, OUTCOME_SCORES.c.outcome == outcome
    )
    return connection.execute(query).first() is not None


def counts_for(outcome: str | ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition under which a decision counts for an outcome: it is about it, or the person is followed up."""
    return or_(DECISIONS.c.outcome == outcome, DECISIONS.c.next_step.in_(FOLLOW_UP_STEPS))


def last_decisions(
    connection: Connection, persons: Collection[str], outcome: str, today: date
) -> dict[str, LastDecision]:
    """Return the newest decision about each of the persons that counts for an outcome, of scores that may be shown."""
    columns = (DECISIONS.c.outcome, DECISIONS.c.verdict, DECISIONS.c.next_step, DECISIONS.c.decided_at)
    query = (
        _of_shown_scores(select(DECISIONS.c.person_id, *columns), today)
        .where(counts_for(outcome), DECISIONS.c.person_id.in_([*persons]))
        .order_by(DECISIONS.c.decision_id)
    )
    return {
        row.person_id: LastDecision(row.outcome, row.verdict, row.next_step, datetime.fromisoformat(row.decided_at))
        for row in connection.execute(query)
    }


def _of_shown_scores(query: Any, today: date) -> Any:
    """Keep the decisions about scores that may be shown today: a reason says what the score said."""
    query = query.join(SCORES, SCORES.c.score_id == DECISIONS.c.score_id)
    query = query.join(NIGHTS, NIGHTS.c.run_id == SCORES.c.run_id)
    return query.where(may_be_shown(DECISIONS.c.person_id, NIGHTS.c.night, today))


def decisions_about(connection: Connection, person_id: str, today: date) -> tuple[DecisionAbout, ...]:
    """Return what was decided about a person, of scores that may be shown today, the newest first."""
    query = (
        _of_shown_scores(select(DECISIONS, NIGHTS.c.night), today)
        .where(DECISIONS.c.person_id == person_id)
        .order_by(DECISIONS.c.decision_id.desc())
    )
    return tuple(
        DecisionAbout(
            row.decision_id, row.outcome, row.verdict, row.reason, row.next_step, row.caller,
            datetime.fromisoformat(row.decided_at), row.night,
        )
        for row in connection.execute(query)
    )  # fmt: skip


def verdicts_of(connection: Connection, caller: str, most: int) -> tuple[Verdict, ...]:
    """Return what a clinician decided last, the newest first."""
    query = select(DECISIONS.c.verdict).where(DECISIONS.c.caller == caller).order_by(DECISIONS.c.decision_id.desc())
    return tuple(connection.execute(query.limit(most)).scalars())


def decisions(connection: Connection) -> list[Decision]:
    """Return all decisions in the order in which they were made, each with the number and the model it was about."""
    of_outcome = (OUTCOME_SCORES.c.score_id == DECISIONS.c.score_id) & (OUTCOME_SCORES.c.outcome == DECISIONS.c.outcome)
    query = (
        select(DECISIONS, OUTCOME_SCORES.c.number, OUTCOME_SCORES.c.low, OUTCOME_SCORES.c.high, OUTCOME_SCORES.c.band,
               NIGHTS.c.night, NIGHTS.c.models, NIGHTS.c.data_version)
        .join(OUTCOME_SCORES, of_outcome)
        .join(SCORES, SCORES.c.score_id == DECISIONS.c.score_id)
        .join(NIGHTS, NIGHTS.c.run_id == SCORES.c.run_id)
        .order_by(DECISIONS.c.decision_id)
    )  # fmt: skip
    return [_decision(row) for row in connection.execute(query)]


def _decision(row: Any) -> Decision:
    return Decision(
        decision_id=row.decision_id,
        score_id=row.score_id,
        person_id=row.person_id,
        night=row.night,
        outcome=row.outcome,
        verdict=row.verdict,
        reason=row.reason,
        next_step=row.next_step,
        decided_at=datetime.fromisoformat(row.decided_at),
        number=row.number,
        low=row.low,
        high=row.high,
        band=row.band,
        model=json.loads(row.models)[row.outcome]["directory"],
        data_version=row.data_version,
    )
