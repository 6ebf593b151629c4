"""Alerts of a night, kept until somebody acknowledges them, the person is decided about, or they expire."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, exists, func, or_, select, update

from serving.store.alert_rules import FLAG, Above, AlertKind, Candidate, TeamRule, WhyNot, above, flagged, ranked
from serving.store.consents import may_be_shown
from serving.store.decisions import TALK_STEPS, counts_for
from serving.store.outbox import post
from serving.store.tables import ALERT_NIGHTS, ALERTS, DECISIONS, MEMBERSHIPS, NIGHTS, SCORES
from serving.store.worklist import SET_ASIDE_DAYS

WEEK = timedelta(days=7)
MOST_SHOWN = 200
"""More risks than leave room beside the flags are read by nobody, and each is an event of the audit log."""


@dataclass(frozen=True)
class OpenAlert:
    """An alert that waits for somebody; ``about`` is an outcome, or the safety flag."""

    alert_id: str
    person_id: str
    companies: frozenset[str]
    team: str
    about: str
    kind: AlertKind
    night: date
    valid_until: date


@dataclass(frozen=True)
class TeamNight:
    """What a team was told in its newest night of one outcome, or of safety flags.

    ``n_more`` are above the threshold beside those with an alert; ``n_left_out`` of them are new or rising and there was no
    place for them this week.
    """

    team: str
    night: date
    about: str
    companies: frozenset[str]
    threshold: float | None
    per_week: int
    n_raised: int
    n_more: int
    n_left_out: int
    why_not: WhyNot | None


def raise_alerts(connection: Connection, night: date, rules: Sequence[TeamRule]) -> dict[str, int]:
    """Raise what the newest night says, once; return by team how many are new. Of an older night nothing is raised."""
    newest = select(NIGHTS.c.run_id, NIGHTS.c.night, NIGHTS.c.models).where(NIGHTS.c.is_current)
    run = connection.execute(newest.order_by(NIGHTS.c.night.desc())).first()
    if run is None or run.night != night:
        return {}
    _end(connection, night)
    return {rule.name: _raise_of_team(connection, run, rule) for rule in rules}


def open_alerts(connection: Connection, companies: Collection[str], day: date) -> tuple[OpenAlert, ...]:
    """Return the alerts about persons of some companies that wait for somebody: every safety flag, then the newest risks."""
    query = select(ALERTS).where(_waits_for(companies, day)).order_by(ALERTS.c.night.desc(), ALERTS.c.alert_id)
    flags = connection.execute(query.where(ALERTS.c.about == FLAG)).all()
    room = max(0, MOST_SHOWN - len(flags))
    return _told(connection, [*flags, *connection.execute(query.where(ALERTS.c.about != FLAG).limit(room))])


def count_open(connection: Connection, companies: Collection[str], day: date) -> int:
    """Return how many alerts wait in some companies, of which :func:`open_alerts` may leave some risks out."""
    return connection.execute(select(func.count()).select_from(ALERTS).where(_waits_for(companies, day))).scalar_one()


def open_alert(connection: Connection, alert_id: str, day: date) -> OpenAlert | None:
    """Return one alert, None where there is none, or where it has ended otherwise than by being acknowledged."""
    is_it = or_(_is_open(day), and_(_may_be_shown(day), ALERTS.c.acknowledged_at.is_not(None)))
    rows = connection.execute(select(ALERTS).where(ALERTS.c.alert_id == alert_id, is_it)).all()
    return next(iter(_told(connection, rows)), None)


def acknowledge(connection: Connection, alert_id: str, caller: str, day: date) -> datetime | None:
    """Note that somebody has seen an alert; return when that was noted first, None where nothing waits."""
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    noted = update(ALERTS).where(ALERTS.c.alert_id == alert_id, _is_open(day))
    connection.execute(noted.values(acknowledged_at=at, acknowledged_by=caller))
    found = connection.execute(select(ALERTS.c.acknowledged_at).where(ALERTS.c.alert_id == alert_id)).scalar()
    return None if found is None else datetime.fromisoformat(found)


def team_nights(connection: Connection, companies: Collection[str] | None = None) -> tuple[TeamNight, ...]:
    """Return what each team was told in its newest night: of all, or of those whose companies are all among some."""
    newest = select(ALERT_NIGHTS.c.team, func.max(ALERT_NIGHTS.c.night).label("night")).group_by(ALERT_NIGHTS.c.team)
    nights = {row.team: row.night for row in connection.execute(newest)}
    query = select(ALERT_NIGHTS).order_by(ALERT_NIGHTS.c.team, ALERT_NIGHTS.c.about)
    rows = [row for row in connection.execute(query).mappings() if nights[row["team"]] == row["night"]]
    found = [TeamNight(**{**row, "companies": frozenset(json.loads(row["companies"]))}) for row in rows]
    return tuple(one for one in found if companies is None or one.companies <= set(companies))


def all_alerts(connection: Connection, day: date) -> list[dict[str, Any]]:
    """Return every alert that is kept, oldest first, with its state on a day: data for monitoring."""
    waits = case((_is_open(day), True), else_=False).label("is_open")
    query = select(ALERTS, waits).order_by(ALERTS.c.raised_at, ALERTS.c.alert_id)
    return [{**row, "state": _state(row)} for row in connection.execute(query).mappings()]


def _state(row: Any) -> str:
    if row["acknowledged_at"]:
        return "acknowledged"
    return "open" if row["is_open"] else "expired"


def _raise_of_team(connection: Connection, run: Any, rule: TeamRule) -> int:
    """Raise a team's flags and, as far as there is room in these seven days, risks."""
    before = _of_last_weeks(connection, rule, run.night)
    flags = [one for one in flagged(connection, rule, run) if _is_news_of_flag(one, before)]
    proven = [outcome for outcome in rule.thresholds if outcome not in rule.unproven]
    found = {outcome: above(connection, rule, run, outcome) for outcome in proven}
    alerted = {(row.person_id, row.about) for row in before}
    news = [one for one in _news(found.values()) if (one.person_id, one.about) not in alerted]
    room = max(0, rule.per_week - _raised_in_week(connection, rule, run.night) - len(flags))
    raised = [*flags, *news[:room]]
    _insert(connection, run, rule, raised)
    told = {(one.person_id, one.about) for one in raised} | {
        (row.person_id, row.about) for row in before if row.is_open
    }
    _note_night(connection, run, rule, FLAG, len(flags), 0, 0)
    for outcome in rule.thresholds:
        persons = found[outcome].persons if outcome in found else frozenset()
        n_more = sum((person, outcome) not in told for person in persons)
        counts = _count(raised, outcome), n_more, _count(news[room:], outcome)
        _note_night(connection, run, rule, outcome, *counts)
    return len(raised)


