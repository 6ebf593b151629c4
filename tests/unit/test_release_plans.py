"""How the database finds rows while a month is written: nothing may go through all rows of a level for each company."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from tests.lib.stores import consents, opened, scored, write

COUNTED = consents() + consents(purpose="aggregate_reporting")
ASKED_PER_PLACE = ("release_members", "release_cohorts")


@pytest.fixture
def plans(tmp_path):
    """The plans of all questions about releases that two months ask of a store with two companies."""
    with opened(f"sqlite:///{tmp_path}/store/store.db") as store:
        asked = {}

        @event.listens_for(store.database.engine, "before_cursor_execute")
        def note(connection, cursor, statement, parameters, context, many):
            if statement.startswith(("SELECT", "DELETE")) and not many:
                asked[statement] = parameters

        persons = [scored(f"p{n}", 0.5, consents=COUNTED, companies=(f"c{n % 2}",)) for n in range(24)]
        for night in ("2026-03-01", "2026-04-01"):
            write(store, *persons, night=date.fromisoformat(night))
        with store.database.engine.connect() as connection:
            driver = connection.connection.dbapi_connection
            return {
                statement: [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                for statement, parameters in asked.items()
            }


def test_rows_are_found_by_person_or_place(plans):
    steps = [
        step
        for found in plans.values()
        for step in found
        if any(f" {table} " in f"{step} " for table in ASKED_PER_PLACE)
    ]
    assert len(steps) > 5
    by_level_alone = [step for step in steps if step.endswith("(level=?)")]
    assert not by_level_alone
