"""Any part of a report as tables: rows of numbers with their intervals, whatever their depth, and the notes between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.model_card.numbers import cell, is_interval, words

MOST_ROWS = 40
"""A longer table is cut; all of it is in the report of the evaluation."""


FIRST = (
    "",
    "model",
    "name",
    "label_en",
    "attribute",
    "group",
    "source",
    "feature",
    "number",
    "day",
    "share",
    "contacts_a_week",
    "threshold",
)
"""Columns that say what a row is about come first; files keep keys in the order of the alphabet."""

OTHER_LANGUAGE = "label_nb"
"""Left out: the card's tables are in English, and the same label stands beside it."""


@dataclass(frozen=True)
class Table:
    """A caption, the names of the columns, and rows of as many texts."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rest: int = 0

    @classmethod
    def of(cls, caption: str, rows: Sequence[Mapping[str, Any]]) -> Table:
        """Make a table of rows that may lack some columns; a column with nothing in it is left out."""
        there = dict.fromkeys(name for row in rows for name, one in row.items() if one != "" and name != OTHER_LANGUAGE)
        names = tuple(dict.fromkeys((*(name for name in FIRST if name in there), *there)))
        shown = tuple(tuple(cell(name, row.get(name)) for name in names) for row in rows[:MOST_ROWS])
        return cls(caption, tuple(words(name) for name in names), shown, max(0, len(rows) - MOST_ROWS))


def tables_of(value: Any, caption: str = "") -> list[Table]:
    """Return a part of a report as tables.

    Parameters
    ----------
    value : JSON value
        Rows (a list of objects), named rows (an object of objects), or single numbers (an object of values); nested to any
        depth.
    caption : str
        Printed above; the names on the way to a nested part are added.
    """
    if isinstance(value, Mapping):
        return _of_object(value, caption)
    if _are_rows(value):
        flat = [{name: one for name, one in row.items() if is_leaf(one)} for row in value]
        nested = [table for row in value for table in _nested(row, _under(caption, _name_of(row)))]
        return [Table.of(caption, flat), *nested]
    if isinstance(value, list) and value:
        return [Table.of(caption, [{"": one} for one in value if is_leaf(one)])]
    return []


def _of_object(value: Mapping[str, Any], caption: str) -> list[Table]:
    if value and all(_is_row(one) for one in value.values()):
        rows = sorted(value.items(), key=lambda entry: int(entry[0])) if _are_days(value) else value.items()
        return [Table.of(caption, [{"": words(name), **one} for name, one in rows])]
    single = [{"": words(name), "value": one} for name, one in value.items() if is_leaf(one)]
    found = [Table.of(caption, _suppressed(single))] if single else []
    return found + _nested(value, caption)


def _are_days(value: Mapping[str, Any]) -> bool:
    return all(name.isdecimal() for name in value)


def _suppressed(single: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The column is called value: a count among single numbers is told by the name of its row.

    Nothing but whole numbers is a tally, whatever its rows are called: reasons with how many were left out for each.
    """
    is_tally = all(type(row["value"]) is int for row in single)
    return [
        {"": row[""], "value": cell("rows" if is_tally else row[""].replace(" ", "_"), row["value"])} for row in single
    ]


def _nested(value: Mapping[str, Any], caption: str) -> list[Table]:
    deeper = {name: one for name, one in value.items() if not is_leaf(one)}
    return [table for name, one in deeper.items() for table in tables_of(one, _under(caption, words(name)))]


def is_leaf(value: Any) -> bool:
    """Tell whether a value is printed in one cell."""
    if isinstance(value, Mapping):
        return is_interval(value) and not isinstance(value["value"], list)
    return not isinstance(value, list)


def _is_row(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and not is_interval(value)
        and bool(value)
        and all(is_leaf(one) for one in value.values())
    )


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _name_of(row: Mapping[str, Any]) -> str:
    return str(row.get("label_en", row.get("name", "")))


def _under(caption: str, name: str) -> str:
    return f"{caption}: {name}" if caption and name else caption or name
