"""Every person is in exactly one partition, whose rows can be read alone, and which is the same one everywhere."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

from data_contracts import partitions
from data_contracts.errors import SourceFileError
from data_contracts.partitions import PARTITION_PERSONS, divided, has_persons, partition_of, partitions_for
from data_contracts.readers.parquet_files import (
    PARTITIONS_KEY,
    arrow_schema,
    day_span,
    n_partitions,
    read_partition,
    read_table,
    read_tables,
    write_table,
    write_tables,
)
from data_contracts.records import RECORDS, TABLES, AbsenceSpell, Person
from data_contracts.table_parts import TableParts
from data_contracts.tables import Coded, empty_table, n_rows
from pipeline.erasure.files import parquet_without
from tests.lib.records import event, job, person, rows_of, spell, tables

NAMES = [f"person-{i}" for i in range(40)]


def firm() -> dict:
    """Forty persons, each with a job and two spells whose rows lie far apart; one event at their company."""
    spells = [spell(f"2024-0{month}-01", f"2024-0{month}-10", spell_id=f"{month}", person_id=name)
              for month in (3, 2) for name in NAMES]  # fmt: skip
    rows = rows_of(
        persons=[person(name) for name in NAMES],
        employments=[job(person_id=name) for name in NAMES],
        absence_spells=spells,
        workplace_events=[event("reorganisation", "2024-05-01")],
    )
    return tables(rows)


def rows(table: dict) -> list[tuple]:
    """Rows as text, so that nothing differs from nothing."""
    columns = [values.texts() if isinstance(values, Coded) else values.tolist() for values in table.values()]
    return [tuple(map(str, row)) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("n", [1, 3, 7, 100])
def test_every_row_is_in_exactly_one_partition_and_a_persons_rows_are_together(n, tmp_path):
    whole = firm()
    write_tables(tmp_path, whole, n)
    assert n_partitions(tmp_path) == n
    parts = [read_partition(tmp_path, k) for k in range(n)]
    for name in ("persons", "employments", "absence_spells", "survey_answers"):
        together = [row for part in parts for row in rows(part[name])]
        assert Counter(together) == Counter(rows(whole[name]))
        assert together == rows(read_table(tmp_path / f"{name}.parquet", TABLES[name]))
    homes = [{*part["absence_spells"]["person_id"].vocabulary} for part in parts]
    assert [{*part["persons"]["person_id"].vocabulary} for part in parts] == homes
    assert sum(map(len, homes)) == len(NAMES)


def test_the_partition_is_a_fixed_number_of_the_pseudonym():
    # 0xCBF43926 is the check value that catalogues of CRCs give for CRC-32; files on disk depend on it.
    ids = Coded.from_texts(["123456789", "person-0", "123456789"])
    for n in (3, 7, 50, 2**31):
        assert partition_of(ids, n).tolist()[::2] == [0xCBF43926 % n] * 2
    assert partition_of(ids, 1).tolist() == [0, 0, 0]


def test_partitions_are_of_about_one_size():
    ids = Coded.from_texts([f"SYNTHETIC-{i:07d}" for i in range(20_000)])
    sizes = np.bincount(partition_of(ids, 7), minlength=7)
    assert sizes.min() > 0.95 * 20_000 / 7


def test_rows_keep_their_order_within_a_partition():
    table = firm()["absence_spells"]
    order = {row: place for place, row in enumerate(rows(table))}
    for part in divided(table, 5):
        places = [order[row] for row in rows(part)]
        assert places == sorted(places)
        assert len(places) > 1


def test_what_belongs_to_companies_is_part_of_every_partition(tmp_path):
    write_tables(tmp_path, firm(), 3)
    assert [n_rows(read_partition(tmp_path, k)["workplace_events"]) for k in range(3)] == [1, 1, 1]


def test_empty_partitions_and_empty_tables_are_there_and_empty(tmp_path):
    write_tables(tmp_path, {name: empty_table(record) for name, record in TABLES.items()}, 3)
    assert pq.ParquetFile(tmp_path / "persons.parquet").num_row_groups == 3
    for k in range(3):
        assert {n_rows(table) for table in read_partition(tmp_path, k).values()} == {0}
    assert {n_rows(table) for table in read_tables(tmp_path).values()} == {0}


def test_a_partition_holds_the_words_of_nobody_else(tmp_path):
    write_tables(tmp_path, firm(), 3)
    for k in range(3):
        ids = read_partition(tmp_path, k)["absence_spells"]["person_id"]
        assert {*ids.vocabulary} == {*ids.texts()}


def other_words_first(values):
    """The same texts over a vocabulary in another order, with a word that no row has."""
    if not isinstance(values, Coded):
        return values
    last = len(values.vocabulary)
    return Coded(
        np.where(values.codes < 0, -1, last - values.codes).astype(np.int32), ("unused", *values.vocabulary[::-1])
    )


@pytest.mark.parametrize("n", [1, 4])
def test_the_same_rows_give_the_same_bytes(n, tmp_path):
    write_tables(tmp_path / "one", firm(), n)
    scrambled = {name: {column: other_words_first(values) for column, values in table.items()}
                 for name, table in firm().items()}  # fmt: skip
    write_tables(tmp_path / "other", scrambled, n)
    for record in RECORDS:
        name = f"{record.table}.parquet"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_erasing_rows_gives_the_file_that_never_had_them(tmp_path):
    table = firm()["absence_spells"]
    write_table(tmp_path / "t.parquet", AbsenceSpell, table, 4)
    stored = read_table(tmp_path / "t.parquet", AbsenceSpell)["person_id"].texts()
    gone = np.array([name in ("person-3", "person-5") for name in stored])
    left = [name not in ("person-3", "person-5") for name in table["person_id"].texts()]
    write_table(tmp_path / "never.parquet", AbsenceSpell, {name: v[np.array(left)] for name, v in table.items()}, 4)
    assert parquet_without(tmp_path / "t.parquet", gone) == (tmp_path / "never.parquet").read_bytes()


def test_a_file_that_says_nothing_of_partitions_is_one(tmp_path):
    whole = firm()
    write_tables(tmp_path, whole, 1)
    for record in RECORDS:
        path = tmp_path / f"{record.table}.parquet"
        stored = pq.ParquetFile(path).read()
        pq.write_table(stored.replace_schema_metadata(arrow_schema(record).metadata), path, row_group_size=10)
        assert PARTITIONS_KEY not in pq.read_schema(path).metadata
    assert n_partitions(tmp_path) == 1
    for name, table in read_partition(tmp_path, 0).items():
        assert rows(table) == rows(whole[name])


def test_tables_of_two_ingests_are_refused(tmp_path):
    write_tables(tmp_path, firm(), 3)
    write_table(tmp_path / "persons.parquet", Person, firm()["persons"], 2)
    with pytest.raises(SourceFileError, match="not of one ingest"):
        n_partitions(tmp_path)


def test_a_lost_partition_is_noticed(tmp_path):
    write_tables(tmp_path, firm(), 3)
    path = tmp_path / "persons.parquet"
    whole = pq.ParquetFile(path)
    with pq.ParquetWriter(path.with_suffix(".part"), whole.schema_arrow) as writer:
        for group in (0, 2):
            writer.write_table(whole.read_row_group(group))
    path.with_suffix(".part").replace(path)
    with pytest.raises(SourceFileError, match="has lost a partition"):
        n_partitions(tmp_path)


def test_how_many_partitions_so_many_persons_make():
    sizes = [0, 1, PARTITION_PERSONS, PARTITION_PERSONS + 1, 1_000_000]
    assert [partitions_for(n) for n in sizes] == [1, 1, 1, 2, -(-1_000_000 // PARTITION_PERSONS)]


@pytest.mark.parametrize("n", [1, 5])
def test_the_span_of_a_table_is_over_all_partitions(n, tmp_path):
    write_tables(tmp_path, firm(), n)
    days = firm()["absence_spells"]["known_from"]
    assert day_span(tmp_path, "absence_spells", "known_from") == (days.min().item(), days.max().item())
    assert isinstance(day_span(tmp_path, "absence_spells", "known_from")[0], date)
    assert day_span(tmp_path, "survey_answers", "known_from") is None


@pytest.mark.parametrize("n", [1, 3, 7])
def test_parts_in_memory_are_those_that_would_be_stored(n, tmp_path):
    whole = firm()
    write_tables(tmp_path, whole, n)
    stored, in_memory = TableParts.stored(tmp_path), TableParts.of(whole, n)
    assert stored.names == tuple(TABLES)
    assert (stored.count, in_memory.count) == (n, n)
    for name, times in (("absence_spells", n), ("workplace_events", 1)):
        parts, others = [*stored.each(name, "persons")], [*in_memory.each(name, "persons")]
        assert len(parts) == len(others) == times
        for part, other in zip(parts, others, strict=True):
            assert part.keys() == other.keys() == {name, "persons"}
            for table in part:
                assert rows(part[table]) == rows(other[table])
                if n > 1 and has_persons(TABLES[table]):
                    assert part[table]["person_id"].vocabulary == other[table]["person_id"].vocabulary


def test_tables_in_memory_make_as_many_parts_as_they_would_on_the_disk(monkeypatch):
    assert TableParts.of(firm()).count == 1
    monkeypatch.setattr(partitions, "PARTITION_PERSONS", 12)
    assert TableParts.of(firm()).count == 4


def test_no_two_parts_can_hold_rows_with_one_key():
    assert all("person_id" in record.natural_key for record in RECORDS if has_persons(record))
