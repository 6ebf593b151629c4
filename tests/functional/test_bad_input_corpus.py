"""The corpus of bad inputs: each is quarantined with the right row, column and rule, or refused with an error that helps.

None crashes or hangs, none takes a sound row along, and no name, identity number or person is told to anybody.
"""

from __future__ import annotations

import csv
import html
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest

from data_contracts.errors import BalanceRiskError, SourceFileError
from data_contracts.readers.fhir_r4 import read_bundle  # noqa: F401  loaded before the first case is timed
from data_contracts.readers.parquet_files import read_tables
from data_contracts.records import TABLES
from data_contracts.rules import RULES
from data_contracts.tables import Coded
from data_contracts.validation import check_record
from pipeline import ingest, validate
from pipeline.settings import IngestSettings
from pipeline.workspace import Workspace
from tests.lib import bad_inputs_files, bad_inputs_json, bad_inputs_rows
from tests.lib.bad_inputs import SECRETS, Found, sound_record, write_sound_source
from tests.lib.sound_rows import RECEIVED_ON

CASES = [*bad_inputs_rows.cases(), *bad_inputs_files.cases(), *bad_inputs_json.cases()]
LONGEST_SECONDS = 20
SETTINGS = IngestSettings(received_on=RECEIVED_ON, max_quarantined_share=1.0)
EMPTY = dict.fromkeys(TABLES, 0)


def plain(tables):
    """Tables as lists of rows, so that two of them can be compared whatever their vocabularies are."""
    return {
        name: [list(map(str, column.texts() if isinstance(column, Coded) else column)) for column in table.values()]
        for name, table in tables.items()
    }


@pytest.fixture(scope="module")
def sound_source(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sound")
    write_sound_source(directory)
    return directory


@pytest.fixture(scope="module")
def sound_tables(sound_source):
    """What is accepted of the sound source, per door."""
    workspace = Workspace(sound_source.parent / "sound-run")
    report = ingest.run(workspace, SETTINGS, str(sound_source))
    assert report["rules"] == {}
    tables, violations = check_record(sound_record(), RECEIVED_ON)
    assert violations == []
    return {"source": plain(read_tables(workspace.tables)), "record": plain(tables)}


@pytest.fixture(scope="module", autouse=True)
def one_environment_for_all_reports():
    """Compiling the template of the report takes as long as everything else of a case."""
    made, real = [], jinja2.Environment

    def environment(**options):
        made.extend([] if made else [real(**options)])
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jinja2.Environment", environment)
        yield


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input_is_refused_or_quarantined_and_nothing_else_happens(
    case, sound_source, sound_tables, tmp_path, capsys, caplog, monkeypatch
):
    # What validate adds is its report; the expectations take seconds to load and look at accepted rows only.
    monkeypatch.setitem(
        sys.modules, "data_contracts.expectations", SimpleNamespace(run_in_parts=lambda tables, received_on: {})
    )
    started = time.monotonic()
    directory = tmp_path / "source"
    shutil.copytree(sound_source, directory)
    planted = case.plant(directory)
    if case.door == "record":
        tables, violations = check_record(planted, RECEIVED_ON)
        found = [Found(*violation[:4]) for violation in violations]
        written = repr(violations)
    else:
        tables, found, written = _ingest(case, directory, planted, Workspace(tmp_path))
    assert sorted(found) == sorted(case.quarantined)
    if case.refused is None:
        _assert_nothing_lost(case, plain(tables), sound_tables[case.door])
    spoken = written + "".join(capsys.readouterr()) + caplog.text
    assert [secret for secret in SECRETS if secret in spoken] == []
    assert "Traceback" not in spoken
    assert time.monotonic() - started < LONGEST_SECONDS


def test_every_rule_has_a_case():
    assert set(RULES) == {found.rule for case in CASES for found in case.quarantined}


def test_no_two_cases_are_named_alike():
    assert [name for name, times in Counter(case.id for case in CASES).items() if times > 1] == []


def _assert_nothing_lost(case, accepted, sound):
    """The sound rows are there as they were, and no other; a record is refused as a whole, so its other tables count."""
    blamed = {
        "persons" if one.origin == "record.person" else one.origin.removeprefix("record.") for one in case.quarantined
    }
    for name in TABLES:
        if name in case.gone:
            assert accepted[name][0] == []
        elif case.door == "source" or name not in blamed:
            assert accepted[name] == sound[name]


def _ingest(case, directory: Path, planted: str | None, workspace: Workspace):
    """Run the stage; return the accepted tables, what was quarantined, and all that was written or said about it."""
    location = planted or str(directory)
    mapping = directory / "mapping.yaml"
    mapping = mapping if planted and mapping.exists() else None
    if case.refused:
        with pytest.raises(BalanceRiskError) as raised:
            ingest.run(workspace, SETTINGS, location, mapping)
        assert isinstance(raised.value, case.refused), str(raised.value)[:500]
        message = str(raised.value)
        assert case.word.lower() in message.lower()
        assert len(message) < 10_000
        assert list(workspace.tables.glob("*.parquet")) == []
        if isinstance(raised.value, SourceFileError):
            with pytest.raises(SourceFileError):
                validate.run(workspace, SETTINGS, location, mapping)
        return {}, [], message + _texts(workspace.validation.parent)
    report = ingest.run(workspace, SETTINGS, location, mapping)
    for counts in report["tables"].values():
        assert counts["rows"] == counts["accepted"] + counts["quarantined"] + counts["duplicates"]
    validate.run(workspace)
    written = _texts(workspace.validation.parent) + (workspace.tables / "ingest.json").read_text()
    found = _quarantined(workspace.tables / "quarantine.csv")
    return read_tables(workspace.tables), found, written + _all_cells(workspace)


def _texts(directory: Path) -> str:
    """Everything that is written in a directory, if it is there."""
    return "".join(html.unescape(path.read_text()) for path in directory.glob("*"))


def _quarantined(path: Path) -> list[Found]:
    with path.open(newline="", encoding="utf-8") as file:
        return [Found(row["file"], int(row["row"]), row["column"], row["rule"]) for row in csv.DictReader(file)]


def _all_cells(workspace: Workspace) -> str:
    """The text of quarantine and warnings; no cell may be one that a spreadsheet would run."""
    texts = []
    for name in ("quarantine.csv", "warnings.csv"):
        with (workspace.tables / name).open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
        texts += cells
    return "\n".join(texts)
