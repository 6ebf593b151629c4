"""Nights of few persons for a team that is alerted, in a store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from serving.store.alert_rules import TeamRule
from serving.store.nights import OutcomeScore, ScoredPerson
from tests.lib.stores import OUTCOME, scored, write


def rule(**changes: Any) -> TeamRule:
    """A team of company c that acts from a risk of 0.2 on, for five persons a week."""
    fields = {"name": "north", "companies": frozenset({"c"}), "thresholds": {OUTCOME: 0.2}, "per_week": 5}
    return TeamRule(**fields | changes)


def at_risk(person_id: str, number: float | None, benefit: float | None = None, **changes: Any) -> ScoredPerson:
    """A person with a number, of which so much can be worked with; the interval ends 0.05 above it."""
    high = None if number is None else number + 0.05
    outcome = OutcomeScore(OUTCOME, "event", number, number, high, None, benefit)
    return scored(person_id, number, outcomes=(outcome,), **changes)


def raised(store: Any, night: date, *persons: ScoredPerson, team: TeamRule | None = None) -> list[tuple[str, str]]:
    """Write a night, raise its alerts, and return whom and how: person and kind of what is raised in it."""
    before = {row["alert_id"] for row in store.alerts(night)}
    write(store, *persons, night=night)
    store.raise_alerts(night, [team or rule()])
    new = [row for row in store.alerts(night) if row["alert_id"] not in before]
    return sorted((row["person_id"], row["kind"]) for row in new)


def told(store: Any, about: str = OUTCOME) -> Mapping[str, Any]:
    """What the team was told of its newest night."""
    (found,) = [vars(one) for one in store.team_nights() if one.about == about]
    return found
