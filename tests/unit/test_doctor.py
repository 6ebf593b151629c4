"""What the doctor says: the very numbers that the stages find, what is missing and what it costs, and the next verb."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from typer.testing import CliRunner

from models.outcomes.outcome import Status
from models.training_set import TrainingSet
from pipeline import build_training_set, doctor, ingest, simulate
from pipeline.cli import app
from pipeline.settings import IngestSettings, Settings, SimulateSettings
from pipeline.workspace import Workspace
from tests.lib.source_files import employee, together, write_source


@pytest.fixture(scope="module")
def firms(tmp_path_factory):
    """A workspace of 300 SYNTHETIC persons."""
    workspace = Workspace(tmp_path_factory.mktemp("firms"))
    simulate.run(workspace, SimulateSettings(persons=300, seed=5))
    ingest.run(workspace, IngestSettings())
    return workspace


def small(tmp_path, **tables) -> Workspace:
    write_source(tmp_path / "data" / "source", together(employee(), tables))
    ingest.run(Workspace(tmp_path), IngestSettings(received_on=date(2026, 1, 1)))
    return Workspace(tmp_path)


def findings(workspace: Workspace, outcome: str = "long_sick_leave") -> dict[str, dict[str, str]]:
    found = doctor.run(workspace, Settings(), [outcome])["findings"]
    return {one["about"]: one for section in found.values() for one in section}


def test_it_counts_whom_build_training_set_counts_and_writes_nothing(firms):
    before = {path: path.read_bytes() for path in firms.root.rglob("*") if path.is_file()}
    told = {name: findings(firms, name)[name]["found"] for name in ("long_sick_leave", "burnout")}
    assert {path: path.read_bytes() for path in firms.root.rglob("*") if path.is_file()} == before
    build_training_set.run(firms, Settings(), [*told])
    for name, said in told.items():
        built = TrainingSet.load(firms.training_set(name) / "rows")
        labelled = built.status == Status.OBSERVED
        assert said.startswith(f"{len(np.unique(built.person[labelled]))} persons with a known label at ")
        assert f"{built.y[labelled].mean():.1%} with the event" in said


def test_too_few_is_said_with_what_happens_instead(firms):
    found = findings(firms)["long_sick_leave"]
    assert found["level"] == "note"
    assert "updates a published formula" in found["remedy"]
    assert findings(firms, "burnout")["burnout"]["level"] == "problem"


def test_an_empty_table_is_told_with_what_it_costs(tmp_path):
    spell = {"person_id": "p", "spell_id": "s", "kind": "doctor_certified", "grade_percent": 100, "first_day": "2023-03-01",
             "last_day": "2023-03-10", "known_from": "2023-03-02"}  # fmt: skip
    found = findings(small(tmp_path, absence_spells=[spell]), "burnout")
    assert "no label of burnout can be known" in found["survey_answers"]["found"]
    assert "features are unknown for everybody" in found["lab_results"]["found"]
    assert found["burnout"]["level"] == "problem"
    assert "Nothing new for" in found["absence_spells"]["remedy"]


@pytest.mark.parametrize(("prepare", "step"), [
    (lambda workspace: None, "balance-risk demo"),
    (lambda workspace: write_source(workspace.source, employee()), "balance-risk validate"),
])  # fmt: skip
def test_the_next_verb_follows_from_what_is_there(tmp_path, prepare, step):
    prepare(Workspace(tmp_path))
    assert doctor.run(Workspace(tmp_path), Settings(), ["burnout"])["next"].startswith(step)


def test_the_verb_prints_text_or_one_document(firms, tmp_path):
    said = CliRunner().invoke(app, ["doctor", "-w", str(firms.root), "--outcome", "burnout"])
    assert (said.exit_code, "✗ burnout" in said.stdout) == (0, True)
    told = json.loads(CliRunner().invoke(app, ["doctor", "-w", str(tmp_path), "--json"]).stdout)
    assert told["counts"] == {"problem": 0, "note": 0, "good": 1}
