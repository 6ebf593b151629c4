"""Alerts to a team: which ones wait, and that somebody has seen one."""

from __future__ import annotations

from collections.abc import Sequence

from serving.access.caller import ANY
from serving.access.policy import Subject
from serving.call import Call
from serving.handlers.alert_bodies import Acknowledged, AlertShown, AlertsResponse, TeamAbout
from serving.handlers.stored import identifier
from serving.problems import NO_ALERT, Refused
from serving.store.alert_rules import FLAG
from serving.store.alerts import MOST_SHOWN, OpenAlert, TeamNight


def alerts_subjects(call: Call) -> Sequence[Subject]:
    """Return everybody who is named, each an event in the audit log."""
    return list({one.person_id: Subject(one.person_id, one.companies) for one in waiting(call)}.values())


def alert_subjects(call: Call) -> Sequence[Subject]:
    """Return whom the alert of the address is about; raises Refused where there is no such alert, or it has ended."""
    found = call.parts.store.open_alert(_alert_id(call), call.today)
    if found is None:
        raise Refused(NO_ALERT)
    return (Subject(found.person_id, found.companies),)


def alerts(call: Call) -> AlertsResponse:
    """What waits for somebody."""
    return AlertsResponse(
        alerts=tuple(map(_shown, waiting(call))),
        not_shown=_not_shown(call),
        teams=tuple(map(_team, call.parts.store.team_nights(_companies(call)))),
    )


def acknowledge(call: Call) -> Acknowledged:
    """Note that the caller has seen the alert."""
    alert_id = _alert_id(call)
    at = call.parts.store.acknowledge_alert(alert_id, call.caller.subject, call.today)
    if at is None:
        raise Refused(NO_ALERT)
    return Acknowledged(alert_id=alert_id, acknowledged_at=at)


def waiting(call: Call) -> tuple[OpenAlert, ...]:
    """Return the alerts, read once a request: whom the answer names is whom the audit log names."""
    if "alerts" not in call.kept:
        call.kept["alerts"] = call.parts.store.open_alerts(_companies(call), call.today)
    kept: tuple[OpenAlert, ...] = call.kept["alerts"]
    return kept


def _not_shown(call: Call) -> int:
    n_shown = len(waiting(call))
    if n_shown < MOST_SHOWN:
        return 0
    return max(0, call.parts.store.count_open_alerts(_companies(call), call.today) - n_shown)


def _companies(call: Call) -> frozenset[str]:
    return call.caller.organisations - {ANY}


def _alert_id(call: Call) -> str:
    return identifier("/alert_id", call.path["alert_id"])


def _shown(one: OpenAlert) -> AlertShown:
    return AlertShown(
        alert_id=one.alert_id,
        person_id=one.person_id,
        team=one.team,
        kind=one.kind,
        outcome=_outcome(one.about),
        night=one.night,
        valid_until=one.valid_until,
    )


def _team(one: TeamNight) -> TeamAbout:
    return TeamAbout(
        team=one.team,
        night=one.night,
        outcome=_outcome(one.about),
        threshold=one.threshold,
        per_week=one.per_week,
        raised=one.n_raised,
        more_above=one.n_more,
        left_out=one.n_left_out,
        why_not=one.why_not,
    )


def _outcome(about: str) -> str | None:
    return None if about == FLAG else about
