"""The detector knows every kind of Norwegian identity number, and leaves pseudonyms, dates and codes alone."""

from __future__ import annotations

import random
import time

import pytest

from data_contracts.national_identity_number import (
    MASK,
    contains,
    contains_spread,
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


# Years 40 to 53 with serials 500 to 899 were never given to anybody: all numbers here are invented.
KINDS = {
    "born 1 January 1945": "010145500",
    "born on a leap day": "290248500",
    "D-number": "410145500",
    "H-number": "014145500",
    "H-number with the day of a D-number": "414145500",
    "NPID of NAV": "012145500",
    "synthetic, Tenor": "018145500",
    "synthetic, NAV": "016645500",
    "synthetic NPID": "016145500",
    "synthetic D-number": "418145500",
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
    assert not is_national_identity_number(complete(KINDS["born 1 January 1945"], remainder))


def test_a_wrong_second_control_digit_is_no_number():
    right = complete(KINDS["born 1 January 1945"])
    assert not any(is_national_identity_number(right[:10] + str(d)) for d in range(10) if str(d) != right[10])


NO_DATES = [
    "320145500", "310445500", "300245500", "290245500", "001045500", "011345500", "720145500", "010045500", "013345500",
    "019345500", "010045500", "400145500",
]  # fmt: skip


@pytest.mark.parametrize("day_that_is_not", NO_DATES)
def test_a_birth_date_that_does_not_exist_is_no_number(day_that_is_not):
    assert not is_national_identity_number(complete(day_that_is_not))


def test_the_rule_of_2032_ends_the_one_about_centuries():
    # Serial 500 to 899 of 1940 to 1953 names no century today; from 2032 on it may be given to anybody.
    assert is_national_identity_number(number("010145512", 2))
    # And 29 February 00: 1900 had none, 2000 had.
    assert is_national_identity_number(complete("290200500"))


@pytest.mark.parametrize("published", ["02013299997", "30108299939", "10915596784", "50846202355"])
def test_invented_numbers_that_nav_tests_its_own_validator_with(published):
    """navikt/fnrvalidator, tests/fnr.spec.ts: born in 2032, by the rule of 2032, and two with synthetic months."""
    assert is_national_identity_number(published)


@pytest.mark.parametrize("published", ["02013299987", "02013299996"])
def test_and_those_that_it_refuses(published):
    assert not is_national_identity_number(published)


FH = number("812345670")


def test_fh_numbers_have_no_date_and_the_strict_control_digits():
    assert is_national_identity_number(FH)
    assert is_national_identity_number(number("999999980"))
    assert contains(f"pasient {FH[:6]} {FH[6:]}")
    assert not is_national_identity_number(number("812345670", 1))


FOUND = complete(KINDS["born 1 January 1945"])
ALSO_BASE32 = "27654522257"  # a synthetic NPID of digits that base32 has too


@pytest.mark.parametrize("text", [
    FOUND, f"p{FOUND}", f"person-{FOUND}", f"{FOUND}@firm.no", f"fnr: {FOUND}.", f"{FOUND[:6]} {FOUND[6:]}",
    f"{FOUND[:6]}-{FOUND[6:]}", f"{FOUND[:6]}\u2013{FOUND[6:]}", f"{FOUND[:6]}\u00a0{FOUND[6:]}",
    f"{FOUND[:2]}.{FOUND[2:4]}.{FOUND[4:6]} {FOUND[6:]}", f"{FOUND[:6]} {FOUND[6:9]} {FOUND[9:]}",
    f"123456-{FOUND}", f"personnummer{FOUND}", f"fodselsnummer{FOUND}", f"fødselsnummeret{FOUND}takk",
    f"{'f' * 200}{FOUND}", f"{'deadbeef' * 3}-{FOUND}", f"00000000-0000-0000-8000-{FOUND}f",
    f"9f3a{FOUND}ab77c0d1e2f3a4",
    *(f"{FOUND[:6]}{gap}{FOUND[6:]}" for gap in (":", " - ", "  ", ",", "'", "\u200b", "\u00ad", "\u00a0\u00a0", " : ")),
    "".join(chr(ord("٠") + int(digit)) for digit in FOUND),
])  # fmt: skip
def test_it_is_found_wherever_it_stands(text):
    assert contains(text)
    assert FOUND not in mask(text)
    assert MASK in mask(text)


@pytest.mark.parametrize("text", [
    "", "p1", "2026-03-01T12:00:00", "2026-03-01 12:00:00.123456", "01.03.2026 12:00", "+47 22 33 44 55",
    f"1{FOUND}", f"{FOUND}1", "12345678901", "NPU27300",
    f"9f3a{FOUND}ab77c0d1e2f3a4b5c", f"sha256:{'0a' * 20}{FOUND}b{'c' * 12}.json",
    f"p1-k7q{ALSO_BASE32}abcdefghijkl", f"urn:uuid:0190a1b2-c3d4-7e5f-8a9b-{FOUND}f", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
])  # fmt: skip
def test_what_only_resembles_one_is_left_alone(text):
    assert not contains(text)
    assert mask(text) is text


def test_a_number_that_lost_its_leading_zero_on_the_way_is_known():
    lost = (FOUND, FOUND.lstrip("0"), f"{FOUND.lstrip('0')}.0")
    assert all(map(was_national_identity_number, lost))
    assert all(map(contains, lost)), "a spreadsheet does this to a column of identifiers"
    assert not any(map(was_national_identity_number, ("1", "1234567890", "12.5", "", f"{FOUND}0")))


@pytest.mark.parametrize("text", [
    "2026-03-01 12:00:00,12345", "2026-03-01 - 2026-04-15", "kl. 12:30:45 12345", "12:30:45, 12345", "1.3.2026: 12345",
])  # fmt: skip
def test_signs_between_the_groups_make_no_number_of_a_date_with_a_time(text):
    assert not contains(text)


def test_time_grows_with_the_text_and_not_with_its_square():
    """One POST could hold a processor for seconds: 20 000 letters before a number, or 4 000 numbers in one cell."""
    for text in ("a" * 200_000 + FOUND, f"{FOUND} " * 4000, f"{FOUND}a" * 4000, "0a" * 100_000 + f"g{FOUND}"):
        started = time.process_time()
        assert FOUND not in mask(text)
        assert time.process_time() - started < 1


def test_only_the_number_is_masked():
    assert mask(f"call {FOUND} or {FOUND}, not 12345678901") == f"call {MASK} or {MASK}, not 12345678901"


@pytest.mark.parametrize(("n_digits", "stated"), [(11, 0.015), (10, 0.019)])
def test_chance_hits_among_random_digits_are_as_rare_as_stated(n_digits, stated):
    digits = random.Random(1)
    hits = sum(contains(f"{digits.randrange(10**n_digits):0{n_digits}}") for _ in range(40_000))
    assert hits / 40_000 == pytest.approx(stated, abs=0.002)


@pytest.mark.parametrize("pattern", [
    "{} {} {} {} {} {} {} {} {} {} {}", "{}-{}-{}-{}-{}-{}-{}-{}-{}-{}-{}", "{}{} {}{} {}{} {}{} {}{} {}",
    "{}{}{}{}{}{} nr {}{}{}{}{}", "{}{}{}{}{}{} nr. {}{}{}{}{}", "{}{}{}{}{}{}, fnr: {}{}{}{}{}",
    "{}{}{}{}{}{}\nPersonnummer {}{}{}{}{}", "{}{}{}{}{}{}nr{}{}{}{}{}", "{}\ufe0f{}\ufe0f{}{}{}{} {}{}{}{}{}",
    "ring 22 og si {}{} {}{}{}{} {} {} {} {} {} i dag",
])  # fmt: skip
def test_digits_that_stand_apart_are_found_in_what_people_write(pattern):
    found = pattern.format(*complete(KINDS["born 1 January 1945"]))
    assert contains_spread(found)
    wrong = found[::-1].replace(found[::-1].strip(" idag")[0], "7" if found.strip(" idag")[-1] != "7" else "8", 1)[::-1]
    assert not contains_spread(wrong), "the last digit is another"


@pytest.mark.parametrize("text", [
    "", "Sov 7 timer, 5 netter av 7.", "Samtale 01.02.2024 kl. 12:30, ny om 14 dager.", "Blodtrykk 120/80, puls 62.",
    "010145 ble nevnt, og så, mye senere, 50000", "12345678901",
])  # fmt: skip
def test_what_people_write_of_numbers_is_left_alone(text):
    assert not contains_spread(text)


def test_many_numbers_cost_no_more_time_than_there_are():
    begun = time.perf_counter()
    contains_spread("1 " * 10_000 + "2" * 10_000)
    assert time.perf_counter() - begun < 5
