"""Writes a night: all scores, who is where, who consents, and the month's releases, in one transaction or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from data_contracts.batches import batched
from data_contracts.domains import Domain
from serving.store.cohorts import Cohorts
from serving.store.consents import forget_ended
from serving.store.releases import write_month
from serving.store.scores import packed, unpacked
from serving.store.tables import CONSENTS, MEMBERSHIPS, NIGHTS, OUTCOME_SCORES, RECORDS, SCORES, WITHDRAWALS


@dataclass(frozen=True)
class OutcomeScore:
    """The number of one outcome, for ranking; None where the model has none to give.

    Parameters
    ----------
    benefit : float, optional
        The part of the number that is tied to what can be worked with, as the model counts.
    domain : str, optional
        Where most of that lies.
    """

    outcome: str
    target: str
    number: float | None
    low: float | None
    high: float | None
    band: str | None
    benefit: float | None = None
    domain: Domain | None = None


@dataclass(frozen=True)
class ScoredPerson:
    """All that a night keeps of one person.

    Parameters
    ----------
    answer : bytes
        What ``/v1/risk`` would have answered.
    consents : sequence of (source, purpose, first day, day of withdrawal or None), days as ISO text
    measures : sequence of (measure that a workplace is told of, category)
    places : sequence of (company, unit or None, section of its industry or None)
    record : bytes
        What was scored, as :func:`~serving.store.records.packed_record` packs it.
    flags_digest : str, optional
        Which answers have a safety flag: another one than at the last decision must be looked at anew.
    """

    person_id: str
    answer: bytes
    is_flagged: bool
    outcomes: tuple[OutcomeScore, ...]
    companies: tuple[str, ...]
    consents: tuple[tuple[str, str, str, str | None], ...]
    measures: tuple[tuple[str, int], ...]
    record: bytes
    flags_digest: str | None = None
    places: tuple[tuple[str, str | None, str | None], ...] = ()


@dataclass(frozen=True)
class Night:
    """From what a night was computed; ``models`` has by outcome the bundle's directory, version and SHA-256."""

    night: date
    received_on: date
    data_version: str
    models: Mapping[str, Mapping[str, str]]
    digest: str
    n_persons: int
    n_refused: int
    last_withdrawal: int

    @property
    def run_id(self) -> str:
        """The same for the same inputs and the same answers, else another."""
        said = [self.night.isoformat(), self.received_on.isoformat(), self.data_version, self.models, self.digest]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


class Digest:
    """SHA-256 over the answers of a night in their order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, person_id: str, answer: bytes) -> None:
        """Take one person's answer in."""
        self._hash.update(f"{person_id}\0{len(answer)}\0".encode() + answer)

    def hexdigest(self) -> str:
        """Return the digest of all so far."""
        return self._hash.hexdigest()


def score_id(run_id: str, person_id: str) -> str:
    """Return the name of a score, which says nothing about the person to who does not know both parts."""
    return hashlib.sha256(f"{run_id}\0{person_id}".encode()).hexdigest()[:32]


def write_night(
    connection: Connection, night: Night, persons: Iterable[ScoredPerson], by_diagnosis: Collection[str]
) -> bool:
    """Write a night and make it the current one of its day; return False if the very same was there already.

    The run before, of the same day, stays but is not shown any more. Only the newest day says who is where and who consents.
    """
    is_new = not _is_there(connection, night.run_id)
    if is_new:
        row = {name: getattr(night, name) for name in ("night", "received_on", "data_version", "digest", "n_persons",
               "n_refused", "last_withdrawal", "run_id")}  # fmt: skip
        row |= {"models": json.dumps(night.models, sort_keys=True), "is_current": False}
        connection.execute(NIGHTS.insert(), row | {"written_at": datetime.now(UTC).isoformat(timespec="seconds")})
    connection.execute(
        update(NIGHTS).where(NIGHTS.c.night == night.night).values(is_current=NIGHTS.c.run_id == night.run_id)
    )
    is_newest = connection.execute(select(func.max(NIGHTS.c.night)).where(NIGHTS.c.is_current)).scalar() == night.night
    cohorts = Cohorts(night.night)
    if is_newest:
        connection.execute(delete(MEMBERSHIPS))
        connection.execute(delete(CONSENTS))
        connection.execute(delete(RECORDS))
    for some in batched(persons):
        if is_new:
            _insert_scores(connection, night.run_id, some)
        if is_newest:
            _insert_persons(connection, night.run_id, some)
            cohorts.add(some)
    if is_newest:
        cohorts.leave_out(_forget_withdrawn(connection, night))
        # Before: nothing is compared with what may not be known any more. After: nor is any of it kept until tomorrow.
        forget_ended(connection, night.night)
        write_month(connection, night.night, cohorts.found(), cohorts.sections(), by_diagnosis)
        forget_ended(connection, night.night)
    return is_new


