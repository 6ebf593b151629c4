"""The search finds her in files of every kind; what is not proven is not said."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import SettingsError
from pipeline import erase
from pipeline.erasure import everywhere
from pipeline.erasure import files as erasure_files
from pipeline.erasure.search import found_in
from pipeline.erasure.wanted import Wanted
from pipeline.workspace import Workspace
from tests.lib.customers import KEYS, NUMBER, ON, customers_source
from tests.lib.planted import HER, cells, plant


@pytest.fixture
def workspace(tmp_path):
    return plant(tmp_path)


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


def test_a_workplace_report_is_searched_in_the_page_that_says_the_same(small):
    pdf = small.root / "data" / "workplace_reports" / "c1" / "2026-03" / "workplace_report.nb.pdf"
    pdf.parent.mkdir(parents=True)
    pdf.write_bytes(b"%PDF-1.7")
    with pytest.raises(erase.ErasureIncomplete, match=r"workplace_report\.nb\.pdf is a PDF file, which is not opened"):
        erase.run(small, HER, on=ON)
    pdf.with_suffix(".html").write_text("groups of ten")
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
