"""Stores for tests, in SQLite and in a real PostgreSQL, and the few persons that they hold."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, text

from data_contracts.consent import SOURCES
from serving.store import Store, open_store
from serving.store.nights import Digest, Night, OutcomeScore, ScoredPerson
from serving.store.records import packed_record
from serving.store.tables import METADATA
from tests.lib.postgresql import postgresql_url
from tests.lib.records import person

KINDS = ("sqlite", "postgresql")
NIGHT = date(2026, 3, 1)
OUTCOME = "long_sick_leave"
MODELS = {OUTCOME: {"directory": "1-abcdef012345", "version": "1", "artifact_sha256": "ab" * 32}}

_NUMBERS = itertools.count()


@contextmanager
def server(kind: str) -> Iterator[str | None]:
    """Yield the URL of a running server, None where none is needed."""
    if kind == "sqlite":
        yield None
        return
    with postgresql_url() as url:
        yield url


def fresh_url(server_url: str | None, directory: Path) -> str:
    """The URL of an empty store."""
    number = next(_NUMBERS)
    if server_url is None:
        return f"sqlite:///{directory}/store-{number}/store.db"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE store_{number}"))
    engine.dispose()
    return engine.url.set(database=f"store_{number}").render_as_string(hide_password=False)


@contextmanager
def opened(url: str, **options: Any) -> Iterator[Store]:
    """Yield an open store and close it afterwards."""
    store = open_store(url, **options)
    try:
        yield store
    finally:
        store.close()


def consents(*sources: str, purpose: str = "risk_scoring", withdrawn: str | None = None) -> tuple[Any, ...]:
    """Consents given long ago, to all sources if none is named."""
    return tuple((source, purpose, "2020-01-01", withdrawn) for source in sources or SOURCES)


def scored(person_id: str = "p", number: float | None = 0.2, **changes: Any) -> ScoredPerson:
    """A person with one number, at company c, who consents to scoring."""
    answer = json.dumps({"index_date": NIGHT.isoformat(), "safety_flags": [], "outcomes": {OUTCOME: {"risk": number}}})
    band = None if number is None else "above" if number >= 0.3 else "around"
    outcomes = (OutcomeScore(OUTCOME, "event", number, number and number / 2, number and 2 * number, band),)
    fields = {"answer": answer.encode(), "is_flagged": False, "outcomes": outcomes, "companies": ("c",),
              "consents": consents(), "measures": (), "record": packed_record({"person": person(person_id)})}  # fmt: skip
    return ScoredPerson(person_id=person_id, **fields | changes)


def write(store: Store, *persons: ScoredPerson, night: date = NIGHT, data_version: str = "d" * 64) -> Night:
    """Write a night of some persons."""
    digest = Digest()
    for one in persons:
        digest.add(one.person_id, one.answer)
    last, _ = store.withdrawals()
    about = Night(night, night, data_version, MODELS, digest.hexdigest(), len(persons), 0, last)
    store.write_night(about, persons, ("long_sick_leave_mental",))
    return about


def rows(store: Store) -> dict[str, list[Any]]:
    """Every row of every table."""
    with store.database.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table)).all()), key=repr)
            for table in METADATA.sorted_tables
        }
