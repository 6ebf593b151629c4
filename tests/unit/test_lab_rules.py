"""Rules of laboratory results: units, bounds, and the two blood pressures that must not contradict each other."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.analytes import ANALYTES, canonical
from tests.lib.sound_rows import changed, checked

RULE = "systolic not above diastolic"


def pressure(code: str, value: float, **cells: str) -> dict[str, str]:
    codes = {"systolic": "NPU57947", "diastolic": "NPU57948"}
    return changed(
        "lab_results", code=codes[code], value=str(value), unit="mm[Hg]", reference_low="", reference_high="", **cells
    )


def result(system: str, code: str, unit: str, value: str, **cells: str) -> dict[str, str]:
    row = {"code_system": system, "code": code, "unit": unit, "value": value, "reference_low": "", "reference_high": ""}
    return changed("lab_results", **(row | cells))


def broken(*rows: dict[str, str]) -> set[int]:
    """Positions of the rows that are set aside by the rule, counted from 0."""
    found = checked("lab_results", *rows, first_row=0)
    assert {one.rule for one in found.violations} <= {RULE}
    assert {one.column for one in found.violations} <= {"value"}
    assert found.n_quarantined == len({one.row for one in found.violations})
    return {one.row for one in found.violations}


@pytest.mark.parametrize(
    ("systolic", "diastolic", "is_broken"), [(120, 80, False), (80, 120, True), (90, 90, True), (91, 90, False)]
)
def test_systolic_must_lie_above_diastolic(systolic: float, diastolic: float, is_broken: bool) -> None:
    # Swapped columns are the usual cause; nothing says which of the two is right, so both go.
    assert broken(pressure("systolic", systolic), pressure("diastolic", diastolic)) == ({0, 1} if is_broken else set())


def test_only_pressures_of_the_same_person_and_day_are_compared() -> None:
    low = pressure("systolic", 85)
    assert broken(low, pressure("diastolic", 95, person_id="p2")) == set()
    assert broken(low, pressure("diastolic", 95, sampled_on="2025-04-30")) == set()
    assert broken(low, pressure("diastolic", 95), pressure("systolic", 150, person_id="p2")) == {0, 1}


def test_pressures_meet_whatever_their_code_system() -> None:
    loinc = pressure("diastolic", 95) | {"code_system": "LOINC", "code": "8462-4"}
    assert broken(pressure("systolic", 85), loinc) == {0, 1}


def test_a_pressure_known_later_is_compared_with_the_one_already_there() -> None:
    assert broken(pressure("systolic", 85), pressure("diastolic", 95, known_from="2025-05-09")) == {0, 1}
    assert broken(pressure("systolic", 85, known_from="2025-05-09"), pressure("diastolic", 95)) == {0, 1}


def test_a_correction_of_both_is_not_compared_with_what_it_replaces() -> None:
    # 190/110 belonged to somebody else and became 105/65; 105 beside the withdrawn 110 is no contradiction.
    later = {"known_from": "2025-05-09"}
    assert (
        broken(
            pressure("systolic", 190), pressure("diastolic", 110),
            pressure("systolic", 105, **later), pressure("diastolic", 65, **later),
        )
        == set()
    )  # fmt: skip


def test_a_wrong_correction_goes_with_the_row_beside_it_and_the_replaced_row_stays() -> None:
    rows = pressure("systolic", 120), pressure("diastolic", 80), pressure("diastolic", 125, known_from="2025-05-09")
    assert broken(*rows) == {0, 2}


def test_a_deleted_pressure_contradicts_nobody() -> None:
    gone = pressure("diastolic", 95, known_from="2025-05-04", is_deleted="true")
    later = pressure("systolic", 85, known_from="2025-05-09")
    assert broken(pressure("diastolic", 95), gone, later) == set()
    assert broken(pressure("diastolic", 95), later) == {0, 1}


def test_a_pressure_refused_for_its_own_sake_does_not_take_the_other_along() -> None:
    found = checked("lab_results", pressure("systolic", 120), pressure("diastolic", 171))
    assert [(one.row, one.rule) for one in found.violations] == [(3, "outside hard limits")]
    assert found.n_accepted == 1


def test_repeated_rows_go_with_the_row_that_they_repeat() -> None:
    low, high = pressure("systolic", 85), pressure("diastolic", 95, known_from="2025-05-09")
    assert broken(low, high, low) == {0, 1, 2}
    assert broken(high, low, high, low) == {0, 1, 2, 3}


def test_the_verdict_does_not_depend_on_the_order_of_the_rows() -> None:
    generator = np.random.default_rng(3)
    rows = [
        pressure(
            ("systolic", "diastolic")[generator.integers(2)], int(generator.integers(70, 110)),
            person_id=f"p{generator.integers(5)}", known_from=f"2025-05-0{generator.integers(3, 7)}",
            is_deleted=("true", "false", "false")[generator.integers(3)],
        )
        for _ in range(60)
    ]  # fmt: skip
    rows = list({(row["person_id"], row["code"], row["known_from"]): row for row in rows}.values())
    first = broken(*rows)
    order = generator.permutation(len(rows))
    assert {int(order[place]) for place in broken(*(rows[place] for place in order))} == first
    assert first == _slow(rows)
    assert 0 < len(first) < len(rows)


def _slow(rows: list[dict[str, str]]) -> set[int]:
    """Every row beside the version of the other pressure that was current when it came, one at a time."""
    found = set()
    for one, row in enumerate(rows):
        others = [
            place for place, other in enumerate(rows)
            if (other["person_id"], other["sampled_on"]) == (row["person_id"], row["sampled_on"])
            and other["code"] != row["code"] and other["known_from"] <= row["known_from"]
        ]  # fmt: skip
        if not others:
            continue
        other = max(others, key=lambda place: rows[place]["known_from"])
        pair = {rows[place]["code"]: rows[place] for place in (one, other)}
        is_alive = all(row.get("is_deleted") != "true" for row in pair.values())
        if is_alive and float(pair["NPU57947"]["value"]) <= float(pair["NPU57948"]["value"]):
            found |= {one, other}
    return found


@pytest.mark.parametrize(
    ("system", "code", "unit", "text", "name", "expected", "comparator"),
    [
        ("NPU", "NPU19748", "mg/L", "<1", "crp", 1, "<"),
        ("LOINC", "1988-5", "mg/dL", "<0.1", "crp", 1, "<"),
        ("NPU", "NOR25909", "mL/min/{1.73_m2}", ">90", "egfr", 90, ">"),
        ("LOINC", "98979-8", "mL/min/{1.73_m2}", ">= 90", "egfr", 90, ">="),
        ("LOINC", "2132-9", "pg/mL", ">2000", "vitamin_b12", 1475.59, ">"),
        ("NPU", "NPU03835", "%", "<4", "hba1c", 20.201, "<"),
        ("NPU", "NPU02319", "mmol/L", "<3.1", "haemoglobin", 4.9955, "<"),
    ],
)
def test_a_bound_keeps_its_comparator_through_the_conversion(
    system: str, code: str, unit: str, text: str, name: str, expected: float, comparator: str
) -> None:
    table = checked("lab_results", result(system, code, unit, text)).table
    found = canonical(system, code, unit)
    assert found is not None
    assert ANALYTES[found[0]].name == name
    assert table["value"].item() * found[1] + found[2] == pytest.approx(expected, abs=0.005)
    assert table["comparator"].texts() == [comparator]


@pytest.mark.parametrize(
    ("system", "code", "unit", "value"),
    [
        ("NPU", "NPU27300", "mmol/mol", "38"),
        ("NPU", "NPU03835", "%", "5.6"),
        ("LOINC", "4548-4", "%", "5.6"),
        ("NPU", "NOR05172", "g/dL", "14.2"),
        ("NPU", "NPU28309", "g/L", "142"),
        ("NPU", "NPU02319", "mmol/L", "8.8"),
        ("NPU", "NPU03794", "m", "1.78"),
    ],
)
def test_every_way_to_report_one_measurement_is_accepted(system: str, code: str, unit: str, value: str) -> None:
    assert checked("lab_results", result(system, code, unit, value)).violations == []


@pytest.mark.parametrize(
    ("system", "code", "unit", "value", "rule"),
    [
        ("NPU", "NPU27300", "%", "5.6", "unit mismatch"),
        ("NPU", "NPU27300", "mmol/mol", "5.6", "outside hard limits"),  # a percentage under the code of mmol/mol
        ("NPU", "NPU03835", "%", "38", "outside hard limits"),  # and the other way round
        ("NPU", "NOR05172", "g/dL", "142", "outside hard limits"),  # g/L under the code of g/dL
        ("NPU", "NPU03794", "m", "178", "outside hard limits"),  # centimetres under the code of metres
        ("NPU", "NPU03794", "cm", "178", "unit mismatch"),
        ("LOINC", "2345-7", "mmol/L", "5.0", "unit mismatch"),
        ("LOINC", "14675-3", "nmol/L", "300", "unknown code"),  # cortisol at any hour
        ("NPU", "DNK35302", "mL/min", "90", "unit mismatch"),
    ],
)
def test_what_cannot_be_the_measurement_it_claims_to_be_is_refused(
    system: str, code: str, unit: str, value: str, rule: str
) -> None:
    assert [one.rule for one in checked("lab_results", result(system, code, unit, value)).violations] == [rule]
