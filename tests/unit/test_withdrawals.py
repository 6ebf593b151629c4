"""Nobody is answered by a consent that may have been withdrawn long ago; no request waits for the store to find out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from serving.store import StoreUnavailable
from serving.withdrawals import OLDEST_SECONDS, STALE_SECONDS, Withdrawals

DAY = date(2026, 3, 1)


class Stored:
    """A store with withdrawals; ``wait`` holds a look up in the middle."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Any, date]] = {}
        self.is_away = False
        self.wait = threading.Event()
        self.wait.set()
        self.asked = threading.Event()

    def newest_withdrawal(self) -> int:
        if self.is_away:
            raise StoreUnavailable("away")
        return len(self.rows)

    def withdrawals(self) -> tuple[int, dict[str, dict[Any, date]]]:
        found = {person: dict(days) for person, days in self.rows.items()}
        self.asked.set()
        self.wait.wait(5)
        return len(found), found


@pytest.fixture
def stored():
    return Stored()


@pytest.fixture
def clock():
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def withdrawals(stored, clock):
    found: Any = Withdrawals(lambda: stored, lambda: clock.now)
    yield found
    stored.wait.set()
    found.close()


def test_what_is_in_the_store_counts(stored, withdrawals):
    stored.rows["p"] = {"lab": DAY}
    assert withdrawals.of("p") == {"lab": DAY}
    assert withdrawals.of("q") == {}
    assert withdrawals.of(None) == {}


def test_a_store_that_is_away_is_believed_for_a_minute_and_no_longer(stored, withdrawals, clock):
    stored.rows["p"] = {"lab": DAY}
    withdrawals.look()
    stored.is_away = True
    clock.now += OLDEST_SECONDS
    assert withdrawals.of("p") == {"lab": DAY}
    clock.now += 1
    with pytest.raises(StoreUnavailable):
        withdrawals.of("p")
    stored.is_away = False
    withdrawals.look()
    assert withdrawals.of("p") == {"lab": DAY}


def test_readiness_learns_that_the_store_is_away_without_asking_it(stored, withdrawals, clock, monkeypatch):
    """/readyz once said that all was well while every stored answer was a 503."""
    monkeypatch.setattr("serving.withdrawals.LOOK_AGAIN_SECONDS", 0.01)
    assert (withdrawals.is_known(), withdrawals.is_store_there()) == (False, False), (
        "nothing is known before the first look"
    )
    withdrawals.start()
    until(withdrawals.is_store_there)
    stored.is_away = True
    until(lambda: not withdrawals.is_store_there())
    assert withdrawals.is_known(), "for a minute records are scored"
    clock.now += OLDEST_SECONDS + 1
    assert not withdrawals.is_known()
    stored.is_away = False
    until(withdrawals.is_store_there)


def test_a_store_that_says_nothing_at_all_is_away_too(stored, withdrawals, clock):
    withdrawals.look()
    assert withdrawals.is_store_there()
    clock.now += STALE_SECONDS + 1  # a look that has begun and does not end
    assert not withdrawals.is_store_there()
    assert withdrawals.is_known()


def test_where_the_store_was_never_reached_nobody_is_answered(stored, withdrawals):
    stored.is_away = True
    with pytest.raises(StoreUnavailable):
        withdrawals.of("p")


def test_no_request_waits_while_the_store_is_asked(stored, withdrawals, monkeypatch):
    monkeypatch.setattr("serving.withdrawals.LOOK_AGAIN_SECONDS", 0.01)
    assert withdrawals.of("p") == {}
    stored.wait.clear()
    stored.asked.clear()
    stored.rows["p"] = {"lab": DAY}
    assert stored.asked.wait(5)
    done = threading.Event()

    def withdraw() -> None:
        withdrawals.of("q")
        withdrawals.note("q", ("survey",), DAY)
        done.set()

    threading.Thread(target=withdraw).start()
    assert done.wait(2)
    assert withdrawals.of("q") == {"survey": DAY}
    assert withdrawals.of("p") == {}
    stored.wait.set()
    until(lambda: withdrawals.of("p") == {"lab": DAY})
    # What this process has written while the store was asked is not lost with the older answer.
    assert withdrawals.of("q") == {"survey": DAY}


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        threading.Event().wait(0.01)
    pytest.fail("it did not happen")


def test_a_fault_while_looking_does_not_end_the_looking(stored, withdrawals, monkeypatch):
    monkeypatch.setattr("serving.withdrawals.LOOK_AGAIN_SECONDS", 0.01)
    broken, whole = iter(range(3)), stored.newest_withdrawal

    def newest() -> int:
        if next(broken, None) is not None:
            raise RuntimeError("x")
        return whole()

    stored.newest_withdrawal = newest
    with pytest.raises(StoreUnavailable):
        withdrawals.of("p")
    for _ in range(200):
        try:
            assert withdrawals.of("p") == {}
            return
        except StoreUnavailable:
            threading.Event().wait(0.01)
    pytest.fail("it looks no more")
