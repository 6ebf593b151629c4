"""A CSV file is read as text, cell by cell; a file that cannot be used is refused with its name and what to do."""

from __future__ import annotations

import codecs

import pytest

from data_contracts.errors import MissingInputError, SettingsError, SourceFileError
from data_contracts.readers.column_mapping import Format, Mapping
from data_contracts.readers.sources import open_source
from data_contracts.records import AbsenceSpell, Employment, Person
from data_contracts.validation import check
from tests.lib.sound_rows import RECEIVED_ON, SOUND

HEADER = "person_id,birth_year,sex,known_from"
ROW = "p1,1980,female,2025-01-01"


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, record=Person, assumption=None, **form):
        path = tmp_path / f"{record.table}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        mapping = Mapping(format=Format(**form))
        return open_source(
            str(path), mapping.with_assumptions({record.table: assumption}) if assumption else mapping
        ).read(record)

    return write_and_read


def texts(delivered):
    return {name: column.texts() for name, column in delivered.raw.items()}


def test_cells_stay_text_and_empty_cells_are_missing(read):
    found = read('person_id,birth_year,sex,known_from,education_level\n007,1980,"",NaN,null\n')
    expected = {
        "person_id": ["007"],
        "birth_year": ["1980"],
        "sex": [None],
        "known_from": ["NaN"],
        "education_level": ["null"],
    }
    assert texts(found) == expected
    assert found.notes == []


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(read):
    found = read(b"\xef\xbb\xbf" + f"{HEADER}\r\n{ROW}\r\n".encode())
    assert texts(found)["person_id"] == ["p1"]
    assert texts(found)["known_from"] == ["2025-01-01"]


def test_the_order_of_the_columns_does_not_matter(read):
    assert texts(read("sex,known_from,person_id,birth_year\nfemale,2025-01-01,p1,1980"))["person_id"] == ["p1"]


@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_header_without_rows_is_an_empty_table(ending, read):
    assert {len(column) for column in read(HEADER + ending).raw.values()} == {0}


@pytest.mark.parametrize(("delimiter", "note"), [(",", None), (";", "semicolons"), ("\t", "tabs")])
def test_the_delimiter_is_told_from_the_header_and_noted(delimiter, note, read):
    found = read(f"{HEADER}\n{ROW}\n".replace(",", delimiter))
    assert texts(found)["sex"] == ["female"]
    assert found.notes == ([f"the file is separated by {note}"] if note else [])


def test_known_names_decide_where_a_name_holds_another_delimiter(read):
    # Counting fields alone would see two names on either side of the comma.
    header = "Kommentar (fri, valgfri, kort, tekst, lang);person_id;birth_year;sex;known_from"
    assert texts(read(f"{header}\nx;p1;1980;female;2025-01-01\n"))["person_id"] == ["p1"]


def test_a_decimal_comma_counts_only_where_the_comma_is_no_delimiter(read):
    names = "person_id,company_id,position_percent,start_date,known_from"
    row = "p1,c1,{},2020-01-01,2020-01-01"
    norwegian = read(f"{names}\n{row}\n".replace(",", ";").format("62,5"), Employment)
    assert texts(norwegian)["position_percent"] == ["62.5"]
    assert "position_percent: numbers are written with a decimal comma" in norwegian.notes
    cell = '"62,5"'
    assert texts(read(f"{names}\n{row.format(cell)}\n", Employment))["position_percent"] == ["62,5"]
    assert texts(read(f"{names}\n{row.format(cell)}\n", Employment, decimal=","))["position_percent"] == ["62.5"]


LATIN = f"{HEADER},education_level\np1,1980,female,2025-01-01,høyskole – 3 år\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
def test_encodings_are_told_apart_and_noted(encoding, read):
    found = read(LATIN.encode(encoding))
    assert texts(found)["education_level"] == ["høyskole – 3 år"]
    assert found.notes == (
        [] if encoding.startswith("utf-8") else [f"the file was read as {encoding}, since it is not UTF-8"]
    )


def test_a_stated_encoding_is_used(read):
    # In Latin-1 the bytes 0x80 to 0x9f are control signs, in Windows-1252 they are letters or nothing.
    content = LATIN.replace("–", "\x81").encode("latin-1")
    assert texts(read(content, encoding="latin-1"))["education_level"] == ["høyskole \x81 3 år"]
    with pytest.raises(SourceFileError, match="not windows-1252 text"):
        read(content)


def test_row_numbers_are_line_numbers_of_the_file(read):
    found = read(f"{HEADER}\n{ROW}\np2,1980,woman,2025-01-01\n")
    checked = check(Person, found.raw, received_on=RECEIVED_ON, origin="persons.csv", row_numbers=found.row_numbers)
    assert [(violation.row, violation.column) for violation in checked.violations] == [(3, "sex")]


def test_blank_lines_and_line_breaks_in_ignored_columns_count_as_lines(read):
    found = read(f'{HEADER},remark\n{ROW},"a\nb"\n\np2,1980,male,2025-01-01,c\n')
    assert texts(found)["person_id"] == ["p1", "p2"]
    assert found.row_numbers.tolist() == [2, 5]


def test_a_header_of_two_lines_is_one_header(read):
    found = read(f'{HEADER},"What do you\nthink?"\n{ROW},x\np2,1980,male,2025-01-01,c\n')
    assert found.row_numbers.tolist() == [3, 4]


