"""Days that a source does not have are worked out in one way only, within the error that is told, or refused cell by cell."""

from __future__ import annotations

import calendar
from datetime import date

import pytest

from data_contracts.errors import SettingsError, SourceFileError
from data_contracts.readers.column_mapping import Mapping
from data_contracts.readers.sources import open_source
from data_contracts.records import AbsenceSpell, Consent, Employment, Person
from data_contracts.validation import check

IN_ORDER = {"month": "Mnd", "first_month": "2007-11", "weekday": "Dag", "monday": "2"}
DERIVE = {
    "absent_on": IN_ORDER,
    "absent_until": {"day": "absent_on", "lasts": "Timer", "per_day": "8", "unit": "workdays"},
    "seen": {"earliest": "absent_on", "per": "Nr"},
    "hired_on": {"day": "seen", "minus_years": "Tjeneste"},
    "born": {"day": "seen", "minus_years": "Alder", "form": "year"},
    "record": {"row": "rad-"},
}
TABLES = {
    "persons": {
        "source": "register.csv",
        "columns": {"person_id": "Nr", "birth_year": "born"},
        "constants": {"sex": "female"},
        "known_from": "seen + 18 days",
    },
    "employments": {
        "source": "register.csv",
        "columns": {"person_id": "Nr", "start_date": "hired_on"},
        "constants": {"company_id": "firma", "position_percent": "100"},
        "known_from": "seen + 18 days",
    },
    "consents": {
        "source": "register.csv",
        "columns": {"person_id": "Nr", "given_on": "seen", "known_from": "seen"},
        "constants": {"source": ["absence", "employment"], "purpose": ["model_training", "risk_scoring"]},
    },
    "absence_spells": {
        "source": "register.csv",
        "columns": {"person_id": "Nr", "spell_id": "record", "first_day": "absent_on", "last_day": "absent_until"},
        "constants": {"kind": "doctor_certified", "grade_percent": "100"},
        "leave_out": {"Timer": ["0"]},
        "known_from": "absent_until + 18 days",
    },
}
REGISTER = """\
Nr,Mnd,Dag,Timer,Tjeneste,Alder
1,11,2,8,13,33
2,12,6,16,1,28
1,1,4,4,13,33
2,1,3,0,1,28
1,3,5,120,13,33
"""


def source(directory, text, derive=None, **of_table):
    (directory / "register.csv").write_text(text)
    tables = {name: table | of_table.get(name, {}) for name, table in TABLES.items()}
    return open_source(str(directory), Mapping.model_validate({"derive": derive or DERIVE, "tables": tables}))


def column(found, name):
    return found.raw[name].texts()


def violations(record, found):
    checked = check(record, found.raw, received_on=date(2026, 6, 1), origin=record.table, first_row=0,
                    refusals=found.refusals)  # fmt: skip
    return [found.located(one) for one in checked.violations]


def test_days_are_the_middle_ones_of_their_month_and_the_year_follows_from_the_order(tmp_path):
    spells = source(tmp_path, REGISTER).read(AbsenceSpell)
    # Monday, Friday, Wednesday, Thursday: the third of each in its month.
    assert column(spells, "first_day") == ["2007-11-19", "2007-12-21", "2008-01-16", "2008-03-20"]
    # 8 hours are that day; 16 from a Friday on end on Monday; 4 are a begun day; 120 are 15 workdays.
    assert column(spells, "last_day") == ["2007-11-19", "2007-12-24", "2008-01-16", "2008-04-09"]
    assert column(spells, "known_from") == ["2007-12-07", "2008-01-11", "2008-02-03", "2008-04-27"]
    assert column(spells, "spell_id") == ["rad-2", "rad-3", "rad-4", "rad-6"]
    assert spells.row_numbers.tolist() == [2, 3, 4, 6]
    assert "1 row(s) were left out, as Timer is 0 there" in spells.notes


