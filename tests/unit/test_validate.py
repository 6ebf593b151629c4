"""validate says the same of a source as ingest, stores nothing but its report, and refuses aloud."""

from __future__ import annotations

import json
from datetime import date

import pytest

from data_contracts import expectations
from data_contracts.errors import ContractViolation, MissingInputError, SourceFileError
from data_contracts.records import TABLES
from pipeline import ingest, validate
from pipeline.settings import IngestSettings
from pipeline.workspace import Workspace
from tests.lib.source_files import employee, together, write_source

SETTINGS = IngestSettings(received_on=date(2026, 1, 1), max_quarantined_share=0.4)
SECRET = "Kari Nordmann"
SPELL = {"person_id": "p", "spell_id": "s", "kind": "doctor_certified", "grade_percent": 100, "first_day": "2023-03-01",
         "last_day": "2023-03-10", "known_from": "2023-03-02"}  # fmt: skip
SPELLS = [SPELL, SPELL | {"spell_id": "s2", "first_day": "2023-05-01", "last_day": "2023-05-02", "grade_percent": 10,
                          "known_from": "2023-05-02"}]  # fmt: skip
WRONG = SPELL | {"spell_id": SECRET}


@pytest.fixture
def fast(monkeypatch):
    """Great Expectations has its own tests; here it finds nothing wrong, at once."""
    monkeypatch.setattr(expectations, "run_in_parts", passing)


def passing(tables, received_on):
    one = {"rule": "codes", "type": "t", "column": "c", "success": True, "evaluated": True, "unexpected_count": 0}
    assert isinstance(received_on, date)
    return {name: {"success": True, "expectations": [one]} for name in tables.names}


@pytest.fixture
def delivery(tmp_path):
    write_source(tmp_path / "delivery", together(employee(), {"absence_spells": [*SPELLS, WRONG]}))
    return str(tmp_path / "delivery")


def stored(workspace: Workspace) -> tuple[dict, str]:
    return json.loads(workspace.validation.read_text()), workspace.validation.with_suffix(".html").read_text()


def test_a_source_is_judged_counted_and_not_stored(tmp_path, delivery, fast):
    workspace = Workspace(tmp_path / "w")
    report = validate.run(workspace, SETTINGS, delivery)
    assert report["verdict"] == "accepted with quarantined rows"
    assert report["rules"] == [
        {"table": "absence_spells.csv", "column": "spell_id", "rule": "pattern", "count": 1, "first_rows": [4]}
    ]
    assert [(one["rule"], one["first_rows"]) for one in report["warnings"]] == [("grade under 20 %", [3])]
    counts = report["tables"]["absence_spells"]
    assert [counts[key] for key in ("rows", "accepted", "quarantined", "duplicates")] == [3, 2, 1, 0]
    assert sorted(
        path.relative_to(workspace.root).as_posix() for path in workspace.root.rglob("*") if path.is_file()
    ) == [
        "data/validation/report.html",
        "data/validation/report.json",
    ]
    found, page = stored(workspace)
    assert found == report
    assert SECRET not in page + json.dumps(found)


def test_the_stored_tables_get_the_same_report_as_their_source(tmp_path, delivery, fast):
    workspace = Workspace(tmp_path / "w")
    before = validate.run(workspace, SETTINGS, delivery)
    ingest.run(workspace, SETTINGS, delivery)
    # Without settings: what ingest accepted under a laxer limit is not refused afterwards.
    assert validate.run(workspace) == before


@pytest.mark.parametrize(("n", "percent"), [(9, None), (10, 10.0)])
def test_absence_in_per_cent_is_told_of_ten_persons_and_more(tmp_path, fast, n, percent):
    people = [employee(f"p{number}") for number in range(n)]
    # One of them is away all year; the year ends on the day before the last report.
    spell = {"person_id": "p0", "spell_id": "s", "kind": "doctor_certified", "grade_percent": 100,
             "first_day": "2024-06-01", "last_day": "2025-12-31", "known_from": "2026-01-01"}  # fmt: skip
    write_source(tmp_path / "source", together(*people, {"absence_spells": [spell]}))
    settings = IngestSettings(received_on=date(2026, 3, 1))
    found = validate.run(Workspace(tmp_path), settings, source=str(tmp_path / "source"))["absence"]
    assert (found and found["percent"]) == percent
    if found:
        assert (found["first_day"], found["last_day"]) == ("2025-01-01", "2025-12-31")


def test_a_delivery_without_fault_is_accepted(tmp_path, fast):
    write_source(tmp_path / "delivery", together(employee(), {"absence_spells": SPELLS}))
    assert validate.run(Workspace(tmp_path), SETTINGS, str(tmp_path / "delivery"))["verdict"] == "accepted"


def test_too_much_quarantine_is_refused_with_the_report_written(tmp_path, delivery, fast):
    settings = SETTINGS.model_copy(update={"max_quarantined_share": 0.3})
    with pytest.raises(
        ContractViolation, match="absence_spells: 1 of 3 rows were quarantined; the limit is 30%"
    ) as raised:
        validate.run(Workspace(tmp_path), settings, delivery)
    assert raised.value.exit_code == 3
    found, page = stored(Workspace(tmp_path))
    assert found["verdict"] == "refused"
    assert "1 of 3 rows were quarantined" in page


def test_a_failed_expectation_refuses_and_names_the_rule(tmp_path, delivery, monkeypatch):
    def failing(tables, received_on):
        report = passing(tables, received_on)
        report["persons"]["expectations"][0] |= {"success": False, "unexpected_count": 2}
        return report

    monkeypatch.setattr(expectations, "run_in_parts", failing)
    with pytest.raises(ContractViolation, match=r"persons\.c: codes \(2 accepted rows"):
        validate.run(Workspace(tmp_path), SETTINGS, delivery)


def test_a_source_that_is_unusable_as_a_whole_leaves_a_report_too(tmp_path, delivery):
    (tmp_path / "delivery" / "persons.csv").write_text("")
    with pytest.raises(SourceFileError, match=r"persons\.csv"):
        validate.run(Workspace(tmp_path), SETTINGS, delivery)
    found, page = stored(Workspace(tmp_path))
    assert found["verdict"] == "refused"
    assert "persons.csv" in page


def test_without_tables_it_says_how_to_make_them(tmp_path):
    with pytest.raises(MissingInputError, match="balance-risk ingest"):
        validate.run(Workspace(tmp_path))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ingest.json", "x"), ("ingest.json", "[]"), ("ingest.json", '{"tables": 5}'), ("ingest.json", "[" * 200_000),
        ("quarantine.csv", "file,row,column,rule,value,reason\na,Kari,c,d,e,f\n"), ("quarantine.csv", "x\ny\n"),
        ("warnings.csv", "\udcff"),
    ],
)  # fmt: skip
def test_a_damaged_file_of_ingest_is_named_and_not_quoted(name, text, tmp_path, delivery, fast):
    workspace = Workspace(tmp_path / "w")
    ingest.run(workspace, SETTINGS, delivery)
    (workspace.tables / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SourceFileError, match=rf"{name} is damaged.*balance-risk ingest") as refused:
        validate.run(workspace)
    assert "Kari" not in str(refused.value)


def test_great_expectations_itself_finds_nothing_wrong_with_what_was_accepted(tmp_path, delivery):
    report = validate.run(Workspace(tmp_path), SETTINGS, delivery)
    assert set(report["expectations"]) == set(TABLES)
    assert all(result["success"] for result in report["expectations"].values())
    assert SECRET not in "".join(path.read_text() for path in (tmp_path / "data").rglob("*") if path.is_file())
