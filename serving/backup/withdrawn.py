"""Consent that was withdrawn after a backup: read from what is left of the old store and of its audit log, from both if there.

The log says who withdrew and not what, so whom the store does not know counts as having withdrawn all. So does whoever withdrew
while the backup was taken. A store or a log that is not what the backup's went on to be would hide withdrawals: it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, get_args

from data_contracts.errors import MissingInputError
from data_contracts.records import Source
from data_contracts.time_windows import OSLO
from serving.access.policy import Action
from serving.audit import reading
from serving.audit.errors import AuditBroken, AuditUnavailable
from serving.audit.restored import RESTORE
from serving.backup.errors import RestoreRefused
from serving.store import Store, StoreUnavailable, open_store

Days = Mapping[str, Mapping[Source, date]]
"""By person and source the latest day of withdrawal."""

_ELSE = (
    "Where the old store is lost, its audit log is enough (BALANCE_RISK_OLD_AUDIT alone); where both are, say "
    "--withdrawals-lost and have the app send what was withdrawn since then again before anybody is let in."
)


@dataclass
class Withdrawn:
    """What was found, where, and what of that which was named could not be read."""

    source: str
    days: Days = field(default_factory=dict)
    accesses: set[reading.Access] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)

    def apply(self, store: Store) -> int:
        """Note withdrawals that a store does not know yet; return of how many persons."""
        _, known = store.withdrawals()
        wanted: list[tuple[str, Source, date]] = [
            (person, source, day) for person, days in self.days.items() for source, day in days.items()
        ]
        for one in self.accesses:
            day = datetime.fromisoformat(one.at).astimezone(OSLO).date()
            if all(told < day for told in self.days.get(one.person_id, {}).values()):
                wanted += [(one.person_id, source, day) for source in get_args(Source)]
        persons = set()
        for person, source, day in sorted(wanted):
            if known.get(person, {}).get(source, date.min) < day:
                store.withdraw(person, source, day)
                persons.add(person)
        return len(persons)


def refuse_unnamed(taken_at: str) -> RestoreRefused:
    """Return what to raise where nothing is named that would know."""
    return RestoreRefused(
        f"Consent that was withdrawn after {taken_at} would come back. Name what is left of the old store and its log "
        f"(--old DIRECTORY, or BALANCE_RISK_OLD_STORE and BALANCE_RISK_OLD_AUDIT). {_ELSE}"
    )


def since(
    said: Mapping[str, Any], log: str, store: Store, old_store: str | None, old_log: str | None, is_lost: bool,
    is_erased: Callable[[str], bool],
) -> Withdrawn:  # fmt: skip
    """Return what was withdrawn since the store of a backup was read.

    Parameters
    ----------
    said, log, store : mapping, str, Store
        The backup's manifest, and its log and store, restored.
    old_store, old_log : str, optional
        URLs of what is left of those that the backup replaces; one that cannot be read is passed over if the other can.
    is_lost : bool
        The operator says that they do not tell all.
    is_erased : callable
        Whether a person was erased: the old store need not know of her.

    Raises
    ------
    RestoreRefused
        Nothing can be read that tells all, or what is named is of another service, or older than the backup.
    """
    found = Withdrawn("lost", accesses={*reading.accesses_after(log, said["store"]["events_before"], Action.WITHDRAW)})
    if old_log is not None:
        try:
            found.accesses |= _of_log(said, log, old_log)
            found.source = "old audit log"
        except (AuditBroken, AuditUnavailable, MissingInputError):
            found.unread.append("old audit log")
    if old_store is not None:
        try:
            found.days = _of_store(said, store, old_store, is_erased)
            found.source = "old store"
        except StoreUnavailable:
            found.unread.append("old store")
    if found.source != "old store" and is_lost:
        found.source = "lost"
    elif found.source != "old store":
        _refuse_too_little(found, log, old_log)
    return found


def _refuse_too_little(found: Withdrawn, log: str, old_log: str | None) -> None:
    """What is noted again at a restore has no event of its own, so a log that was restored does not tell all."""
    if found.source == "lost" or old_log is None:
        raise RestoreRefused(f"The {' and the '.join(found.unread)} cannot be read. {_ELSE}")
    if reading.links_of(old_log, RESTORE) - reading.links_of(log, RESTORE):
        raise RestoreRefused(
            "The old audit log was itself restored after this backup was taken. Who had withdrawn before that stands in the "
            "old store alone: name that one too, or say --withdrawals-lost and have the app send what was withdrawn again."
        )


def _of_log(said: Mapping[str, Any], log: str, old: str) -> set[reading.Access]:
    """Return every withdrawal that the backup does not know: on another branch numbers are given again, links are not."""
    first, newest = reading.ends(old)
    if said["audit"]["last_event"] and (first != reading.ends(log)[0] or newest < str(said["audit"]["last_event_at"])):
        raise RestoreRefused(
            "The old audit log is of another service, or ends before the backup does, so it does not know who withdrew since. "
            f"Name the newest one, or leave it out. {_ELSE}"
        )
    return {*reading.accesses_after(old, 0, Action.WITHDRAW)} - {*reading.accesses_after(log, 0, Action.WITHDRAW)}


def _of_store(said: Mapping[str, Any], store: Store, url: str, is_erased: Callable[[str], bool]) -> Days:
    old = open_store(url, migrate=False)
    try:
        _, days = old.withdrawals()
        night = old.newest_night()
    finally:
        old.close()
    _, then = store.withdrawals()
    lacking = [person for person, by_source in then.items() if _lacks(days.get(person, {}), by_source)]
    if str(night or "") < (said["store"]["newest_night"] or "") or any(not is_erased(one) for one in lacking):
        raise RestoreRefused(
            "The old store is older than the backup, or of another service: it lacks withdrawals or nights that the backup "
            f"has, so it does not know who withdrew since. Name the newest one. {_ELSE}"
        )
    return days


def _lacks(days: Mapping[Source, date], then: Mapping[Source, date]) -> bool:
    return any(days.get(source, date.min) < day for source, day in then.items())
