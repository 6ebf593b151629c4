"""The record behind each score of the newest night, what can be worked with, which answers are flagged, next steps."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double, ForeignKey, LargeBinary, String

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the columns; nights of before have none of it, and decisions of before no next step."""
    op.create_table(
        "records",
        Column("person_id", String(64), primary_key=True),
        Column("run_id", String(32), ForeignKey("nights.run_id"), nullable=False),
        Column("record", LargeBinary, nullable=False),
    )
    op.add_column("scores", Column("flags_digest", String(64)))
    op.add_column("outcome_scores", Column("benefit", Double))
    op.add_column("outcome_scores", Column("domain", String(64)))
    op.add_column("decisions", Column("next_step", String(32), nullable=False, server_default="none"))
    op.create_index("decisions_by_caller", "decisions", ["caller"])
