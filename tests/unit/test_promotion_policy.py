"""Each line of the policy fails alone, says what it found, and what an evaluation does not say counts against the model."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from models.promotion_policy import InService, Policy, Situation, judge
from pipeline.settings import PromotionSettings
from tests.lib.promotions import difference, number, sound_report

POLICY = Policy()
APPROVED = Situation(
    None, is_workspace_synthetic=True, registered_by="ola", versions_on_test_rows=1, approver="kari", reason="better"
)
SERVING = replace(APPROVED, in_service=InService("3", "a" * 64))
AGAINST_3 = {"current_champion": {"version": "3", "artifact_sha256": "a" * 64}}


def failed(report: dict[str, Any], situation: Situation = APPROVED, policy: Policy = POLICY) -> list[str]:
    return [line.name for line in judge(report, policy, situation) if not line.passed]


def with_value(path: str, value: Any, report: dict[str, Any] | None = None) -> dict[str, Any]:
    """The sound report with one value replaced, or taken away where it is ``...``."""
    report = deepcopy(report or sound_report())
    *parents, last = path.split("/")
    place = report
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return report


def compared() -> dict[str, Any]:
    """An evaluation that also judged the champion in service."""
    report = sound_report(**AGAINST_3)
    report["differences"]["current_champion"] = difference() | {"auroc": number(0.0, 0.009)}
    return report


def days() -> dict[str, Any]:
    """An evaluation of an outcome that counts days."""
    models = {
        "logistic": {
            "tweedie_deviance": number(10.0),
            "observed_to_expected": number(1.0),
            "calibration_slope": number(1.0),
        }
    }
    differences = {"prior_absence": {"loss": number(-0.2)}, "current_champion": {"loss": number(0.0, 0.1)}}
    return sound_report(outcome="absence_days", target="days", models=models, differences=differences, **AGAINST_3)


def test_a_sound_model_passes_every_line():
    assert failed(sound_report()) == []
    assert failed(compared(), SERVING) == []
    assert failed(days(), SERVING) == []


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("test/persons_with_event", 99, "test_events"),
        ("test/persons_with_event", ..., "test_events"),
        ("settings/evaluate/bootstrap", 199, "resamples"),
        ("settings", ..., "resamples"),
        ("refits", 19, "refits"),
        ("refits", ..., "refits"),
        ("models/logistic/observed_to_expected", number(1.02, 0.25), "calibration"),
        ("models/logistic/calibration_slope", number(0.85, 0.04), "calibration_slope"),
        ("models/logistic/calibration_slope", number(1.15, 0.04), "calibration_slope"),
        ("horizons", ..., "horizons"),
        ("horizons", {}, "horizons"),
        ("horizons/days/30/calibration_slope", number(0.6, 0.19), "horizons"),
        ("horizons/days/30/calibration_slope", number(1.5, 0.2), "horizons"),
        ("horizons/days/30/observed_to_expected", number(0.6, 0.19), "horizons"),
        ("horizons/days/30", {"reason": "9 events before this day; 10 are needed."}, "horizons"),
        ("subgroups/detectable/age", 2.51, "subgroup_harm"),
        ("subgroups/detectable/sex", None, "subgroup_harm"),
        ("subgroups/detectable", {"sex": None, "age": None, "education": None}, "subgroup_harm"),
        ("subgroups", ..., "subgroup_harm"),
        ("decision_curve", ..., "useful"),
        ("decision_curve/gain_over_defaults/low", [-0.002, 0.0], "useful"),
        ("decision_curve/gain_over_defaults/low", [-0.002, None], "useful"),
        ("decision_curve/thresholds", [0.05, 0.2], "useful"),
        ("models/logistic/observed_to_expected", number(0.79, 0.2), "calibration"),
        ("models/logistic/observed_to_expected", number(1.26, 0.3), "calibration"),
        ("models/logistic/observed_to_expected", number(1.10, 0.04), "calibration"),
        ("models/logistic/observed_to_expected", number(0.90, 0.04), "calibration"),
        ("models/logistic/observed_to_expected", ..., "calibration"),
        ("models/logistic/observed_to_expected", {"value": 1.0, "low": None, "high": None}, "calibration"),
        ("models/logistic/calibration_slope", number(0.79), "calibration_slope"),
        ("models/logistic/calibration_slope", number(1.26), "calibration_slope"),
        ("models/logistic/calibration_slope", ..., "calibration_slope"),
        ("harm", [{"attribute": "sex", "group": "women", "finding": "events_missed"}], "subgroup_harm"),
        ("harm", ..., "subgroup_harm"),
        ("harm", None, "subgroup_harm"),
        ("sample_size/enough", False, "sample_size"),
        ("sample_size/enough", "yes", "sample_size"),
        ("sample_size", ..., "sample_size"),
        ("leakage/alarms", ["one feature alone has AUROC 0.99"], "leakage"),
        ("leakage", ..., "leakage"),
        ("leakage", {}, "leakage"),
        ("differences/prior_absence/auroc", number(0.01, 0.01), "better_than_prior_absence"),
        ("differences/prior_absence/auroc", ..., "better_than_prior_absence"),
        ("differences/prior_absence/net_benefit_at_0.10", number(0.0, 0.0051), "net_benefit_against_prior_absence"),
        ("differences/prior_absence/net_benefit_at_0.10", {"value": 0.1, "low": None, "high": None},
         "net_benefit_against_prior_absence"),
        ("differences/prior_absence", {"auroc": number(0.05)}, "net_benefit_against_prior_absence"),
        ("differences/roelen/auroc", number(-0.02), "better_than_roelen"),
        ("differences/roelen/net_benefit_at_0.10", number(-0.02), "net_benefit_against_roelen"),
        ("synthetic", None, "synthetic"),
    ],
)  # fmt: skip
def test_each_line_fails_alone(path, value, line):
    assert failed(with_value(path, value)) == [line]


def test_net_benefit_counts_at_the_working_threshold_alone():
    assert failed(with_value("differences/roelen/net_benefit_at_0.20", number(-0.3))) == []
    lines = ["net_benefit_against_prior_absence", "net_benefit_against_roelen"]
    assert failed(with_value("threshold", ...)) == [*lines, "useful"]
    assert failed(with_value("threshold", 0.15)) == [*lines, "useful"]


@pytest.mark.parametrize(
    "part",
    [
        "test",
        "models",
        "differences",
        "harm",
        "leakage",
        "sample_size",
        "synthetic",
        "horizons",
        "subgroups",
        "decision_curve",
        "settings",
    ],
)
def test_what_the_evaluation_does_not_say_counts_against_the_model(part):
    assert failed(with_value(part, ...)) != []


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("differences/current_champion/auroc", number(0.0, 0.011), "not_worse_than_current"),
        ("differences/current_champion/net_benefit_at_0.10", number(-0.01), "net_benefit_against_current_champion"),
        ("current_champion/artifact_sha256", "b" * 64, "not_worse_than_current"),
        ("current_champion", None, "not_worse_than_current"),
        ("current_champion", ..., "not_worse_than_current"),
    ],
)
def test_the_champion_in_service_is_compared_with_on_the_same_rows(path, value, line):
    assert failed(with_value(path, value, compared()), SERVING) == [line]


def test_the_margin_of_net_benefit_is_a_share_of_the_threshold():
    """What is nothing for a common outcome is all there is to gain for a rare one."""
    report = sound_report(threshold=0.0085)
    report["decision_curve"]["thresholds"] = [0.0085, 0.05]
    report["decision_curve"]["gain_over_defaults"]["low"] = [0.0001, -0.1]
    for other in ("prior_absence", "roelen"):
        report["differences"][other] = {"auroc": number(0.05), "net_benefit_at_0.0085": number(0.0, 0.0002)}
    assert failed(report) == []
    report["differences"]["roelen"]["net_benefit_at_0.0085"] = number(0.0, 0.0005)
    assert failed(report) == ["net_benefit_against_roelen"]


def test_that_nobody_is_named_says_what_would_have_been_seen():
    (line,) = [line for line in judge(sound_report(), POLICY, APPROVED) if line.name == "subgroup_harm"]
    assert line.found == "none named; a ratio of 1.91 would have been seen four times in five"
    blind = with_value("subgroups/detectable/education", None)
    (line,) = [line for line in judge(blind, POLICY, APPROVED) if line.name == "subgroup_harm"]
    assert line.found == "none named; not every group of education could be judged, or none is shown"


def test_a_risk_by_an_earlier_day_that_is_not_served_needs_no_judgement():
    assert failed(sound_report(horizons={"reason": "decided on one occasion"})) == []
    (line,) = [line for line in judge(sound_report(), POLICY, APPROVED) if line.name == "horizons"]
    assert line.found == "days 30, 365 hold"


def test_whoever_looks_too_often_at_the_same_rows_is_stopped():
    assert failed(sound_report(), replace(APPROVED, versions_on_test_rows=20)) == []
    for looks in (21, None):
        assert failed(sound_report(), replace(APPROVED, versions_on_test_rows=looks)) == ["looks"]


def test_the_published_model_is_one_of_absence():
    report = with_value("differences/roelen", ..., sound_report(outcome="burnout"))
    assert failed(report) == []
    for outcome in ("long_sick_leave_mental", "an outcome that nobody knows"):
        assert set(failed(report | {"outcome": outcome})) == {"better_than_roelen", "net_benefit_against_roelen"}


@pytest.mark.parametrize(("champion", "enough"), [("logistic", True), ("logistic", False), ("roelen_line", True)])
def test_the_sample_size_is_that_of_the_champion(champion, enough):
    verdicts = {"logistic": sound_report()["sample_size"] | {"enough": enough}}
    report = sound_report(champion=champion, sample_size=verdicts)
    report["models"][champion] = report["models"]["logistic"]
    assert failed(report) == ([] if enough and champion == "logistic" else ["sample_size"])


def test_another_champion_than_the_one_in_service_is_named():
    (line,) = [line for line in judge(with_value("current_champion/artifact_sha256", "b", compared()), Policy(), SERVING)
               if not line.passed]  # fmt: skip
    assert "evaluated against another champion (version 3)" in line.found


def test_a_champion_that_nobody_can_open_does_not_stand_in_the_way():
    refused = replace(APPROVED, in_service=InService("3", "", "trained with other features"))
    (line,) = [line for line in judge(sound_report(), Policy(), refused) if line.name == "not_worse_than_current"]
    assert line.passed
    assert line.found.startswith("not tested: version 3 cannot be opened by this code: trained with other features")


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("differences/prior_absence/loss", number(0.0), "better_than_prior_absence"),
        ("differences/current_champion/loss", number(0.0, 0.11), "not_worse_than_current"),
        ("models/logistic/tweedie_deviance", ..., "not_worse_than_current"),
    ],
)
def test_days_are_compared_by_their_loss(path, value, line):
    assert failed(with_value(path, value, days()), SERVING) == [line]


@pytest.mark.parametrize("champion", ["prior_absence", "roelen"])
def test_a_baseline_is_not_better_than_itself(champion):
    report = sound_report(champion=champion)
    report["models"][champion] = report["models"]["logistic"]
    del report["differences"][champion]
    assert failed(report) == [f"better_than_{champion}"]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"is_workspace_synthetic": False}, ["synthetic"]),
        ({"approver": "OLA"}, ["four_eyes"]),
        ({"registered_by": ""}, ["four_eyes"]),
        ({"approver": ""}, ["approver"]),
        ({"reason": ""}, ["reason"]),
    ],
)
def test_what_is_around_the_model(changes, lines):
    assert failed(sound_report(), replace(APPROVED, **changes)) == lines


def test_real_persons_need_no_simulation_and_two_eyes_may_be_the_policy():
    assert failed(sound_report(synthetic=False), replace(APPROVED, is_workspace_synthetic=False)) == []
    assert failed(sound_report(), replace(APPROVED, approver="ola"), Policy(four_eyes=False)) == []


def test_the_numbers_are_those_of_the_policy():
    strict = Policy(fewest_test_events=211, calibration_slope=(0.98, 1.0), auroc_margin=0.008)
    assert failed(compared(), SERVING, strict) == [
        "test_events",
        "calibration_slope",
        "horizons",
        "not_worse_than_current",
    ]
    assert PromotionSettings().policy() == Policy()


def test_a_line_says_what_was_found_and_what_is_required():
    (line,) = [line for line in judge(with_value("test/persons_with_event", 12), Policy(), APPROVED) if not line.passed]
    assert str(line) == "test_events: found 12; required at least 100 persons with an event in the test rows"
