"""The facts of a model card are gathered from the workspace and the study file."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from data_contracts.errors import ContractViolation, SettingsError
from models import artifact
from models.additive import AdditiveTerms
from models.estimators.literature import CORE
from models.model_card.card import model_card
from models.model_card.facts import CardFacts, champion_facts, context_of
from models.model_card.study import Study, read_study
from models.model_card.tables import tables_of
from models.risk_model import LINEAR_PARTS, RiskModel
from pipeline import model_card as stage
from pipeline.workspace import Workspace
from tests.lib.card_facts import PIXEL, champion, core_model, core_rows, report, whole
from tests.lib.models import boosted_model, linear_model

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


def test_forty_lines_are_printed_whole_and_more_or_trees_are_not():
    large = linear_model()
    parts = {part: getattr(large, part)[:40] for part in LINEAR_PARTS}
    forty = replace(large, feature_names=large.feature_names[:40], refits=(), golden=None, **parts)
    level, terms = tables_of(champion_facts(forty)["specification"])
    assert level.rows == (("intercept", "-1.300"),)
    assert (len(terms.rows), terms.rest) == (40, 0)
    assert champion_facts(large)["specification"] == champion_facts(boosted_model())["specification"] == {}
    assert "All terms of the model" in CARD.html
    assert "only sums of at most 40 terms are" in model_card(whole(champion=champion() | champion_facts(large))).html


def test_a_small_sum_of_curves_is_printed_whole_and_can_be_computed_from_the_page():
    page = model_card(whole(champion=champion_facts(core_model()))).html
    assert "All its terms are printed in this card." in page
    level, terms = tables_of(champion_facts(core_model())["specification"])
    assert all(f">{curve}</td>" in page for _, curve, _ in terms.rows)
    assert tuple(predictor for predictor, _, _ in terms.rows) == CORE
    raw = float(level.rows[0][1])
    for column, (_, curve, unknown) in zip(core_rows().T, terms.rows, strict=True):
        corners = np.array([corner.split(": ") for corner in curve.split(", ")], dtype=float)
        raw = raw + np.where(np.isnan(column), float(unknown), np.interp(column, *corners.T))
    np.testing.assert_allclose(raw, core_model().log_odds(core_rows()), atol=0.005)


def test_steps_are_told_by_where_they_begin():
    terms = AdditiveTerms.from_curves([([3.0, 10.0], [-0.2, 0.1, 0.3], 0.05), ([], [0.0], 0.0)])
    steps = RiskModel(outcome="burnout", name="explainable_boosting", kind="additive", feature_names=("a", "b"),
                      terms=terms, reference_risk=0.1)  # fmt: skip
    found = champion_facts(steps)
    assert found["family"] == "steps"
    assert found["terms"] == {"straight": 0, "bent": 0, "steps": 1, "flat": 1, "flagged": []}
    assert [one["curve"] for one in found["specification"]["terms"]] == [
        "-0.2000, from 3: 0.1000, from 10: 0.3000",
        "0.0000",
    ]


def test_the_page_about_cards_lists_every_key_of_the_study_file():
    page = (Path(__file__).parents[2] / "docs" / "model_card.md").read_text(encoding="utf-8")
    listed = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1))
    assert listed == {name: field.description for name, field in Study.model_fields.items()}
