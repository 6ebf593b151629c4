"""The rule of alerts against a slow reference that is written from docs/alerts.md, over random weeks of few persons."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from serving.store import Store, open_store
from serving.store.tables import ALERTS, DECISIONS, METADATA
from tests.lib.stores import OUTCOME, write
from tests.lib.teams import at_risk, rule

FIRST, THRESHOLD, TALK = date(2026, 1, 5), 0.2, ("conversation", "general_practitioner")
PERSONS = ("a", "b", "c", "d")

seen = st.none() | st.fixed_dictionaries({
    "number": st.none() | st.sampled_from([0.1, 0.19, 0.2, 0.22, 0.26, 0.3, 0.4]),
    "benefit": st.none() | st.sampled_from([0.01, 0.02, 0.1]),
    "digest": st.sampled_from([None, None, None, "x", "y"]),
})  # fmt: skip
act = st.tuples(st.sampled_from(PERSONS), st.sampled_from(["none", "conversation", "programme_offer", "seen"]))
nights = st.lists(
    st.tuples(st.integers(1, 12), st.fixed_dictionaries(dict.fromkeys(PERSONS, seen)), st.lists(act, max_size=2)),
    min_size=2, max_size=6,
)  # fmt: skip


@dataclass
class Alert:
    person: str
    kind: str
    digest: str | None
    night: date
    until: date
    is_seen: bool = False

    @property
    def is_flag(self) -> bool:
        return self.kind == "safety_flag"


class Reference:
    """The rule, person by person and alert by alert."""

    def __init__(self, per_week: int, valid_days: int) -> None:
        self.per_week, self.valid_days = per_week, valid_days
        self.alerts: list[Alert] = []
        self.raised: list[Alert] = []
        self.decisions: list[tuple[str, date, str, str | None]] = []
        self.past: dict[date, dict] = {}

    def is_decided(self, one: Alert) -> bool:
        later = [(step, digest) for who, on, step, digest in self.decisions if who == one.person and on >= one.night]
        return any(not one.is_flag or (step in TALK and digest == one.digest) for step, digest in later)

    def is_open(self, one: Alert, day: date) -> bool:
        return not one.is_seen and one.until >= day and not self.is_decided(one)

    def lately(self, person: str, night: date) -> list[tuple[str, str | None]]:
        since = night - timedelta(days=28)
        return [(step, digest) for who, on, step, digest in self.decisions if who == person and on >= since]

    def is_flag_news(self, person: str, digest: str, night: date) -> bool:
        if any(step in TALK and about == digest for step, about in self.lately(person, night)):
            return False
        mine = [one for one in self.alerts if one.person == person and one.is_flag and one.digest == digest]
        recent = [one for one in mine if (night - one.night).days < 28]
        return not any(self.is_open(one, night) for one in mine) and not any(one.is_seen for one in recent)

    def kind(self, person: str, number: float, night: date) -> str | None:
        between = [day for day in self.past if 5 <= (night - day).days <= 35]
        then = self.past[max(between)].get(person) if between else None
        before = then["number"] if then else None
        if before is None or before < THRESHOLD:
            return "new"
        return "rising" if number > before + 0.05 else None

    def night(self, night: date, persons: dict) -> set[tuple[str, str]]:
        # Who is gone from the tables has no consent any more: her alerts go, the places that they took stay taken.
        self.alerts = [one for one in self.alerts if one.person in persons]
        flags = [(name, one["digest"]) for name, one in persons.items()
                 if one["digest"] and self.is_flag_news(name, one["digest"], night)]  # fmt: skip
        news = []
        for name, one in persons.items():
            is_above = one["number"] is not None and one["number"] >= THRESHOLD
            mine = [alert for alert in self.alerts if alert.person == name and not alert.is_flag]
            is_known = any((night - alert.night).days < 28 or self.is_open(alert, night) for alert in mine)
            kind = self.kind(name, one["number"], night) if is_above else None
            if kind and not is_known and not self.lately(name, night):
                rank = (one["benefit"] if one["benefit"] is not None else -1, one["number"])
                news.append((rank, name, kind))
        spent = sum((night - alert.night).days < 7 for alert in self.raised) + len(flags)
        news.sort(key=lambda one: (-one[0][0], -one[0][1], one[1]))
        chosen = news[: max(0, self.per_week - spent)]
        until = night + timedelta(days=self.valid_days)
        raised = [Alert(name, "safety_flag", digest, night, until) for name, digest in flags]
        raised += [Alert(name, kind, None, night, until) for _, name, kind in chosen]
        self.alerts += raised
        self.raised += raised
        self.past[night] = persons
        return {(one.person, one.kind) for one in raised}


def at(day: date, hour: int) -> str:
    return f"{day.isoformat()}T{hour:02}:00:00+00:00"


def raise_in(store, night: date, persons: dict, team) -> set[tuple[str, str]]:
    """Write the night, raise its alerts twice, and date them as if it were that night."""
    write(store, *(
        at_risk(name, one["number"], one["benefit"], is_flagged=bool(one["digest"]), flags_digest=one["digest"])
        for name, one in persons.items()
    ), night=night)  # fmt: skip
    before = {row["alert_id"] for row in store.alerts(night)}
    store.raise_alerts(night, [team])
    assert store.raise_alerts(night, [team]) == {team.name: 0}
    new = [row for row in store.alerts(night) if row["alert_id"] not in before]
    with store.database.writing() as connection:
        connection.execute(update(ALERTS).where(ALERTS.c.night == night).values(raised_at=at(night, 3)))
    return {(row["person_id"], row["kind"]) for row in new}


def do(store, reference: Reference, night: date, person: str, what: str, persons: dict) -> None:
    """Let a clinician see the alerts about a person, or decide about her score."""
    if what == "seen":
        for one in store.open_alerts(["c"], night):
            if one.person_id == person:
                store.acknowledge_alert(one.alert_id, "dr-1", night)
        for one in reference.alerts:
            one.is_seen |= one.person == person and reference.is_open(one, night)
        return
    score = store.latest_score(person, night)
    if score is None:
        return
    noted = store.record_decision("dr-1", score, OUTCOME, "agree", "talked", what)
    with store.database.writing() as connection:
        mine = DECISIONS.c.decision_id == noted.decision_id
        connection.execute(update(DECISIONS).where(mine).values(decided_at=at(night, 12)))
    reference.decisions.append((person, night, what, persons[person]["digest"]))


@cache
def kept() -> Store:
    """One store for all examples: making its tables takes longer than an example."""
    directory = tempfile.TemporaryDirectory()
    atexit.register(directory.cleanup)
    return open_store(f"sqlite:///{directory.name}/store.db")


@contextmanager
def emptied() -> Iterator[Store]:
    """Yield the store with nothing in it."""
    store = kept()
    with store.database.writing() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(delete(table))
    try:
        yield store
    finally:
        store.close()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(nights, st.integers(0, 3), st.sampled_from([3, 14, 40]))
def test_over_random_weeks_the_same_is_raised_and_the_same_stays_open(weeks, per_week, valid_days):
    reference, night = Reference(per_week, valid_days), FIRST
    team = rule(per_week=per_week, valid_days=valid_days, thresholds={OUTCOME: THRESHOLD})
    with emptied() as store:
        for days, everybody, acts in weeks:
            night += timedelta(days=days)
            persons = {name: one for name, one in everybody.items() if one is not None}
            assert raise_in(store, night, persons, team) == reference.night(night, persons)
            for person, what in acts:
                do(store, reference, night, person, what, persons)
            waits = {(one.person_id, one.kind, one.night) for one in store.open_alerts(["c"], night)}
            expected = {(one.person, one.kind, one.night) for one in reference.alerts
                        if reference.is_open(one, night) and one.person in persons}  # fmt: skip
            assert waits == expected
        in_a_week = [
            sum(0 <= (one.night - other.night).days < 7 for other in reference.raised) for one in reference.raised
        ]
        n_flags = sum(one.is_flag for one in reference.raised)
        assert max(in_a_week, default=0) <= per_week + n_flags
