"""Alerts to teams, what each team was told by night, and the messages that are to be sent."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Date, Double, ForeignKey, Integer, String, Text, UniqueConstraint

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _alerts()
    _alert_nights()
    _deliveries()


def _alerts() -> None:
    op.create_table(
        "alerts",
        Column("alert_id", String(32), primary_key=True),
        Column("score_id", String(32), ForeignKey("scores.score_id", ondelete="CASCADE"), nullable=False),
        Column("run_id", String(32), nullable=False),
        Column("person_id", String(64), nullable=False),
        Column("team", String(64), nullable=False),
        Column("about", String(64), nullable=False),
        Column("kind", String(16), nullable=False),
        Column("flags_digest", String(64)),
        Column("night", Date, nullable=False),
        Column("raised_at", String(32), nullable=False),
        Column("valid_until", Date, nullable=False),
        Column("acknowledged_at", String(32)),
        Column("acknowledged_by", Text),
        Column("ended_on", Date),
        Column("ended_why", String(16)),
        UniqueConstraint("run_id", "team", "person_id", "about", name="alerts_once_per_run"),
    )
    op.create_index("alerts_by_person", "alerts", ["person_id"])
    op.create_index("alerts_by_team", "alerts", ["team", "night"])
    op.create_index("alerts_by_score", "alerts", ["score_id"])


def _alert_nights() -> None:
    op.create_table(
        "alert_nights",
        Column("team", String(64), primary_key=True),
        Column("night", Date, primary_key=True),
        Column("about", String(64), primary_key=True),
        Column("companies", Text, nullable=False),
        Column("threshold", Double),
        Column("per_week", Integer, nullable=False),
        Column("n_raised", Integer, nullable=False),
        Column("n_more", Integer, nullable=False),
        Column("n_left_out", Integer, nullable=False),
        Column("why_not", String(16)),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        Column("message_id", String(64), primary_key=True),
        Column("alert_id", String(32), ForeignKey("alerts.alert_id", ondelete="CASCADE"), nullable=False),
        Column("team", String(64), nullable=False),
        Column("created_at", String(32), nullable=False),
        Column("next_attempt_at", String(32), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("last_result", String(32)),
        Column("delivered_at", String(32)),
        Column("gave_up_at", String(32)),
    )
    op.create_index("deliveries_by_alert", "deliveries", ["alert_id"])
    op.create_index("deliveries_due", "deliveries", ["next_attempt_at"])
