"""The same facts through two doors, a FHIR Bundle and a JSON record, give the same tables and violations."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.analytes import ANALYTES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.tables import Coded
from data_contracts.validation import check_record
from tests.lib.fhir_bundles import bundle_of, checked
from tests.lib.fhir_reading import FEW_EXAMPLES, RECEIVED_ON


def days(first="2024-01-01", last="2026-02-01"):
    return st.dates(date.fromisoformat(first), date.fromisoformat(last)).map(date.isoformat)


def later(day, n_days):
    return (date.fromisoformat(day) + timedelta(days=n_days)).isoformat()


@st.composite
def answers(draw):
    instrument = draw(st.sampled_from(list(INSTRUMENTS.values())))
    item = draw(st.sampled_from(instrument.items))
    day = draw(days())
    return {"instrument": instrument.name, "item": item.id, "answer": draw(st.sampled_from(item.answers[:20])),
            "answered_on": day, "known_from": later(day, draw(st.integers(-3, 30))),
            "is_deleted": draw(st.booleans())}  # fmt: skip


@st.composite
def results(draw):
    analyte = draw(st.sampled_from(ANALYTES))
    code = draw(st.sampled_from(analyte.codes))
    day = draw(days())
    row = {"code_system": code.code_system, "code": code.code, "unit": code.unit,
           "value": draw(st.integers(-10, 1000) | st.floats(0, 1000)), "sampled_on": day,
           "known_from": later(day, draw(st.integers(-3, 30)))}  # fmt: skip
    return row | draw(st.sampled_from([{}, {"comparator": "<"}, {"reference_low": 1, "reference_high": 2.5}]))


@st.composite
def spells(draw):
    day = draw(days())
    diagnosis = draw(
        st.sampled_from([(None, None), ("P76", "ICPC-2"), ("L", "ICPC-2"), ("M54.5", "ICD-10"), ("?", "ICPC-2")])
    )
    return {"spell_id": draw(st.sampled_from("abc")), "kind": draw(st.sampled_from(["self_certified", "doctor_certified"])),
            "grade_percent": draw(st.integers(0, 101)), "diagnosis": diagnosis[0], "diagnosis_system": diagnosis[1],
            "first_day": day, "last_day": draw(st.none() | st.integers(-2, 90).map(lambda n: later(day, n))),
            "known_from": later(day, draw(st.integers(-20, 20)))}  # fmt: skip


@st.composite
def consents(draw):
    given_on = draw(days())
    known_from = later(given_on, draw(st.integers(-3, 20)))
    ended = draw(st.none() | st.integers(0, 10))
    return {"source": draw(st.sampled_from(["survey", "lab", "absence", "nonsense"])), "purpose": "risk_scoring",
            "given_on": given_on, "known_from": known_from,
            "withdrawn_on": None if ended is None else later(known_from, -ended)}  # fmt: skip


@st.composite
def employments(draw):
    start = draw(days())
    row = {"company_id": draw(st.sampled_from(["c1", "c 2"])), "position_percent": draw(st.sampled_from([80, 100.0, 0, 101])),
           "start_date": start, "known_from": later(start, draw(st.integers(-300, 20))),
           "end_date": draw(st.none() | st.integers(-2, 90).map(lambda n: later(start, n)))}  # fmt: skip
    codes = {"occupation_code": draw(st.sampled_from([None, "2223", "22"])),
             "industry_code": draw(st.sampled_from([None, "86.101"]))}  # fmt: skip
    flags = {name: draw(st.sampled_from([None, True, False])) for name in ("shift_work", "is_leader")}
    return row | codes | flags | {"unit_id": draw(st.sampled_from([None, "u2"]))}


PERSON = {"person_id": "p1", "birth_year": 1975, "sex": "male", "known_from": "2024-01-01"}
RECORDS = st.fixed_dictionaries({
    "person": st.just(PERSON),
    "survey_answers": st.lists(answers(), max_size=5),
    "lab_results": st.lists(results(), max_size=5),
    "absence_spells": st.lists(spells(), max_size=5),
    "consents": st.lists(consents(), max_size=4),
    "employments": st.lists(employments(), max_size=3),
})  # fmt: skip


def plain(table):
    return {name: values.texts() if isinstance(values, Coded) else values.tolist() for name, values in table.items()}


@FEW_EXAMPLES
@given(RECORDS)
def test_a_bundle_and_a_json_record_of_the_same_facts_give_the_same_tables_and_violations(record):
    by_json, json_violations = check_record(record, RECEIVED_ON)
    by_fhir, fhir_violations = checked(bundle_of(record), RECEIVED_ON)
    for name in by_json:
        np.testing.assert_equal(plain(by_fhir[name]), plain(by_json[name]))
    # An instant in one door is a day in the other.
    day_of = re.compile(r"T12:00:00.*")
    by_door = [
        Counter((one.column, one.rule, day_of.sub("", one.value or ""), one.reason) for one in violations)
        for violations in (fhir_violations, json_violations)
    ]
    assert by_door[0] == by_door[1]