def _news(found: Iterable[Above]) -> list[Candidate]:
    return ranked(one for some in found for one in some.news)


def _count(candidates: Iterable[Candidate], about: str) -> int:
    return sum(one.about == about for one in candidates)


def _of_last_weeks(connection: Connection, rule: TeamRule, night: date) -> Sequence[Any]:
    """Return the alerts of four weeks, whatever became of them, and older ones that are still open."""
    since = ALERTS.c.night > night - timedelta(days=SET_ASIDE_DAYS)
    waits = _is_open(night)
    query = select(ALERTS, case((waits, True), else_=False).label("is_open"))
    return connection.execute(query.where(ALERTS.c.team == rule.name, or_(since, waits))).all()


def _is_news_of_flag(one: Candidate, before: Iterable[Any]) -> bool:
    """True unless an alert about the very same flags is open or was acknowledged; one that nobody saw comes again."""
    same = (
        row for row in before if (row.person_id, row.about, row.flags_digest) == (one.person_id, FLAG, one.flags_digest)
    )
    return not any(row.is_open or row.acknowledged_at for row in same)


def _raised_in_week(connection: Connection, rule: TeamRule, night: date) -> int:
    within = and_(ALERT_NIGHTS.c.night > night - WEEK, ALERT_NIGHTS.c.night <= night)
    query = select(func.sum(ALERT_NIGHTS.c.n_raised)).where(ALERT_NIGHTS.c.team == rule.name, within)
    return int(connection.execute(query).scalar() or 0)


