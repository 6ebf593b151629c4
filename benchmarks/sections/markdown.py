"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], n_words: int = 1) -> Iterator[str]:
    """Yield a table and an empty line; the first columns are words, the others numbers."""
    yield _line(head)
    yield _line(["---" if place < n_words else "---:" for place in range(len(head))], "|")
    for row in rows:
        yield _line(row)
    yield ""


def _line(cells: Sequence[str], edge: str = " | ") -> str:
    return f"{edge.lstrip()}{edge.join(cells)}{edge.rstrip()}"
