"""Releases also tell of workplace factors: what is counted is a measure, and every month that was computed keeps its cohort."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import Boolean, Column, Integer, RowMapping, String, text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Outcomes become measures; the one cohort that was kept is that of the newest month, which tells what it told."""
    op.execute("ALTER TABLE releases RENAME COLUMN outcome TO measure")
    cohorts, members = (
        _rows("release_cohorts", "n_persons, n_above AS n_beyond"),
        _rows("release_members", "person_id, is_above AS is_beyond"),
    )
    op.drop_index("release_members_by_person", "release_members")
    for table in ("release_cohorts", "release_members"):
        op.drop_table(table)
    counts = Column("n_persons", Integer, nullable=False), Column("n_beyond", Integer, nullable=False)
    person = Column("person_id", String(64), primary_key=True), Column("is_beyond", Boolean, nullable=False)
    op.bulk_insert(op.create_table("release_cohorts", *_key(), *counts), cohorts)
    op.bulk_insert(op.create_table("release_members", *_key(), *person), members)
    op.create_index("release_members_by_person", "release_members", ["person_id"])


def _rows(table: str, columns: str) -> list[dict[str, Any]]:
    newest = "SELECT company_id, measure, MAX(month) AS month FROM releases GROUP BY company_id, measure"
    query = f"""SELECT {table}.company_id, newest.measure, newest.month, {columns} FROM {table}
                JOIN ({newest}) newest ON newest.company_id = {table}.company_id AND newest.measure = {table}.outcome"""
    return [_typed(row) for row in op.get_bind().execute(text(query)).mappings()]


def _typed(row: RowMapping) -> dict[str, Any]:
    """SQLite has no truth values, and gives numbers."""
    return {name: bool(cell) if name == "is_beyond" else cell for name, cell in row.items()}


def _key() -> tuple[Column[str], ...]:
    return tuple(
        Column(name, String(size), primary_key=True)
        for name, size in (("company_id", 64), ("measure", 64), ("month", 7))
    )
