"""Finds Norwegian national identity numbers in text, so that they can be kept out of every table, message and log.

An eleven-digit number DDMMYYIIIKK counts when its date exists and both control digits fit. Also found: D-numbers (day +
40) and synthetic numbers (month + 80, + 65 or + 40). Numbers assigned from 2032 on may leave a remainder of 0 to 3 in
the first control sum; accepting that raises chance hits among random eleven-digit strings from 0.25 % to 1 %, which is
the lesser harm.
"""

from __future__ import annotations

import re
from datetime import date

MASK = "[national identity number]"

# "No digit before" is asked after the first digit: a pattern that begins with a digit is searched for twice as fast.
_CANDIDATE = re.compile(r"\d(?<!\d\d)\d{5}[ .-]?\d{5}(?!\d)")
_FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
_SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_SYNTHETIC_MONTHS = (0, 40, 65, 80)
_SHORTEST = 11
_LONGEST_PREFIXED = 19


def is_national_identity_number(text: str) -> bool:
    """True if exactly these eleven digits are, or look in every respect like, a national identity number."""
    if len(text) != 11 or not text.isdecimal():
        return False
    digits = [int(digit) for digit in text]
    first = sum(weight * digit for weight, digit in zip(_FIRST_WEIGHTS, digits[:10], strict=True)) % 11
    second = sum(weight * digit for weight, digit in zip(_SECOND_WEIGHTS, digits, strict=True)) % 11
    return first <= 3 and second == 0 and _is_birth_date(int(text[:2]), int(text[2:4]), int(text[4:6]))


def was_national_identity_number(text: str) -> bool:
    """True if the text is one that was read as a number on its way: a leading zero lost, or ``.0`` gained."""
    if len(text) < 10:
        return False
    digits = text.removesuffix(".0")
    return len(digits) in (10, 11) and is_national_identity_number(digits.zfill(11))


def contains(text: str) -> bool:
    """True if a national identity number stands anywhere in the text, also as 6 + 5 digits or behind a prefix."""
    return len(text) >= _SHORTEST and mask(text) is not text


def mask(text: str) -> str:
    """Return the text with every national identity number replaced; the very same object if there is none."""
    if len(text) < _SHORTEST or not _CANDIDATE.search(text):
        return text
    masked = _CANDIDATE.sub(_mask_one, text)
    return text if masked == text else masked


def _mask_one(match: re.Match[str]) -> str:
    found = match.group()
    digits = found if len(found) == 11 else found[:6] + found[7:]
    return MASK if is_national_identity_number(digits) and not _is_inside_digest(match) else found


def _is_inside_digest(match: re.Match[str]) -> bool:
    # Keyed pseudonyms and hashes are long hexadecimal words; eleven digits in a row inside one are chance.
    before = re.search(r"[0-9A-Za-z]*$", match.string[: match.start()])
    after = re.match(r"[0-9A-Za-z]*", match.string[match.end() :])
    neighbours = sum(len(side.group()) for side in (before, after) if side)
    return len(match.group()) + neighbours > _LONGEST_PREFIXED


def _is_birth_date(day: int, month: int, year: int) -> bool:
    day = day - 40 if day > 40 else day
    return any(_exists(day, month - shift, year) for shift in _SYNTHETIC_MONTHS)


def _exists(day: int, month: int, year: int) -> bool:
    try:
        # The century is not in these digits; 2000 + year has a 29 February whenever 1900 + year has one.
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True