def _insert(connection: Connection, run: Any, rule: TeamRule, raised: Iterable[Candidate]) -> None:
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    until = run.night + timedelta(days=rule.valid_days)
    rows = [
        {"alert_id": secrets.token_hex(16), "score_id": one.score_id, "run_id": run.run_id, "person_id": one.person_id,
         "team": rule.name, "about": one.about, "kind": one.kind, "flags_digest": one.flags_digest, "night": run.night,
         "raised_at": at, "valid_until": until}
        for one in raised
    ]  # fmt: skip
    if rows:
        connection.execute(ALERTS.insert(), rows)
        if rule.has_webhook:
            post(connection, rows)


def _note_night(
    connection: Connection, run: Any, rule: TeamRule, about: str, n_raised: int, n_more: int, n_left_out: int
) -> None:
    """Keep the counts of a night; a second run of the same night adds to what was raised."""
    key = {"team": rule.name, "night": run.night, "about": about}
    is_it = and_(*(ALERT_NIGHTS.c[name] == value for name, value in key.items()))
    so_far = connection.execute(select(ALERT_NIGHTS.c.n_raised).where(is_it)).scalar() or 0
    connection.execute(delete(ALERT_NIGHTS).where(is_it))
    row = {"companies": json.dumps(sorted(rule.companies)), "threshold": rule.thresholds.get(about),
           "per_week": rule.per_week, "n_raised": so_far + n_raised, "n_more": n_more, "n_left_out": n_left_out,
           "why_not": rule.unproven.get(about)}  # fmt: skip
    connection.execute(ALERT_NIGHTS.insert(), key | row)


def _end(connection: Connection, day: date) -> None:
    """Forget the alerts whose scores may not be shown any more, and end those that wait for nobody."""
    connection.execute(delete(ALERTS).where(~_may_be_shown(day)))
    waiting = and_(ALERTS.c.acknowledged_at.is_(None), ALERTS.c.ended_on.is_(None))
    for why, has_ended in (("decided", _is_decided()), ("expired", ALERTS.c.valid_until < day)):
        connection.execute(update(ALERTS).where(waiting, has_ended).values(ended_on=day, ended_why=why))


def _waits_for(companies: Collection[str], day: date) -> ColumnElement[bool]:
    members = select(MEMBERSHIPS.c.person_id).where(MEMBERSHIPS.c.company_id.in_([*companies]))
    return and_(_is_open(day), ALERTS.c.person_id.in_(members))


def _is_open(day: date) -> ColumnElement[bool]:
    """Return the condition under which an alert waits for somebody, before the next night has noted that it does not."""
    waits = and_(ALERTS.c.acknowledged_at.is_(None), ALERTS.c.ended_on.is_(None), ALERTS.c.valid_until >= day)
    return and_(waits, ~_is_decided(), _may_be_shown(day))


def _may_be_shown(day: date) -> ColumnElement[bool]:
    return may_be_shown(ALERTS.c.person_id, ALERTS.c.night, day)


def _is_decided() -> ColumnElement[bool]:
    """Return the condition under which a person was decided about since; of a flag, that somebody means to talk with her."""
    then = SCORES.alias()
    same = and_(
        then.c.score_id == DECISIONS.c.score_id, then.c.flags_digest.is_not_distinct_from(ALERTS.c.flags_digest)
    )
    answered = or_(
        and_(ALERTS.c.about != FLAG, counts_for(ALERTS.c.about)),
        and_(
            ALERTS.c.about == FLAG, DECISIONS.c.next_step.in_(TALK_STEPS), exists().where(same).correlate_except(then)
        ),
    )
    since = and_(DECISIONS.c.person_id == ALERTS.c.person_id, DECISIONS.c.decided_at >= ALERTS.c.raised_at)
    return exists().where(since, answered).correlate(ALERTS)


def _told(connection: Connection, rows: Sequence[Any]) -> tuple[OpenAlert, ...]:
    works = select(MEMBERSHIPS.c.person_id, MEMBERSHIPS.c.company_id)
    found: dict[str, set[str]] = {row.person_id: set() for row in rows}
    for person_id, company_id in connection.execute(works.where(MEMBERSHIPS.c.person_id.in_([*found]))):
        found[person_id].add(company_id)
    return tuple(
        OpenAlert(row.alert_id, row.person_id, frozenset(found[row.person_id]), row.team, row.about, row.kind, row.night,
                  row.valid_until)
        for row in rows
    )  # fmt: skip
