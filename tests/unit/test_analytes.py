"""The analyte tables: hand-checked conversions, and the traps of units."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import get_args

import pytest

import data_contracts.analytes
from data_contracts.analytes import ANALYTES, Analyte, canonical, units_of
from data_contracts.domains import Domain

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


def test_the_first_fifteen_in_the_agreed_order() -> None:
    assert [analyte.name for analyte in ANALYTES] == [
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
    ]


@pytest.mark.parametrize(
    ("code", "value", "name", "expected"),
    [
        (("NPU", "NPU27300", "mmol/mol"), 48, "hba1c", 48),
        (("NPU", "NPU03835", "%"), 6.54304, "hba1c", 48),
        (("NPU", "NPU29296", "%"), 5.6, "hba1c", 37.69),
        (("LOINC", "4548-4", "%"), 5.6, "hba1c", 37.69),
        (("LOINC", "2345-7", "mg/dL"), 126, "glucose", 6.994),
        (("LOINC", "2093-3", "mg/dL"), 193.35, "total_cholesterol", 5),
        (("LOINC", "2571-8", "mg/dL"), 88.57, "triglycerides", 1),
        (("NPU", "NOR05172", "g/dL"), 14.2, "haemoglobin", 14.2),
        (("NPU", "NPU28309", "g/L"), 142, "haemoglobin", 14.2),
        (("NPU", "NPU02319", "mmol/L"), 8.8125, "haemoglobin", 14.2),
        (("LOINC", "1988-5", "mg/dL"), 0.5, "crp", 5),
        (("LOINC", "62292-8", "ng/mL"), 20, "vitamin_d", 49.92),
        (("LOINC", "3016-3", "u[IU]/mL"), 2.5, "tsh", 2.5),
        (("LOINC", "8280-0", "[in_i]"), 40, "waist", 101.6),
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
    for low, high in ((analyte.ref_low_f, analyte.ref_high_f), (analyte.ref_low_m, analyte.ref_high_m)):
        limits = [limit for limit in (analyte.hard_low, low, high, analyte.hard_high) if limit is not None]
        assert limits == sorted(limits)
        assert len(limits) >= 3, "no reference limit at all"


@EACH_ANALYTE
def test_declaration_is_complete(analyte: Analyte) -> None:
    assert analyte.domain in get_args(Domain)
    assert analyte.valid_days > 0
    assert analyte.higher_is_worse in (-1, 0, 1)
    assert analyte.label_nb
    assert analyte.label_en
    assert analyte.source


def test_labels_are_unique() -> None:
    for attribute in ("label_nb", "label_en"):
        assert len({getattr(analyte, attribute) for analyte in ANALYTES}) == len(ANALYTES)


def test_a_percentage_sent_as_mmol_mol_falls_outside_the_hard_limits() -> None:
    hba1c = next(analyte for analyte in ANALYTES if analyte.name == "hba1c")
    assert hba1c.hard_low > 5.6
