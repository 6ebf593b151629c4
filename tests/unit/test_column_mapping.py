"""A mapping file is checked before any data are read: every fault with its place, and the name that was probably meant."""

from __future__ import annotations

import pytest

from data_contracts.errors import MissingInputError, SettingsError
from data_contracts.readers.column_mapping import Mapping, read_mapping
from data_contracts.records import AbsenceSpell, Person, SurveyAnswer

WHOLE = """\
format: {delimiter: ";", decimal: ",", date: "dd.mm.yyyy", encoding: "latin-1"}
pseudonymise: true
tables:
  absence_spells:
    source: fravaer.csv
    columns: {person_id: AnsattNr, first_day: Fra, last_day: Til, kind: Type, spell_id: Id}
    values: {kind: {E: self_certified, S: doctor_certified}}
    constants: {grade_percent: 100}
    known_from: first_day + 4 days
  survey_answers:
    columns: {person_id: Id, answered_on: Dato, known_from: Mottatt}
    answers: {Q1: cbi.personal_1, Q2: cbi.personal_2}
    values: {Q1: {Alltid: "100", Vet ikke: }, answer: {No: 0}}
"""


@pytest.fixture
def read(tmp_path):
    def write_and_read(text):
        path = tmp_path / "mapping.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_mapping(path)

    return write_and_read


def test_everything_is_read_as_the_text_that_was_written(read):
    mapping = read(WHOLE)
    spells, answers = mapping.table(AbsenceSpell), mapping.table(SurveyAnswer)
    assert mapping.pseudonymise is True
    assert mapping.format.decimal == ","
    assert spells.constants == {"grade_percent": "100"}
    # YAML's own reading would make `No` false and the number an integer.
    assert answers.values == {"Q1": {"Alltid": "100", "Vet ikke": None}, "answer": {"No": "0"}}
    assert spells.names(AbsenceSpell)[:3] == ["AnsattNr", "Id", "Type"]
    assert answers.names(SurveyAnswer) == ["Id", "Dato", "Mottatt", "is_deleted", "Q1", "Q2"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "tables:\n", "format: ~\n"])
def test_an_empty_part_says_nothing(text, read):
    assert read(text) == Mapping()


