"""A customer's sheet becomes a table of ours: names, codes, dates, wide questionnaires; findings point at the sheet."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from data_contracts.errors import SourceFileError
from data_contracts.readers.column_mapping import Mapping
from data_contracts.readers.sources import open_source
from data_contracts.records import AbsenceSpell, Person, SurveyAnswer
from data_contracts.validation import check

SPELLS = """\
AnsattNr;Id;Type;Fra;Til;Merknad
7;s1;E;01.03.2026;02.03.2026;
8;s2;S;5.3.2026;;x
9;s3;X;05/03/2026;;
"""
SPELL_MAPPING = {
    "source": "fravaer.csv",
    "columns": {"person_id": "AnsattNr", "spell_id": "Id", "kind": "Type", "first_day": "Fra", "last_day": "Til"},
    "values": {"kind": {"E": "self_certified", "S": "doctor_certified"}},
    "constants": {"grade_percent": "100"},
    "known_from": "first_day + 4 days",
}


@pytest.fixture
def read(tmp_path):
    def write_and_read(record, text, table, name="fravaer.csv"):
        (tmp_path / name).write_text(text)
        return open_source(str(tmp_path), Mapping.model_validate({"tables": {record.table: table}})).read(record)

    return write_and_read


def texts(delivered):
    return {name: column.texts() for name, column in delivered.raw.items()}


def violations(record, delivered):
    checked = check(
        record,
        delivered.raw,
        received_on=date(2026, 6, 1),
        origin=record.table,
        first_row=0,
        refusals=delivered.refusals,
    )
    return [delivered.located(one)[:5] for one in checked.violations]


def test_names_codes_dates_constants_and_known_from_are_translated(read):
    found = read(AbsenceSpell, SPELLS, SPELL_MAPPING)
    assert texts(found) == {
        "person_id": ["7", "8", "9"],
        "spell_id": ["s1", "s2", "s3"],
        "kind": ["self_certified", "doctor_certified", "X"],
        "grade_percent": ["100"] * 3,
        "first_day": ["2026-03-01", "2026-03-05", "05/03/2026"],
        "last_day": ["2026-03-02", None, None],
        "known_from": ["2026-03-05", "2026-03-09", None],
    }
    assert found.assumption == "first_day + 4 days"


def test_violations_show_the_row_of_the_file_and_both_names(read):
    found = read(AbsenceSpell, SPELLS, SPELL_MAPPING)
    assert violations(AbsenceSpell, found) == [
        ("fravaer.csv", 4, "kind (Type)", "codes", "X"),
        ("fravaer.csv", 4, "first_day (Fra)", "ambiguous date", "05/03/2026"),
        ("fravaer.csv", 4, "known_from", "required", None),
    ]


def test_what_nothing_maps_is_named_in_a_note(read):
    notes = read(AbsenceSpell, SPELLS, SPELL_MAPPING).notes
    assert "1 column(s) that nothing maps were ignored: Merknad" in notes
    assert "the file is separated by semicolons" in notes
    assert any("known_from was assumed" in note for note in notes)


def test_a_mapped_column_that_is_not_there_is_named_with_ours_and_its_likeness(read):
    with pytest.raises(SourceFileError, match=r"lacks the column\(s\) Frå \(for first_day\).*Is it Fra\?"):
        read(AbsenceSpell, SPELLS, SPELL_MAPPING | {"columns": SPELL_MAPPING["columns"] | {"first_day": "Frå"}})


def test_an_optional_column_that_is_mapped_must_be_there(read):
    with pytest.raises(SourceFileError, match=r"Diagnose \(for diagnosis\)"):
        read(AbsenceSpell, SPELLS, SPELL_MAPPING | {"columns": SPELL_MAPPING["columns"] | {"diagnosis": "Diagnose"}})


def test_several_codes_may_mean_the_same_and_a_code_may_mean_nothing(read):
    table = {"columns": {"sex": "K"}, "values": {"sex": {"k": "female", "f": "female", "?": None}}}
    rows = "person_id,birth_year,K,known_from\na,1980,k,2025-01-01\nb,1980,f,2025-01-01\nc,1980,?,2025-01-01\n"
    found = read(Person, rows, table, "persons.csv")
    assert found.raw["sex"].vocabulary == ("female",)
    assert texts(found)["sex"] == ["female", "female", None]


def test_codes_of_the_mapping_are_not_read_as_numbers_of_the_file(read):
    # The file's numbers have commas; a translated 12.5 is ours and must not count as a mixed convention.
    names = "person_id;instrument;item;answer;answered_on;known_from"
    rows = f"{names}\np;who5;item_1;halv;2025-01-01;2025-01-01\np;who5;item_2;2,0;2025-01-01;2025-01-01\n"
    found = read(SurveyAnswer, rows, {"values": {"answer": {"halv": "2.5"}}}, "survey_answers.csv")
    assert texts(found)["answer"] == ["2.5", "2.0"]
    assert found.refusals == []


def test_a_constant_known_from_is_an_assumption_too(read):
    table = {"constants": {"known_from": "2025-01-01"}}
    found = read(Person, "person_id,birth_year,sex\na,1980,male\n", table, "persons.csv")
    assert found.assumption == "the constant 2025-01-01"
    assert texts(found)["known_from"] == ["2025-01-01"]


NUMBER = "01010750160"


@pytest.mark.parametrize("cell", [NUMBER, "1010750160", f"ring {NUMBER[:6]} {NUMBER[6:]}", f"Kari {NUMBER}"])
def test_an_identity_number_in_an_ignored_column_takes_the_row_out_without_being_shown(cell, read):
    rows = f"person_id,birth_year,sex,known_from,note\na,1980,male,2025-01-01,x\nb,1980,male,2025-01-01,{cell}\n"
    found = read(Person, rows, {}, "persons.csv")
    assert violations(Person, found) == [("persons.csv", 3, "column 5", "national identity number", None)]


def test_ordinary_numbers_in_an_ignored_column_do_no_harm(read):
    rows = "person_id,birth_year,sex,known_from,tlf,org\na,1980,male,2025-01-01,22334455,974760673\n"
    assert violations(Person, read(Person, rows, {}, "persons.csv")) == []


WIDE = """\
Id;Dato;Q1;Q2;Kommentar
a;01.03.2025;3;Alltid;
b;01.03.2025;;;
c;01.03.2025;9;;01010750160
d;01.03.2025;2,0;Vet ikke;
"""
WIDE_MAPPING = {
    "source": "skjema.csv",
    "columns": {"person_id": "Id", "answered_on": "Dato"},
    "answers": {"Q1": "who5.item_1", "Q2": "who5.item_2"},
    "values": {"Q2": {"Alltid": "5", "Vet ikke": None}},
    "known_from": "answered_on + 0 days",
}


def test_a_wide_questionnaire_becomes_one_row_per_answer(read):
    found = read(SurveyAnswer, WIDE, WIDE_MAPPING, "skjema.csv")
    rows = list(zip(*(texts(found)[name] for name in ("person_id", "item", "answer", "known_from")), strict=True))
    assert rows == [
        ("a", "item_1", "3", "2025-03-01"),
        ("a", "item_2", "5", "2025-03-01"),
        ("c", "item_1", "9", "2025-03-01"),
        ("d", "item_1", "2.0", "2025-03-01"),
    ]
    assert texts(found)["instrument"] == ["who5"] * 4
    np.testing.assert_array_equal(found.row_numbers, [2, 2, 4, 5])
    assert "1 of 4 respondents answered no question" in found.notes


def test_violations_of_a_wide_questionnaire_name_the_question(read):
    found = read(SurveyAnswer, WIDE, WIDE_MAPPING, "skjema.csv")
    assert violations(SurveyAnswer, found) == [
        ("skjema.csv", 4, "column 5", "national identity number", None),
        ("skjema.csv", 4, "answer (Q1)", "unknown answer code", "9"),
    ]


def test_mixed_numbers_of_one_question_are_refused_at_their_own_rows(read):
    rows = "Id;Dato;Q1;Q2\na;2025-03-01;1,0;1.0\nb;2025-03-01;2.0;1.0\n"
    found = read(SurveyAnswer, rows, WIDE_MAPPING, "skjema.csv")
    assert violations(SurveyAnswer, found) == [
        ("skjema.csv", 3, "answer (Q1)", "mixed number conventions", "2.0"),
    ]


def test_a_question_that_is_not_there_is_named(read):
    with pytest.raises(SourceFileError, match=r"Q2 \(for answer\)"):
        read(SurveyAnswer, WIDE.replace("Q2", "Q3"), WIDE_MAPPING, "skjema.csv")


def test_rows_that_are_taken_out_leave_no_word_and_findings_stay_with_their_rows(read):
    found = read(SurveyAnswer, WIDE, WIDE_MAPPING, "skjema.csv")
    left = found.without(np.array([True, True, False, False]))
    assert left.raw["person_id"].vocabulary == ("c", "d")
    assert violations(SurveyAnswer, left) == violations(SurveyAnswer, found)