@pytest.mark.parametrize("weekday", [None, *range(7)])
def test_no_day_of_any_month_is_farther_away_than_is_told(weekday, tmp_path):
    months = [(year, month) for year in (2007, 2008, 2009) for month in range(1, 13)]
    rule = {"month": "Mnd", "year": "Aar"} | ({} if weekday is None else {"weekday": "Dag", "monday": "1"})
    text = "Nr,Aar,Mnd,Dag,Timer\n" + "".join(f"1,{y},{m},{(weekday or 0) + 1},8\n" for y, m in months)
    spells = source(tmp_path, text, DERIVE | {"absent_on": rule}).read(AbsenceSpell)
    told = 15 if weekday is None else 14
    worst = 0
    for (year, month), found in zip(months, map(date.fromisoformat, column(spells, "first_day")), strict=True):
        days = [date(year, month, day + 1) for day in range(calendar.monthrange(year, month)[1])]
        possible = [day for day in days if weekday in (None, day.weekday())]
        assert found in possible
        worst = max(worst, *(abs((day - found).days) for day in possible))
    assert worst == told
    assert any(f"up to {told} days too early or too late" in one for one in spells.worked_out)


def test_one_file_feeds_several_tables(tmp_path):
    files = source(tmp_path, REGISTER)
    persons = check(Person, files.read(Person).raw, received_on=date(2026, 6, 1), origin="persons")
    assert (persons.n_accepted, persons.n_duplicates) == (2, 3)
    assert persons.table["birth_year"].tolist() == [2007 - 33, 2007 - 28]
    assert column(files.read(Employment), "start_date")[:2] == ["1994-11-19", "2006-12-21"]
    consents = files.read(Consent)
    assert [*zip(column(consents, "source"), column(consents, "purpose"), strict=True)][:5] == [
        ("absence", "model_training"), ("absence", "risk_scoring"), ("employment", "model_training"),
        ("employment", "risk_scoring"), ("absence", "model_training"),
    ]  # fmt: skip
    assert consents.row_numbers.tolist() == [row for row in range(2, 7) for _ in range(4)]


def test_two_sets_of_facts_about_one_person_are_refused_and_not_chosen_from(tmp_path):
    found = violations(Person, source(tmp_path, REGISTER + "1,4,5,8,13,41\n").read(Person))
    assert {(one.row, one.rule) for one in found} == {(row, "conflicting versions") for row in (2, 4, 6, 7)}


@pytest.mark.parametrize(
    ("row", "column_named", "rule", "value"),
    [
        ("1,13,4,8", "first_day (absent_on, worked out from Mnd, Dag)", "bounds", "13"),
        ("1,x,4,8", "first_day (absent_on, worked out from Mnd, Dag)", "type", "x"),
        ("1,4,7.5,8", "first_day (absent_on, worked out from Mnd, Dag)", "type", "7.5"),
        ("1,4,9,8", "first_day (absent_on, worked out from Mnd, Dag)", "bounds", "9"),
        ("1,2,4,8", "first_day (absent_on, worked out from Mnd, Dag)", "month out of order", "2"),
        ("1,,4,8", "first_day (absent_on, worked out from Mnd, Dag)", "required", None),
        ("1,4,4,-8", "last_day (absent_until, worked out from absent_on, Timer)", "bounds", "-8"),
        ("1,4,4,99999999", "last_day (absent_until, worked out from absent_on, Timer)", "bounds", "99999999"),
    ],
)
def test_a_cell_from_which_nothing_can_be_worked_out_is_refused_as_it_came(tmp_path, row, column_named, rule, value):
    found = violations(AbsenceSpell, source(tmp_path, f"{REGISTER}{row},13,33\n1,4,2,8,13,33\n").read(AbsenceSpell))
    assert {one.row for one in found} == {7}
    assert (column_named, rule, value) in [(one.column, one.rule, one.value) for one in found]


def test_what_hangs_on_a_refused_day_is_refused_with_it_and_the_rows_below_keep_their_year(tmp_path):
    spells = source(tmp_path, REGISTER + "1,2,4,8,13,33\n2,6,4,8,1,28\n").read(AbsenceSpell)
    rules = {one.column.split(" ")[0]: one.rule for one in violations(AbsenceSpell, spells)}
    assert rules["first_day"] == rules["last_day"] == "month out of order"
    assert column(spells, "first_day")[-1] == "2008-06-18"