FAULTS = {
    "unknown key": ("tabels: {}", "tabels: unknown key. Did you mean tables?"),
    "unknown format": ("format: {delimeter: ';'}", "format.delimeter: unknown key. Did you mean delimiter?"),
    "format value": ("format: {decimal: komma}", "format.decimal: Input should be ',' or '.'"),
    "unknown table": ("tables: {absence: {}}", "tables.absence: unknown table. Did you mean absence_spells?"),
    "unknown part": ("tables: {persons: {column: {}}}", "tables.persons.column: unknown key. Did you mean columns?"),
    "unknown column": ("tables: {persons: {columns: {person: A}}}",
                       "tables.persons.columns.person: no column of persons. Did you mean person_id?"),
    "unknown values": ("tables: {persons: {values: {gender: {F: female}}}}", "tables.persons.values.gender: no column"),
    "code that is none": ("tables: {persons: {values: {sex: {K: kvinne}}}}",
                          "tables.persons.values.sex.K: must be one of: female, male"),
    "constant of a wrong type": ("tables: {absence_spells: {constants: {grade_percent: full}}}",
                                 "tables.absence_spells.constants.grade_percent: must be a number"),
    "mapped and constant": ("tables: {persons: {columns: {sex: Kjonn}, constants: {sex: male}}}", "also mapped"),
    "assumption": ("tables: {persons: {known_from: today}}", "not possible for a table without event dates"),
    "assumption and column": ("tables: {absence_spells: {known_from: first_day + 4 days, columns: {known_from: A}}}",
                              "an assumption is made although the column is mapped"),
    "answers elsewhere": ("tables: {persons: {answers: {Q1: who5.item_1}}}", "only survey_answers can come as a wide"),
    "answers and answer": ("tables: {survey_answers: {answers: {Q: who5.item_1}, columns: {item: X}}}",
                           "item is mapped although it follows from answers"),
    "unknown instrument": ("tables: {survey_answers: {answers: {Q: wo5.item_1}}}", "wo5 is no instrument. Did you mean who5?"),
    "unknown item": ("tables: {survey_answers: {answers: {Q: who5.item_9}}}", "who5 has no item item_9. Did you mean item_"),
    "not a mapping": ("- a\n- b\n", "the file: Input should be"),
    "list for a text": ("tables: {persons: {source: [a]}}", "tables.persons.source: Input should be a valid string"),
    "anchor": ("a: &a [x]\nb: *a\n", "line 1: anchors (&), aliases (*) and tags (!) are not allowed"),
    "tag": ("tables: !!python/object:os.system {}\n", "anchors (&), aliases (*) and tags (!)"),
    "name twice": ("tables:\n  persons: {}\n  persons: {}\n", "line 3: persons stands there twice"),
    "name that is a list": ("? [a]\n: b\n", "a name must be text"),
    "no yaml": ("tables: {", "not valid YAML"),
    "control sign": (b"tables: \x01", "not valid YAML"),
    "latin-1": ("tables: {persons: {columns: {sex: Kjønn}}}".encode("latin-1"), "is not UTF-8 text"),
    "constant that is a list, wrong": ("tables: {consents: {constants: {source: [absence, blood]}}}",
                                       "tables.consents.constants.source: must be one of"),
    "known on two days": ("tables: {persons: {constants: {known_from: [2020-01-01, 2020-02-01]}}}", "on one day only"),
    "leave_out without a list": ("tables: {persons: {leave_out: {Month: 0}}}", "tables.persons.leave_out.Month: Input should"),
    "derive: form": ("derive: {born: {day: Fra}}", "derive.born: not understood. One of these keys must be"),
    "derive: key": ("derive: {a: {month: M, first_month: 2007-07, weekdy: D}}",
                    "derive.a.weekdy: unknown key. Did you mean weekday?"),
    "derive: no year": ("derive: {a: {month: M}}", "derive.a: say the year in one way"),
    "derive: two years": ("derive: {a: {month: M, year: Y, first_month: 2007-07}}", "derive.a: say the year in one way"),
    "derive: month 13": ("derive: {a: {month: M, first_month: 2007-13}}", "derive.a.first_month: String should match"),
    "derive: weekday alone": ("derive: {a: {month: M, year: Y, weekday: D}}", "derive.a: weekday (a column of numbers)"),
    "derive: unit": ("derive: {a: {day: D, lasts: H, unit: hours}}", "derive.a.unit: Input should be 'days' or 'workdays'"),
    "derive: no time a day": ("derive: {a: {day: D, lasts: H, per_day: 0}}", "derive.a.per_day: Input should be greater"),
    "derive: below": ("derive: {a: {day: b, lasts: H}, b: {month: M, year: Y}}", "derive.a: b must be worked out above it"),
    "derive: itself": ("derive: {a: {day: a, lasts: H}}", "derive.a: a must be worked out above it"),
    "derive: a year is no day": ("derive: {a: {day: D, minus_years: J, form: year}, b: {earliest: a, per: P}}",
                                 "derive.b: a is worked out, but is not what is needed there"),
    "derive: unused": ("derive: {a: {row: r-}}\ntables: {absence_spells: {columns: {spell_id: b}}}",
                       "derive.a: no table takes it"),
    "known_from a year": ("derive: {a: {day: D, minus_years: J, form: year}}\ntables: {persons: {known_from: a + 4 days}}",
                          "not possible for a table without event dates"),
    "deep nesting": ("[" * 50_000, "nested too deeply"),
    "too large": ("#" * 300_000, "larger than 256 kB"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_named_with_its_place_and_the_nearest_name(case, read):
    text, message = FAULTS[case]
    with pytest.raises(SettingsError) as refused:
        read(text)
    assert "mapping.yaml" in str(refused.value)
    assert message in str(refused.value)


def test_a_bomb_of_aliases_is_refused_before_it_unfolds(read):
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    with pytest.raises(SettingsError, match="anchors"):
        read("a0: &a0 [lol]\n" + levels)


def test_all_faults_are_named_at_once(read):
    with pytest.raises(SettingsError, match=r"2 fault\(s\)"):
        read("tables: {persons: {columns: {person: A, gender: B}}}")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"mapping\.yaml does not exist"):
        read_mapping(tmp_path / "mapping.yaml")


def test_assumptions_of_the_settings_do_not_override_the_mapping(read):
    mapping = read(WHOLE).with_assumptions(
        {"absence_spells": "first_day + 9 days", "survey_answers": "answered_on + 0 days"}
    )
    assert mapping.table(AbsenceSpell).known_from == "first_day + 4 days"
    assert mapping.table(SurveyAnswer).known_from == "answered_on + 0 days"
    with pytest.raises(SettingsError, match="absence, which is no table"):
        Mapping().with_assumptions({"absence": "first_day + 4 days"})


DERIVE = """\
derive:
  absent_on: {month: Mnd, year: Aar}
  absent_until: {day: absent_on, lasts: Timer, per_day: 7.5, unit: workdays}
  seen: {earliest: absent_on, per: Nr}
tables:
  persons:
    columns: {person_id: Nr}
    known_from: seen + 19 days
  absence_spells:
    columns: {person_id: Nr, first_day: absent_on, last_day: absent_until}
    leave_out: {Status: [tentative]}
"""


def test_the_names_looked_for_are_those_of_the_source_and_not_what_is_worked_out(read):
    mapping = read(DERIVE)
    assert mapping.derived(Person) == ["absent_on", "seen"]
    assert {"Mnd", "Aar", "Nr"} <= {*mapping.names(Person)}
    assert mapping.derived(AbsenceSpell) == ["absent_on", "absent_until"]
    names = mapping.names(AbsenceSpell)
    assert {"Mnd", "Aar", "Timer", "Nr", "Status"} <= {*names}
    assert not {"absent_on", "absent_until", "first_day"} & {*names}


def test_an_assumption_of_the_settings_may_rest_on_a_day_that_is_worked_out(read):
    mapping = read(DERIVE.replace("    known_from: seen + 19 days\n", "    constants: {sex: male}\n", 1).replace(
        "  seen: {earliest: absent_on, per: Nr}\n", ""))  # fmt: skip
    assert mapping.with_assumptions({"persons": "absent_on + 19 days"}).derived(Person) == ["absent_on"]
    with pytest.raises(SettingsError, match="absent_at"):
        mapping.with_assumptions({"persons": "absent_at + 19 days"})
