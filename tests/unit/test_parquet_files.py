"""Tables survive the disk unchanged, nothing of a dropped row stays behind, a file of another contract is refused."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import MissingInputError, SourceFileError
from data_contracts.fingerprints import fingerprint
from data_contracts.readers import parquet_files
from data_contracts.readers.column_mapping import Mapping
from data_contracts.readers.parquet_files import (
    day_span,
    n_partitions,
    read_partition,
    read_table,
    read_tables,
    write_table,
    write_tables,
)
from data_contracts.readers.sources import open_source
from data_contracts.records import RECORDS, TABLES, AbsenceSpell, Person, SurveyAnswer
from data_contracts.tables import Coded, empty_table, take
from tests.lib.sound_rows import SOUND, changed, checked


def assert_same(one, other):
    assert list(one) == list(other)
    for name, values in one.items():
        if isinstance(values, Coded):
            assert values.texts() == other[name].texts()
        else:
            np.testing.assert_array_equal(values, other[name], strict=True)


@pytest.mark.parametrize("record", RECORDS)
def test_what_is_written_is_read(record, tmp_path):
    optional = [name for name, field in record.model_fields.items() if not field.is_required()]
    sparse = (
        SOUND[record.table] | dict.fromkeys(optional, "") | {record.natural_key[0]: "other", "known_from": "2025-08-01"}
    )
    table = checked(record.table, SOUND[record.table], sparse).table
    assert len(table["known_from"]) == 2
    write_table(tmp_path / "t.parquet", record, table)
    assert_same(table, read_table(tmp_path / "t.parquet", record))


def test_all_tables_of_a_directory_and_empty_ones(tmp_path):
    tables = {name: checked(name, row).table for name, row in SOUND.items()} | {
        "consents": empty_table(TABLES["consents"])
    }
    write_tables(tmp_path / "new", tables)
    again = read_tables(tmp_path / "new")
    assert list(again) == list(TABLES)
    for name, table in tables.items():
        assert_same(table, again[name])


def test_very_many_rows_of_one_partition_are_one_row_group(tmp_path):
    n = 1_100_000
    words = tuple(f"p{i}" for i in range(50))
    column = Coded((np.arange(n) % 50).astype(np.int32), words)
    table = {name: column if isinstance(values, Coded) else np.zeros(n, dtype=values.dtype)
             for name, values in empty_table(Person).items()}  # fmt: skip
    write_table(tmp_path / "t.parquet", Person, table)
    assert pq.ParquetFile(tmp_path / "t.parquet").num_row_groups == 1
    read = read_table(tmp_path / "t.parquet", Person)["person_id"]
    np.testing.assert_array_equal(read.recode({word: i for i, word in enumerate(words)}), column.codes)


def test_the_same_rows_give_the_same_bytes(tmp_path):
    rows = [SOUND["persons"], changed("persons", person_id="a", sex="male")]
    one = checked("persons", *rows).table
    other = take(checked("persons", *rows[::-1]).table, slice(None, None, -1))  # same rows, other vocabulary order
    write_table(tmp_path / "one.parquet", Person, one)
    write_table(tmp_path / "other.parquet", Person, other)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_nothing_of_a_dropped_row_stays_in_the_file(tmp_path):
    table = checked("persons", SOUND["persons"], changed("persons", person_id="erased-person")).table
    write_table(tmp_path / "t.parquet", Person, take(table, slice(0, 1)))
    assert b"erased" not in (tmp_path / "t.parquet").read_bytes()


def test_a_file_of_another_contract_is_refused(tmp_path):
    path = tmp_path / "persons.parquet"
    write_table(path, Person, checked("persons", SOUND["persons"]).table)
    assert pq.read_schema(path).metadata[b"balance_risk.contract"] == fingerprint(Person).encode()
    with pytest.raises(SourceFileError, match="another version of the contract of absence_spells"):
        read_table(path, AbsenceSpell)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.drop_columns(["known_from"]),
        lambda rows: rows.append_column("more", rows["known_from"]),
        lambda rows: rows.select(rows.column_names[::-1]),
        lambda rows: rows.set_column(0, "person_id", rows["person_id"].cast(pa.string())),
        lambda rows: rows.set_column(0, "person_id", pa.array([[1]] * rows.num_rows)),
    ],
    ids=["a column gone", "one more", "another order", "plain text", "lists"],
)
def test_a_file_with_our_metadata_and_other_columns_is_refused(change, tmp_path):
    tables = {name: checked(name, row).table for name, row in SOUND.items()}
    write_tables(tmp_path, tables)
    path = tmp_path / "absence_spells.parquet"
    stored = pq.read_table(path)
    pq.write_table(change(stored).replace_schema_metadata(stored.schema.metadata), path)
    for read in (
        lambda: read_table(path, AbsenceSpell),
        lambda: read_partition(tmp_path, 0),
        lambda: day_span(tmp_path, "absence_spells", "known_from"),
        lambda: n_partitions(tmp_path),
    ):
        with pytest.raises(
            SourceFileError, match=r"absence_spells\.parquet does not have the columns of absence_spells"
        ):
            read()


def test_a_row_without_the_day_it_was_known_is_refused(tmp_path):
    path = tmp_path / "absence_spells.parquet"
    write_table(path, AbsenceSpell, checked("absence_spells", SOUND["absence_spells"]).table)
    stored = pq.read_table(path)
    place = stored.column_names.index("known_from")
    unknown = stored.set_column(place, "known_from", pa.nulls(stored.num_rows, pa.date32()))
    pq.write_table(pa.concat_tables([stored, unknown]), path)
    with pytest.raises(SourceFileError, match="rows without known_from"):
        day_span(tmp_path, "absence_spells", "known_from")


def test_a_partition_is_read_with_one_opening_of_each_file(tmp_path, monkeypatch):
    write_tables(tmp_path, {name: checked(name, row).table for name, row in SOUND.items()}, 3)
    opened = []
    real = pq.ParquetFile
    monkeypatch.setattr(parquet_files.pq, "ParquetFile", lambda path, **how: opened.append(path) or real(path, **how))
    read_partition(tmp_path, 1)
    assert sorted(opened) == sorted(tmp_path / f"{name}.parquet" for name in TABLES)


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"persons\.parquet does not exist"):
        read_tables(tmp_path)
    (tmp_path / "persons.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceFileError, match=r"persons\.parquet is not a readable Parquet file"):
        read_tables(tmp_path)


def test_a_typed_source_becomes_the_same_text_as_a_csv_file(tmp_path):
    path = tmp_path / "absence_spells.parquet"
    day = datetime.date(2025, 3, 1)
    source = {"person_id": ["p1"], "spell_id": [7], "kind": pa.array(["doctor_certified"]).dictionary_encode(),
              "grade_percent": pa.array([100], pa.int32()), "first_day": [day], "last_day": pa.nulls(1),
              "known_from": [datetime.datetime(2025, 3, 1, 23, 30, tzinfo=datetime.UTC)], "is_deleted": [False],
    }  # fmt: skip
    pq.write_table(pa.table(source), path)
    found = open_source(str(path)).read(AbsenceSpell)
    row = {name: column.texts()[0] for name, column in found.raw.items()}
    table = checked("absence_spells", row).table
    assert found.notes == []
    assert (table["spell_id"].texts(), table["grade_percent"][0], table["is_deleted"][0]) == (["7"], 100.0, 0.0)
    assert (table["first_day"][0], table["known_from"][0]) == (np.datetime64("2025-03-01"), np.datetime64("2025-03-02"))


PERSON = {"person_id": ["p1"], "birth_year": [1980], "sex": ["male"], "known_from": ["2025-01-01"]}


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("person_id", [["p1"]], "list"),
        ("person_id", [{"Ola": "p1"}], "struct"),
        ("more", [[1]], "list"),
        ("x", [b"\xff"], "binary"),
    ],
)
def test_a_source_column_that_has_no_text_is_named(name, cells, kind, tmp_path):
    path = tmp_path / "persons.parquet"
    pq.write_table(pa.table(PERSON | {name: cells}), path)
    with pytest.raises(SourceFileError, match=f"column {name} is of the type {kind}; text"):
        open_source(str(path)).read(Person)


def test_only_text_is_read_by_the_conventions_of_the_mapping(tmp_path):
    # A number that is stored as one has a point in its text because we write it so, not because the sender did.
    answers = {"person_id": ["p"] * 2, "instrument": ["who5"] * 2, "item": ["item_1", "item_2"],
               "answered_on": ["01.03.2025"] * 2, "known_from": ["2025-03-02"] * 2}  # fmt: skip
    path = tmp_path / "survey_answers.parquet"
    mapping = Mapping.model_validate({"format": {"decimal": ","}})
    for cells, texts in (([2.5, 3.0], ["2.5", "3"]), (["2,5", "3"], ["2.5", "3"])):
        pq.write_table(pa.table(answers | {"answer": cells}), path)
        found = open_source(str(path), mapping).read(SurveyAnswer)
        assert found.raw["answer"].texts() == texts
        assert found.raw["answered_on"].texts() == ["2025-03-01"] * 2
        assert (found.refusals, found.row_numbers.tolist()) == ([], [1, 2])


def test_a_long_text_that_is_repeated_is_held_once(tmp_path):
    path = tmp_path / "persons.parquet"
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["y" * 100_000])
    rows = {name: cells * 20_000 for name, cells in PERSON.items()} | {"x": long}
    pq.write_table(pa.table(rows), path, store_schema=False)
    assert path.stat().st_size < 1_000_000, "two gigabytes, if every cell had its own"
    assert len(open_source(str(path)).read(Person).raw["person_id"]) == 20_000


def test_an_identity_number_in_an_ignored_column_is_found_also_as_a_number(tmp_path):
    path = tmp_path / "persons.parquet"
    pq.write_table(pa.table(PERSON | {"fnr": pa.array([1010750160], pa.int64())}), path)
    (refusal,) = open_source(str(path)).read(Person).refusals
    assert (refusal.column, refusal.rows.tolist()) == ("column 5", [0])


@pytest.mark.parametrize("length", [0, 3, 100, -1, -10])
def test_a_cut_or_changed_file_is_refused_and_not_quoted(length, tmp_path):
    path = tmp_path / "persons.parquet"
    pq.write_table(pa.table(PERSON), path)
    content = path.read_bytes()
    path.write_bytes(content[:length])
    with pytest.raises(SourceFileError, match=r"persons\.parquet is not a readable Parquet file"):
        open_source(str(path)).read(Person)


def test_a_file_with_too_many_cells_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "persons.parquet"
    pq.write_table(pa.table({name: cells * 100_000 for name, cells in PERSON.items()}), path)
    monkeypatch.setattr(parquet_files, "_MOST_CELLS", 399_999)
    with pytest.raises(SourceFileError, match="more than 399999 cells"):
        open_source(str(path)).read(Person)
