"""Promotion against the real registry: what passes moves, what fails moves nothing, and a kill leaves a champion serving."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data_contracts.errors import ArtifactError, BalanceRiskError, RegistryError, SettingsError
from models import promotion_log, registry
from models.bundle import current_bundle, open_bundle
from models.bundle_papers import read_card, read_evaluation
from models.promotion_policy import Policy, PromotionRefused
from pipeline import promote, rollback
from pipeline.approval import Approval
from pipeline.in_service import champion_in_service
from pipeline.locks import WorkspaceBusy, promoting
from pipeline.workspace import Workspace
from tests.lib.models import linear_model
from tests.lib.promotions import OUTCOME, difference, number, prepare, registered, sound_report, train_and_judge

ROOT = Path(__file__).parents[2]
APPROVAL = Approval("kari", "better in the test year")


def against(workspace: Workspace) -> dict:
    """A sound report that was made while what serves now was serving."""
    champion = champion_in_service(workspace, OUTCOME).about
    report = sound_report(current_champion={"version": champion.version, "artifact_sha256": champion.artifact_sha256})
    report["differences"]["current_champion"] = difference() | {"auroc": number(0.0, 0.009)}
    return report


def run(workspace: Workspace, version: str | None = None, approval: Approval = APPROVAL) -> dict:
    return promote.run(workspace, [OUTCOME], version, Policy(), approval)["outcomes"][OUTCOME]


def state(workspace: Workspace) -> tuple[str | None, str | None, int]:
    """What serves, what the alias says, how many records there are."""
    bundle = current_bundle(workspace.bundles, OUTCOME)
    alias = registry.aliased_version(OUTCOME, tracking_uri=workspace.tracking_uri)
    return bundle and bundle.name.split("-")[0], alias, len(promotion_log.read(workspace.bundles / OUTCOME))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Workspace:
    """Version 1 serves, version 2 was judged against it and is registered."""
    workspace = prepare(tmp_path_factory.mktemp("promotion") / "made")
    assert registered(workspace) == "1"
    assert run(workspace)["promoted"]
    assert registered(workspace, against(workspace), seed=3) == "2"
    return workspace


@pytest.fixture
def workspace(made, monkeypatch) -> Workspace:
    """The same before every test: the registry knows where its files are, so it stays where it was made."""
    monkeypatch.setattr("models.bundle.trial_parse", lambda files: None)  # tried in ``made``, and in test_bundle
    places = ("bundles", "mlflow.db", "mlartifacts", "data")
    saved = made.root.with_name("as_made")
    if not saved.exists():
        for name in places:
            copy(made.root / name, saved / name)
    for name in places:
        copy(saved / name, made.root / name)
    return made


def copy(source: Path, target: Path) -> None:
    if target.is_dir():
        for path in [target, *target.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(target)
    target.parent.mkdir(exist_ok=True)
    shutil.copytree(source, target, symlinks=True) if source.is_dir() else shutil.copy2(source, target)


def test_a_version_that_satisfies_the_policy_serves_and_everything_about_it_is_recorded(workspace):
    report = promote.run(workspace, [OUTCOME], None, Policy(), APPROVAL)
    found = report["outcomes"][OUTCOME]
    assert (found["version"], found["promoted"]) == ("2", True)
    assert "✓ four_eyes" in report["summary"]
    promote.refuse_failed(report)
    assert open_bundle(current_bundle(workspace.bundles, OUTCOME), workspace.keys / "verify.key").version == "2"
    assert state(workspace) == ("2", "2", 2)
    record = promotion_log.read(workspace.bundles / OUTCOME)[-1]
    assert (record["what"], record["approver"], record["reason"]) == ("promote", "kari", "better in the test year")
    assert (record["version"], record["registered_by"]) == ("2", getpass.getuser())
    assert record["from"].startswith("1-")
    assert record["to"] == Path(found["bundle"]).name
    assert record["lines"] == found["lines"]
    assert record["policy"]["fewest_test_events"] == 100


def card_of(workspace: Workspace, version: str) -> Path:
    return workspace.bundles / OUTCOME / f"model_card-{version}.html"


def test_the_card_of_what_serves_says_who_approved_which_version_and_is_written_again_if_it_is_lost(workspace):
    assert run(workspace)["notes"] == []
    card = card_of(workspace, "2").read_text()
    assert "version 2 · approved by kari" in re.sub(r"<[^>]*>", "", card)
    assert "better in the test year" in card
    assert "promote, version 1 serves; " in card
    card_of(workspace, "2").unlink()
    assert run(workspace, "2", Approval("per", "again"))["notes"] == []
    assert card_of(workspace, "2").read_text() == card
    open_bundle(current_bundle(workspace.bundles, OUTCOME), workspace.keys / "verify.key")


def test_what_a_version_was_promoted_on_goes_with_it_and_its_card_is_signed(workspace):
    run(workspace)
    bundle, key = current_bundle(workspace.bundles, OUTCOME), workspace.keys / "verify.key"
    found = read_evaluation(bundle, open_bundle(bundle, key).artifact_sha256)
    assert found["metrics"]["auroc"]["value"] == 0.72
    assert found["test"]["persons_with_event"] == 210
    assert "prior_absence" not in json.dumps(found)
    assert read_card(bundle, key).decode() == card_of(workspace, "2").read_text()


@pytest.mark.parametrize("other", ["champion", "evaluation", "study"])
def test_no_card_is_made_of_what_was_not_promoted_and_that_is_said(workspace, other):
    if other == "champion":
        model = linear_model(OUTCOME, 9, n_refits=2)
        train_and_judge(workspace, json.loads((workspace.evaluation(OUTCOME) / "metrics.json").read_text()), model)
    elif other == "evaluation":
        (workspace.evaluation(OUTCOME) / "metrics.json").write_text("{}")
    else:
        (workspace.root / "data" / "study.yaml").write_text("not_a_key: 1")
    found = run(workspace, "2")
    assert found["promoted"]
    assert found["notes"][0].startswith("no card of version 2 was written: ")
    assert not card_of(workspace, "2").exists()
    assert state(workspace) == ("2", "2", 2)


def test_an_outcome_that_fails_hides_no_promotion_of_another(workspace):
    with promoting(workspace, "burnout"):
        report = promote.run(workspace, ["burnout", OUTCOME], None, Policy(), APPROVAL)
        again = promote.check(workspace, ["absence_days", OUTCOME], None, Policy(), None)
    assert report["outcomes"][OUTCOME]["promoted"]
    assert report["failed"]["burnout"]["exit_code"] == WorkspaceBusy.exit_code
    assert "burnout: Another promote works on burnout" in report["summary"]
    assert state(workspace) == ("2", "2", 2)
    with pytest.raises(BalanceRiskError, match="burnout: Another promote works"):
        promote.refuse_failed(report)
    assert (again["not_registered"], again["failed"]) == (["absence_days"], {})


@pytest.mark.parametrize("kind", [ArtifactError, RegistryError])
def test_what_stopped_an_outcome_keeps_its_exit_code_unless_a_line_of_the_policy_failed(kind):
    line = {"name": "leakage", "rule": "no alarm", "found": "an alarm", "passed": False}
    report = {"outcomes": {}, "failed": {"burnout": {"message": "gone", "exit_code": kind.exit_code}}}
    with pytest.raises(kind, match="burnout: gone"):
        promote.refuse_failed(report)
    report["outcomes"] = {OUTCOME: {"version": "1", "lines": [line]}}
    with pytest.raises(PromotionRefused, match=r"(?s)leakage: found an alarm.*burnout: gone"):
        promote.refuse_failed(report)


def test_promoting_what_serves_changes_nothing(workspace):
    assert run(workspace, "1")["promoted"]
    assert state(workspace) == ("1", "1", 1)


@pytest.mark.parametrize("approver", ["kari", getpass.getuser()])
def test_what_fails_a_line_moves_nothing_and_the_line_is_named(workspace, approver):
    report = against(workspace) | {"harm": [{"attribute": "sex", "group": "women", "finding": "events_missed"}]}
    version = registered(workspace, report, seed=4)
    told = promote.run(workspace, [OUTCOME], version, Policy(), Approval(approver, "in a hurry"))
    assert state(workspace) == ("1", "1", 1)
    assert not [path for path in (workspace.bundles / OUTCOME).iterdir() if path.name.startswith(f"{version}-")]
    expected = (
        "long_sick_leave version 3, subgroup_harm: found sex women (events_missed); required no group that is harmed, "
        "and for sex, age, education a ratio of 2.5 seen four times in five"
    )
    with pytest.raises(PromotionRefused, match="policy") as refused:
        promote.refuse_failed(told)
    lines = str(refused.value).splitlines()[1:]
    assert lines[0].strip().startswith(expected)
    assert [line.split(", ")[1].split(":")[0] for line in lines] == ["subgroup_harm"] + ["four_eyes"] * (
        approver != "kari"
    )


def test_a_version_judged_against_an_earlier_champion_is_refused(workspace):
    before = against(workspace)
    run(workspace, "2")
    version = registered(workspace, before, seed=4)
    found = run(workspace, version)
    assert [line["name"] for line in found["lines"] if not line["passed"]] == ["not_worse_than_current"]
    assert state(workspace) == ("2", "2", 2)


def test_looking_moves_nothing_and_asks_for_nobody(workspace):
    for approval, names in ((None, set()), (APPROVAL, {"approver", "reason", "four_eyes"})):
        found = promote.check(workspace, [OUTCOME], None, Policy(), approval)["outcomes"][OUTCOME]
        assert all(line["passed"] for line in found["lines"])
        assert {"approver", "reason", "four_eyes"} & {line["name"] for line in found["lines"]} == names
        assert not found["promoted"]
        (looks,) = [line for line in found["lines"] if line["name"] == "looks"]
        assert looks["found"] == "2", "versions judged on these rows, promoted or not"
    assert state(workspace) == ("1", "1", 1)


def test_a_model_of_simulated_persons_does_not_serve_where_persons_are_real(workspace):
    (workspace.tables / "ingest.json").write_text('{"synthetic": false}')
    found = run(workspace, "2")
    assert [line["name"] for line in found["lines"] if not line["passed"]] == ["synthetic"]


def test_a_rollback_goes_back_one_promotion_even_while_the_registry_is_away(workspace, monkeypatch):
    run(workspace, "2")
    back = rollback.run(workspace, OUTCOME, Approval("per", "alerts doubled"))
    assert (back["version"], back["notes"]) == ("1", [])
    assert state(workspace) == ("1", "1", 3)
    record = promotion_log.read(workspace.bundles / OUTCOME)[-1]
    assert (record["what"], record["approver"], record["reason"]) == ("rollback", "per", "alerts doubled")
    with pytest.raises(ArtifactError, match="no champion of long_sick_leave to go back to"):
        rollback.run(workspace, OUTCOME, APPROVAL)

    run(workspace, "2")
    monkeypatch.setattr(Workspace, "tracking_uri", "sqlite:////no/such/place.db")
    back = rollback.run(workspace, OUTCOME, APPROVAL)
    assert "does not say what serves" in back["notes"][0]
    assert current_bundle(workspace.bundles, OUTCOME).name.startswith("1-")
    monkeypatch.undo()
    assert state(workspace) == ("1", "2", 5)
    run(workspace, "1")
    assert state(workspace) == ("1", "1", 5)


@pytest.mark.parametrize("name", ["../1-elsewhere", "/etc", "..", ""])
def test_a_record_that_names_no_neighbour_is_refused(workspace, name):
    serving = current_bundle(workspace.bundles, OUTCOME)
    promotion_log.append(workspace.bundles / OUTCOME, "promote", before=name, after=serving.name)
    with pytest.raises(ArtifactError, match="names what is no bundle"):
        rollback.run(workspace, OUTCOME, APPROVAL)


def test_a_rollback_to_a_bundle_that_was_altered_moves_nothing(workspace):
    first = current_bundle(workspace.bundles, OUTCOME)
    run(workspace, "2")
    (first / "model.json").chmod(0o644)
    (first / "model.json").write_bytes(b"{}")
    with pytest.raises(ArtifactError, match="not the file that was sealed"):
        rollback.run(workspace, OUTCOME, APPROVAL)
    assert state(workspace) == ("2", "2", 2)


def test_an_artifact_altered_in_the_registry_is_never_signed(workspace):
    for path in (workspace.root / "mlartifacts").rglob("model.json"):
        path.write_text(path.read_text().replace('"intercept": -1.3', '"intercept": -1.4'))
    for version in ("1", "2"):
        with pytest.raises(ArtifactError, match="not what was registered"):
            run(workspace, version)
    assert state(workspace) == ("1", "1", 1)
    assert (
        len([path for path in (workspace.bundles / OUTCOME).iterdir() if path.is_dir() and not path.is_symlink()]) == 1
    )


def test_the_evaluation_of_another_model_is_refused(workspace):
    from models import artifact
    from models.registry_runs import Evidence, register
    from tests.lib.models import linear_model

    train_and_judge(workspace, against(workspace))
    judged = json.loads((workspace.evaluation(OUTCOME) / "metrics.json").read_text())
    other = linear_model(OUTCOME, seed=50)
    artifact.save(other, workspace.root / "other")
    register(other, workspace.root / "other", Evidence(judged), tracking_uri=workspace.tracking_uri)
    with pytest.raises(ArtifactError, match="evaluation of another model"):
        run(workspace)
    assert state(workspace) == ("1", "1", 1)


def test_a_champion_of_other_features_does_not_stand_in_the_way(workspace, monkeypatch):
    monkeypatch.setattr("models.bundle.FINGERPRINT", "0" * 64)
    found = champion_in_service(workspace, OUTCOME)
    assert found.model is None
    assert "trained with other features" in found.about.refused


def test_only_one_at_a_time(workspace):
    with promoting(workspace, OUTCOME), pytest.raises(WorkspaceBusy, match="promote works on long_sick_leave"):
        run(workspace, "2")


def test_no_registry_no_change(workspace):
    (workspace.root / "mlflow.db").unlink()
    with pytest.raises(RegistryError, match="no model registry"):
        run(workspace, "2")
    assert current_bundle(workspace.bundles, OUTCOME).name.startswith("1-")


@pytest.mark.parametrize(
    ("approver", "reason"),
    [("", "why"), ("  ", "why"), ("kari", ""), ("kari", "a\nb"), ("k" * 101, "why"), ("kari", "for 01010750160")],
)
def test_who_and_why_are_asked_for(approver, reason):
    with pytest.raises(SettingsError, match=r"--(approver|reason) (is|holds)"):
        Approval(approver, reason)


def test_nobody_is_in_the_registry(workspace):
    """Rows are named by digest: nothing of the training set, and no file that is not ours, is copied."""
    files = [workspace.root / "mlflow.db", *(workspace.root / "mlartifacts").rglob("*")]
    assert len(files) > 20
    assert not [path for path in files if path.is_file() and b"person-17" in path.read_bytes()]
    assert {path.name for path in files} >= {"calibration.png", "model_card.html", "comparison.json", "report.json"}
    assert "not_ours.csv" not in {path.name for path in files}


def test_a_kill_at_any_moment_leaves_a_champion_serving_and_the_next_promotion_heals(workspace):
    done = subprocess.run(
        [sys.executable, "-m", "tests.lib.killed_promotions", str(workspace.root)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    left = [kill["left"] for kill in kills if kill["killed"]]
    assert len(left) >= 15
    assert {one["serves"] for one in left} == {"1", "2"}
    # Nothing told yet; told but not moved, the alias ahead of what serves.
    assert any(one["serves"] == "1" and one["recorded"] for one in left)
    assert any(one["serves"] == "1" and one["aliases"] == ["2"] for one in left)
    assert all(one["recorded"] and one["aliases"] == ["2"] for one in left if one["serves"] == "2")
    for kill in kills:
        healed = kill["healed"]
        assert (healed["serves"], healed["aliases"], healed["scratch"], healed["recorded"]) == ("2", ["2"], [], True)
        assert ("interrupted" in healed["told"]) is not kill["left"]["recorded"]
