"""Rows and names in lots: what one statement, or one process, is given at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

AT_ONCE = 500
"""Rows or names in a statement: more gain nothing, and databases limit how many a statement may name."""


def batched(items: Iterable[Item], n: int = AT_ONCE) -> Iterator[list[Item]]:
    """Yield the items in lists of ``n``, the last one shorter."""
    source = iter(items)
    return iter(lambda: list(islice(source, n)), [])
