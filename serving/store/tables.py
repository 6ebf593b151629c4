"""The tables of the store. A change here needs a migration in ``migrations/versions`` and a new :data:`HEAD`.

A night that is computed anew with other models or other data is a new run; the run before stays, because decisions name
its scores. Who is in which company, and who consents to what, is kept as the newest night saw it and in no other version.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0005"
"""The newest migration; known here so that a store in order is opened without loading Alembic."""

METADATA = MetaData()

NIGHTS = Table(
    "nights",
    METADATA,
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
Index("nights_by_night", NIGHTS.c.night, NIGHTS.c.is_current)

SCORES = Table(
    "scores",
    METADATA,
    Column("score_id", String(32), primary_key=True),
    Column("run_id", String(32), ForeignKey("nights.run_id"), nullable=False),
    Column("person_id", String(64), nullable=False),
    Column("is_flagged", Boolean, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("flags_digest", String(64)),
    UniqueConstraint("run_id", "person_id", name="scores_once_per_run"),
)
Index("scores_by_person", SCORES.c.person_id)

OUTCOME_SCORES = Table(
    "outcome_scores",
    METADATA,
    Column("score_id", String(32), ForeignKey("scores.score_id", ondelete="CASCADE"), primary_key=True),
    Column("outcome", String(64), primary_key=True),
    Column("run_id", String(32), nullable=False),
    Column("target", String(8), nullable=False),
    Column("number", Double),
    Column("low", Double),
    Column("high", Double),
    Column("band", String(64)),
    Column("benefit", Double),
    Column("domain", String(64)),
)
Index("outcome_scores_ranked", OUTCOME_SCORES.c.run_id, OUTCOME_SCORES.c.outcome, OUTCOME_SCORES.c.number)

RECORDS = Table(
    "records",
    METADATA,
    # Only of the newest night, which replaces all of them: who is gone from the tables is gone from here.
    Column("person_id", String(64), primary_key=True),
    Column("run_id", String(32), ForeignKey("nights.run_id"), nullable=False),
    Column("record", LargeBinary, nullable=False),
)

MEMBERSHIPS = Table(
    "memberships",
    METADATA,
    Column("person_id", String(64), primary_key=True),
    Column("company_id", String(64), primary_key=True),
)
Index("memberships_by_company", MEMBERSHIPS.c.company_id)

CONSENTS = Table(
    "consents",
    METADATA,
    Column("person_id", String(64), primary_key=True),
    Column("source", String(16), primary_key=True),
    Column("purpose", String(32), primary_key=True),
    Column("given_on", Date, primary_key=True),
    Column("withdrawn_on", Date),
)
# All that the worklist asks of a consent, so that it reads no row: who may be shown is asked of everybody at each page.
Index("consents_of_purpose", CONSENTS.c.purpose, CONSENTS.c.person_id, CONSENTS.c.given_on, CONSENTS.c.withdrawn_on,
      CONSENTS.c.source)  # fmt: skip

WITHDRAWALS = Table(
    "withdrawals",
    METADATA,
    # Not "max + 1" but a number that never comes back, also when an erasure has taken the last row away.
    Column("withdrawal_id", Integer, primary_key=True),
    Column("person_id", String(64), nullable=False),
    Column("source", String(16), nullable=False),
    Column("withdrawn_on", Date, nullable=False),
    UniqueConstraint("person_id", "source", "withdrawn_on", name="withdrawals_once_a_day"),
    sqlite_autoincrement=True,
)

CARE_RELATIONS = Table(
    "care_relations",
    METADATA,
    Column("relation_id", Integer, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("person_id", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("begun_on", Date, nullable=False),
    Column("until", Date, nullable=False),
)
Index("care_relations_by_person", CARE_RELATIONS.c.person_id, CARE_RELATIONS.c.caller)

DECISIONS = Table(
    "decisions",
    METADATA,
    Column("decision_id", Integer, primary_key=True),
    Column("score_id", String(32), ForeignKey("scores.score_id"), nullable=False),
    Column("person_id", String(64), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("decided_at", String(32), nullable=False),
    Column("next_step", String(32), nullable=False, server_default="none"),
)
Index("decisions_by_person", DECISIONS.c.person_id)
Index("decisions_by_score", DECISIONS.c.score_id)
Index("decisions_by_caller", DECISIONS.c.caller)

RELEASES = Table(
    "releases",
    METADATA,
    # Of a company, or of an industry; the part is a unit of a company, empty for all of it.
    Column("level", String(8), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("part", String(64), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("measure", String(64), primary_key=True),
    Column("persons", String(16)),
    Column("shares", String(32)),
    Column("why_not", String(32)),
)

RELEASE_COHORTS = Table(
    "release_cohorts",
    METADATA,
    Column("level", String(8), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("measure", String(64), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("part", String(64), primary_key=True),
    Column("category", Integer, primary_key=True, autoincrement=False),
    Column("n_persons", Integer, nullable=False),
)

RELEASE_MEMBERS = Table(
    "release_members",
    METADATA,
    Column("level", String(8), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("measure", String(64), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("person_id", String(64), primary_key=True),
    Column("part", String(64), nullable=False),
    Column("category", Integer, nullable=False),
)
Index("release_members_by_person", RELEASE_MEMBERS.c.person_id)

COMPANY_INDUSTRIES = Table(
    "company_industries",
    METADATA,
    Column("company_id", String(64), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("section", String(1), nullable=False),
)

ALERTS = Table(
    "alerts",
    METADATA,
    Column("alert_id", String(32), primary_key=True),
    Column("score_id", String(32), ForeignKey("scores.score_id", ondelete="CASCADE"), nullable=False),
    Column("run_id", String(32), nullable=False),
    Column("person_id", String(64), nullable=False),
    Column("team", String(64), nullable=False),
    # An outcome, or that there is a safety flag.
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
Index("alerts_by_person", ALERTS.c.person_id)
Index("alerts_by_team", ALERTS.c.team, ALERTS.c.night)
Index("alerts_by_score", ALERTS.c.score_id)

ALERT_NIGHTS = Table(
    "alert_nights",
    METADATA,
    # What a team was told by night, as counts: a capacity that is spent stays spent when a person is erased.
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

DELIVERIES = Table(
    "deliveries",
    METADATA,
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
Index("deliveries_by_alert", DELIVERIES.c.alert_id)
Index("deliveries_due", DELIVERIES.c.next_attempt_at)

PERSONAL = (CONSENTS, WITHDRAWALS, MEMBERSHIPS, CARE_RELATIONS, ALERTS, DECISIONS, RELEASE_MEMBERS, RECORDS, SCORES)
"""The tables with a ``person_id``, in an order in which a person's rows can go; those of scores take their outcomes along."""
