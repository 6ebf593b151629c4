"""Who is in the store, and what was written in free text: for whoever must find persons again whom only a hash names."""

from __future__ import annotations

from sqlalchemy import select

from serving.store.connection import Database
from serving.store.erasure import FREE_TEXT
from serving.store.tables import PERSONAL


def names_and_texts(store: Database) -> tuple[list[str], list[str]]:
    """Return every person of whom a row is kept, and every free text."""
    with store.reading() as connection:
        persons = {
            name for table in PERSONAL for name in connection.execute(select(table.c.person_id).distinct()).scalars()
        }
        texts = [text for table in FREE_TEXT for text in connection.execute(select(table.c.reason)).scalars()]
    return sorted(persons), texts
