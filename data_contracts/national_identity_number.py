"""Finds Norwegian national identity numbers in text, so that they can be kept out of every table, message and log.

An eleven-digit number DDMMYYIIIKK counts when its date exists and both control digits fit. Found are

* fødselsnumre, and D-numbers (day + 40);
* H-numbers of the health service (month + 40), and FH-numbers, which have no date: nine digits from 800000000 on and
  the same control digits (standard HIS 1001:2010);
* NPID, the numbers that NAV gives (month + 20);
* synthetic numbers (month + 80 in Tenor, + 65 and + 40 at NAV, + 60 for NPID), because a test file in production is a
  mistake too.

Fødselsnumre and D-numbers assigned from 2032 on may leave a remainder of 0, 1, 2 or 3 in the first control sum
(Skatteetaten, "Nytt fødselsnummer fra 2032"); the second stays as it is. That rule also ends the one by which the three
digits behind the date name the century, so no number can be ruled out by its century, nor a 29 February by its year.

The price is chance hits: of random strings of eleven digits 1.5 % look like an identity number (strictly by the rules
before 2032 it would be 0.5 %), of ten digits, which may have lost a leading zero, 1.9 %. Bank account numbers, which have
the same second control digit, are hit eleven times as often. Refusing one is the lesser harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

MASK = "[national identity number]"

# "No digit before" is asked after the first digit: a pattern that begins with a digit is searched for twice as fast.
# People group the digits as DDMMYY IIIKK, DD.MM.YY-IIIKK or DDMMYY III KK. Between the date and the rest up to three signs
# of any kind may stand, also such as nobody sees (U+200B, U+00AD).
_GAP = r"[\s./_\u2010-\u2015-]?"
_CANDIDATE = re.compile(rf"\d(?<!\d\d)\d{_GAP}\d\d{_GAP}\d\d[\W_]{{0,3}}\d{{3}}{_GAP}\d\d(?!\d)")
# Hashes, UUIDs with a version (RFC 9562) and keyed pseudonyms (data_contracts/pseudonyms.py), each as a whole word: eleven
# digits in a row inside one are chance, while a name before the digits ("personnummer...") makes no digest.
_DIGEST = re.compile(
    r"(?<![^\W_])(?:"
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
    r"|[a-z][a-z0-9]{0,7}-[a-z2-7]{26}"
    r"|[0-9a-fA-F]{32,128}"
    r")(?![^\W_])"
)
_LONGEST_DIGEST = 128
_DIGITS = re.compile(r"\d+")
# What people write between digits that belong together, if they write anything.
_BETWEEN = re.compile(r"[\W_]{0,3}(?:(?:f|fødsels|person)?(?:nr|nummer)[\W_]{0,3})?", re.IGNORECASE)
_FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
_SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_MONTHS_ADDED = (0, 20, 40, 60, 65, 80)
_LOWEST_FIRST_OF_FH = 8
_SHORTEST = 10


def is_national_identity_number(text: str) -> bool:
    """True if exactly these eleven digits are, or look in every respect like, a national identity number."""
    if len(text) != 11 or not text.isdecimal():
        return False
    digits = [int(digit) for digit in text]
    first = sum(weight * digit for weight, digit in zip(_FIRST_WEIGHTS, digits[:10], strict=True)) % 11
    second = sum(weight * digit for weight, digit in zip(_SECOND_WEIGHTS, digits, strict=True)) % 11
    if second != 0:
        return False
    if digits[0] >= _LOWEST_FIRST_OF_FH:
        return first == 0
    return first <= 3 and _is_birth_date(int(text[:2]), int(text[2:4]), int(text[4:6]))


def was_national_identity_number(text: str) -> bool:
    """True if the text is one that was read as a number on its way: a leading zero lost, or ``.0`` gained."""
    if len(text) < _SHORTEST:
        return False
    digits = text.removesuffix(".0")
    return len(digits) in (10, 11) and is_national_identity_number(digits.zfill(11))


def contains(text: str) -> bool:
    """True if an identity number stands anywhere in the text, also in groups or behind a prefix, or was the text once."""
    return len(text) >= _SHORTEST and (mask(text) is not text or was_national_identity_number(text))


def contains_spread(text: str) -> bool:
    """True if digits that stand apart, alone or in whatever groups, make an identity number together.

    For text that people write. It is too eager for tables, where unrelated numbers stand side by side.
    """
    groups = list(_DIGITS.finditer(text))
    return any(is_national_identity_number(digits) for first in range(len(groups)) for digits in _joined(groups, first))


def _joined(groups: list[re.Match[str]], first: int) -> Iterator[str]:
    """Yield the digits of one group, of that and the next, and so on, as far as they belong together."""
    digits, end = "", groups[first].start()
    for group in groups[first:]:
        if len(digits) >= 11 or not _BETWEEN.fullmatch(group.string, end, group.start()):
            return
        digits, end = digits + group.group(), group.end()
        yield digits


def mask(text: str) -> str:
    """Return the text with every national identity number replaced; the very same object if there is none."""
    if len(text) < _SHORTEST or not _CANDIDATE.search(text):
        return text
    masked = _CANDIDATE.sub(_mask_one, text)
    return text if masked == text else masked


def _mask_one(match: re.Match[str]) -> str:
    found = match.group()
    digits = found if len(found) == 11 else "".join(filter(str.isdecimal, found))
    return MASK if is_national_identity_number(digits) and not _is_inside_digest(match) else found


def _is_inside_digest(match: re.Match[str]) -> bool:
    # No further than a digest is long, or the time would grow with the square of the text.
    first, last = max(0, match.start() - _LONGEST_DIGEST), match.end() + _LONGEST_DIGEST
    around = _DIGEST.finditer(match.string, first, last)
    return any(word.start() <= match.start() and match.end() <= word.end() for word in around)


def _is_birth_date(day: int, month: int, year: int) -> bool:
    day = day - 40 if day > 40 else day
    return any(_exists(day, month - shift, year) for shift in _MONTHS_ADDED)


def _exists(day: int, month: int, year: int) -> bool:
    try:
        # The century is not in these digits; 2000 + year has a 29 February whenever 1900 + year has one.
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True
