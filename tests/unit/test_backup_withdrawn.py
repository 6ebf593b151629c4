"""Who withdrew after a backup stays out, whatever is left of the old store and its log, and however often it was restored."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import BalanceRiskError
from serving.audit.keys import create_audit_key
from serving.backup.errors import RestoreRefused
from serving.backup.restore import Known, restore
from serving.backup.take import Keys, take
from serving.settings import Settings
from serving.store.erasure import erase
from tests.lib.audit_writer import event
from tests.lib.stores import NIGHT, opened, scored, write
from tests.unit.test_backup import ERASED, HER, erasures, log_of, settings_in

ANOTHER = "SYNTHETIC-another"
NOBODY = Known(Path("nowhere"), nobody_erased=True)


class Places:
    """One service and the places where it was restored, one after the other; time goes on from event to event."""

    def __init__(self, root: Path) -> None:
        self.root, self._numbers = root, count()
        self.first = self.place()
        self.keys = Keys.read(self.first.audit_key, [])

    def place(self) -> Settings:
        settings = settings_in(self.root / f"place-{next(self._numbers)}")
        if hasattr(self, "first"):
            settings.audit_key.parent.mkdir()
            shutil.copy(self.first.audit_key, settings.audit_key)
            if self.first.audit_heads.exists():
                settings.audit_heads.parent.mkdir()
                shutil.copy(self._newest.audit_heads, settings.audit_heads)
        else:
            create_audit_key(settings.audit_key)
        self._newest = settings
        return settings

    def log(self, here: Settings, **changes: Any) -> None:
        with log_of(here) as journal:
            journal.append([event(f"r{next(self._numbers)}", **changes)]).result()

    def withdraw(self, here: Settings, person: str, source: Any = "lab") -> None:
        self.log(here, action="withdraw", person_id=person)
        with opened(here.store) as store:
            store.withdraw(person, source, event("now").at.date())

    def take(self, here: Settings) -> Path:
        directory = self.root / f"backup-{next(self._numbers)}"
        take(here, directory, self.keys, self.root / "no-erasures")
        return directory

    def restore(self, backup: Path, **known: Any) -> tuple[Settings, dict[str, Any]]:
        there = self.place()
        return there, restore(there, backup, self.keys, replace(NOBODY, **known))


@pytest.fixture
def places(tmp_path, monkeypatch) -> Places:
    found = Places(tmp_path)
    found.log(found.first)
    with opened(found.first.store) as store:
        write(store, scored(HER), scored(ANOTHER), scored(ERASED))
    return found


def withdrawn(settings: Settings) -> dict[str, int]:
    """How many sources each person has withdrawn."""
    with opened(settings.store) as store:
        return {person: len(sources) for person, sources in store.withdrawals()[1].items()}


def old(settings: Settings, *what: str) -> dict[str, str]:
    return {f"old_{name}": getattr(settings, name) for name in what or ("store", "audit")}


def test_an_old_store_that_knows_of_it_says_what_was_withdrawn(places):
    backup = places.take(places.first)
    places.withdraw(places.first, HER)
    there, report = places.restore(backup, **old(places.first))
    assert (withdrawn(there), report["withdrawals"]) == ({HER: 1}, "old store")


def test_what_the_old_store_lacks_its_log_tells(places):
    """As after the store alone was brought back from a copy: the log beside it goes on."""
    backup = places.take(places.first)
    places.withdraw(places.first, HER)
    places.log(places.first, action="withdraw", person_id=ANOTHER)
    there, _ = places.restore(backup, **old(places.first))
    assert withdrawn(there) == {HER: 1, ANOTHER: 4}


@pytest.mark.parametrize("named", [("store",), ("store", "audit"), ("audit",)])
def test_an_old_store_or_log_from_before_the_backup_is_not_believed(places, named):
    before = places.take(places.first)
    places.withdraw(places.first, HER)
    backup = places.take(places.first)
    known = {"store": f"sqlite:///{before}/store.db", "audit": f"sqlite:///{before}/audit.db"}
    with pytest.raises(RestoreRefused, match="does not know who withdrew since"):
        places.restore(backup, **{f"old_{what}": known[what] for what in named})


def test_an_old_store_that_lacks_the_backup_s_newest_night_is_not_believed(places):
    with opened(places.first.store) as store:
        write(store, scored(HER), night=NIGHT + timedelta(days=1))
    backup = places.take(places.first)
    other = places.root / "other.db"
    with opened(f"sqlite:///{other}") as store:
        write(store, scored(HER))
    with pytest.raises(RestoreRefused, match="older than the backup, or of another service"):
        places.restore(backup, old_store=f"sqlite:///{other}")


def test_an_old_log_of_another_service_is_not_believed(places, tmp_path):
    backup, other = places.take(places.first), settings_in(tmp_path / "other")
    create_audit_key(other.audit_key)
    places.log(other, action="withdraw", person_id=HER)
    with pytest.raises(RestoreRefused, match="of another service"):
        places.restore(backup, **old(other, "audit"))


def test_who_withdrew_and_was_erased_since_does_not_make_the_old_store_unbelievable(places, tmp_path):
    places.withdraw(places.first, ERASED)
    backup = places.take(places.first)
    with opened(places.first.store) as store:
        erase(store.database, [ERASED], [])
    there, _ = places.restore(
        backup, **old(places.first), erasures=erasures(tmp_path / "now", ERASED), nobody_erased=False
    )
    assert withdrawn(there) == {}


def abandoned(places: Places) -> tuple[Settings, Path]:
    """Two backups; the first is restored and worked on: numbers of events are given that the second has too."""
    early = places.take(places.first)
    for _ in range(3):
        places.log(places.first)
    late = places.take(places.first)
    there, _ = places.restore(early, **old(places.first))
    places.withdraw(there, HER)
    return there, late


def test_who_withdrew_on_a_branch_that_was_left_stays_out_and_its_events_are_missed(places):
    there, late = abandoned(places)
    last, report = places.restore(late, **old(there))
    assert withdrawn(last) == {HER: 1}
    assert (report["sound"], report["missing"]) == (True, 2), "that restore's event, and the withdrawal"


def test_a_log_that_was_restored_does_not_tell_all_without_its_store(places):
    """What is noted again by a restore has no event of its own."""
    there, late = abandoned(places)
    with pytest.raises(RestoreRefused, match="was itself restored after this backup"):
        places.restore(late, **old(there, "audit"))
    last, report = places.restore(late, **old(there, "audit"), withdrawals_lost=True)
    assert (withdrawn(last), report["withdrawals"]) == ({HER: 4}, "lost")


def damage(url: str) -> None:
    Path(url.removeprefix("sqlite:///")).write_bytes(b"no database at all" * 100)


def test_where_one_of_the_two_is_damaged_the_other_one_is_read(places):
    backup = places.take(places.first)
    places.withdraw(places.first, HER)
    kept = Path(places.first.store.removeprefix("sqlite:///")).read_bytes()
    damage(places.first.store)
    there, report = places.restore(backup, **old(places.first))
    assert (withdrawn(there), report["withdrawals"], report["unread"]) == ({HER: 4}, "old audit log", ["old store"])
    assert "The old store could not be read." in report["summary"]
    Path(places.first.store.removeprefix("sqlite:///")).write_bytes(kept)
    damage(places.first.audit)
    there, report = places.restore(backup, **old(places.first))
    assert (withdrawn(there), report["withdrawals"], report["unread"]) == ({HER: 1}, "old store", ["old audit log"])


@pytest.mark.parametrize("named", [("store",), ("store", "audit")])
def test_where_neither_can_be_read_it_says_what_would_do(places, named):
    backup = places.take(places.first)
    for what in named:
        damage(getattr(places.first, what))
    with pytest.raises(BalanceRiskError, match=r"cannot be read.*BALANCE_RISK_OLD_AUDIT alone.*--withdrawals-lost"):
        places.restore(backup, **old(places.first, *named))
    _, report = places.restore(backup, **old(places.first, *named), withdrawals_lost=True)
    assert report["withdrawals"] == "lost"
