"""The analyte tables: hand-checked conversions, and the traps of units."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import data_contracts.analytes
from data_contracts.analytes import ANALYTES, Analyte, Examination, canonical, limits_inside, reference_limits, units_of
from data_contracts.domains import Domain
from data_contracts.reference_intervals import ReferenceInterval

POSITION = {analyte.name: position for position, analyte in enumerate(ANALYTES)}
EACH_ANALYTE = pytest.mark.parametrize("analyte", ANALYTES, ids=[analyte.name for analyte in ANALYTES])


def convert(code_system: str, code: str, unit: str, value: float) -> tuple[str, float]:
    found = canonical(code_system, code, unit)
    assert found is not None
    position, factor, offset = found
    return ANALYTES[position].name, value * factor + offset


def rows(file_name: str) -> list[dict[str, str]]:
    path = Path(data_contracts.analytes.__file__).with_name(file_name)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def limits(name: str, is_female: int, age_years: float) -> tuple[float, float]:
    low, high = reference_limits(
        np.array([POSITION[name]]), np.array([is_female], dtype=np.int8), np.array([age_years], dtype=np.float64)
    )
    return low.item(), high.item()


def test_the_agreed_order() -> None:
    # Features, bundles and stored reports know an analyte by its position: new ones come last.
    agreed = [
        "systolic_bp",
        "diastolic_bp",
        "bmi",
        "waist",
        "hba1c",
        "glucose",
        "total_cholesterol",
        "hdl",
        "ldl",
        "triglycerides",
        "crp",
        "haemoglobin",
        "ferritin",
        "vitamin_d",
        "tsh",
        "heart_rate",
        "height",
        "weight",
        "vitamin_b12",
        "free_t4",
        "creatinine",
        "egfr",
        "alat",
        "ggt",
        "cortisol",
        "non_hdl",
    ]
    assert [analyte.name for analyte in ANALYTES][: len(agreed)] == agreed


@pytest.mark.parametrize(
    ("code", "value", "name", "expected"),
    [
        (("NPU", "NPU27300", "mmol/mol"), 48, "hba1c", 48),
        (("NPU", "NPU03835", "%"), 6.54304, "hba1c", 48),
        (("NPU", "NPU03835", "%"), 2.152, "hba1c", 0),
        (("NPU", "NPU29296", "%"), 5.6, "hba1c", 37.69),
        (("LOINC", "4548-4", "%"), 5.6, "hba1c", 37.69),
        (("LOINC", "2345-7", "mg/dL"), 126, "glucose", 6.994),
        (("LOINC", "2093-3", "mg/dL"), 193.35, "total_cholesterol", 5),
        (("LOINC", "2571-8", "mg/dL"), 88.57, "triglycerides", 1),
        (("NPU", "NOR05172", "g/dL"), 14.2, "haemoglobin", 14.2),
        (("NPU", "NPU28309", "g/L"), 142, "haemoglobin", 14.2),
        (("NPU", "NPU02319", "mmol/L"), 8.812, "haemoglobin", 14.2),
        (("LOINC", "59260-0", "mmol/L"), 8.812, "haemoglobin", 14.2),
        (("LOINC", "718-7", "g/L"), 142, "haemoglobin", 14.2),
        (("LOINC", "1988-5", "mg/dL"), 0.5, "crp", 5),
        (("LOINC", "62292-8", "ng/mL"), 20, "vitamin_d", 49.92),
        (("LOINC", "3016-3", "u[IU]/mL"), 2.5, "tsh", 2.5),
        (("LOINC", "8280-0", "[in_i]"), 40, "waist", 101.6),
        (("NPU", "NPU03794", "m"), 1.78, "height", 178),
        (("LOINC", "29463-7", "[lb_av]"), 150, "weight", 68.039),
        (("LOINC", "2132-9", "pg/mL"), 400, "vitamin_b12", 295.12),
        (("LOINC", "3024-7", "ng/dL"), 1.2, "free_t4", 15.447),
        (("LOINC", "2160-0", "mg/dL"), 1, "creatinine", 88.402),
        (("LOINC", "9813-7", "ug/dL"), 10, "cortisol", 275.885),
        (("LOINC", "2276-4", "ng/mL"), 50, "ferritin", 50),
        (("LOINC", "43396-1", "mg/dL"), 130, "non_hdl", 3.362),
    ],
)
def test_value_in_the_canonical_unit(code: tuple[str, str, str], value: float, name: str, expected: float) -> None:
    converted_name, converted = convert(*code, value)
    assert converted_name == name
    assert converted == pytest.approx(expected, abs=0.005)


def test_haemoglobin_unit_is_never_guessed_from_the_number() -> None:
    # 8.8 is a sound Danish mmol/L and a severe Norwegian g/dL; only code and unit together say which.
    assert convert("NPU", "NPU02319", "mmol/L", 8.8)[1] == pytest.approx(14.18, abs=0.005)
    assert convert("NPU", "NOR05172", "g/dL", 8.8)[1] == 8.8
    assert canonical("NPU", "NOR05172", "mmol/L") is None


def test_unknown_code_and_wrong_unit_can_be_told_apart() -> None:
    assert canonical("NPU", "NPU27300", "%") is None
    assert units_of("NPU", "NPU27300") == ("mmol/mol",)
    assert canonical("NPU", "NPU99999", "%") is None
    assert units_of("NPU", "NPU99999") == ()
    assert set(units_of("LOINC", "718-7")) == {"g/dL", "g/L"}


def test_code_of_one_system_is_unknown_in_the_other() -> None:
    assert units_of("LOINC", "NPU27300") == ()
    assert units_of("NPU", "4548-4") == ()


def test_unit_is_part_of_the_identity_of_an_npu_code() -> None:
    npu_codes = [row["code"] for row in rows("analyte_codes.csv") if row["code_system"] == "NPU"]
    assert len(set(npu_codes)) == len(npu_codes)


def test_no_code_and_unit_is_claimed_by_two_analytes() -> None:
    # The second would silently replace the first in the lookup.
    claimed = [(code.code_system, code.code, code.unit) for analyte in ANALYTES for code in analyte.codes]
    assert len(set(claimed)) == len(claimed)


def test_every_code_row_belongs_to_an_analyte_and_says_how_far_to_trust_it() -> None:
    names = {analyte.name for analyte in ANALYTES}
    for row in rows("analyte_codes.csv"):
        assert row["analyte"] in names
        assert row["evidence"] in {"verified", "recalled"}
        assert row["code_system"] in {"NPU", "LOINC"}
        assert None not in row, "a comma in the note is not quoted"


@EACH_ANALYTE
def test_canonical_unit_is_reported_unchanged_by_at_least_one_code(analyte: Analyte) -> None:
    own = [code for code in analyte.codes if code.unit == analyte.unit]
    assert own
    assert all((code.factor, code.offset) == (1.0, 0.0) for code in own)


@EACH_ANALYTE
def test_one_unit_has_one_conversion_within_an_analyte(analyte: Analyte) -> None:
    conversions = {(code.unit, code.factor, code.offset) for code in analyte.codes}
    assert len({unit for unit, _, _ in conversions}) == len(conversions)


@EACH_ANALYTE
def test_reference_intervals_lie_inside_the_hard_limits(analyte: Analyte) -> None:
    for interval in analyte.reference_intervals:
        known = [limit for limit in (interval.low, interval.high) if limit is not None]
        ordered = [analyte.hard_low, *known, analyte.hard_high]
        assert known, "an interval without any limit"
        assert ordered == sorted(ordered)


@EACH_ANALYTE
def test_reference_intervals_of_a_sex_neither_overlap_nor_leave_a_gap(analyte: Analyte) -> None:
    # Of two overlapping intervals the later in the file would silently win; in a gap nobody is ever outside.
    for sex in ("female", "male"):
        own = sorted(
            (one for one in analyte.reference_intervals if one.sex in (sex, "both")), key=lambda one: one.age_from
        )
        if own:
            assert own[0].age_from == 18
            assert own[-1].age_to is None
            assert [one.age_to for one in own[:-1]] == [one.age_from - 1 for one in own[1:]]


def test_only_these_have_no_fallback_interval() -> None:
    assert {one.name for one in ANALYTES if not one.reference_intervals} == {"height", "weight", "cortisol"}


def test_every_reference_interval_belongs_to_an_analyte_and_has_a_source() -> None:
    for row in rows("reference_intervals.csv"):
        assert row["analyte"] in POSITION
        assert row["evidence"] in {"verified", "recalled"}
        assert row["source"]
        assert None not in row, "a comma in the source is not quoted"


@pytest.mark.parametrize(
    ("name", "is_female", "age", "expected"),
    [
        ("creatinine", 1, 40, (45, 90)),
        ("creatinine", 0, 40, (60, 105)),
        ("ggt", 1, 39, (10, 45)),
        ("ggt", 1, 39.99, (10, 45)),
        ("ggt", 1, 40, (10, 75)),
        ("ggt", 0, 40, (15, 115)),
        ("total_cholesterol", 0, 29, (2.9, 6.1)),
        ("total_cholesterol", 0, 30, (3.3, 6.9)),
        ("total_cholesterol", 0, 50, (3.9, 7.8)),
        ("total_cholesterol", 0, 150, (3.9, 7.8)),
        ("crp", 1, 40, (np.nan, 5)),
        ("egfr", 1, 40, (60, np.nan)),
        ("cortisol", 1, 40, (np.nan, np.nan)),
        ("tsh", 1, 17.99, (np.nan, np.nan)),
        ("tsh", 1, 18, (0.3, 4.2)),
    ],
)
def test_reference_limits_by_sex_and_age(name: str, is_female: int, age: float, expected: tuple[float, float]) -> None:
    np.testing.assert_array_equal(limits(name, is_female, age), expected)


def test_what_is_unknown_about_a_person_matters_only_where_the_limits_differ() -> None:
    np.testing.assert_array_equal(limits("creatinine", -1, 40), (np.nan, np.nan))
    np.testing.assert_array_equal(limits("total_cholesterol", -1, 40), (3.3, 6.9))
    np.testing.assert_array_equal(limits("total_cholesterol", 1, np.nan), (np.nan, np.nan))
    np.testing.assert_array_equal(limits("creatinine", 1, np.nan), (45, 90))
    np.testing.assert_array_equal(limits("creatinine", 1, -1), (45, 90))
    np.testing.assert_array_equal(limits("total_cholesterol", 1, -3), (np.nan, np.nan))
    np.testing.assert_array_equal(limits("tsh", -1, np.nan), (0.3, 4.2))
    # From 50 on the sexes share the upper limit alone.
    np.testing.assert_array_equal(limits("non_hdl", -1, 60), (np.nan, 6.2))


def test_reference_limits_of_many_are_those_of_each() -> None:
    positions = np.array([POSITION["ggt"], POSITION["crp"], POSITION["ggt"]])
    low, high = reference_limits(positions, np.array([1, 0, 0], dtype=np.int8), np.array([20, 30, 60]))
    np.testing.assert_array_equal(low, [10, np.nan, 15])
    np.testing.assert_array_equal(high, [45, 5, 115])
    assert [len(one) for one in reference_limits(positions[:0], positions[:0], positions[:0])] == [0, 0]


def test_which_limits_are_outside_themselves() -> None:
    found = {(analyte.name, one.open) for analyte in ANALYTES for one in analyte.reference_intervals if one.open}
    assert found == {
        ("systolic_bp", "high"),
        ("diastolic_bp", "high"),
        ("bmi", "high"),
        ("waist", "high"),
        ("crp", "high"),
        ("egfr", "low"),
    }
    for row in rows("reference_intervals.csv"):
        assert row["open"] in {"", "low", "high", "both"}
        assert not row["open"] or all(row[end] for end in ("low", "high") if row["open"] in (end, "both"))
        assert ("below" in row["source"].lower() or "above" in row["source"].lower()) == bool(row["open"])


def test_an_open_limit_is_one_single_precision_number_further_in() -> None:
    interval = ReferenceInterval("both", 18, None, 2.0, 4.0, "both")
    # Between 2 and 4 single-precision numbers are 2**-22 apart.
    assert interval.closed() == ("both", 18, None, 2 + 2**-22, 4 - 2**-22, "")
    assert interval._replace(open="low").closed()[3:5] == (2 + 2**-22, 4)
    assert interval._replace(open="").closed() == interval._replace(open="")
    assert interval._replace(low=None, high=None).closed()[3:5] == (None, None)
    low, high = limits_inside(np.array([POSITION["bmi"]]), np.array([-1], dtype=np.int8), np.array([np.nan]))
    assert (low.dtype, high.dtype, low.item(), high.item()) == (np.float32, np.float32, 18.5, 25 - 2**-19)


@EACH_ANALYTE
def test_declaration_is_complete(analyte: Analyte) -> None:
    assert analyte.domain in get_args(Domain)
    assert analyte.valid_days > 0
    assert analyte.higher_is_worse in (-1, 0, 1)
    assert analyte.label_nb
    assert analyte.label_en
    assert set(analyte.derived_from) <= set(POSITION) - {analyte.name}


def test_which_analytes_are_derived_and_from_what() -> None:
    assert {one.name: one.derived_from for one in ANALYTES if one.derived_from} == {
        "bmi": ("height", "weight"),
        "ldl": ("total_cholesterol", "hdl", "triglycerides"),
        "egfr": ("creatinine",),
        "non_hdl": ("total_cholesterol", "hdl"),
    }


@pytest.mark.parametrize("code", sorted({one.code for a in ANALYTES for one in a.codes if one.code_system == "LOINC"}))
def test_loinc_code_keeps_its_check_digit(code: str) -> None:
    # 14685-0 stood here for vitamin B12; the code is 14685-2.
    number, check_digit = code.split("-")
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(number))]
    assert -sum(value // 10 + value % 10 for value in doubled) % 10 == int(check_digit)


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("LOINC", "14675-3"),  # cortisol at any hour
        ("LOINC", "2143-6"),  # the same in ug/dL
        ("NPU", "NPU03605"),  # vitamin B12, total or active
        ("NPU", "NPU27125"),
        ("NPU", "NOR05918"),
    ],
)
def test_codes_that_do_not_say_what_was_measured_are_refused(system: str, code: str) -> None:
    assert units_of(system, code) == ()


@pytest.mark.parametrize(
    ("code", "unit"),
    [("2345-7", "mmol/L"), ("14749-6", "mg/dL"), ("14682-9", "mg/dL"), ("2132-9", "pmol/L"), ("14920-3", "ng/dL")],
)
def test_property_of_a_loinc_code_decides_its_units(code: str, unit: str) -> None:
    # A code of [Mass/volume] never comes in moles: such a row is mislabelled, and which half is right is not known.
    assert units_of("LOINC", code)
    assert canonical("LOINC", code, unit) is None


def test_import_needs_no_unit_library() -> None:
    script = "import sys, data_contracts.analytes; assert not {'pint', 'ucumvert', 'lark'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_labels_are_unique() -> None:
    for attribute in ("label_nb", "label_en"):
        assert len({getattr(analyte, attribute) for analyte in ANALYTES}) == len(ANALYTES)


def test_a_percentage_sent_as_mmol_mol_falls_outside_the_hard_limits() -> None:
    hba1c = next(analyte for analyte in ANALYTES if analyte.name == "hba1c")
    assert hba1c.hard_low > 5.6


def test_which_analytes_are_followed_and_where_each_is_measured() -> None:
    assert [one.name for one in ANALYTES if one.followed] == [
        "systolic_bp", "diastolic_bp", "bmi", "waist", "hba1c", "total_cholesterol", "hdl", "ldl", "triglycerides", "crp",
        "ferritin", "vitamin_d",
    ]  # fmt: skip
    assert {one.examination for one in ANALYTES} == set(get_args(Examination))
    assert {one.name for one in ANALYTES if one.examination == "blood_pressure"} == {
        "systolic_bp", "diastolic_bp", "heart_rate",
    }  # fmt: skip
    assert {one.name for one in ANALYTES if one.examination == "body_measure"} == {"bmi", "waist", "height", "weight"}


def test_the_sources_of_the_intervals_are_named_once_each() -> None:
    by_name = {one.name: one.interval_source for one in ANALYTES}
    assert by_name["ggt"] == "NORIP (unilabs.no; sundhed.dk)"
    assert by_name["waist"] == "Tromsø 7 (BMJ Open), below 88; Below 102"
    assert {name for name, source in by_name.items() if not source} == {"height", "weight", "cortisol"}
