"""A person erased by the customer's number or by a pseudonym stays erased over rotations, and old tombstones are read."""

from __future__ import annotations

import json

import pytest

from data_contracts.errors import MissingInputError, SettingsError
from data_contracts.pseudonyms import Pseudonymiser
from pipeline import erase, erasures
from pipeline.workspace import Workspace
from tests.lib.customers import KEYS, ON, customers_source
from tests.lib.planted import HER, cells, plant


@pytest.fixture
def workspace(tmp_path):
    return plant(tmp_path)


@pytest.mark.parametrize("name", ["4711", KEYS.pseudonym("4711"), KEYS.all_pseudonyms("4711")[1]])
def test_the_customers_number_and_the_pseudonym_lead_to_the_same_person(tmp_path, name):
    workspace = Workspace(tmp_path)
    customers_source(workspace)
    erase.run(workspace, name, on=ON, pseudonymiser=KEYS)
    # The occupation 4711 is no person, and the letter Å stays a Latin-1 letter.
    assert (workspace.source / "ansatte.csv").read_bytes() == "AnsattNr;År;Yrke\r\n12;1981;4711\r\n".encode("latin-1")
    assert cells(workspace.tables / "safety_flags.csv")[1:] == [[KEYS.pseudonym("12"), "0.1"]]


def test_a_short_number_is_said_to_be_searched_in_columns_only(tmp_path):
    workspace = Workspace(tmp_path)
    customers_source(workspace)
    report = erase.run(workspace, "4711", on=ON, pseudonymiser=KEYS)
    assert any("too short" in place for place in report["not_searched"])


def persons(keys: Pseudonymiser, *identifiers: str) -> list[tuple[str, ...]]:
    return [(one, *keys.all_pseudonyms(one)) for one in identifiers]


def test_tombstones_are_carried_over_to_a_new_key_and_nothing_else_is(tmp_path):
    workspace, old = Workspace(tmp_path), Pseudonymiser({"p1": b"o" * 32})
    erasures.add_tombstones(workspace, [old.pseudonym("4711")])
    known = erasures.Tombstones.load(workspace)
    assert not known.covers(KEYS.pseudonym("4711"))
    assert known.carry_over(persons(KEYS, "12", "4711")) == 1
    for found in (known, erasures.Tombstones.load(workspace)):
        assert found.covers(KEYS.pseudonym("4711"))
        assert found.covers("4711")
        assert not found.covers(KEYS.pseudonym("12"))
    assert known.carry_over(persons(KEYS, "12", "4711")) == 0


def test_where_nobody_was_erased_a_rotation_leaves_no_file(tmp_path):
    assert erasures.Tombstones.load(Workspace(tmp_path)).carry_over(persons(KEYS, "12")) == 0
    assert not list(tmp_path.iterdir())


def test_erased_by_identifier_she_is_known_after_the_old_key_is_gone(tmp_path):
    """She was out of the source when the new key came, so no ingest under both keys ever saw her."""
    workspace = Workspace(tmp_path)
    customers_source(workspace)
    erase.run(workspace, "4711", on=ON, pseudonymiser=Pseudonymiser({"p1": b"o" * 32}))
    new = Pseudonymiser({"p2": b"n" * 32})
    known = erasures.Tombstones.load(workspace)
    known.require_keys(["p2"])
    assert known.carry_over(persons(new, "4711")) == 1
    assert known.covers(new.pseudonym("4711"))


def test_erased_by_a_pseudonym_alone_the_key_must_stay_until_she_is_known_otherwise(tmp_path):
    workspace = Workspace(tmp_path)
    old = Pseudonymiser({"p1": b"o" * 32})
    workspace.tables.mkdir(parents=True)
    (workspace.tables / "safety_flags.csv").write_text(f"person_id,answer\n{old.pseudonym('4711')},1\n")
    erase.run(workspace, old.pseudonym("4711"), on=ON, pseudonymiser=old)
    known = erasures.Tombstones.load(workspace)
    known.require_keys(["p2", "p1"])
    with pytest.raises(SettingsError, match="key p1"):
        known.require_keys(["p2"])
    known.carry_over(persons(KEYS, "4711"))
    known.require_keys(["p2"])
    erasures.Tombstones.load(workspace).require_keys(["p2"])


def test_the_tombstones_of_earlier_releases_are_read(tmp_path):
    workspace = Workspace(tmp_path)
    mark = erasures.add_tombstones(workspace, [HER]).mark(HER)
    (tmp_path / "erasures" / "tombstones.json").write_text(json.dumps([mark]))
    assert erasures.Tombstones.load(workspace).covers(HER)


@pytest.mark.parametrize("content", ["{", "[" * 100_000, "[1]", '{"marks": 3}', '"x"', "\udcff"])
def test_damaged_tombstones_are_told_and_keep_nobody_out_silently(tmp_path, content):
    workspace = Workspace(tmp_path)
    erasures.add_tombstones(workspace, [HER])
    (tmp_path / "erasures" / "tombstones.json").write_text(content, errors="surrogateescape")
    with pytest.raises(MissingInputError, match="damaged"):
        erasures.Tombstones.load(workspace)


def test_tombstones_without_their_key_stop_everything(tmp_path):
    workspace = Workspace(tmp_path)
    erasures.add_tombstones(workspace, [HER])
    (tmp_path / "erasures" / "tombstone.key").unlink()
    with pytest.raises(MissingInputError, match="backup"):
        erasures.Tombstones.load(workspace)


def test_a_source_that_may_name_the_person_in_a_column_nobody_declared_is_a_failure(tmp_path):
    workspace = Workspace(tmp_path)
    customers_source(workspace)
    (workspace.source / "mapping.yaml").unlink()
    with pytest.raises(erase.ErasureIncomplete, match=r"data/source/ansatte\.csv"):
        erase.run(workspace, "4711", on=ON, pseudonymiser=KEYS)


def test_a_broken_file_of_the_source_does_not_stop_an_erasure(tmp_path):
    workspace = Workspace(tmp_path)
    customers_source(workspace)
    (workspace.source / "broken.csv").write_text('a;b\n"' + "x" * 200_000)
    (workspace.source / "broken.json").write_text("{")
    assert erase.run(workspace, KEYS.pseudonym("4711"), on=ON, pseudonymiser=KEYS)["certificate"]


def test_files_that_are_links_into_the_cache_keep_the_rows_of_others(workspace):
    object_ = workspace.root / ".dvc" / "cache" / "files" / "md5" / "ab" / ("c" * 30)
    object_.parent.mkdir(parents=True)
    persons = workspace.source / "persons.csv"
    persons.rename(object_)
    persons.symlink_to(object_)
    erase.run(workspace, HER, on=ON)
    assert not object_.exists()
    assert [line[0] for line in cells(persons)[1:]] == ["person-771", "person-7", "q"]