def test_an_identity_number_in_an_input_refuses_the_row_and_is_not_repeated(tmp_path):
    found = violations(AbsenceSpell, source(tmp_path, REGISTER + "1,4,4,01010750160,13,33\n").read(AbsenceSpell))
    assert "national identity number" in {one.rule for one in found}
    assert "01010750160" not in str(found)


def test_a_length_is_counted_from_a_day_that_the_source_has(tmp_path):
    (tmp_path / "f.csv").write_text("Nr;Fra;Dager\n1;28.02.2024;3\n2;31/02/2024;1\n3;01.03.2024;1,5\n")
    table = {"source": "f.csv", "columns": {"person_id": "Nr", "first_day": "Fra", "last_day": "til", "spell_id": "rad"},
             "constants": {"kind": "self_certified", "grade_percent": "100"}, "known_from": "til + 4 days"}  # fmt: skip
    rules = {"til": {"day": "Fra", "lasts": "Dager"}, "rad": {"row": "f-"}}
    mapping = Mapping.model_validate({"derive": rules, "tables": {"absence_spells": table}})
    spells = open_source(str(tmp_path), mapping).read(AbsenceSpell)
    assert column(spells, "last_day") == ["2024-03-01", "31/02/2024", "2024-03-02"]
    told = {(one.row, one.column.split(" ")[0]): one.rule for one in violations(AbsenceSpell, spells)}
    assert told[3, "last_day"] == told[3, "first_day"]


def test_29_february_is_the_28th_in_years_that_have_none(tmp_path):
    (tmp_path / "f.csv").write_text("Nr,Sett,Tjeneste\n1,2024-02-29,1\n2,2024-02-29,4\n")
    table = {"source": "f.csv", "columns": {"person_id": "Nr", "start_date": "ansatt", "known_from": "Sett"},
             "constants": {"company_id": "f", "position_percent": "100"}}  # fmt: skip
    rules = {"ansatt": {"day": "Sett", "minus_years": "Tjeneste"}}
    mapping = Mapping.model_validate({"derive": rules, "tables": {"employments": table}})
    assert column(open_source(str(tmp_path), mapping).read(Employment), "start_date") == ["2023-02-28", "2020-02-29"]


def test_what_is_assumed_is_told_with_the_table(tmp_path):
    told = source(tmp_path, REGISTER).read(Person).worked_out
    assert told == (
        "absent_on is the third Dag in Mnd, the rows in order of time from 2007-11 on: up to 14 days too early or too late",
        "seen is the earliest absent_on of each Nr: nobody is known of before",
        "born is the year Alder years before seen: up to a year too late, as only whole years are known",
        "sex is female for every row",
    )


def test_a_column_that_is_needed_for_it_is_missed_by_name(tmp_path):
    with pytest.raises(SourceFileError, match="lacks Dag, or has it more than once; the mapping works out absent_on"):
        source(tmp_path, REGISTER.replace("Dag", "Ukedag", 1)).read(AbsenceSpell)
    with pytest.raises(SourceFileError, match="has a column absent_on, which the mapping works out"):
        source(tmp_path, REGISTER.replace("Alder", "absent_on", 1)).read(AbsenceSpell)
    with pytest.raises(SourceFileError, match="lacks Status, or has it more than once; leave_out looks at it"):
        source(tmp_path, REGISTER, absence_spells={"leave_out": {"Status": ["x"]}}).read(AbsenceSpell)


def test_a_database_has_no_order_to_work_a_year_out_from(tmp_path):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "d.db")) as database:
        database.execute("create table register (Nr, Mnd, Dag, Timer, Tjeneste, Alder)")
    tables = {name: table | {"source": "register"} for name, table in TABLES.items()}
    mapping = Mapping.model_validate({"derive": DERIVE, "tables": tables})
    with pytest.raises(SettingsError, match=r"derive\.absent_on: the rows of a database have no order"):
        open_source(f"sqlite:///{tmp_path / 'd.db'}", mapping).read(Person)
