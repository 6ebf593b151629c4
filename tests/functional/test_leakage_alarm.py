"""The alarm for leakage that no structure can catch: prevalent cases that a register makes look like new ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline import build_training_set, evaluate, ingest, simulate, train
from pipeline.settings import EvaluateSettings, Settings, SimulateSettings
from pipeline.workspace import Workspace

OUTCOME = ["long_sick_leave"]


def judged(root: Path, *scenarios: str) -> dict[str, Any]:
    """Metrics and notes of the candidates, out of files and through every stage."""
    workspace = Workspace(root)
    settings = Settings(
        simulate=SimulateSettings(persons=4000, seed=7, end=date(2025, 4, 1), scenarios=scenarios),
        evaluate=EvaluateSettings(bootstrap=20),
    )
    simulate.run(workspace, settings.simulate)
    ingest.run(workspace, settings.ingest)
    built = build_training_set.run(workspace, settings, OUTCOME)["outcomes"]["long_sick_leave"]
    train.run(workspace, settings, OUTCOME)
    return {"built": built["notes"], **evaluate.run(workspace, settings, OUTCOME)["outcomes"]["long_sick_leave"]}


@pytest.mark.parametrize(("scenarios", "is_alarmed"), [(("leakage",), True), ((), False)], ids=["leakage", "base"])
def test_the_alarm_is_raised_where_the_absent_are_kept_and_nowhere_else(tmp_path, scenarios, is_alarmed):
    """Every row passes the contract and the washout; events on the index date tell.

    Models too good to be true would too, were there persons enough to fit those that see it.
    """
    found = judged(tmp_path, *scenarios)
    assert any("begin on the index date" in note for note in found["built"]) is is_alarmed
    assert any("begin on the index date" in alarm for alarm in found["leakage"]["alarms"]) is is_alarmed
    assert bool(found["leakage"]["alarms"]) is is_alarmed
    assert set(found["leakage"]["alarms"]) <= set(found["notes"])
    assert found["against_truth"]["rows"] > 1000
