"""Erasing a person leaves nothing that names her, keeps everything of everybody else, and can be broken off anywhere."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import ContractViolation, MissingInputError, SettingsError
from data_contracts.pseudonyms import Pseudonymiser
from data_contracts.readers.parquet_files import read_tables
from models.training_set import TrainingSet
from pipeline import erase, erasures, ingest
from pipeline.erasure import everywhere
from pipeline.erasure import files as erasure_files
from pipeline.erasure.models import retrain_due
from pipeline.erasure.search import found_in
from pipeline.erasure.wanted import Wanted
from pipeline.workspace import Workspace
from tests.lib.planted import HER, NEIGHBOURS, RECEIVED, cells, grep, plant, rows_of, source
from tests.lib.source_files import together, write_source

ON = date(2026, 2, 1)

NUMBER = "01814550016"
"""A synthetic number, born in month 81."""

PLACES = [
    ".bentoml/inputs.log.1", "data/models/out_of_fold.npy", "data/scores/2025-01-01.csv.gz", "data/scores/2026-01-01.csv",
    *(f"data/source/{name}.csv" for name in ("absence_spells", "consents", "employments", "guidance_sessions",
                                             "lab_results", "persons", "survey_answers", "truth/truth")),
    *(f"data/tables/{name}.parquet" for name in ("absence_spells", "consents", "employments", "guidance_sessions",
                                                 "lab_results", "persons", "survey_answers")),
    "data/training/long_sick_leave/rows.npz", "old.log.1.gz", "request.json", "service.log",
]  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    return plant(tmp_path)


def test_she_is_in_every_place_before_and_in_none_after(workspace):
    assert grep(workspace.root) == PLACES
    report = erase.run(workspace, HER, on=ON)
    assert grep(workspace.root) == []
    assert set(PLACES) <= set(report["files"])
    assert all(counts["after"] == 0 for counts in report["places"].values())


def test_nobody_else_loses_a_row_or_a_byte(workspace):
    before = {path: path.read_text().splitlines() for path in workspace.source.rglob("*.csv")}
    training = TrainingSet.load(workspace.training_set("long_sick_leave") / "rows")
    erase.run(workspace, HER, on=ON)
    for path, lines in before.items():
        assert path.read_text().splitlines() == [line for line in lines if HER not in line.split(",")]
    tables = read_tables(workspace.tables)
    assert sorted(tables["persons"]["person_id"].texts()) == sorted(NEIGHBOURS)
    left = TrainingSet.load(workspace.training_set("long_sick_leave") / "rows")
    kept = training.person_ids[training.person] != HER
    assert left.person_ids[left.person].tolist() == training.person_ids[training.person][kept].tolist()
    assert left.X.tobytes() == training.X[kept].tobytes()
    assert left.feature_names.tolist() == training.feature_names.tolist()
    assert [row[0] for row in cells(workspace.scores / "2026-01-01.csv")[1:]] == list(NEIGHBOURS)
    with gzip.open(workspace.scores / "2025-01-01.csv.gz", "rt") as file:
        assert [line.split(",")[0] for line in file][1:] == list(NEIGHBOURS)
    assert (workspace.root / "service.log").read_text() == "asked for person-771\n"
    assert gzip.decompress((workspace.root / "old.log.1.gz").read_bytes()) == b"asked for q\n"


def test_the_tables_are_what_ingest_makes_of_a_source_that_never_had_her(workspace, tmp_path):
    erase.run(workspace, HER, on=ON)
    other = Workspace(tmp_path / "other")
    others = (rows_of("person-771"), rows_of("person-7", 77), rows_of("q"))
    write_source(other.source, together(*others))
    ingest.run(other, RECEIVED)
    for path in sorted(other.tables.glob("*.parquet")):
        assert (workspace.tables / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_quarantine_follows_the_source(workspace):
    before = cells(workspace.tables / "quarantine.csv")
    row, file = before[0].index("row"), before[0].index("file")
    answers = [line[row] for line in before if line[file] == "survey_answers.csv"]
    assert answers == ["4", "5"]  # hers, then person-7's, whose answer moves up two lines: hers were lines 3 and 4
    erase.run(workspace, HER, on=ON)
    after = cells(workspace.tables / "quarantine.csv")
    assert [line[row] for line in after if line[file] == "survey_answers.csv"] == ["3"]
    assert cells(workspace.source / "survey_answers.csv")[3 - 1][0] == "person-7"


def left_by_a_killed_build(workspace) -> list:
    """What a build leaves when its process is killed: features without names, and a set with them that is half written."""
    left = [workspace.training_set(name) / "parts-0123" for name in ("burnout", "long_sick_leave")]
    for path in left:
        (path / "dask-scratch-space").mkdir(parents=True)
        (path / "0.f4").write_bytes(np.arange(8, dtype="<f4").tobytes())
        (path / "rows.npz.89ab.partial").write_bytes(b"PK\3\4 cut off " + HER.encode())
    return left


def test_what_a_killed_build_has_left_goes_and_the_certificate_says_so(workspace):
    left = left_by_a_killed_build(workspace)
    report = erase.run(workspace, HER, on=ON)
    assert [path for path in left if path.exists()] == []
    for path in left:
        assert report["files"][str(path.relative_to(workspace.root))] == {"rows": 1, "sha256_after": None}
    assert grep(workspace.root) == []


def test_what_a_build_has_left_since_an_erasure_goes_with_the_next(workspace):
    erase.run(workspace, HER, on=ON)
    (left, _) = left_by_a_killed_build(workspace)
    assert erase.run(workspace, HER, on=ON)["certificate"] is not None
    assert not left.exists()


def test_somebody_unknown_leaves_even_a_killed_build_alone(workspace):
    left = left_by_a_killed_build(workspace)
    with pytest.raises(MissingInputError, match="nothing was changed"):
        erase.run(workspace, "nobody", on=ON)
    assert all((path / "0.f4").exists() for path in left)


def test_a_later_ingest_of_the_same_source_does_not_take_her(workspace, tmp_path):
    erase.run(workspace, HER, on=ON)
    source(tmp_path / "again")
    (tmp_path / "again").rename(workspace.source.with_name("source_again"))
    for path in workspace.source.with_name("source_again").glob("*.csv"):
        path.replace(workspace.source / path.name)
    ingest.run(workspace, RECEIVED)
    assert grep(workspace.tables) == []
    assert sorted(read_tables(workspace.tables)["persons"]["person_id"].texts()) == sorted(NEIGHBOURS)


def test_the_certificate_names_nobody_and_adds_up(workspace):
    report = erase.run(workspace, HER, reason="her request of 30 January", on=ON)
    (path,) = (workspace.root / "erasures").glob("2026-02-01-*.json")
    text = path.read_text() + path.with_suffix(".txt").read_text()
    assert HER not in text
    found = json.loads(path.read_text())
    assert found["date"] == "2026-02-01"
    assert found["reason"] == "her request of 30 January"
    assert found["places"]["data/scores"] == {"before": 2, "after": 0}
    assert found["places"]["data/training"] == {"before": 8, "after": 0}
    persons = workspace.source / "persons.csv"
    assert found["files"]["data/source/persons.csv"] == {
        "rows": 2,
        "sha256_after": hashlib.sha256(persons.read_bytes()).hexdigest(),
    }
    assert report["summary"].endswith(str(path))
    assert (workspace.root / "erasures" / "tombstone.key").stat().st_mode & 0o077 == 0


def test_the_picture_of_her_risk_goes_with_the_request_it_was_made_from(workspace):
    erase.run(workspace, HER, on=ON)
    assert not any((workspace.root / name).exists() for name in ("request.json", "answer.json", "explained_risk.png"))


def test_somebody_elses_picture_stays(workspace):
    erase.run(workspace, "person-771", on=ON)
    assert (workspace.root / "explained_risk.png").exists()


@pytest.mark.parametrize("stop", [1, 2, 7, 12, 24, 26, 27, 28, 29, 30, 33, 39])
def test_broken_off_anywhere_running_again_finishes_it(workspace, monkeypatch, stop):
    calls, real = [], erasure_files.replace_file

    def breaking(path, content):
        calls.append(path)
        if len(calls) == stop:
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(erase, "replace_file", breaking)
    with pytest.raises(KeyboardInterrupt):
        erase.run(workspace, HER, on=ON)
    assert not list((workspace.root / "erasures").glob("2026*"))
    monkeypatch.undo()
    report = erase.run(workspace, HER, on=ON)
    assert grep(workspace.root) == []
    assert report["retrain_due"]
    assert {place: report["places"][place]["before"] for place in ("data/scores", "data/training")} == {
        "data/scores": 2,
        "data/training": 8,
    }
    quarantined = cells(workspace.tables / "quarantine.csv")
    assert [line[1] for line in quarantined if line[0] == "survey_answers.csv"] == ["3"]
    assert not list((workspace.root / "erasures").glob("*unfinished*"))


def test_an_unknown_person_changes_nothing_and_leaves_no_tombstone(workspace):
    before = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    with pytest.raises(MissingInputError, match="no certificate") as refused:
        erase.run(workspace, "person-70000", on=ON)
    assert "person-70000" not in str(refused.value)
    assert {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()} == before


def test_erasing_twice_says_so(workspace):
    erase.run(workspace, HER, on=ON)
    assert erase.run(workspace, HER, on=ON)["certificate"] is None


def test_what_this_command_may_not_change_is_a_failure_until_somebody_looks(workspace):
    (workspace.bundles / "burnout").mkdir(parents=True)
    (workspace.bundles / "burnout" / "notes.txt").write_text(f"see {HER}")
    (workspace.bundles / "burnout" / "model.json").write_text(f'["{HER}"]')
    (workspace.root / f"{HER}.txt").write_text("letter")
    with pytest.raises(erase.ErasureIncomplete, match=r"3 file\(s\)") as refused:
        erase.run(workspace, HER, on=ON)
    assert refused.value.exit_code == 3
    assert HER not in str(refused.value)
    assert "bundles/burnout/notes.txt" in str(refused.value)
    assert not list((workspace.root / "erasures").glob("2026*"))
    assert (workspace.bundles / "burnout" / "model.json").read_text() == f'["{HER}"]', "a sealed bundle is not altered"
    (workspace.bundles / "burnout" / "notes.txt").unlink()
    (workspace.bundles / "burnout" / "model.json").unlink()
    (workspace.root / f"{HER}.txt").unlink()
    assert erase.run(workspace, HER, on=ON)["certificate"]


def test_named_in_a_line_about_somebody_else_of_the_source_is_not_silently_passed_over(workspace):
    with (workspace.source / "notes.csv").open("w") as file:
        file.write(f"person_id,note\nq,works with {HER}\n")
    with pytest.raises(erase.ErasureIncomplete, match=r"data/source/notes\.csv"):
        erase.run(workspace, HER, on=ON)
    assert "q,works" in (workspace.source / "notes.csv").read_text()


def test_a_national_identity_number_is_not_looked_for():
    with pytest.raises(ContractViolation) as refused:
        erase.run(Workspace(), NUMBER, on=ON)
    assert NUMBER not in str(refused.value)


def test_models_trained_on_her_are_due(workspace):
    assert retrain_due(workspace, ["long_sick_leave"]) == []
    erase.run(workspace, HER, on=ON)
    (note,) = retrain_due(workspace, ["long_sick_leave", "burnout"])
    assert "retrain due: the model of long_sick_leave" in note
    lineage = workspace.model("long_sick_leave") / "lineage.json"
    lineage.write_text(json.dumps({"training_set_sha256": "of a later set"}))
    assert retrain_due(workspace, ["long_sick_leave"]) == []


def test_a_model_whose_training_set_never_held_her_is_not_due(workspace):
    erase.run(workspace, "person-771", on=ON)
    assert retrain_due(workspace, ["long_sick_leave"]) == []


def test_a_model_whose_training_set_is_gone_cannot_be_ruled_out(workspace):
    (workspace.training_set("long_sick_leave") / "rows.npz").unlink()
    erase.run(workspace, "person-771", on=ON)
    assert "cannot be ruled out" in retrain_due(workspace, ["long_sick_leave"])[0]


def test_a_champion_in_service_stays_and_says_so(workspace):
    home = workspace.bundles / "long_sick_leave"
    (home / "3-0123456789ab").mkdir(parents=True)
    (home / "current").symlink_to("3-0123456789ab")
    notes = erase.run(workspace, HER, on=ON)["retrain_due"]
    assert any("champion of long_sick_leave in service, version 3" in note for note in notes)
    assert (home / "current").exists()


# --- customers' own names ---------------------------------------------------------------------------------------------

KEYS = Pseudonymiser({"p2": b"n" * 32, "p1": b"o" * 32})


def customers_source(workspace: Workspace) -> None:
    workspace.source.mkdir(parents=True)
    (workspace.source / "mapping.yaml").write_text("tables:\n  persons:\n    columns: {person_id: AnsattNr}\n")
    content = "AnsattNr;År;Yrke\r\n4711;1980;2221\r\n12;1981;4711\r\n".encode("latin-1")
    (workspace.source / "ansatte.csv").write_bytes(content)
    workspace.tables.mkdir()
    pseudonyms = "".join(f"{KEYS.pseudonym(number)},0.1\n" for number in ("4711", "12"))
    (workspace.tables / "safety_flags.csv").write_text("person_id,answer\n" + pseudonyms)


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


# --- the search -------------------------------------------------------------------------------------------------------


def saved(names: list[str]) -> bytes:
    sink = io.BytesIO()
    np.save(sink, np.array(names))
    return sink.getvalue()


@pytest.mark.parametrize(("name", "data", "is_found"), [
    ("a.txt", b"person-77", True),
    ("a.txt", b"(person-77)", True),
    ("a.txt", b"person-771 xperson-77 person-77_a", False),
    ("a.txt", b"person-771 person-77", True),
    ("a.txt", "person-77".encode("utf-16"), True),
    ("a.json", b'{"note": "Patient/person-77"}', True),
    ("a.csv", b"id\nCalled person-77.\n", True),
    ("a.csv", b"person_id\nperson-77.b\n", False),
    ("a.csv", b"id\nperson:person-77\n", True),
    ("a.csv", "id;x\nperson-77;1\n".encode("utf-16"), True),
    ("a.csv", b"id\nperson-771\n", False),
    ("a.bin", b"PK\x03\x04 broken archive person-77 ", True),
    ("a.gz", b"\x1f\x8b broken person-77 ", True),
    ("a.parquet", b"PAR1 broken person-77 PAR1", True),
    ("a.npy", b"\x93NUMPY broken person-77 ", True),
    ("a.npy", saved([HER, "q"]), True),
    ("a.npy", saved(["person-771", "xperson-77"]), False),
    ("a", b"", False),
])  # fmt: skip
def test_a_name_counts_where_it_stands_by_itself_also_in_a_broken_file(name, data, is_found):
    assert found_in(name, data, Wanted((HER,))) is is_found


def test_a_fhir_bundle_loses_the_patient_and_all_that_refers_to_her(tmp_path):
    bundle = {"resourceType": "Bundle", "entry": [
        {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "a", "identifier": [{"value": HER}]}},
        {"fullUrl": "urn:uuid:2", "resource": {"resourceType": "Patient", "id": "b", "identifier": [{"value": "q"}]}},
        {"resource": {"resourceType": "Observation", "subject": {"reference": "Patient/a"}}},
        {"resource": {"resourceType": "Observation", "subject": {"reference": "urn:uuid:1"}}},
        {"resource": {"resourceType": "Observation", "subject": {"reference": "Patient/b"}}},
    ]}  # fmt: skip
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(bundle))
    content, gone = erasure_files.without(path, Wanted((HER,)))
    assert gone == [1, 3, 4]
    assert json.loads(content)["entry"] == [bundle["entry"][1], bundle["entry"][4]]


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.parquet", "a.npz", "a.log.gz", "a.pdf"])
def test_a_file_that_is_not_what_its_name_says_cannot_be_taken_apart(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b'\xff\xfe"' + HER.encode() + b"x" * 200_001)
    assert erasure_files.without(path, Wanted((HER,))) is None
    assert path.exists()


def test_quoted_line_breaks_of_others_are_kept_as_they_are(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'person_id,note\r\nq,"two\r\nlines"\r\n\r\nperson-77,"one\r\nmore"\r\nr,x')
    content, gone = erasure_files.without(path, Wanted((HER,)))
    assert content == b'person_id,note\r\nq,"two\r\nlines"\r\n\r\nr,x'
    assert gone == [3]


# --- what is not proven is not said ------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    workspace.source.mkdir(parents=True)
    (workspace.source / "persons.csv").write_text(f"person_id,birth_year\nq,1980\n{HER},1981\n")
    return workspace


def left(workspace: Workspace, text: str) -> list[str]:
    return [
        path.name for path in sorted(workspace.root.rglob("*")) if path.is_file() and text.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_utf_16_source_loses_her_row(small, encoding):
    path = small.source / "persons.csv"
    path.write_bytes(path.read_text().encode(encoding))
    erase.run(small, HER, on=ON)
    assert path.read_bytes().decode(encoding) == "person_id,birth_year\nq,1980\n"


@pytest.mark.parametrize("place", ["data", "data/source", "data/source/persons.csv"])
def test_links_are_followed(small, tmp_path, place):
    link, real = small.root / place, tmp_path / "elsewhere"
    link.rename(real)
    link.symlink_to(real)
    erase.run(small, HER, on=ON)
    assert link.is_symlink()
    assert (small.source / "persons.csv").read_text() == "person_id,birth_year\nq,1980\n"


def test_a_link_that_leads_above_the_workspace_is_named(small):
    (small.root / "up").symlink_to(small.root.parent)
    with pytest.raises(erase.ErasureIncomplete, match="not searched: up is a link"):
        erase.run(small, HER, on=ON)


def patient(number: str, identifier: str) -> dict:
    return {"resourceType": "Patient", "id": number, "identifier": [{"value": identifier}]}


def answer(number: str) -> dict:
    return {"resourceType": "QuestionnaireResponse", "id": f"o{number}", "subject": {"reference": f"Patient/{number}"}}


@pytest.mark.parametrize("name", [HER, "4711"])
@pytest.mark.parametrize("suffix", ["json", "ndjson"])
def test_answers_in_another_file_that_call_her_by_another_id_go_too(tmp_path, name, suffix):
    workspace = Workspace(tmp_path)
    workspace.source.mkdir(parents=True)
    files = {"z": [patient("0f9c", name), patient("0f9c-1", "q")], "b": [answer("0f9c"), answer("0f9c-1")]}
    for file, resources in files.items():
        bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}
        text = "\n".join(map(json.dumps, resources)) if suffix == "ndjson" else json.dumps(bundle)
        (workspace.source / f"{file}.{suffix}").write_text(text)
    workspace.tables.mkdir()
    (workspace.tables / "safety_flags.csv").write_text("person_id\n0f9c\n0f9c-1\n")
    erase.run(workspace, name, on=ON)
    assert left(workspace, '"0f9c"') == left(workspace, 'Patient/0f9c"') == left(workspace, name) == []
    assert left(workspace, "0f9c-1") == [f"b.{suffix}", f"z.{suffix}", "safety_flags.csv"], (
        "her neighbour keeps everything"
    )
    assert cells(workspace.tables / "safety_flags.csv") == [["person_id"], ["0f9c-1"]]


def test_pseudonymised_lines_of_json_are_searched_with_keys_and_refused_without(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.source.mkdir(parents=True)
    (workspace.source / "mapping.yaml").write_text("pseudonymise: true\n")
    lines = [json.dumps(one) + "\n" for one in (patient("a", "4711"), patient("b", "12"), answer("a"), answer("b"))]
    (workspace.source / "a.ndjson").write_text("".join(lines))
    for name in ("4711", KEYS.pseudonym("4711")):
        with pytest.raises(SettingsError, match="BALANCE_RISK_PSEUDONYM_KEYS"):
            erase.run(workspace, name, on=ON)
    erase.run(workspace, KEYS.pseudonym("4711"), on=ON, pseudonymiser=KEYS)
    assert (workspace.source / "a.ndjson").read_text() == lines[1] + lines[3]


def test_a_pseudonym_of_the_tables_is_refused_without_keys_where_the_source_has_other_names(tmp_path):
    workspace = Workspace(tmp_path)
    customers_source(workspace)
    with pytest.raises(SettingsError, match="another name"):
        erase.run(workspace, KEYS.pseudonym("4711"), on=ON)
    assert not (tmp_path / "erasures").exists()


@pytest.mark.parametrize("file", ["ansatte.txt", "ansatte.CSV"])
def test_a_mapped_source_is_a_table_whatever_its_suffix(tmp_path, file):
    workspace = Workspace(tmp_path)
    customers_source(workspace)
    (workspace.source / "ansatte.csv").rename(workspace.source / file)
    mapping = f"tables:\n  persons: {{source: {file}, columns: {{person_id: AnsattNr}}}}\n"
    (workspace.source / "mapping.yaml").write_text(mapping)
    erase.run(workspace, "4711", on=ON, pseudonymiser=KEYS)
    assert (workspace.source / file).read_bytes() == "AnsattNr;År;Yrke\r\n12;1981;4711\r\n".encode("latin-1")


def test_an_object_that_dvc_add_made_goes_too(tmp_path):
    workspace = Workspace(tmp_path)
    customers_source(workspace)
    object_ = tmp_path / ".dvc" / "cache" / "files" / "md5" / "ab" / ("c" * 30)
    object_.parent.mkdir(parents=True)
    object_.write_bytes((workspace.source / "ansatte.csv").read_bytes())
    (workspace.source / "ansatte.csv.dvc").write_text(f"outs:\n- md5: ab{'c' * 30}\n  path: ansatte.csv\n")
    erase.run(workspace, "4711", on=ON, pseudonymiser=KEYS)
    assert not object_.exists()


def broken_zip() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "hello" * 100)
        archive.writestr("b.txt", "nobody")
    data = bytearray(sink.getvalue())
    data[data.find(b"PK\x01\x02") + 16] ^= 0xFF
    return bytes(data)


def nested() -> bytes:
    data = b"person-77 "
    for _ in range(6):
        data = gzip.compress(data, mtime=0)
    return data


@pytest.mark.parametrize(("name", "content"), [
    ("a.zip", broken_zip()), ("a.gz", nested()), ("a.gz", gzip.compress(b"x" * 99, mtime=0)[:-9]),
    ("a.7z", b"7z\xbc\xaf\x27\x1c"),
    ("a.parquet", b"PAR1 broken"), ("a.orc", b"ORC broken"), ("a.pdf", b"%PDF-1.7"), ("a.csv", b"\xff\xfea"),
    ("a.json", b"[" * 100_000 + b'"\\u0070"'), ("a.db", b"SQLite format 3\0" + b"x" * 100),
    ("source/deep.yaml", b"[" * 3000),
])  # fmt: skip
def test_what_cannot_be_decoded_is_named_and_blocks_nothing_but_the_certificate(small, name, content):
    (small.root / "data" / name).write_bytes(content)
    with pytest.raises(
        erase.ErasureIncomplete, match=rf"not searched: data/{name} is|not searched: data/{name} (cannot|holds)"
    ):
        erase.run(small, HER, on=ON)
    assert (small.source / "persons.csv").read_text() == "person_id,birth_year\nq,1980\n"
    assert not list((small.root / "erasures").glob("2026*"))
    (small.root / "data" / name).unlink()
    assert erase.run(small, HER, on=ON)["certificate"]


def test_a_file_that_may_not_be_read_is_named(small, monkeypatch):
    (small.root / "secret.txt").write_text("x")
    real = everywhere.read
    monkeypatch.setattr(everywhere, "read", lambda path: None if path.name == "secret.txt" else real(path))
    with pytest.raises(erase.ErasureIncomplete, match=r"secret\.txt cannot be read"):
        erase.run(small, HER, on=ON)


def structured() -> bytes:
    sink = io.BytesIO()
    np.save(sink, np.array([(HER, 1)], dtype=[("id", "U9"), ("x", "i4")]))
    return sink.getvalue()


def written(write, table: pa.Table) -> bytes:
    sink = io.BytesIO()
    write(table, sink)
    return sink.getvalue()


LISTS = pa.table({"who": [[HER, "q"]], "b": [b"x"]})


@pytest.mark.parametrize(("name", "content"), [
    ("a.npy", structured()), ("a.npy", saved([f"Patient/{HER}"])), ("a.orc", written(pyarrow.orc.write_table, LISTS)),
    ("a.parquet", written(pq.write_table, LISTS)), ("a.parquet", written(pq.write_table, pa.table({"n": [f"Saw {HER}."]}))),
    ("a.json", b"[" * 100_000 + b'"person-77"'), ("a.json", b'{"entry": [{"resource": null, "a": "person-77"}]}'),
    ("a.csv", b"note\nCalled person-77.\n"), (".git/x", HER.encode()),
])  # fmt: skip
def test_whatever_a_stage_made_loses_her_or_goes(small, name, content):
    path = small.root / "data" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    assert erase.run(small, HER, on=ON)["certificate"]
    assert not path.exists() or not found_in(path.name, path.read_bytes(), Wanted((HER,)))


def test_a_directory_named_like_a_table_is_no_table(small):
    (small.source / "x.csv").mkdir()
    assert erase.run(small, HER, on=ON, pseudonymiser=KEYS)["certificate"]


@pytest.mark.parametrize("reason", [f"{HER} rang us", f"request of {NUMBER}", "two\nlines"])
def test_the_reason_must_not_say_who_it_was(small, reason):
    with pytest.raises(SettingsError) as refused:
        erase.run(small, HER, reason=reason, on=ON)
    assert HER not in str(refused.value)
    assert NUMBER not in str(refused.value)
    assert not (small.root / "erasures").exists()


@pytest.mark.parametrize("person", ["\udcff", "", "  ", "a\0b"])
def test_a_person_must_be_named_by_text(small, person):
    with pytest.raises(SettingsError, match="named by text"):
        erase.run(small, person, on=ON)


def test_a_picture_whose_request_is_gone_goes_too(small):
    (small.root / "answer.json").write_text("{}")
    (small.root / "explained_risk.png").write_bytes(b"png")
    erase.run(small, HER, on=ON)
    assert not any((small.root / name).exists() for name in ("answer.json", "explained_risk.png"))


def test_what_is_kept_is_for_its_owner_alone(small):
    erase.run(small, HER, on=ON)
    kept = [path for path in (small.root / "erasures").iterdir() if path.name != "retrain_due.json"]
    assert len(kept) == 4
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
