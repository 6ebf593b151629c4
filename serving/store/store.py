"""The store as the service and the nightly run see it: one object, one method for each thing that is asked of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text

from data_contracts.records import Source
from data_contracts.time_windows import today
from serving.store import (
    alerts,
    care,
    consents,
    decisions,
    history,
    nights,
    outbox,
    records,
    released,
    scores,
    worklist,
)
from serving.store.alert_rules import TeamRule
from serving.store.connection import Database, StoreUnavailable, database
from serving.store.schema import migrate as bring_up_to_date
from serving.store.tables import MEMBERSHIPS, NIGHTS

MOST_IDENTIFIER = 64


def open_store(url: str, *, migrate: bool = True, patient: bool = False) -> Store:
    """Open a store; with ``migrate`` its tables are made or brought up to date, by one process of those that try.

    Parameters
    ----------
    url : str
        ``sqlite:///PATH`` or ``postgresql+psycopg://...``.
    migrate : bool
    patient : bool
        For bulk work: locks and statements may take minutes.

    Raises
    ------
    StoreUnavailable
        It cannot be reached or written.
    SettingsError
        The URL is none, or the store is of a newer version.
    """
    found = database(url, create=migrate, patient=patient)
    try:
        if migrate:
            bring_up_to_date(found)
    except BaseException:
        found.engine.dispose()
        raise
    return Store(found)


class Store:
    """Scores, worklist, decisions, care relations, consents and releases. Every method may raise StoreUnavailable.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def close(self) -> None:
        """Give back all connections."""
        self.database.engine.dispose()

    def is_healthy(self) -> bool:
        """True if the store answers."""
        try:
            with self.database.reading() as connection:
                connection.execute(text("SELECT 1"))
        except StoreUnavailable:
            return False
        return True

    def data_version(self) -> str:
        """Return the SHA-256 of the tables that the newest night was computed from, empty if there is none."""
        query = select(NIGHTS.c.data_version).where(NIGHTS.c.is_current).order_by(NIGHTS.c.night.desc())
        with self.database.reading() as connection:
            return str(connection.execute(query).scalar() or "")

    def companies_of(self, person_id: str, day: date | None = None) -> frozenset[str]:
        """Return where a person works; nowhere, as of somebody unknown, where no consent is in force (today)."""
        query = select(MEMBERSHIPS.c.company_id).where(MEMBERSHIPS.c.person_id == person_id)
        with self.database.reading() as connection:
            if not any(consents.in_force(connection, person_id, day or today()).values()):
                return frozenset()
            return frozenset(connection.execute(query).scalars())

    def memberships_of(self, person_id: str) -> frozenset[str]:
        """Return where a person works, whatever she consents to; nowhere, of somebody unknown."""
        if not 0 < len(person_id) <= MOST_IDENTIFIER or "\0" in person_id:
            return frozenset()  # no pseudonym, and nothing to bother a database with
        query = select(MEMBERSHIPS.c.company_id).where(MEMBERSHIPS.c.person_id == person_id)
        with self.database.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def withdraw(self, person_id: str, source: Source | None, day: date) -> tuple[Source, ...]:
        """Note that a person withdraws one source, or all, for every purpose, from a day on; return which."""
        with self.database.writing() as connection:
            return consents.withdraw(connection, person_id, source, day)

    def newest_withdrawal(self) -> int:
        """Return the number of the newest withdrawal."""
        with self.database.reading() as connection:
            return consents.last_withdrawal(connection)

    def withdrawals(self, up_to: int | None = None) -> tuple[int, dict[str, dict[Source, date]]]:
        """Return the number of the newest withdrawal, and by person and source the days of all up to a number."""
        with self.database.reading() as connection:
            last = consents.last_withdrawal(connection) if up_to is None else up_to
            return last, consents.withdrawals(connection, last)

    def has_care_relation(self, subject: str, person_id: str, day: date) -> bool:
        """True if a person is in the care of a caller on a day."""
        with self.database.reading() as connection:
            return care.holds(connection, subject, person_id, day)

    def begin_care(self, subject: str, person_id: str, reason: str, day: date) -> date:
        """Note a care relation; return the last day on which it holds."""
        with self.database.writing() as connection:
            return care.begin(connection, subject, person_id, reason, day)

    def latest_score(self, person_id: str, day: date) -> scores.StoredScore | None:
        """Return the newest night's answer about a person, None if none may be shown on a day."""
        with self.database.reading() as connection:
            return scores.latest_score(connection, person_id, day)

    def score(self, score_id: str, person_id: str, day: date) -> scores.StoredScore | None:
        """Return one stored answer about a person, None if it may not be shown on a day."""
        with self.database.reading() as connection:
            return scores.score(connection, score_id, person_id, day)

    def record(self, person_id: str, day: date) -> records.StoredRecord | None:
        """Return the record behind the newest night's answer, None if that may not be shown on a day."""
        with self.database.reading() as connection:
            return records.record(connection, person_id, day)

    def history(self, person_id: str, outcome: str, day: date) -> tuple[history.PastScore, ...]:
        """Return a person's numbers of all nights that may be shown on a day, oldest first."""
        with self.database.reading() as connection:
            return history.history(connection, person_id, outcome, day)

    def worklist(self, asked: worklist.WorklistQuestion) -> worklist.Worklist | None:
        """Return whom of some companies a caller should contact first, None where there is no such night."""
        with self.database.reading() as connection:
            return worklist.worklist(connection, asked)

    def record_decision(
        self,
        subject: str,
        score: scores.StoredScore,
        outcome: str,
        verdict: decisions.Verdict,
        reason: str,
        next_step: decisions.NextStep = "none",
    ) -> decisions.Recorded | None:
        """Note what a clinician says about a score; None if it says nothing about the outcome."""
        with self.database.writing() as connection:
            return decisions.record(connection, subject, score, outcome, verdict, reason, next_step)

    def decisions_about(self, person_id: str, day: date) -> tuple[decisions.DecisionAbout, ...]:
        """Return what was decided about a person, newest first, and by whom; only of scores that may be shown on a day."""
        with self.database.reading() as connection:
            return decisions.decisions_about(connection, person_id, day)

    def verdicts_of(self, subject: str, most: int = 20) -> tuple[decisions.Verdict, ...]:
        """Return a clinician's own last verdicts, newest first."""
        with self.database.reading() as connection:
            return decisions.verdicts_of(connection, subject, most)

    def decisions(self) -> list[decisions.Decision]:
        """Return all decisions, each with the number and the model it was about: data for monitoring."""
        with self.database.reading() as connection:
            return decisions.decisions(connection)

    def release(self, company_id: str) -> released.CompanyRelease | None:
        """Return what a company is told of its newest month, None if nothing was computed for it."""
        with self.database.reading() as connection:
            return released.release(connection, company_id)

    def releases(self, company_id: str) -> tuple[released.CompanyRelease, ...]:
        """Return what a company was told of all its months, oldest first."""
        with self.database.reading() as connection:
            return released.releases(connection, company_id)

    def industry(self, section: str, month: str) -> tuple[released.Release, ...]:
        """Return what was last told of an industry up to a month."""
        with self.database.reading() as connection:
            return released.industry(connection, section, month)

    def night(self, day: date) -> nights.Night | None:
        """Return from what the current run of a day was computed, None if that day was not scored."""
        with self.database.reading() as connection:
            return nights.night(connection, day)

    def newest_night(self) -> date | None:
        """Return the newest night, None if there is none."""
        with self.database.reading() as connection:
            return nights.newest(connection)

    def answers(self, day: date) -> dict[str, bytes]:
        """Return by person the answers of the current run of a day."""
        with self.database.reading() as connection:
            return nights.answers(connection, day)

    def write_night(
        self, night: nights.Night, persons: Iterable[nights.ScoredPerson], by_diagnosis: Collection[str] = ()
    ) -> bool:
        """Write a night in one transaction; return False if the very same was there already."""
        with self.database.writing() as connection:
            return nights.write_night(connection, night, persons, by_diagnosis)

    def raise_alerts(self, night: date, rules: Sequence[TeamRule]) -> dict[str, int]:
        """Raise the alerts of the newest night, once; return by team how many are new."""
        with self.database.writing() as connection:
            return alerts.raise_alerts(connection, night, rules)

    def open_alerts(self, companies: Collection[str], day: date) -> tuple[alerts.OpenAlert, ...]:
        """Return the alerts about persons of some companies that wait for somebody on a day."""
        with self.database.reading() as connection:
            return alerts.open_alerts(connection, companies, day)

    def count_open_alerts(self, companies: Collection[str], day: date) -> int:
        """Return how many alerts wait, also those that are too many to be shown."""
        with self.database.reading() as connection:
            return alerts.count_open(connection, companies, day)

    def open_alert(self, alert_id: str, day: date) -> alerts.OpenAlert | None:
        """Return one alert that waits, or was acknowledged; None where there is none."""
        with self.database.reading() as connection:
            return alerts.open_alert(connection, alert_id, day)

    def acknowledge_alert(self, alert_id: str, subject: str, day: date) -> datetime | None:
        """Note that somebody has seen an alert; return when that was noted first, None where nothing waits."""
        with self.database.writing() as connection:
            return alerts.acknowledge(connection, alert_id, subject, day)

    def team_nights(self, companies: Collection[str] | None = None) -> tuple[alerts.TeamNight, ...]:
        """Return what each team was told in its newest night: of all teams, or of those of some companies alone."""
        with self.database.reading() as connection:
            return alerts.team_nights(connection, companies)

    def alerts(self, day: date) -> list[dict[str, Any]]:
        """Return every alert that is kept, with its state on a day: data for monitoring."""
        with self.database.reading() as connection:
            return alerts.all_alerts(connection, day)

    def deliveries(self) -> dict[str, dict[str, int]]:
        """Return by team how many messages about alerts wait, were delivered, were given up."""
        with self.database.reading() as connection:
            return outbox.counts(connection)

    def claim_deliveries(self, due: datetime, now: datetime) -> list[outbox.Delivery]:
        """Take some of the messages that were due at a moment; nobody else gets them for a minute."""
        with self.database.writing() as connection:
            return outbox.claim(connection, due, now)

    def note_delivery(self, message_id: str, now: datetime) -> None:
        """Note that the receiver has taken a message."""
        with self.database.writing() as connection:
            outbox.note_delivered(connection, message_id, now)

    def note_failure(self, message_id: str, result: str, again_at: datetime) -> None:
        """Note how an attempt failed, and when the next one is due."""
        with self.database.writing() as connection:
            outbox.note_failed(connection, message_id, result, again_at)

    def note_given_up(self, message_id: str, result: str, now: datetime) -> None:
        """Note that a message is not sent any more."""
        with self.database.writing() as connection:
            outbox.note_given_up(connection, message_id, result, now)
