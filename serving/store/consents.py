"""Consents as the newest night saw them, and withdrawals that came since: what was withdrawn is not shown any more.

A stored score is shown only while everything it was computed from may still be used: of the sources with consent on the
night, none may have been withdrawn since, in the tables of a newer night or through the service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, exists, func, or_, select

from data_contracts.consent import SOURCES
from data_contracts.records import Source
from serving.store.tables import ALERTS, CONSENTS, RECORDS, RELEASE_MEMBERS, WITHDRAWALS
from serving.workplace_measures import made_of

SCORING = "risk_scoring"
AGGREGATE = "aggregate_reporting"


def may_be_shown(person: Any, night: Any, today: date) -> ColumnElement[bool]:
    """Return the condition under which a score of a person and a night may be shown today."""
    of_score = CONSENTS.alias()
    was_used = and_(of_score.c.person_id == person, _was_used(of_score, night))
    return and_(exists().where(was_used), ~exists().where(and_(was_used, _is_over(of_score, today))))


def is_shown(person: Any, night: date, today: date) -> ColumnElement[bool]:
    """Return the condition of :func:`may_be_shown` for very many persons of one night: each consent is read once."""
    is_over = case((_is_over(CONSENTS, today), 1), else_=0)
    used = select(CONSENTS.c.person_id).where(_was_used(CONSENTS, night)).group_by(CONSENTS.c.person_id)
    condition: ColumnElement[bool] = person.in_(used.having(func.max(is_over) == 0))
    return condition


def _was_used(consents: Any, night: Any) -> ColumnElement[bool]:
    return and_(
        consents.c.purpose == SCORING,
        consents.c.given_on <= night,
        or_(consents.c.withdrawn_on.is_(None), consents.c.withdrawn_on > night),
    )


def _is_over(consents: Any, today: date) -> ColumnElement[bool]:
    return or_(consents.c.withdrawn_on <= today, _withdrawn_since(consents, today))


def _withdrawn_since(consents: Any, today: date) -> ColumnElement[bool]:
    withdrawn = WITHDRAWALS.alias()
    return exists().where(
        and_(
            withdrawn.c.person_id == consents.c.person_id,
            withdrawn.c.source == consents.c.source,
            withdrawn.c.withdrawn_on >= consents.c.given_on,
            withdrawn.c.withdrawn_on <= today,
        )
    )


def in_force(connection: Connection, person_id: str, day: date) -> dict[Source, bool]:
    """Return for each source whether consent to risk scoring is in force; all false where nothing is known."""
    holds = and_(
        CONSENTS.c.person_id == person_id,
        CONSENTS.c.purpose == SCORING,
        CONSENTS.c.given_on <= day,
        or_(CONSENTS.c.withdrawn_on.is_(None), CONSENTS.c.withdrawn_on > day),
        ~_withdrawn_since(CONSENTS, day),
    )
    found = set(connection.execute(select(CONSENTS.c.source).where(holds)).scalars())
    return {source: source in found for source in SOURCES}


def withdraw(connection: Connection, person_id: str, source: Source | None, day: date) -> tuple[Source, ...]:
    """Note that a person withdraws one source, or all, for every purpose; saying so twice is saying so once.

    The record behind her score, the alerts about her and in which category releases counted her, by what is withdrawn, go at
    once; the next night keeps a record without it.
    """
    sources = SOURCES if source is None else (source,)
    known = select(WITHDRAWALS.c.source).where(WITHDRAWALS.c.person_id == person_id, WITHDRAWALS.c.withdrawn_on == day)
    noted = set(connection.execute(known).scalars())
    rows = [{"person_id": person_id, "source": one, "withdrawn_on": day} for one in sources if one not in noted]
    if rows:
        connection.execute(WITHDRAWALS.insert(), rows)
    for table in (RECORDS, ALERTS):
        connection.execute(delete(table).where(table.c.person_id == person_id))
    for one in sources:
        _forget_categories(connection, one, RELEASE_MEMBERS.c.person_id == person_id)
    return sources


def forget_ended(connection: Connection, night: date) -> None:
    """Delete in which category releases counted those whose consent to be counted has ended, as the tables of a night say."""
    is_over = case((and_(CONSENTS.c.withdrawn_on.is_not(None), CONSENTS.c.withdrawn_on <= night), 1), else_=0)
    for source in SOURCES:
        told = and_(CONSENTS.c.purpose == AGGREGATE, CONSENTS.c.source == source)
        ended = select(CONSENTS.c.person_id).where(told).group_by(CONSENTS.c.person_id).having(func.min(is_over) == 1)
        _forget_categories(connection, source, RELEASE_MEMBERS.c.person_id.in_(ended))


def _forget_categories(connection: Connection, source: Source, persons: ColumnElement[bool]) -> None:
    connection.execute(delete(RELEASE_MEMBERS).where(persons, RELEASE_MEMBERS.c.measure.in_(made_of(source))))


def withdrawals(connection: Connection, up_to: int | None = None) -> dict[str, dict[Source, date]]:
    """Return, per person and source, the latest day of withdrawal, of those noted up to a number."""
    query = select(WITHDRAWALS.c.person_id, WITHDRAWALS.c.source, func.max(WITHDRAWALS.c.withdrawn_on))
    if up_to is not None:
        query = query.where(WITHDRAWALS.c.withdrawal_id <= up_to)
    found: dict[str, dict[Source, date]] = {}
    for person_id, source, day in connection.execute(query.group_by(WITHDRAWALS.c.person_id, WITHDRAWALS.c.source)):
        found.setdefault(person_id, {})[source] = day
    return found


def last_withdrawal(connection: Connection) -> int:
    """Return the number of the newest withdrawal, 0 if there is none."""
    return int(connection.execute(select(func.max(WITHDRAWALS.c.withdrawal_id))).scalar() or 0)


def with_withdrawals(record: Mapping[str, Any], withdrawn: Mapping[Source, date]) -> dict[str, Any]:
    """Return a record in which consents end where the person has withdrawn them through the service.

    The source of the tables may learn of it later, or never. Consent that was given after the withdrawal holds.
    """
    if not withdrawn:
        return {**record, "consents": record.get("consents") or []}
    rows = [dict(row) for row in record.get("consents") or ()]
    for latest in latest_versions(rows):
        day = withdrawn.get(latest["source"])
        if day is None or not _ends(latest, day.isoformat()):
            continue
        if latest["known_from"] >= day.isoformat():  # two versions known from one day would contradict each other
            rows.remove(latest)
        known_from = max(latest["known_from"], day.isoformat())
        rows.append(latest | {"withdrawn_on": day.isoformat(), "known_from": known_from})
    return {**record, "consents": rows}


def _ends(consent: Mapping[str, Any], day: str) -> bool:
    """True if a consent was in force on a day, as a whole or until later."""
    ended = consent.get("withdrawn_on")
    return not consent.get("is_deleted") and consent["given_on"] <= day and (not ended or ended > day)


def latest_versions(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest version of each consent of one person."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda one: str(one["known_from"])):
        found[(row["source"], row["purpose"], row["given_on"])] = row
    return list(found.values())


def as_seen(record: Mapping[str, Any]) -> list[tuple[str, str, str, str | None]]:
    """Return source, purpose, first day and day of withdrawal of each consent of a checked record.

    A consent that was deleted counts as withdrawn on the day the deletion became known: a score may rest on it.
    """
    rows = latest_versions([dict(row) for row in record.get("consents") or ()])
    return [
        (row["source"], row["purpose"], row["given_on"],
         row["known_from"] if row.get("is_deleted") else row.get("withdrawn_on"))
        for row in rows
    ]  # fmt: skip
