"""Whom a night alerts a team to: safety flags always; else risks at the team's threshold that are new or rise, within capacity.

The threshold follows from what a team says one person found is worth, and of a calibrated risk it is the best place to
act from (Vickers AJ, Elkin EB. Med Decis Making 2006;26:565). New is whose number was below it, or is not known, in the
earlier night that the worklist compares with too; where no night lies so far back, everybody is new, and where another
model gave the earlier numbers, nobody: a new model moves numbers of which nothing else has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, and_, case, exists, null, select

from serving.store.consents import is_shown, may_be_shown
from serving.store.decisions import TALK_STEPS
from serving.store.marks import earlier_night, model_of
from serving.store.tables import DECISIONS, MEMBERSHIPS, OUTCOME_SCORES, SCORES
from serving.store.worklist import is_lately, lately_decided

AlertKind = Literal["safety_flag", "new", "rising"]
WhyNot = Literal["no_model", "no_evaluation", "no_net_benefit"]
FLAG = "safety_flag"
"""What an alert is about that is about no outcome."""


@dataclass(frozen=True)
class TeamRule:
    """What one team is alerted to.

    Parameters
    ----------
    thresholds : mapping
        Outcome -> risk from which a contact is worth it.
    unproven : mapping
        Outcome -> why there are no alerts of it, whatever the numbers.
    per_week : int
        So many alerts in any seven days; only safety flags may be more.
    valid_days : int
        After so many days an alert that nobody has acknowledged expires.
    has_webhook : bool
    """

    name: str
    companies: frozenset[str]
    thresholds: Mapping[str, float]
    per_week: int
    valid_days: int = 14
    has_webhook: bool = False
    unproven: Mapping[str, WhyNot] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """One person and what she would be alerted about."""

    person_id: str
    score_id: str
    about: str
    kind: AlertKind
    number: float | None = None
    benefit: float | None = None
    flags_digest: str | None = None


@dataclass(frozen=True)
class Above:
    """Who is at a team's threshold or above, of one outcome: all of them, and those of whom it is news."""

    persons: frozenset[str]
    news: tuple[Candidate, ...]


def flagged(connection: Connection, rule: TeamRule, run: Any) -> list[Candidate]:
    """Return everybody with a safety flag with whom nobody means to talk about the very same answers."""
    then = SCORES.alias()
    same = and_(
        then.c.score_id == DECISIONS.c.score_id, then.c.flags_digest.is_not_distinct_from(SCORES.c.flags_digest)
    )
    taken = exists().where(
        DECISIONS.c.person_id == SCORES.c.person_id, same, DECISIONS.c.next_step.in_(TALK_STEPS), is_lately(run.night)
    )
    query = _of_team(select(SCORES.c.person_id, SCORES.c.score_id, SCORES.c.flags_digest), rule, run)
    query = query.where(SCORES.c.is_flagged, ~taken.correlate(SCORES)).order_by(SCORES.c.person_id)
    return [
        Candidate(row.person_id, row.score_id, FLAG, "safety_flag", flags_digest=row.flags_digest)
        for row in connection.execute(query)
    ]


def above(connection: Connection, rule: TeamRule, run: Any, outcome: str) -> Above:
    """Return who is at the threshold or above and was not lately decided about."""
    threshold = rule.thresholds[outcome]
    earlier = earlier_night(connection, run.night)
    is_other_model = earlier is not None and model_of(run, outcome) != model_of(earlier, outcome)
    query = _of_team(_now_and_then(outcome, run, earlier), rule, run)
    query = query.where(OUTCOME_SCORES.c.number >= threshold)
    query = query.where(SCORES.c.person_id.not_in(lately_decided(outcome, run.night)))
    rows = connection.execute(query).all()
    news = [] if is_other_model else [_candidate(row, outcome, threshold) for row in rows]
    return Above(frozenset(row.person_id for row in rows), tuple(one for one in news if one is not None))


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates in order: by what can be worked with, then by the number; what is not known comes last."""

    def key(one: Candidate) -> tuple[Any, ...]:
        return (one.benefit is None, -(one.benefit or 0.0), -(one.number or 0.0), one.person_id, one.about)

    return sorted(candidates, key=key)


def _of_team(query: Any, rule: TeamRule, run: Any) -> Any:
    members = select(MEMBERSHIPS.c.person_id).where(MEMBERSHIPS.c.company_id.in_([*rule.companies]))
    query = query.where(SCORES.c.run_id == run.run_id, SCORES.c.person_id.in_(members))
    return query.where(is_shown(SCORES.c.person_id, run.night, run.night))


def _now_and_then(outcome: str, run: Any, earlier: Any) -> Any:
    """Select each person's number, and that of an earlier night as far as it may still be used."""
    of_score = and_(OUTCOME_SCORES.c.score_id == SCORES.c.score_id, OUTCOME_SCORES.c.outcome == outcome)
    now = (SCORES.c.person_id, SCORES.c.score_id, OUTCOME_SCORES.c.number, OUTCOME_SCORES.c.benefit)
    if earlier is None:
        unknown = null().label("then_number"), null().label("then_high")
        return select(*now, *unknown).join_from(SCORES, OUTCOME_SCORES, of_score)
    score, number = SCORES.alias(), OUTCOME_SCORES.alias()
    may = may_be_shown(score.c.person_id, earlier.night, run.night)
    then = case((may, number.c.number)).label("then_number"), case((may, number.c.high)).label("then_high")
    of_person = and_(score.c.person_id == SCORES.c.person_id, score.c.run_id == earlier.run_id)
    of_then = and_(number.c.score_id == score.c.score_id, number.c.outcome == outcome)
    both = SCORES.join(OUTCOME_SCORES, of_score).outerjoin(score, of_person).outerjoin(number, of_then)
    return select(*now, *then).select_from(both)


def _candidate(row: Any, outcome: str, threshold: float) -> Candidate | None:
    is_new = row.then_number is None or row.then_number < threshold
    is_rising = row.then_high is not None and row.number > row.then_high
    if not (is_new or is_rising):
        return None
    kind: AlertKind = "new" if is_new else "rising"
    return Candidate(row.person_id, row.score_id, outcome, kind, row.number, row.benefit)
