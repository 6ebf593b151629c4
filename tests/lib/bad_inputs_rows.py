"""Bad rows: every rule of every column and of every pair of columns as the records declare them, and some by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from data_contracts.analytes import ANALYTES, Analyte
from data_contracts.records import RECORDS, Column, DateOrder, NumberOrder, Record, columns
from tests.lib.bad_inputs import IDENTITY_NUMBER, SOUND, BadInput, bad_cell, bad_rows, header
from tests.lib.sound_rows import RECEIVED_ON

OTHER_IDENTITY_NUMBERS = {
    "grouped": "010107 50160",
    "dotted": "01.01.07-50160",
    "behind a prefix": "NO01010750160",
    "in free text": f"see journal {IDENTITY_NUMBER}, call back",
    "lost its zero": "1010750160",
    "became a decimal number": "1010750160.0",
}


def of_the_records() -> Iterator[BadInput]:
    for record in RECORDS:
        for column in columns(record):
            yield from _of_column(record, column)
        for rule in record.rules:
            yield _of_order(record, rule)
        future = (RECEIVED_ON + timedelta(days=1)).isoformat()
        yield bad_cell(record.table, "known_from", future, "known_from in the future")
        if "person_id" in record.model_fields and record.table != "persons":
            yield bad_cell(record.table, "person_id", "nobody-knows", "person not in persons")
        yield _of_versions(record)


def _of_column(record: type[Record], column: Column) -> Iterator[BadInput]:
    table, name = record.table, column.name
    yield bad_cell(table, name, IDENTITY_NUMBER, "national identity number")
    if column.required:
        yield bad_cell(table, name, "", "required")
    if column.kind == "code":
        yield bad_cell(table, name, "no-such-code", "codes")
    elif column.kind != "text":
        yield bad_cell(table, name, "unknown", "type")
    if column.kind == "integer":
        yield bad_cell(table, name, "1.5", "type", "type (fraction)")
    if column.pattern:
        yield bad_cell(table, name, _breaking(column.pattern), "pattern")
    if column.minimum is not None:
        yield bad_cell(
            table, name, _beyond(column.minimum, 0 if column.minimum_is_open else -1), "bounds", "bounds (low)"
        )
    if column.maximum is not None:
        yield bad_cell(table, name, _beyond(column.maximum, 1), "bounds", "bounds (high)")


def _breaking(pattern: str) -> str:
    return next(text for text in ("Åse", "two words") if not re.fullmatch(pattern, text))


def _beyond(limit: date | float, by: int) -> str:
    return (limit + timedelta(days=by)).isoformat() if isinstance(limit, date) else str(limit + by)


def _of_order(record: type[Record], rule: DateOrder | NumberOrder) -> BadInput:
    """Break one order by one day or by one, with every other event date that may be empty out of the way."""
    sound = SOUND[record.table][0]
    if isinstance(rule, NumberOrder):
        cells, blamed = {rule.smaller: str(float(sound[rule.larger]) + 1)}, rule.smaller
    else:
        optional = [one.name for one in columns(record) if one.kind == "date" and not one.required]
        cells = {name: "" for name in optional if name not in (rule.earlier, rule.later)}
        step = timedelta(days=rule.slack_days + 1)
        if rule.later == "known_from":
            blamed, day = rule.earlier, date.fromisoformat(sound[rule.later]) + step
        else:
            blamed, day = rule.later, date.fromisoformat(sound[rule.earlier]) - step
        cells[blamed] = day.isoformat()
    return bad_rows(f"{record.table}.{blamed} {rule.rule}", record.table, [cells], (0, blamed, rule.rule))


def _of_versions(record: type[Record]) -> BadInput:
    """Two rows with one natural key and one known_from that differ in being deleted."""
    changes = [{"is_deleted": "false"}, {"is_deleted": "true"}]
    rule = "conflicting versions"
    found = [(place, "known_from", rule) for place in (0, 1)]
    return bad_rows(f"{record.table} {rule}", record.table, changes, *found)


def of_the_analytes() -> Iterator[BadInput]:
    for analyte in ANALYTES:
        for end, limit, beyond in (("low", analyte.hard_low, -0.001), ("high", analyte.hard_high, 0.001)):
            yield _outside(analyte, end, limit + beyond * (analyte.hard_high - analyte.hard_low))


def _outside(analyte: Analyte, end: str, value: float) -> BadInput:
    code = analyte.codes[-1]
    cells = {"code_system": code.code_system, "code": code.code, "unit": code.unit}
    cells |= {"value": f"{(value - code.offset) / code.factor:.9f}", "reference_low": "", "reference_high": ""}
    name = f"lab_results.value of {analyte.name} outside hard limits ({end})"
    return bad_rows(name, "lab_results", [cells], (0, "value", "outside hard limits"))


def _pressure(system: str, diastolic: str) -> list[dict[str, str]]:
    shared = {"code_system": "LOINC", "unit": "mm[Hg]", "reference_low": "", "reference_high": ""}
    return [shared | {"code": "8480-6", "value": system}, shared | {"code": "8462-4", "value": diastolic}]


def _answers() -> Iterator[BadInput]:
    yield bad_cell("survey_answers", "instrument", "who6", "unknown instrument")
    yield bad_cell("survey_answers", "instrument", "WHO5", "unknown instrument", "in capitals")
    yield bad_cell("survey_answers", "item", "item_6", "unknown item")
    yield bad_cell("survey_answers", "item", "personal_1", "unknown item", "of another instrument")
    for text in ("6", "-1", "2.5", "1e9"):
        yield bad_cell("survey_answers", "answer", text, "unknown answer code", f"{text} is no code")


def _results() -> Iterator[BadInput]:
    yield bad_cell("lab_results", "code", "NPU99999", "unknown code")
    yield bad_cell("lab_results", "code", "npu27300", "unknown code", "in small letters")
    yield bad_cell("lab_results", "code", "4548-4", "unknown code", "of another system")
    yield bad_cell("lab_results", "unit", "%", "unit mismatch")
    yield bad_cell("lab_results", "unit", "MMOL/MOL", "unit mismatch", "in capitals")
    yield bad_cell("lab_results", "unit", "furlong", "unit mismatch", "that does not exist")
    yield bad_cell("lab_results", "comparator", "<<", "codes", "that is none")
    yield bad_cell("lab_results", "value", "<38", "type", "with two comparators", comparator="<")
    yield bad_cell("lab_results", "value", "negative", "type", "in words")
    yield bad_cell("lab_results", "value", "38-42", "type", "as a range")
    yield bad_cell("lab_results", "value", "38.5 mmol/mol", "type", "with its unit")
    rule = "systolic not above diastolic"
    both = [(place, "value", rule) for place in (0, 1)]
    for systolic in ("80", "79"):
        yield bad_rows(f"lab_results.value {rule} ({systolic} / 80)", "lab_results", _pressure(systolic, "80"), *both)


def _absences() -> Iterator[BadInput]:
    for code, system in (("M54.5", "ICPC-2"), ("M54", ""), ("L", "ICD-10"), ("P760", "ICPC-2")):
        cells = {"diagnosis_system": system}
        yield bad_cell(
            "absence_spells", "diagnosis", code, "diagnosis system", f"{code} is none of {system or 'none'}", **cells
        )
    yield bad_cell("absence_spells", "diagnosis", "low back pain", "pattern", "in words")
    yield bad_cell("absence_spells", "diagnosis", "p76", "pattern", "in small letters")
    yield bad_cell("absence_spells", "grade_percent", "0.5", "type", "as a share")


NUMBERS = {
    "nan": "type", "NaN": "type", "inf": "type", "-Infinity": "type", "1e999": "type", "0x10": "type", "1_0": "type",
    "١٢": "type", "１２": "type", "\u22125": "type", "5\u00a0": "type", " 80": "type", "80 %": "type", "½": "type",
    "1e": "type", "--5": "type", "12,5": "decimal comma", "1,234.5": "thousands separator",
    "1.234,5": "thousands separator", "1 234": "thousands separator", "1'234": "thousands separator",
    "1.234.567": "thousands separator", "1\u202f234,5": "thousands separator", "8" * 400: "type", "1e308": "bounds",
    "-0": "bounds", "99999999999999999999": "bounds", "NULL": "type", "#DIV/0!": "type", "true": "type",
}  # fmt: skip

DATES = {
    "2025-02-30": "type", "29.02.2025": "type", "03/04/2025": "ambiguous date", "3/4/25": "ambiguous date",
    "0001-01-01": "bounds", "9999-12-31": "bounds", "9999-12-31T23:59:59Z": "type",
    "0001-01-01T00:00:00+14:00": "type", "2025-05-01T10:00:00+25:00": "type", "2025-05-01T25:00:00Z": "type",
    "2025-05-01 10:00:00 Europe/Oslo": "type", "2025-05-01T10:00:00Q": "type", "2025-00-10": "type", "2025-13-01": "type",
    "0000-00-00": "type", "2025-5-1": "type", "1746057600": "type", "45778": "type", "01.05.25": "type",
    "1. mai 2025": "type", "2025-05-01 ": "type", "\u0662\u0660\u0662\u0665-05-01": "type", "２０２５-05-01": "type",
    "2025\u201105\u201101": "type", "+2025-05-01": "type", "-2025-05-01": "type", "today": "type", "NaT": "type",
    "0000-01-01": "type", "10000-01-01": "type", "2025-02-29T00:00:00": "type", "1899-12-31T22:59:59Z": "bounds",
}  # fmt: skip

IDENTIFIERS = {
    "of 65 characters": "p" * 65, "with a zero-width space": "p\u200b2", "with a bidi override": "p\u202e2",
    "with a soft hyphen": "p\u00ad2", "with a Cyrillic letter": "р2", "with an emoji": "p😀", "of full-width letters": "ｐ２",
    "with a combining mark": "p\u0301", "that climbs": "../../etc/passwd", "that is a path": "C:\\x", "that is hidden": ".p",
    "with a zero byte escaped": "p%00", "with SQL": "p'; DROP TABLE persons;--", "with a template": "{{7*7}}",
    "with HTML": "<script>alert(1)</script>", "with a shell": "$(reboot)", "with a space before": " p2",
    "with a byte order mark": "\ufeffp2", "with a control character": "p\x1b[31m", "of 4000 characters": "x" * 4000,
}  # fmt: skip

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.test";"y")',
    "'=1+1",
)

FLAGS = ("yes", "ja", "2", "1.0", "-1", "T", "sant", "TRUE ")


def _cells() -> Iterator[BadInput]:
    for text, rule in NUMBERS.items():
        yield bad_cell("employments", "position_percent", text, rule, f"number {text[:20]!r}")
    for text, rule in DATES.items():
        yield bad_cell("guidance_sessions", "held_on", text, rule, f"date {text!r}")
    for what, text in IDENTIFIERS.items():
        yield bad_cell("workplace_events", "unit_id", text, "pattern", f"identifier {what}")
    for text in FORMULAS:
        yield bad_cell("workplace_events", "unit_id", text, "pattern", f"formula {text!r}")
    for text in FLAGS:
        yield bad_cell("employments", "shift_work", text, "type", f"flag {text!r}")


def _consents() -> Iterator[BadInput]:
    """A withdrawal with a slip must not leave the consent in force that it was meant to end."""
    for text, rule in (
        ("2025-06-31", "type"),
        ("01/06/2025", "ambiguous date"),
        ("2024-12-31", "withdrawn_on before given_on"),
    ):
        found = [(0, "source", "consent in doubt"), (1, "withdrawn_on", rule)]
        changes = [{"withdrawn_on": ""}, {"withdrawn_on": text}]
        yield bad_rows(f"consents withdrawn on {text!r}", "consents", changes, *found)


def _conventions() -> Iterator[BadInput]:
    """Beside a number with a decimal comma nobody knows what a point means; the row with the comma is bad elsewhere."""
    changes = [{"position_percent": "12.5"}, {"position_percent": "7,5", "company_id": ""}]
    found = [(0, "position_percent", "mixed number conventions"), (1, "company_id", "required")]
    yield bad_rows(
        "employments.position_percent with comma and with point", "employments", changes, *found, delimiter=";"
    )


def _identity_numbers() -> Iterator[BadInput]:
    rule = "national identity number"
    for what, text in KINDS_OF_IDENTITY_NUMBER.items():
        yield bad_cell("absence_spells", "spell_id", text, rule, what)
    for what, text in OTHER_IDENTITY_NUMBERS.items():
        yield bad_cell("survey_answers", "item", text, rule, f"identity number {what}")
    found = (0, f"column {len(header('absence_spells'))}", rule)
    text = f"{IDENTITY_NUMBER} called on Monday"
    yield bad_rows("absence_spells ignored column with an identity number", "absence_spells", [{"remark": text}], found)


def _control_digits(nine: str) -> str | None:
    digits = [int(digit) for digit in nine]
    first = -sum(weight * digit for weight, digit in zip((3, 7, 6, 1, 8, 9, 4, 5, 2), digits, strict=True)) % 11
    second = (
        -sum(weight * one for weight, one in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), [*digits, first], strict=True)) % 11
    )
    return None if 10 in (first, second) else f"{nine}{first}{second}"


def _with_control_digits(date_part: str) -> str:
    """The first number of that date (or, with eight digits, of that series) whose control digits exist."""
    width = 9 - len(date_part)
    found = (_control_digits(f"{date_part}{serial:0{width}d}") for serial in range(10**width))
    return next(number for number in found if number)


KINDS_OF_IDENTITY_NUMBER = {
    "fødselsnummer": _with_control_digits("170580"),
    "D-number": _with_control_digits("570580"),
    "H-number": _with_control_digits("174580"),
    "FH-number": _with_control_digits("81234567"),
    "NPID": _with_control_digits("172580"),
    "synthetic number of Tenor": _with_control_digits("178580"),
    "synthetic number of NAV": _with_control_digits("177080"),
    "synthetic D-number": _with_control_digits("578580"),
}
"""Numbers made here from the published weights, so that the module under test does not test itself."""


def cases() -> list[BadInput]:
    parts = (
        of_the_records(),
        of_the_analytes(),
        _answers(),
        _results(),
        _absences(),
        _cells(),
        _consents(),
        _conventions(),
        _identity_numbers(),
    )
    return [case for part in parts for case in part]
