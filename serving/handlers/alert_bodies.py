"""What is answered about alerts."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from serving.responses import Answer
from serving.store.alert_rules import AlertKind, WhyNot


class AlertShown(Answer):
    """One alert that waits for somebody; ``outcome`` is null where it is about a safety flag."""

    alert_id: str
    person_id: str
    team: str
    kind: AlertKind
    outcome: str | None
    night: date
    valid_until: date


class TeamAbout(Answer):
    """What a team's newest night said of one outcome, or of safety flags (``outcome`` null), in numbers."""

    team: str
    night: date
    outcome: str | None
    threshold: float | None
    per_week: int
    raised: int = Field(ge=0)
    more_above: int = Field(
        ge=0, description="At the threshold or above, beside those with an alert; nobody is queued."
    )
    left_out: int = Field(ge=0, description="New or rising, but there was no place for them within these seven days.")
    why_not: WhyNot | None = Field(
        description="Why there are no alerts of this outcome: no_model, none was scored; no_evaluation, none is sealed with "
        "the model; no_net_benefit, it is not shown to help at the team's threshold."
    )


class AlertsResponse(Answer):
    """Alerts about persons of the caller's companies, safety flags first, and the numbers of the teams that she speaks for."""

    alerts: tuple[AlertShown, ...]
    not_shown: int = Field(
        ge=0, description="Further alerts that wait, of older risks: 200 are told, and every safety flag."
    )
    teams: tuple[TeamAbout, ...] = Field(description="Only teams all of whose companies are the caller's.")


class Acknowledged(Answer):
    """An alert that somebody has seen; saying so again changes nothing."""

    alert_id: str
    acknowledged_at: datetime
