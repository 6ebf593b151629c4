"""The first tables."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the store."""
    _scores()
    _persons()
    _clinicians()
    _employers()


def _scores() -> None:
    op.create_table(
        "nights",
        Column("run_id", String(32), primary_key=True),
        Column("night", Date, nullable=False),
        Column("is_current", Boolean, nullable=False),
        Column("received_on", Date, nullable=False),
        Column("data_version", String(64), nullable=False),
        Column("models", Text, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("n_persons", Integer, nullable=False),
        Column("n_refused", Integer, nullable=False),
        Column("last_withdrawal", Integer, nullable=False),
        Column("written_at", String(32), nullable=False),
    )
    op.create_index("nights_by_night", "nights", ["night", "is_current"])
    op.create_table(
        "scores",
        Column("score_id", String(32), primary_key=True),
        Column("run_id", String(32), ForeignKey("nights.run_id"), nullable=False),
        Column("person_id", String(64), nullable=False),
        Column("is_flagged", Boolean, nullable=False),
        Column("answer", LargeBinary, nullable=False),
        UniqueConstraint("run_id", "person_id", name="scores_once_per_run"),
    )
    op.create_index("scores_by_person", "scores", ["person_id"])
    op.create_table(
        "outcome_scores",
        Column("score_id", String(32), ForeignKey("scores.score_id", ondelete="CASCADE"), primary_key=True),
        Column("outcome", String(64), primary_key=True),
        Column("run_id", String(32), nullable=False),
        Column("target", String(8), nullable=False),
        Column("number", Double),
        Column("low", Double),
        Column("high", Double),
        Column("band", String(64)),
    )
    op.create_index("outcome_scores_ranked", "outcome_scores", ["run_id", "outcome", "number"])


def _persons() -> None:
    op.create_table(
        "memberships",
        Column("person_id", String(64), primary_key=True),
        Column("company_id", String(64), primary_key=True),
    )
    op.create_index("memberships_by_company", "memberships", ["company_id"])
    op.create_table(
        "consents",
        Column("person_id", String(64), primary_key=True),
        Column("source", String(16), primary_key=True),
        Column("purpose", String(32), primary_key=True),
        Column("given_on", Date, primary_key=True),
        Column("withdrawn_on", Date),
    )
    op.create_table(
        "withdrawals",
        Column("withdrawal_id", Integer, primary_key=True),
        Column("person_id", String(64), nullable=False),
        Column("source", String(16), nullable=False),
        Column("withdrawn_on", Date, nullable=False),
        UniqueConstraint("person_id", "source", "withdrawn_on", name="withdrawals_once_a_day"),
        sqlite_autoincrement=True,
    )


def _clinicians() -> None:
    op.create_table(
        "care_relations",
        Column("relation_id", Integer, primary_key=True),
        Column("caller", Text, nullable=False),
        Column("person_id", String(64), nullable=False),
        Column("reason", Text, nullable=False),
        Column("begun_on", Date, nullable=False),
        Column("until", Date, nullable=False),
    )
    op.create_index("care_relations_by_person", "care_relations", ["person_id", "caller"])
    op.create_table(
        "decisions",
        Column("decision_id", Integer, primary_key=True),
        Column("score_id", String(32), ForeignKey("scores.score_id"), nullable=False),
        Column("person_id", String(64), nullable=False),
        Column("outcome", String(64), nullable=False),
        Column("verdict", String(16), nullable=False),
        Column("reason", Text, nullable=False),
        Column("caller", Text, nullable=False),
        Column("decided_at", String(32), nullable=False),
    )
    op.create_index("decisions_by_person", "decisions", ["person_id"])
    op.create_index("decisions_by_score", "decisions", ["score_id"])


def _employers() -> None:
    op.create_table(
        "releases",
        Column("company_id", String(64), primary_key=True),
        Column("month", String(7), primary_key=True),
        Column("outcome", String(64), primary_key=True),
        Column("persons", String(16)),
        Column("share_percent", Integer),
        Column("why_not", String(32)),
    )
    op.create_table(
        "release_cohorts",
        Column("company_id", String(64), primary_key=True),
        Column("outcome", String(64), primary_key=True),
        Column("n_persons", Integer, nullable=False),
        Column("n_above", Integer, nullable=False),
    )
    op.create_table(
        "release_members",
        Column("company_id", String(64), primary_key=True),
        Column("outcome", String(64), primary_key=True),
        Column("person_id", String(64), primary_key=True),
        Column("is_above", Boolean, nullable=False),
    )
    op.create_index("release_members_by_person", "release_members", ["person_id"])