def test_many_rows_come_in_their_order_with_each_string_once(read):
    found = read(HEADER + "\n" + "".join(f"p{i % 999},{1900 + i % 100},female,2025-01-01\n" for i in range(200_000)))
    assert found.raw["person_id"].texts() == [f"p{i % 999}" for i in range(200_000)]
    assert len(found.raw["person_id"].vocabulary) == 999
    assert found.row_numbers.tolist() == list(range(2, 200_002))


def test_an_unknown_column_is_ignored_and_counted_but_not_named(read):
    found = read(f"{HEADER},Ola Nordmann\n{ROW},x\n")
    assert set(found.raw) == set(HEADER.split(","))
    assert found.notes == ["1 column(s) that the contract of persons does not know were ignored"]


UNUSABLE = {
    "zero bytes": ("", "empty file"),
    "only a byte order mark": (b"\xef\xbb\xbf\n", "empty file"),
    "binary": (HEADER.encode() + b"\n\x00\x01\x02", "zero bytes"),
    "utf-16 without mark": (HEADER.encode("utf-16-le"), "zero bytes"),
    "half a letter of utf-16": (codecs.BOM_UTF16_LE + HEADER.encode("utf-16-le") + b"\n", "not utf-16 text"),
    "damaged utf-8": (f"{HEADER}\nÅse,1980,female,2025-01-01\n".encode() + b"\xff", "damaged or foreign characters"),
    "cut in a letter of utf-8": (f"{HEADER}\nøå".encode()[:-1], "damaged or foreign characters"),
    "an identity number as a name": (f"{HEADER},01010750160\n", "the name of a column holds a national identity number"),
    "too many columns": (HEADER + ",x" * 5_000 + "\n", "more than 5000 columns"),
    "far too many foreign columns": (",".join(f"c{place}" for place in range(100_000)) + "\n", "none of the columns"),
    "missing column": ("person_id,sex,known_from\n", "lacks the column(s) birth_year; found: person_id, sex"),
    "no known_from": ("person_id,birth_year,sex\n", "first_day + 4 days"),
    "column twice": (f"{HEADER},sex\n", "sex more than once"),
    "unquoted decimal comma": (f"{HEADER}\n{ROW}\np2,19,80,female,2025-01-01\n", "header's 4 fields (line 3)"),
    "ragged behind a blank line": (f"{HEADER}\n\n{ROW}\np2\n", "header's 4 fields (line 4)"),
    "quote left open": (f'{HEADER}\np1,1980,female,"2025-01-01\n{ROW}\n', "quote left open"),
    "quote left open in an ignored column": (f'{HEADER},x\n{ROW},"a\n{ROW},b\n', "line 2: this row cannot be read"),
    "quotes that swallow rows": (f'{HEADER}\np1,1980,"female\n{ROW}\np2,1980,male",2025-01-01\n', "line break"),
    "one enormous line": (f"{HEADER}\n{ROW}\np2,1980,{'x' * 3_000_000},2025-01-01\n", "a line of more than 1 MB"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_file_is_refused_with_its_name_and_the_reason(case, read):
    content, message = UNUSABLE[case]
    with pytest.raises(SourceFileError) as refused:
        read(content)
    assert "persons.csv" in str(refused.value)
    assert message in str(refused.value)


def test_ragged_lines_are_named_but_not_all_of_them(read):
    with pytest.raises(SourceFileError, match=r"7 line\(s\).*\(line 3, 4, 5, 6, 7, \.\.\.\)"):
        read(f"{HEADER}\n{ROW}\n" + "p2;1980\n" * 7)


def test_a_message_never_quotes_the_file(read):
    for content in (f"{ROW}\n{ROW}\n", f"{HEADER}\n{ROW},secret\n", f"{HEADER}\n{ROW}\nsecret\n"):
        with pytest.raises(SourceFileError) as refused:
            read(content)
        assert "secret" not in str(refused.value)
        assert "1980" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"persons\.csv: no such file"):
        open_source(str(tmp_path / "persons.csv"))


SPELLS = """\
person_id,spell_id,kind,grade_percent,first_day
p1,s1,doctor_certified,100,2025-02-27
p1,s2,doctor_certified,100,x
"""


def test_known_from_may_be_assumed_but_never_silently(read):
    found = read(SPELLS, AbsenceSpell, "first_day + 4 days")
    assert texts(found)["known_from"] == ["2025-03-03", None]
    assert found.notes == ["known_from was assumed to be first_day + 4 days in 2 rows"]
    assert found.assumption == "first_day + 4 days"
    with pytest.raises(SourceFileError, match="lacks the column"):
        read(SPELLS, AbsenceSpell)


def test_an_assumption_does_not_override_what_the_source_says(read):
    row = SOUND["absence_spells"]
    found = read(",".join(row) + "\n" + ",".join(row.values()) + "\n", AbsenceSpell, "first_day + 4 days")
    assert texts(found)["known_from"] == ["2025-03-02"]
    assert "was not used" in found.notes[0]
    assert found.assumption is None


@pytest.mark.parametrize(
    "assumption", ["first_day", "first_day+4", "first_day - 4 days", "today + 1 day", "known_from + 0 days"]
)
def test_an_assumption_is_read_strictly(assumption, read):
    with pytest.raises(SettingsError, match="'first_day \\+ 4 days'"):
        read(SPELLS, AbsenceSpell, assumption)
