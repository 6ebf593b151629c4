"""Numbers and dates are rewritten only where they can be read in one way; nothing is guessed from a single cell."""

from __future__ import annotations

import pytest

from data_contracts.parsing import cell_fault
from data_contracts.readers.conventions import rewrite
from data_contracts.records import AbsenceSpell, LabResult, columns

VALUE = next(column for column in columns(LabResult) if column.name == "value")
FIRST_DAY = next(column for column in columns(AbsenceSpell) if column.name == "first_day")
MIXED = "mixed number conventions"


def rules(column, words, decimal=None, date_format=None):
    """What becomes of each word: its rewritten text, or the rule that refuses it here or in the checks behind."""
    found = rewrite(column, words, decimal, date_format)
    faults = {place: cell_fault(column, word) for place, word in enumerate(found.words)} | found.faults
    return [faults[place].rule if faults.get(place) else word for place, word in enumerate(found.words)]


NUMBERS = {
    "a comma column": (["5,4", "12", "-0,5", "+3,0"], ["5.4", "12", "-0.5", "+3.0"]),
    "a point column": (["5.4", "12", ".5", "1e3"], ["5.4", "12", ".5", "1e3"]),
    "both: nobody knows what the points are": (["5,4", "1.234"], ["5.4", MIXED]),
    "norwegian thousands": (["1.234,5", "7,5"], ["thousands separator", "7.5"]),
    "norwegian thousands make a lone point suspect": (["1.234,5", "1.234", "12"], ["thousands separator", MIXED, "12"]),
    "english thousands make a lone comma suspect": (["1,234.5", "1,234", "12"], ["thousands separator", MIXED, "12"]),
    "groups alone": (["1.234.567", "1 234", "1'234"], ["thousands separator"] * 3),
    "no numbers": (["x", "5,4,3", "NaN"], ["type", "type", "type"]),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_whose_decimal_sign_is_to_be_found_out(case):
    words, expected = NUMBERS[case]
    assert rules(VALUE, words) == expected


def test_a_stated_decimal_sign_is_kept_to():
    assert rules(VALUE, ["5.4", "12"], decimal=",") == [MIXED, "12"]
    assert rules(VALUE, ["5,4", "5.4"], decimal=".") == ["decimal comma", "5.4"]
    assert rules(VALUE, ["1,234", "1,234.5"], decimal=".") == ["decimal comma", "thousands separator"]


def test_a_bound_of_a_laboratory_keeps_its_comparator():
    assert rewrite(VALUE, ["<1,5", ">= 90,0", "<5"], None, None).words == ["<1.5", ">= 90.0", "<5"]


DATES = {
    "01.03.2026": "2026-03-01",
    "1.3.2026": "2026-03-01",
    "01.03.2026 23:59": "2026-03-01",
    "2026-03-01": "2026-03-01",
    "31.02.2026": "type",
    "03.13.2026": "type",
    "01.03.26": "type",
    "1/3/2026": "ambiguous date",
    "13/03/2026": "ambiguous date",
}


def test_dates_with_dots_are_read_and_dates_with_slashes_are_not():
    assert rules(FIRST_DAY, list(DATES)) == list(DATES.values())


def test_dates_with_slashes_are_read_when_the_mapping_says_which_number_is_the_day():
    assert rules(FIRST_DAY, ["01/03/2026", "13/03/2026"], date_format="dd/mm/yyyy") == ["2026-03-01", "2026-03-13"]
    assert rules(FIRST_DAY, ["01/03/2026", "13/03/2026"], date_format="mm/dd/yyyy") == ["2026-01-03", "ambiguous date"]


def test_what_was_detected_is_said_also_when_a_column_mixes_ways():
    assert rewrite(FIRST_DAY, ["01.03.2026"], None, None).note == "first_day: dates are written dd.mm.yyyy"
    assert "both in one column" in (rewrite(FIRST_DAY, ["01.03.2026", "2026-03-01"], None, None).note or "")
    assert rewrite(FIRST_DAY, ["2026-03-01"], None, None).note is None
