"""Releases tell of distributions, of units and of industries: cohorts keep a category and a part of each person."""

from __future__ import annotations

import json
from typing import Any

from alembic import op
from sqlalchemy import Column, Integer, String, text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEYOND, NOT_DIVIDED = 2, -1
"""Of two sides that were told until now: the last of three categories, and the two others together."""


def upgrade() -> None:
    """What was told of two sides stays told of two; nothing was told of units or industries."""
    releases = [_release(row) for row in _rows("releases")]
    cohorts = [cell for row in _rows("release_cohorts") for cell in _cells(row)]
    members = [_member(row) for row in _rows("release_members")]
    op.drop_index("release_members_by_person", "release_members")
    for table in ("releases", "release_cohorts", "release_members"):
        op.drop_table(table)
    told = Column("persons", String(16)), Column("shares", String(32)), Column("why_not", String(32))
    key = _key("level", "place", "part", "month", "measure")
    op.bulk_insert(op.create_table("releases", *key, *told), releases)
    cell = Column("category", Integer, primary_key=True, autoincrement=False)
    key, n = _key("level", "place", "measure", "month", "part"), Column("n_persons", Integer, nullable=False)
    op.bulk_insert(op.create_table("release_cohorts", *key, cell, n), cohorts)
    of_person = Column("part", String(64), nullable=False), Column("category", Integer, nullable=False)
    key = _key("level", "place", "measure", "month", "person_id")
    op.bulk_insert(op.create_table("release_members", *key, *of_person), members)
    op.create_index("release_members_by_person", "release_members", ["person_id"])
    op.create_table("company_industries", *_key("company_id", "month"), Column("section", String(1), nullable=False))
    op.create_index("consents_of_purpose", "consents", ["purpose", "person_id", "given_on", "withdrawn_on", "source"])


_SIZES = {"level": 8, "month": 7}


def _key(*names: str) -> tuple[Column[str], ...]:
    return tuple(Column(name, String(_SIZES.get(name, 64)), primary_key=True) for name in names)


def _rows(table: str) -> list[dict[str, Any]]:
    found = [dict(row) for row in op.get_bind().execute(text(f"SELECT * FROM {table}")).mappings()]
    return [{"level": "company", "place": row.pop("company_id"), "part": ""} | row for row in found]


def _release(row: dict[str, Any]) -> dict[str, Any]:
    share = row.pop("share_percent")
    return row | {"shares": None if share is None else json.dumps([100 - share, share])}


def _cells(row: dict[str, Any]) -> list[dict[str, Any]]:
    n, beyond = row.pop("n_persons"), row.pop("n_beyond")
    sides = ((NOT_DIVIDED, n - beyond), (BEYOND, beyond))
    return [row | {"category": category, "n_persons": count} for category, count in sides if count]


def _member(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"category": BEYOND if row.pop("is_beyond") else NOT_DIVIDED}
