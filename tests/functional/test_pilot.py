"""The pilot, four firms with 120 employees: it refuses to pretend, and says what is missing.

After one year no label is known; after three the published formula is all there is, and no verdict on it is possible.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from pathlib import Path

import pytest

from pipeline import build_training_set, cli, evaluate, ingest, simulate, train
from pipeline.settings import EvaluateSettings, IngestSettings, Settings, SimulateSettings, TrainingSettings
from pipeline.simulate import with_scenarios
from pipeline.workspace import Workspace

OUTCOMES = ["long_sick_leave", "burnout"]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and error text of one call of the command line."""
    sys.argv = ["balance-risk", *arguments]
    with pytest.raises(SystemExit) as raised:
        cli.main()
    return int(raised.value.code or 0), capsys.readouterr().err


@pytest.fixture
def one_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    Path("params.yaml").write_text("simulate: {workers: 1}\n")
    simulate.run(Workspace(), with_scenarios(SimulateSettings(scenarios=("pilot",)), {}))
    ingest.run(Workspace(), IngestSettings())  # also before the simulated year is over
    return Workspace()


def test_after_one_year_every_stage_says_what_is_missing_and_makes_nothing_up(one_year, capsys):
    code, text = said(capsys, "build-training-set", "--outcome", "long_sick_leave")
    assert code == 4
    assert "long_sick_leave: no label is known yet" in text
    assert "is known on 2027-11-01; the data end on 2027-01-01" in text
    assert re.search(r"not enough data for long_sick_leave; \d+ more persons needed", text)
    left = [one_year.model("long_sick_leave") / "champion" / "model.json",
            one_year.evaluation("long_sick_leave") / "metrics.json"]  # fmt: skip
    for path in left:  # of an earlier set, which had labels
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    assert said(capsys, "register", "--outcome", "long_sick_leave")[0] == 4
    for stage in ("train", "evaluate"):
        again, same = said(capsys, stage, "--outcome", "long_sick_leave")
        assert again == 4
        assert "is known on 2027-11-01" in same
        assert "Traceback" not in same
    word = json.loads((one_year.training_set("long_sick_leave") / "not_enough_data.json").read_text())
    assert word["verdict"]["missing_persons"] == word["verdict"]["required_persons"] - 120
    assert not any(path.exists() for path in left)
    for home in (one_year.model("long_sick_leave"), one_year.evaluation("long_sick_leave")):
        assert json.loads((home / "not_enough_data.json").read_text())["verdict"] == word["verdict"]
    card = (one_year.evaluation("long_sick_leave") / "model_card.html").read_text(encoding="utf-8")
    assert "SYNTHETIC: simulated persons." in card


def test_after_three_years_the_published_formula_stands_in_and_no_verdict_is_given(tmp_path):
    workspace = Workspace(tmp_path)
    settings = Settings(
        simulate=SimulateSettings(
            persons=120, start=date(2023, 1, 1), end=date(2026, 1, 1), scenarios=("pilot",), workers=1
        ),
        training=TrainingSettings(test_months=3),
        evaluate=EvaluateSettings(bootstrap=20),
    )
    simulate.run(workspace, settings.simulate)
    ingest.run(workspace, settings.ingest)
    assert list(build_training_set.run(workspace, settings, OUTCOMES)["outcomes"]) == OUTCOMES

    trained = train.run(workspace, settings, OUTCOMES)
    assert trained["outcomes"]["long_sick_leave"]["champion"].startswith("roelen_")
    assert "not enough data for long_sick_leave" in trained["outcomes"]["long_sick_leave"]["comparison"]["notes"][0]
    assert re.search(
        r"not enough data for burnout; \d+ more persons needed", trained["not_enough_data"]["burnout"]["message"]
    )
    assert (workspace.model("burnout") / "not_enough_data.json").exists()
    assert json.loads((workspace.model("long_sick_leave") / "settings.json").read_text())["engine"] == "local"

    judged = evaluate.run(workspace, settings, OUTCOMES)
    assert list(judged["not_enough_data"]) == ["burnout"]
    report = judged["outcomes"]["long_sick_leave"]
    assert report["test"]["events"] < 100
    assert any("no verdict" in note for note in report["notes"])
