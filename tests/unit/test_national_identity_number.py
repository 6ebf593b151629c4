"""The detector knows every kind of Norwegian identity number, and leaves pseudonyms, dates and codes alone."""

from __future__ import annotations

import random

import pytest

from data_contracts.national_identity_number import (
    MASK,
    contains,
    is_national_identity_number,
    mask,
    was_national_identity_number,
)

FIRST, SECOND = (3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def number(first_nine: str, remainder: int = 0) -> str:
    """Complete nine digits by control digits computed by hand's rule: the remainder is what the first sum leaves."""
    first = (remainder - sum(w * int(d) for w, d in zip(FIRST, first_nine, strict=True))) % 11
    ten = first_nine + str(first)
    second = -sum(w * int(d) for w, d in zip(SECOND, ten, strict=True)) % 11
    if first == 10 or second == 10:
        raise ValueError(first_nine)
    return ten + str(second)


KINDS = {
    "born 1 January 1990": "010190339",
    "born on a leap day": "290296339",
    "D-number": "410190339",
    "synthetic, month + 80": "018190339",
    "synthetic, month + 65": "016690339",
    "synthetic, month + 40": "014190339",
    "synthetic D-number": "418190339",
}


def complete(first_nine: str, remainder: int = 0) -> str:
    """The first number with this birth date whose control digits are digits."""
    for serial in range(int(first_nine[6:]), 1000):
        try:
            return number(f"{first_nine[:6]}{serial:03}", remainder)
        except ValueError:
            continue
    raise AssertionError


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("remainder", [0, 1, 2, 3])
def test_every_kind_is_found_also_those_of_2032(kind, remainder):
    assert is_national_identity_number(complete(KINDS[kind], remainder))


@pytest.mark.parametrize("remainder", [4, 5, 6, 7, 8, 9, 10])
def test_a_first_control_sum_beyond_three_is_no_number(remainder):
    assert not is_national_identity_number(complete(KINDS["born 1 January 1990"], remainder))


def test_a_wrong_second_control_digit_is_no_number():
    right = complete(KINDS["born 1 January 1990"])
    assert not any(is_national_identity_number(right[:10] + str(d)) for d in range(10) if str(d) != right[10])


NO_DATES = ["320190339", "310490339", "300290339", "290295339", "001090339", "011390339", "720190339", "010090339"]


@pytest.mark.parametrize("day_that_is_not", NO_DATES)
def test_a_birth_date_that_does_not_exist_is_no_number(day_that_is_not):
    assert not is_national_identity_number(complete(day_that_is_not))


FOUND = complete(KINDS["born 1 January 1990"])


@pytest.mark.parametrize("text", [
    FOUND, f"p{FOUND}", f"person-{FOUND}", f"{FOUND}@firm.no", f"fnr: {FOUND}.", f"{FOUND[:6]} {FOUND[6:]}",
    f"{FOUND[:6]}-{FOUND[6:]}", f"123456-{FOUND}", "".join(chr(ord("٠") + int(digit)) for digit in FOUND),
])  # fmt: skip
def test_it_is_found_wherever_it_stands(text):
    assert contains(text)
    assert FOUND not in mask(text)
    assert MASK in mask(text)


@pytest.mark.parametrize("text", [
    "", "p1", "2026-03-01T12:00:00", f"1{FOUND}", f"{FOUND}1", "12345678901", "NPU27300",
    f"9f3{FOUND}ab77c0d1e2f3a4b5", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
])  # fmt: skip
def test_what_only_resembles_one_is_left_alone(text):
    assert not contains(text)
    assert mask(text) is text


def test_a_number_that_lost_its_leading_zero_on_the_way_is_known():
    assert all(map(was_national_identity_number, (FOUND, FOUND.lstrip("0"), f"{FOUND.lstrip('0')}.0")))
    assert not any(map(was_national_identity_number, ("1", "1234567890", "12.5", "", f"{FOUND}0")))


def test_only_the_number_is_masked():
    assert mask(f"call {FOUND} or {FOUND}, not 12345678901") == f"call {MASK} or {MASK}, not 12345678901"


def test_chance_hits_among_random_digits_are_as_rare_as_stated():
    digits = random.Random(1)
    hits = sum(is_national_identity_number(f"{digits.randrange(10**11):011}") for _ in range(20_000))
    assert 0.005 < hits / 20_000 < 0.015
