"""A real night raises alerts in its end, says how many, and a file of teams that is wrong stops it before anybody is scored."""

from __future__ import annotations

import json
from datetime import date

import pytest
import yaml

from models import artifact
from models.bundle import export_bundle, move_current
from pipeline import score
from pipeline.nightly import NightFailed
from serving.store import open_store
from tests.lib.nights import NIGHT, OUTCOME, prepare, steady_model

TEAM = {"name": "north", "companies": ["c"], "per_week": 3, "valid_days": 60,
        "outcomes": {OUTCOME: {"contacts_in_vain_per_person_found": 4}}}  # fmt: skip


def seal(workspace, useful_at: list[float]) -> None:
    """Put the model into service with an evaluation that shows it to help at some thresholds."""
    evaluation = {"decision_curve": {"thresholds": [0.1, 0.2, 0.3], "useful_at": useful_at}}
    artifact.save(steady_model(), workspace.root / "sealed")
    key = workspace.keys / "signing.key"
    bundle = export_bundle(workspace.root / "sealed", workspace.bundles, OUTCOME, "2", key, evaluation)
    move_current(workspace.bundles, OUTCOME, bundle)


def night(workspace) -> dict:
    return score.run(workspace, date.fromisoformat(NIGHT), [OUTCOME], None, 1)["night"]


@pytest.mark.parametrize(("useful_at", "why"), [([0.2], None), ([0.1, 0.3], "no_net_benefit"), (None, "no_evaluation")])
def test_a_night_alerts_the_teams_of_the_workspace_where_the_model_is_shown_to_help(tmp_path, useful_at, why):
    workspace = prepare(tmp_path, 8)
    (tmp_path / "teams.yaml").write_text(yaml.safe_dump({"teams": [TEAM]}))
    if useful_at is not None:
        seal(workspace, useful_at)
    told = night(workspace)
    with_number = [
        row for row in open_store(f"sqlite:///{tmp_path}/store/store.db").team_nights() if row.about == OUTCOME
    ]
    (about,) = with_number
    assert about.why_not == why
    assert told["alerts"] == {"north": about.n_raised}
    assert (about.n_raised > 0) == (why is None)
    assert about.n_raised <= 3
    assert night(workspace)["alerts"] == {"north": 0}, "run again"


def test_teams_that_are_declared_wrongly_stop_the_night_before_anybody_is_scored(tmp_path):
    workspace = prepare(tmp_path, 3)
    (tmp_path / "teams.yaml").write_text(json.dumps({"teams": [TEAM | {"per_week": "many"}]}))
    with pytest.raises(NightFailed, match=r"teams\.0\.per_week"):
        night(workspace)
    assert not (tmp_path / "store" / "store.db").exists()


def test_without_teams_a_night_says_nothing_of_alerts(tmp_path):
    assert "alerts" not in night(prepare(tmp_path, 3))