def night(connection: Connection, day: date) -> Night | None:
    """Return from what the current run of a day was computed."""
    names = [field.name for field in fields(Night)]
    query = select(*(NIGHTS.c[name] for name in names)).where(NIGHTS.c.night == day, NIGHTS.c.is_current)
    row = connection.execute(query).mappings().first()
    return None if row is None else Night(**{**row, "models": json.loads(row["models"])})


def newest(connection: Connection) -> date | None:
    """Return the newest night, None if there is none."""
    found: date | None = connection.execute(select(func.max(NIGHTS.c.night))).scalar()
    return found


def answers(connection: Connection, day: date) -> dict[str, bytes]:
    """Return by person the answers of the current run of a day, as they were computed."""
    query = select(SCORES.c.person_id, SCORES.c.answer).join(NIGHTS, NIGHTS.c.run_id == SCORES.c.run_id)
    found = connection.execute(query.where(NIGHTS.c.night == day, NIGHTS.c.is_current))
    return {person_id: unpacked(answer) for person_id, answer in found}


def _is_there(connection: Connection, run_id: str) -> bool:
    return connection.execute(select(NIGHTS.c.run_id).where(NIGHTS.c.run_id == run_id)).first() is not None


def _insert_scores(connection: Connection, run_id: str, persons: Collection[ScoredPerson]) -> None:
    ids = {one.person_id: score_id(run_id, one.person_id) for one in persons}
    scores = [
        {"score_id": ids[one.person_id], "run_id": run_id, "person_id": one.person_id, "is_flagged": one.is_flagged,
         "answer": packed(one.answer), "flags_digest": one.flags_digest}
        for one in persons
    ]  # fmt: skip
    outcomes = [{"score_id": ids[one.person_id], "run_id": run_id, **vars(outcome)}
                for one in persons for outcome in one.outcomes]  # fmt: skip
    _insert(connection, SCORES, scores)
    _insert(connection, OUTCOME_SCORES, outcomes)


def _insert_persons(connection: Connection, run_id: str, persons: Collection[ScoredPerson]) -> None:
    members = [{"person_id": one.person_id, "company_id": company} for one in persons for company in one.companies]
    consents = [
        {"person_id": one.person_id, "source": source, "purpose": purpose, "given_on": date.fromisoformat(given),
         "withdrawn_on": None if withdrawn is None else date.fromisoformat(withdrawn)}
        for one in persons for source, purpose, given, withdrawn in one.consents
    ]  # fmt: skip
    _insert(connection, MEMBERSHIPS, members)
    _insert(connection, CONSENTS, consents)
    records = [{"person_id": one.person_id, "run_id": run_id, "record": one.record} for one in persons]
    _insert(connection, RECORDS, records)


def _forget_withdrawn(connection: Connection, night: Night) -> set[str]:
    """Keep no record of who has withdrawn something while the night was computed: it is of before. Return who that is."""
    since = select(WITHDRAWALS.c.person_id).where(WITHDRAWALS.c.withdrawal_id > night.last_withdrawal)
    connection.execute(delete(RECORDS).where(RECORDS.c.person_id.in_(since)))
    return set(connection.execute(since).scalars())


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(table.insert(), rows)
