"""Who is looked for: every name of one person, and when a text counts as naming her.

A name counts when it stands by itself: ``p-1`` is not found in ``p-12``. Where whole cells are names, in columns of
persons and in references, it must be apart from every letter that a name may have. A name that may as well be a number of
something else (``4711``) is looked for only there: such a search cannot prove much, and the certificate says so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

PERSON_COLUMNS = frozenset({"person_id", "person", "person_ids", "identifier.value"})
"""Columns, and keys of JSON, that hold persons."""

_WORD = re.compile(rb"[A-Za-z0-9_]")
_IDENTIFIER = re.compile(rb"[A-Za-z0-9_.:-]")
_VERSION = re.compile(r"/_history/[^/]*$")


@dataclass(frozen=True)
class Wanted:
    """The names of one person.

    Parameters
    ----------
    names : tuple of str
        The name that was given, its pseudonyms under every key, and what the customer calls the person.
    person_columns : frozenset of str
        The columns that hold persons, ours and those of the customer's mapping.
    references : frozenset of str
        By what FHIR resources refer to the person, such as ``Patient/1`` or the full URL of an entry.
    tables : frozenset of str
        Lower-case names of files that the mapping reads as tables, whatever their suffix.
    """

    names: tuple[str, ...]
    person_columns: frozenset[str] = PERSON_COLUMNS
    references: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()

    @cached_property
    def strong(self) -> tuple[str, ...]:
        """The names that are met by chance hardly ever, and so may be looked for anywhere."""
        return tuple(name for name in self.names if not _is_weak(name))

    @property
    def has_weak(self) -> bool:
        """True if a name could only be looked for in columns of persons."""
        return len(self.strong) < len(self.names)

    def is_person(self, cell: object) -> bool:
        """True if a cell names the person and nothing else."""
        return as_text(cell).strip() in self.names

    def is_in(self, data: bytes, *, in_cells: bool = False) -> bool:
        """True if a strong name stands by itself in the bytes; ``in_cells``: apart from other identifiers."""
        beside = _IDENTIFIER if in_cells else _WORD
        return any(_stands_in(data, needle, beside) for needle in self._needles)

    def is_in_text(self, text: str, *, in_cells: bool = False) -> bool:
        """True if a strong name stands by itself in a text."""
        return self.is_in(text.encode("utf-8", "replace"), in_cells=in_cells)

    def is_in_cell(self, column: str, cell: object) -> bool:
        """True if a cell of a column holds the person."""
        if column in self.person_columns:
            return self.is_person(cell) or self.is_in_text(as_text(cell), in_cells=True)
        return self.is_in_text(as_text(cell))

    def is_anywhere_in(self, data: bytes) -> bool:
        """True if a strong name is in the bytes, whatever stands beside it, as in a pickle."""
        return any(needle in data for needle in self._needles) or self.is_in_wide_text(data)

    def is_in_wide_text(self, data: bytes) -> bool:
        """True if a name is in the bytes as UTF-16 or UTF-32, as NumPy and some editors write."""
        return any(data.find(name.encode(code)) >= 0 for name in self.strong
                   for code in ("utf-16-le", "utf-16-be", "utf-32-le"))  # fmt: skip

    def is_reference(self, text: str) -> bool:
        """True if an identifier or a URL is the person's, not one that only begins or ends alike."""
        bare = _VERSION.sub("", text.strip())
        is_known = bare in self.names or bare in self.references
        if is_known or re.split("[/:]", bare)[-1] in self.strong:
            return True
        return any(bare.endswith("/" + reference) for reference in self.references)

    def may_be_in(self, text: str) -> bool:
        """False only if no name, strong or weak, and no reference can be anywhere in a text."""
        return any(word in text for word in self._words)

    @cached_property
    def _words(self) -> frozenset[str]:
        # A quotation mark within a cell or a JSON text is written twice, or behind a backslash.
        written = {
            *self.names,
            *(json.dumps(name)[1:-1] for name in self.names),
            *(name.replace('"', '""') for name in self.names),
        }
        return frozenset(written | self.references)

    @cached_property
    def _needles(self) -> set[bytes]:
        texts = {*self.strong, *(json.dumps(name)[1:-1] for name in self.strong)}
        return {text.encode(code, "ignore") for text in texts for code in ("utf-8", "latin-1")} - {b""}


def as_text(value: object) -> str:
    """Return a value as a person would be written; 4711.0 is 4711."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def names_person(value: Any, wanted: Wanted, key: str = "") -> bool:
    """True if a JSON value names the person, also as a reference such as ``Patient/p-1``, or by a key."""
    if isinstance(value, dict):
        inside = f"{key}." if key == "identifier" else ""
        return any(wanted.is_in_text(name) or names_person(inner, wanted, inside + name)
                   for name, inner in value.items())  # fmt: skip
    if isinstance(value, list):
        return any(names_person(inner, wanted, key) for inner in value)
    if key in wanted.person_columns or key in ("id", "reference", "fullUrl"):
        is_exact = key in wanted.person_columns and wanted.is_person(value)
        return is_exact or (isinstance(value, str) and _refers(key, value, wanted))
    return isinstance(value, str) and (wanted.is_in_text(value) or value in wanted.references)


def _refers(key: str, text: str, wanted: Wanted) -> bool:
    # A short number as the id of some resource says nothing: only a patient's own references do.
    return text in wanted.strong if key == "id" else wanted.is_reference(text)


def _is_weak(name: str) -> bool:
    return len(name) < 4 or (name.isdecimal() and len(name) < 9)


def _stands_in(data: bytes, needle: bytes, beside: re.Pattern[bytes]) -> bool:
    at = data.find(needle)
    while at >= 0:
        end = at + len(needle)
        if not beside.match(data[max(at - 1, 0) : at]) and not beside.match(data[end : end + 1]):
            return True
        at = data.find(needle, at + 1)
    return False
