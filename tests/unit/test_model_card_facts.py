"""The facts of a model card are gathered from the workspace and the study file."""

import json
import re
from pathlib import Path

import pytest
import yaml

from data_contracts.errors import ContractViolation, SettingsError
from models import artifact
from models.model_card.card import model_card
from models.model_card.facts import CardFacts, champion_facts, context_of
from models.model_card.study import Study, read_study
from pipeline import model_card as stage
from pipeline.workspace import Workspace
from tests.lib.card_facts import PIXEL, report, whole
from tests.lib.models import linear_model

CARD = model_card(whole())


@pytest.mark.parametrize(("text", "says"), [
    ("founding: x", "Extra inputs"), ("funding: [", "not valid YAML"), ("funding: 3", "valid string"), ("- funding", "file"),
    ("funding: number 13097248022", "identity number"),
])  # fmt: skip
def test_a_wrong_study_file_is_refused_by_name(tmp_path, text, says):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=says):
        read_study(path)


def test_a_study_file_is_optional_and_its_empty_lines_are_missing(tmp_path):
    assert read_study(tmp_path / "study.yaml") == {}
    (tmp_path / "study.yaml").write_text("funding: ' A foundation. '\nprotocol: ''\n")
    assert read_study(tmp_path / "study.yaml") == {"funding": "A foundation."}


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    artifact.save(linear_model(), workspace.model("long_sick_leave") / "champion")
    evaluation = workspace.evaluation("long_sick_leave")
    evaluation.mkdir(parents=True)
    (evaluation / "metrics.json").write_text(json.dumps(report() | {"champion_sha256": "b"}))
    (evaluation / "calibration.png").write_bytes(PIXEL)
    (tmp_path / "data" / "study.yaml").write_text("funding: A foundation.")
    return workspace


def test_facts_are_gathered_from_the_workspace(workspace):
    facts = stage.gather(workspace, "long_sick_leave", {"champion_sha256": "b"}, {"version": "4"})
    assert facts.champion == champion_facts(linear_model())
    assert (facts.study, facts.registration["version"]) == ({"funding": "A foundation."}, "4")
    assert list(facts.pictures) == ["calibration"]
    assert facts.definition.startswith("A new episode")
    path = stage.write(workspace, "long_sick_leave", {"champion_sha256": "b"})
    assert "A foundation." in (path / "model_card.html").read_text(encoding="utf-8")


def test_a_report_of_another_champion_is_refused(workspace):
    with pytest.raises(ContractViolation, match="another champion"):
        stage.gather(workspace, "long_sick_leave", {"champion_sha256": "c"})


def test_where_training_was_refused_no_older_model_is_shown(workspace):
    facts = stage.gather(workspace, "long_sick_leave", {}, not_enough_data="not enough data")
    assert (facts.champion, facts.report, facts.pictures) == ({}, {}, {})


@pytest.mark.parametrize(
    ("stamp", "is_known", "is_synthetic"),
    [
        ('{"synthetic": true}', True, True),
        ('{"synthetic": false}', True, False),
        ("{}", False, False),
        (None, False, False),
    ],
)
def test_where_nothing_could_be_trained_the_tables_say_whether_persons_are_simulated(
    workspace, stamp, is_known, is_synthetic
):
    if stamp is not None:
        workspace.tables.mkdir(parents=True)
        (workspace.tables / "ingest.json").write_text(stamp)
    path = stage.write(workspace, "burnout", {}, not_enough_data="not enough data for burnout; 88 more persons needed")
    for name in ("model_card.html", "model_card.md"):
        text = (path / name).read_text(encoding="utf-8")
        assert ("Whether these data are synthetic is not among the facts" in text) is not is_known
        assert ("SYNTHETIC" in text) is is_synthetic


def test_what_a_model_says_of_its_own_rows_goes_before_what_the_tables_say_now():
    assert context_of(CardFacts(outcome="burnout", champion={"synthetic": True}, synthetic=False))["synthetic"]
    assert not context_of(CardFacts(outcome="burnout", champion={"synthetic": False}, synthetic=True))["synthetic"]


def test_a_small_linear_model_is_printed_whole_and_a_large_one_is_not():
    assert champion_facts(linear_model())["specification"] == []
    assert "All terms of the model" in CARD.html


def test_the_page_about_cards_lists_every_key_of_the_study_file():
    page = (Path(__file__).parents[2] / "docs" / "model_card.md").read_text(encoding="utf-8")
    listed = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1))
    assert listed == {name: field.description for name, field in Study.model_fields.items()}
