"""A CSV file is read as text, cell by cell; a file that cannot be used is refused with its name and what to do."""

from __future__ import annotations

import pytest

from data_contracts.errors import MissingInputError, SettingsError, SourceFileError
from data_contracts.readers.csv_files import FIRST_ROW, read_source_file
from data_contracts.records import AbsenceSpell, Person
from data_contracts.validation import check
from tests.lib.sound_rows import RECEIVED_ON, SOUND

HEADER = "person_id,birth_year,sex,known_from"
ROW = "p1,1980,female,2025-01-01"


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, record=Person, assumption=None):
        path = tmp_path / f"{record.table}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_source_file(path, record, assumption)

    return write_and_read


def texts(raw):
    return {name: column.texts() for name, column in raw.items()}


def test_cells_stay_text_and_empty_cells_are_missing(read):
    raw, notes = read('person_id,birth_year,sex,known_from,education_level\n007,1980,"",NaN,null\n')
    expected = {
        "person_id": ["007"],
        "birth_year": ["1980"],
        "sex": [None],
        "known_from": ["NaN"],
        "education_level": ["null"],
    }
    assert texts(raw) == expected
    assert notes == []


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(read):
    raw, _ = read(b"\xef\xbb\xbf" + f"{HEADER}\r\n{ROW}\r\n".encode())
    assert texts(raw)["person_id"] == ["p1"]
    assert texts(raw)["known_from"] == ["2025-01-01"]


def test_the_order_of_the_columns_does_not_matter(read):
    assert texts(read("sex,known_from,person_id,birth_year\nfemale,2025-01-01,p1,1980")[0])["person_id"] == ["p1"]


def test_a_header_without_rows_is_an_empty_table(read):
    raw, _ = read(HEADER + "\n")
    assert {len(column) for column in raw.values()} == {0}


def test_row_numbers_are_line_numbers_of_the_file(read):
    raw, _ = read(f"{HEADER}\n{ROW}\np2,1980,woman,2025-01-01\n")
    checked = check(Person, raw, received_on=RECEIVED_ON, origin="persons.csv", first_row=FIRST_ROW)
    assert [(violation.row, violation.column) for violation in checked.violations] == [(3, "sex")]


def test_many_rows_come_in_their_order_with_each_string_once(read):
    raw, _ = read(HEADER + "\n" + "".join(f"p{i % 999},{1900 + i % 100},female,2025-01-01\n" for i in range(200_000)))
    assert raw["person_id"].texts() == [f"p{i % 999}" for i in range(200_000)]
    assert len(raw["person_id"].vocabulary) == 999


def test_an_unknown_column_is_ignored_and_counted_but_not_named(read):
    raw, notes = read(f"{HEADER},Ola Nordmann\n{ROW},x\n")
    assert set(raw) == set(HEADER.split(","))
    assert notes == ["1 column(s) that the contract of persons does not know were ignored"]


UNUSABLE = {
    "zero bytes": ("", "empty file"),
    "only a byte order mark": (b"\xef\xbb\xbf\n", "empty file"),
    "semicolons": ("person_id;birth_year;sex;known_from\n", "semicolons"),
    "tabs": ("person_id\tbirth_year\tsex\tknown_from\n", "semicolons or tabs"),
    "latin-1 in a cell": (f"{HEADER}\nÅse,1980,female,2025-01-01\n".encode("latin-1"), "UTF-8"),
    "latin-1 in the header": ("person_id,fødselsår\n".encode("latin-1"), "UTF-8"),
    "utf-16": (f"{HEADER}\n".encode("utf-16"), "UTF-8"),
    "missing column": ("person_id,sex,known_from\n", "lacks the column(s) birth_year; found: person_id, sex"),
    "no known_from": ("person_id,birth_year,sex\n", "first_day + 4 days"),
    "column twice": (f"{HEADER},sex\n", "sex more than once"),
    "unquoted decimal comma": (f"{HEADER}\n{ROW}\np2,19,80,female,2025-01-01\n", "header's 4 fields (line 3)"),
    "quote left open": (f'{HEADER}\np1,1980,female,"2025-01-01\n{ROW}\n', "quote left open"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_file_is_refused_with_its_name_and_the_reason(case, read):
    content, message = UNUSABLE[case]
    with pytest.raises(SourceFileError) as refused:
        read(content)
    assert "persons.csv" in str(refused.value)
    assert message in str(refused.value)


def test_a_message_never_quotes_the_file(read):
    for content in (f"{ROW}\n{ROW}\n", f"{HEADER}\n{ROW},secret\n", f"{HEADER}\n{ROW}\nsecret\n"):
        with pytest.raises(SourceFileError) as refused:
            read(content)
        assert "secret" not in str(refused.value)
        assert "1980" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"persons\.csv does not exist"):
        read_source_file(tmp_path / "persons.csv", Person)


SPELLS = """\
person_id,spell_id,kind,grade_percent,first_day
p1,s1,doctor_certified,100,2025-02-27
p1,s2,doctor_certified,100,x
"""


def test_known_from_may_be_assumed_but_never_silently(read):
    raw, notes = read(SPELLS, AbsenceSpell, "first_day + 4 days")
    assert texts(raw)["known_from"] == ["2025-03-03", None]
    assert notes == ["known_from was assumed to be first_day + 4 days in 2 rows"]
    with pytest.raises(SourceFileError, match="lacks the column"):
        read(SPELLS, AbsenceSpell)


def test_an_assumption_does_not_override_what_the_source_says(read):
    row = SOUND["absence_spells"]
    raw, notes = read(",".join(row) + "\n" + ",".join(row.values()) + "\n", AbsenceSpell, "first_day + 4 days")
    assert texts(raw)["known_from"] == ["2025-03-02"]
    assert "was not used" in notes[0]


@pytest.mark.parametrize(
    "assumption", ["first_day", "first_day+4", "first_day - 4 days", "today + 1 day", "known_from + 0 days"]
)
def test_an_assumption_is_read_strictly(assumption, read):
    with pytest.raises(SettingsError, match="'first_day \\+ 4 days'"):
        read(SPELLS, AbsenceSpell, assumption)
