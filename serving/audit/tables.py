"""The table of events, readable by people, and the triggers that let it only grow."""

from __future__ import annotations

import sqlalchemy as sa

from serving.audit.event import COLUMNS

_LIST_OR_NULL = ("person_id",)

EVENTS = sa.Table(
    "audit_event",
    sa.MetaData(),
    sa.Column("n", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    *(sa.Column(name, sa.Text, nullable=name in _LIST_OR_NULL) for name in COLUMNS),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("link", sa.Text, nullable=False),
)
sa.Index("audit_event_person", EVENTS.c.person_id, EVENTS.c.n, sqlite_where=EVENTS.c.person_id.is_not(None),
         postgresql_where=EVENTS.c.person_id.is_not(None))  # fmt: skip

_REFUSED = "the audit log only grows"
# INSERT OR REPLACE deletes without asking the trigger of DELETE, so an old number is refused too.
_SQLITE = (
    f"CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    f"CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    "CREATE TRIGGER audit_event_in_order BEFORE INSERT ON audit_event "
    "WHEN NEW.n <> (SELECT coalesce(max(n), 0) FROM audit_event) + 1 "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
)
FUNCTION = "audit_event_refuse"
"""Of PostgreSQL: what its trigger calls."""
_POSTGRESQL = (
    f"CREATE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$",
    "CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()",
)
_LOCK = 0x62722D6175646974
"""Number of PostgreSQL's advisory lock (the letters br-audit): whoever holds it may append."""
TAKE_LOCK = f"SELECT pg_advisory_xact_lock({_LOCK})"


def create(connection: sa.Connection) -> None:
    """Make the table with its triggers if it is not there; the caller holds the lock and commits."""
    if sa.inspect(connection).has_table(EVENTS.name):
        return
    EVENTS.metadata.create_all(connection)
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)
