"""Takes a person out of the store, also out of the bytes of its file: ``python -m serving.store.erasure``.

Standard input has one JSON document: ``{"store": URL, "names": [...], "in_texts": [...], "only_count": false}``; standard
output gets the number of rows that went (or are there) by table. ``in_texts`` are the names that can also be told in a free
text from a word or a number. What was published of a company stays as it is: it tells of ten persons or more and of nobody,
and its cohort keeps the number of its persons, and of those beyond the limit, so that comparing a later month tells nothing
about who is gone. Who reads the store itself and knows that one person alone has gone from a cohort can still tell from those
numbers on which side she was; nothing there says who she was.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, delete, func, select

from data_contracts.errors import BalanceRiskError
from serving.store.connection import Database, StoreUnavailable, database, translated
from serving.store.schema import migrate
from serving.store.tables import CARE_RELATIONS, DECISIONS, METADATA, OUTCOME_SCORES, PERSONAL, SCORES

FREE_TEXT = (DECISIONS, CARE_RELATIONS)
"""Somebody may have written the name of one person into the reason of a decision about another."""

GONE = "[erased]"
_AT_ONCE = 200


def held(store: Database, names: Sequence[str]) -> dict[str, int]:
    """Return how many rows of a person there are, by table."""
    with store.reading() as connection:
        return {table.name: count for table in PERSONAL if (count := _count(connection, table, names))}


def erase(store: Database, names: Sequence[str], in_texts: Sequence[str]) -> dict[str, int]:
    """Delete every row of a person; return how many went, by table.

    Raises
    ------
    StoreUnavailable
        Also where the file could not be rewritten because somebody reads it, or tables because the account does not own them:
        the rows are gone, their bytes may not be.
    """
    gone: dict[str, int] = {}
    with store.writing() as connection:
        for start in range(0, len(names), _AT_ONCE):
            _erase(connection, names[start : start + _AT_ONCE], gone)
        _mask(connection, in_texts, gone)
    _rewrite(store)
    left = held(store, names)
    if left:
        raise StoreUnavailable(f"The store still holds rows of the person in {', '.join(left)}. Run this again.")
    return gone


def _erase(connection: Connection, names: Sequence[str], gone: dict[str, int]) -> None:
    scores = select(SCORES.c.score_id).where(SCORES.c.person_id.in_(names))
    _add(gone, DECISIONS.name, connection.execute(delete(DECISIONS).where(DECISIONS.c.score_id.in_(scores))).rowcount)
    outcomes = delete(OUTCOME_SCORES).where(OUTCOME_SCORES.c.score_id.in_(scores))
    _add(gone, OUTCOME_SCORES.name, connection.execute(outcomes).rowcount)
    for table in PERSONAL:
        _add(gone, table.name, connection.execute(delete(table).where(table.c.person_id.in_(names))).rowcount)


def _mask(connection: Connection, names: Sequence[str], gone: dict[str, int]) -> None:
    """Replace names in free texts, in capitals or not: here, as databases differ in what they take for the same text."""
    if not names:
        return
    any_name = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))), re.IGNORECASE)
    for table in FREE_TEXT:
        (key,) = table.primary_key
        texts = connection.execute(select(key, table.c.reason)).all()
        masked = [(number, any_name.sub(GONE, reason)) for number, reason in texts if any_name.search(reason)]
        for number, reason in masked:
            connection.execute(table.update().where(key == number).values(reason=reason))
        _add(gone, f"{table.name}.reason", len(masked))


def _add(gone: dict[str, int], name: str, count: int) -> None:
    if count:
        gone[name] = gone.get(name, 0) + count


def _count(connection: Connection, table: Any, names: Sequence[str]) -> int:
    query = select(func.count()).select_from(table).where(table.c.person_id.in_(names))
    return int(connection.execute(query).scalar() or 0)


def _rewrite(store: Database) -> None:
    """Write tables anew, so that no page keeps what was deleted, and empty the log beside the file."""
    with translated(), closing(store.engine.raw_connection()) as connection:
        if store.is_sqlite:
            _rewrite_file(connection)
            return
        connection.driver_connection.autocommit = True  # type: ignore[union-attr]  # psycopg's own; it is open
        kept = [table.name for table in METADATA.sorted_tables if not _rewrite_table(connection.cursor(), table.name)]
    if kept:
        raise StoreUnavailable(
            f"The rows are gone, their bytes are not: this account does not own {', '.join(kept)}, so PostgreSQL does not "
            "write them anew. Run this again as their owner."
        )


def _rewrite_table(cursor: Any, name: str) -> bool:
    """Return whether the table stands in another file now; of who may not rewrite it the server only takes note."""
    asked = ("SELECT pg_relation_filenode(%s::regclass)", (f'"{name}"',))
    before = cursor.execute(*asked).fetchone()
    cursor.execute(f'VACUUM FULL "{name}"')
    return bool(cursor.execute(*asked).fetchone() != before)


def _rewrite_file(connection: Any) -> None:
    for command in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"):
        connection.cursor().execute(command).fetchall()
    busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreUnavailable("The store is being read, so its log could not be emptied. Run this again.")


def main() -> int:
    """Read what is asked from standard input and do it."""
    asked = json.load(sys.stdin)
    try:
        store = database(asked["store"], patient=True)
        migrate(store)
        names = asked["names"]
        json.dump(held(store, names) if asked["only_count"] else erase(store, names, asked["in_texts"]), sys.stdout)
    except BalanceRiskError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except Exception as error:  # its own text may quote rows
        sys.stderr.write(f"Unexpected {type(error).__name__}.\n")
        return 70
    return 0


if __name__ == "__main__":
    sys.exit(main())
