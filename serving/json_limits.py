"""Reads JSON from strangers: bounded before, while and after it is parsed, and never with two meanings.

What parsers leave open: 1 MiB with 80 000 names holds the interpreter while it is read; ``1e400`` becomes infinity in
pydantic's parser though it was told to take none, and 4 000 digits become an integer
that no float holds; of two members of one name every parser keeps the last, so that a record with two ``lab_results``
would lose the first in silence, while whoever looked at it on the way may have seen the other. orjson refuses numbers that
are no finite doubles, lone surrogates and broken UTF-8; the rest is done here, mostly in passes that run in C.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from data_contracts.errors import BalanceRiskError

MOST_DEPTH = 32
"""A FHIR bundle of nested questionnaire answers comes to some 20 levels, a record to 4."""
MOST_VALUES = 100_000
"""For each MiB begun. A usual record of 20 kB has 1 000; one of 1 MiB, all laboratory results, has 77 000."""
LONGEST_TEXT = 32_768
"""A FHIR narrative takes some kilobytes, everything in a record far less."""

_MIB = 2**20
_TOO_FAR_IN = b"\n" + b"  " * (MOST_DEPTH + 1)
_ESCAPED_COLON = re.compile(rb"(?<!\\)(?:\\\\)*\\u003[aA]")


class JsonRefused(BalanceRiskError):
    """The text is not JSON, or more or deeper than anybody needs; the message quotes nothing of it."""


def _too_deep() -> JsonRefused:
    return JsonRefused(f"The body is nested more than {MOST_DEPTH} levels deep.")


def read_json(body: bytes) -> Any:
    """Return the document of a body, whose length was limited while it came.

    Raises
    ------
    JsonRefused
        If it is not JSON (RFC 8259); has two members of one name in an object (RFC 7493); more than ``MOST_VALUES`` values
        for each MiB begun; a value inside more than ``MOST_DEPTH`` others; or a text or name longer than ``LONGEST_TEXT``.
    """
    _check_number_of_values(body)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # From None: the error carries the whole text.
        raise JsonRefused(f"{_sentence(error.msg)}, at character {error.pos + 1}.") from None
    # Written again with one line for each value, the document shows its depth and what it has lost.
    written = _written(document)
    _check_depth(written)
    _check_names(body, written)
    _check_texts(document, body)
    return document


def _check_number_of_values(body: bytes) -> None:
    # Before parsing, which is what costs. Each value but the first follows a comma or an opening bracket and has one byte
    # itself; commas inside texts count too, for which the limit leaves room.
    most = MOST_VALUES * max(1, -(-len(body) // _MIB))
    if len(body) > 2 * most and body.count(b",") + body.count(b"{") + body.count(b"[") > most:
        raise JsonRefused(f"The body has more than {MOST_VALUES} values for each MiB.")


def _written(document: Any) -> bytes:
    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2)
    except orjson.JSONEncodeError:  # its own limit, of some 250 levels: what the parser made has no other fault
        raise _too_deep() from None


def _check_depth(written: bytes) -> None:
    # A line break inside a text is written as an escape, so this one and its indentation are of the nesting.
    if _TOO_FAR_IN in written:
        raise _too_deep()


def _check_names(body: bytes, written: bytes) -> None:
    # A member has one colon, and texts may have more. A member that a later one of the same name has replaced took its
    # colons with it, so they are missing here. No colon is written as an escape, though one may have come as one.
    escaped = len(_ESCAPED_COLON.findall(body)) if b"\\u003" in body else 0
    if body.count(b":") + escaped != written.count(b":"):
        raise JsonRefused("An object in the body has two members of the same name.")


def _check_texts(document: Any, body: bytes) -> None:
    if len(body) <= LONGEST_TEXT:
        return
    left = [document]
    while left:
        value = left.pop()
        if type(value) is dict:
            left += value.keys()
            left += value.values()
        elif type(value) is list:
            left += value
        elif type(value) is str and len(value) > LONGEST_TEXT:
            raise JsonRefused(f"A text in the body is longer than {LONGEST_TEXT} characters.")


def _sentence(message: str) -> str:
    reason = message.split(": line ")[0]
    return reason[:1].upper() + reason[1:]
