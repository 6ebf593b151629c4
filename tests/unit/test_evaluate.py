"""Stage evaluate where the test rows cannot carry it: word is left, nothing old stays, and no other outcome is stopped."""

from __future__ import annotations

import pytest

from data_contracts.errors import NotEnoughDataError
from pipeline import evaluate, register
from pipeline.console import write_json
from pipeline.lacking import FILE
from pipeline.settings import Settings
from pipeline.workspace import Workspace

OUTCOMES = ["burnout", "long_sick_leave"]


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Workspace:
    """Burnout has a champion and an older report; its test rows are now of one class."""
    workspace, one_class = Workspace(tmp_path), {"burnout"}

    def judged(workspace: Workspace, settings: Settings, name: str) -> dict:
        if name in one_class:
            raise NotEnoughDataError(f"{name}: the 8 test rows hold 0 events")
        write_json(workspace.evaluation(name) / "metrics.json", {})
        return {}

    for name in ("metrics.json", "calibration.png"):
        write_json(workspace.evaluation("burnout") / name, {"of": "other rows"})
    (workspace.model("burnout") / "champion").mkdir(parents=True)
    monkeypatch.setattr(evaluate, "_evaluate_one", judged)
    monkeypatch.setattr(evaluate, "_lines", lambda name, found: [])
    monkeypatch.setattr(workspace.__class__, "one_class", one_class, raising=False)
    return workspace


def test_the_older_report_goes_word_is_left_and_the_others_are_judged(workspace):
    report = evaluate.run(workspace, Settings(), OUTCOMES)
    assert list(report["outcomes"]) == ["long_sick_leave"]
    assert "hold 0 events" in report["not_enough_data"]["burnout"]["message"]
    left = {path.name for path in workspace.evaluation("burnout").iterdir()}
    assert left == {FILE, "model_card.html", "model_card.md"}


def test_register_tells_it_instead_of_stopping_all(workspace):
    evaluate.run(workspace, Settings(), OUTCOMES)
    with pytest.raises(NotEnoughDataError, match="hold 0 events"):
        register.run(workspace, ["burnout"])


def test_the_word_goes_when_there_is_a_report(workspace):
    evaluate.run(workspace, Settings(), OUTCOMES)
    workspace.one_class.clear()
    evaluate.run(workspace, Settings(), OUTCOMES)
    assert {path.name for path in workspace.evaluation("burnout").iterdir()} >= {"metrics.json"}
    assert not (workspace.evaluation("burnout") / FILE).exists()
