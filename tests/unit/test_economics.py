"""Kroner: the concept report to the krone, what a spell costs, what targeting gains, and which input decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.optimize import linprog

from data_contracts.errors import MissingInputError, SettingsError
from models.economics.absence_cost import (
    LENGTH_BY_OUTCOME,
    LOG_MEAN,
    LOG_SD,
    LONG,
    LONGEST,
    cost_of_a_long_spell,
    cost_of_days,
    days_of_a_long_spell,
    expected_days,
    log_mean_of,
)  # fmt: skip
from models.economics.concept_report import COST, GAIN, PUBLISHED, annuity, concept_report, net_benefit
from models.economics.figures import draw_tornado
from models.economics.inputs import EconomicInputs, described
from models.economics.programme import programme
from models.economics.sensitivity import tornado
from models.economics.targeting import Terms, net_of_top, targeting
from models.evaluation.net_benefit import net_benefit as decision_net_benefit
from pipeline import economics
from pipeline.console import write_json
from pipeline.workspace import Workspace

OUTCOME = "long_sick_leave"


def test_the_concept_report_is_reproduced_to_the_krone():
    found = concept_report()
    assert {name: found[name] for name in PUBLISHED} == {
        "cost_nok": 3_337_496,
        "gain_nok": 8_264_365,
        "net_benefit_nok": 4_926_870,
        "net_benefit_at_10_percent_nok": 13_191_235,
        "break_even_percent": 2,
        "cost_per_saved_hour_nok": 122,
    }
    assert found["agrees_to_the_krone"]
    assert found["break_even_percent_unrounded"] == pytest.approx(2.0192, abs=1e-4)
    assert {one["kind"] for one in found["inputs"]} == {"published", "derived", "assumed"}
    assert all(one["kind"] != "published" for one in found["inputs"] if one["value"] % 1), "no printed figure has øre"


def test_its_oere_are_within_what_the_printed_figures_allow():
    """Cost c and gain g with |sum - printed| <= 0.5 for the four printed sums: the bounds that ROUNDING tells."""
    rows = np.array([[1, 0], [0, 1], [-1, 1], [-1, 2]], dtype=float)
    printed = np.array([3_337_496, 8_264_365, 4_926_870, 13_191_235], dtype=float)
    limits = {"A_ub": np.vstack([rows, -rows]), "b_ub": np.r_[printed + 0.5, 0.5 - printed], "bounds": (None, None)}
    ends = [
        sign * linprog([sign * (place == 0), sign * (place == 1)], **limits).fun for place in (0, 1) for sign in (1, -1)
    ]
    assert ends == pytest.approx([3_337_495.5, 3_337_496.0, 8_264_365.0, 8_264_365.5], abs=1e-4)
    assert np.abs(rows @ [COST.value, GAIN.value] - printed).max() < 0.5


def test_its_effect_is_linear_and_nothing_is_gained_at_the_break_even():
    assert net_benefit(10) - net_benefit(5) == pytest.approx(net_benefit(5) - net_benefit(0))
    assert net_benefit(0) == pytest.approx(-COST.value)
    assert net_benefit(5 * COST.value / GAIN.value) == pytest.approx(0, abs=1e-6)


def test_an_annuity_is_the_sum_of_its_years_and_a_part_of_the_last():
    assert annuity(2, 0) == 2
    assert annuity(2, 4) == pytest.approx(1 / 1.04 + 1 / 1.0816)
    assert annuity(1.5, 4) == pytest.approx(1 / 1.04 + 0.5 / 1.0816)
    assert annuity(0, 4) == 0


def test_lengths_of_spells_agree_with_a_drawn_sample():
    drawn = np.minimum(np.random.default_rng(17).lognormal(LOG_MEAN, LOG_SD, 400_000), LONGEST)
    assert expected_days(LONGEST) == pytest.approx(drawn.mean(), rel=0.01)
    assert expected_days(LONG) == pytest.approx(np.minimum(drawn, LONG).mean(), rel=0.01)
    assert days_of_a_long_spell(OUTCOME) == pytest.approx(drawn[drawn > LONG].mean(), rel=0.01)


@pytest.mark.parametrize(
    ("outcome", "longer"), [("long_sick_leave_mental", 1.28), ("long_sick_leave_musculoskeletal", 1.15)]
)
def test_the_factor_of_a_diagnosis_is_of_all_its_spells_and_moves_the_long_ones_less(outcome, longer):
    """Mental spells are 1.28 times as long; of those over 16 days, which are longer anyhow, the mean rises by a tenth only."""
    drawn = np.minimum(np.random.default_rng(17).lognormal(log_mean_of(outcome), LOG_SD, 400_000), LONGEST)
    assert drawn.mean() == pytest.approx(longer * expected_days(LONGEST), rel=0.01)
    assert days_of_a_long_spell(outcome) == pytest.approx(drawn[drawn > LONG].mean(), rel=0.01)
    assert 1 < days_of_a_long_spell(outcome) / days_of_a_long_spell(OUTCOME) < (1 + longer) / 2


def plain(**given: float) -> EconomicInputs:
    """Inputs with which one can count: a wage of 365 000 is 1000 a day, everybody works and is absent in full."""
    easy = {"full_time_wage": 365_000, "on_costs": 1, "position_percent": 100, "grade_percent": 100, "output_value": 1,
            "discount_percent": 0, "effect_years": 1}  # fmt: skip
    return EconomicInputs.model_validate(easy | given)


def test_the_employer_bears_the_first_days_and_the_state_the_rest():
    cost = cost_of_days(plain(), 16, 10)
    assert (cost.society, cost.employer, cost.state) == (26_000, 16_000, 10_000)


def test_above_the_ceiling_and_where_work_is_worth_more_the_employer_bears_the_rest():
    half_refunded = cost_of_days(plain(sick_pay_ceiling=182_500), 16, 10)
    assert (half_refunded.employer, half_refunded.state) == (21_000, 5_000)
    dear = cost_of_days(plain(output_value=1.5), 16, 10)
    assert (dear.society, dear.employer, dear.state) == (39_000, 29_000, 10_000)
    part_time = cost_of_days(plain(position_percent=50, grade_percent=50), 16, 10)
    assert part_time.society == 26_000 / 4


def test_everybody_takes_part_by_hand():
    found = programme(plain(persons=100, absence_percent=10, relative_reduction_percent=10, cost_per_contact=1_000))
    assert found["absence_cost_a_year_nok"] == pytest.approx(3_650_000)
    assert found["net_nok"] == pytest.approx(365_000 - 100_000)
    assert found["break_even_percent"] == pytest.approx(100_000 / 36_500)
    nothing = plain(absence_percent=0)
    assert programme(nothing)["break_even_percent"] is None


RISKS = np.array([0.9, 0.5, 0.2, 0.1])
Y = np.array([1.0, 1.0, 0.0, 0.0])


def report(ppv: float | None = 0.5) -> dict[str, Any]:
    """Half of the persons have the event; contacted of 100: 10."""
    cuts = [0.05, 0.10, 0.20]
    curve = decision_net_benefit(RISKS, Y, np.ones((1, 4)), np.array(cuts))[0].tolist()
    number = {"value": ppv, "low": 0.4, "high": None}
    return {
        "synthetic": True, "champion": "core", "test": {"weighted_event_share": 0.5},
        "capacity": {"by_alerts": [{"alerts_per_100": 10.0, "ppv": number}]},
        "decision_curve": {"thresholds": cuts, "net_benefit": {"core": dict.fromkeys(("value", "low", "high"), curve)}},
    }  # fmt: skip


def priced(**given: float) -> EconomicInputs:
    """One spell saved of ten, at a price of a fifth of what that saves."""
    saved = cost_of_a_long_spell(plain(), OUTCOME).society / 10
    easy = {"persons": 100, "relative_reduction_percent": 10, "cost_per_contact": saved / 5, "cost_per_person_scored": 0,
            "effect_follows_risk": 1}  # fmt: skip
    return plain(**(easy | given))


def test_targeting_by_hand():
    found = targeting(priced(), OUTCOME, report(0.8))
    saved = found["saved_per_event_nok"]
    assert found["contact_from_risk"] == pytest.approx(0.2)
    assert found["everybody_nok"] == pytest.approx(100 * saved * (0.5 - 0.2))
    net = found["top"][0]["net_nok"]
    assert (net["value"], net["high"]) == (pytest.approx(10 * saved * (0.8 - 0.2)), None)
    assert net_of_top(priced(), OUTCOME, report(0.8), 10) == net["value"]
    assert found["best"]["contact"] == "everybody"
    assert targeting(priced(cost_per_contact=saved * 0.7), OUTCOME, report(0.8))["best"]["contact"] == "top"
    assert targeting(priced(cost_per_contact=saved), OUTCOME, report(0.8))["best"]["contact"] == "nobody"


def test_kroner_agree_with_the_decision_curve():
    """At the threshold that price and gain make, the sum over persons is the net benefit of the curve in kroner."""
    terms = Terms.of(priced(), OUTCOME)
    contacted = terms.threshold(0.5) or 0.0
    chosen = contacted <= RISKS
    by_person = 25 * float(np.sum(terms.saved_per_event * Y[chosen] - terms.per_contact))  # 100 persons, 4 rows
    found = targeting(priced(), OUTCOME, report())["by_decision_curve_nok"]
    assert (found["contact_from_risk"], found["value"]) == (0.20, pytest.approx(by_person))


def test_of_two_years_the_second_counts_the_distance_from_the_mean_as_far_as_the_risk_persists():
    """Half of all have the event and 0.8 of those chosen: 0.8 again in the second year if risks stay, 0.65 or 0.5 if not."""
    for persists, second in ((1.0, 0.8), (0.5, 0.65), (0.0, 0.5)):
        given = priced(effect_years=2, risk_persists=persists, cost_per_contact=0)
        a_year = targeting(priced(), OUTCOME, report())["saved_per_event_nok"]
        assert net_of_top(given, OUTCOME, report(0.8), 10) == pytest.approx(10 * a_year * (0.8 + second))
        assert targeting(given, OUTCOME, report())["everybody_nok"] == pytest.approx(100 * a_year * 2 * 0.5)


def test_kroner_agree_with_the_decision_curve_where_risks_move_back_to_the_mean():
    """Two years, half of the distance kept, price 0.775 of a year's saving: worth it from 0.35, so for 0.9 and 0.5."""
    a_year = targeting(priced(), OUTCOME, report())["saved_per_event_nok"]
    given = priced(effect_years=2, risk_persists=0.5, cost_per_contact=0.775 * a_year)
    terms = Terms.of(given, OUTCOME)
    assert terms.threshold(0.5) == pytest.approx(0.35)
    by_person = 25 * a_year * sum(y + 0.5 + 0.5 * (y - 0.5) - 0.775 for y in (1, 1))
    curve = decision_net_benefit(RISKS, Y, np.ones((1, 4)), np.array([0.35]))[0].tolist()
    told = {"thresholds": [0.35], "net_benefit": {"core": dict.fromkeys(("value", "low", "high"), curve)}}
    found = targeting(given, OUTCOME, report() | {"decision_curve": told})["by_decision_curve_nok"]
    assert found["value"] == pytest.approx(by_person)


def test_the_default_does_not_take_those_chosen_to_keep_their_risk_and_the_tornado_moves_it():
    given = EconomicInputs()
    assert 0 < given.risk_persists.value < 1
    rows = tornado(given, lambda moved: net_of_top(moved, OUTCOME, report(0.8), 10))
    assert "risk_persists" in {row["input"] for row in rows}


def test_without_a_risk_that_is_worth_it_there_is_no_threshold_and_no_curve():
    hopeless = targeting(priced(relative_reduction_percent=0), OUTCOME, report())
    assert hopeless["contact_from_risk"] is hopeless["by_decision_curve_nok"] is None
    assert hopeless["best"] == {"contact": "nobody", "alerts_per_100": None, "net_nok": 0.0}


def test_where_the_effect_does_not_follow_the_risk_the_list_is_a_drawn_lot():
    same_for_all = priced(effect_follows_risk=0)
    assert net_of_top(same_for_all, OUTCOME, report(0.9), 10) == net_of_top(same_for_all, OUTCOME, report(0.1), 10)
    everybody = targeting(same_for_all, OUTCOME, report())["everybody_nok"]
    assert net_of_top(same_for_all, OUTCOME, report(), 10) == pytest.approx(everybody / 10)


def test_scoring_is_paid_for_everybody_when_a_list_is_made_and_for_nobody_else():
    dear = priced(cost_per_person_scored=7)
    assert net_of_top(dear, OUTCOME, report(), 10) == pytest.approx(net_of_top(priced(), OUTCOME, report(), 10) - 700)
    assert (
        targeting(dear, OUTCOME, report())["everybody_nok"] == targeting(priced(), OUTCOME, report())["everybody_nok"]
    )


def test_a_tornado_moves_one_input_at_a_time_widest_first_and_names_what_decides(tmp_path):
    given = priced().model_copy(update={"cost_per_contact": EconomicInputs().cost_per_contact,
                                        "effect_years": EconomicInputs().effect_years})  # fmt: skip
    rows = tornado(given, lambda one: 1_000 * one.effect_years.value - one.cost_per_contact.value)
    assert [(row["input"], row["at_low_nok"], row["at_high_nok"], row["decides"]) for row in rows] == [
        ("cost_per_contact", 700, -6_200, True), ("effect_years", -3_600, 400, True)]  # fmt: skip
    places = [tmp_path / "one.png", tmp_path / "one.svg", tmp_path / "two.png", tmp_path / "two.svg"]
    for pair in (places[:2], places[2:]):
        draw_tornado(rows, -1_600, "what decides", pair)
    assert places[0].read_bytes() == places[2].read_bytes()
    assert "<svg" in places[1].read_text()


def test_every_input_has_a_source_and_a_default_within_its_limits():
    for name, about in described().items():
        given = getattr(EconomicInputs(), name)
        assert about["source"]
        assert about["lowest"] <= given.low <= given.value <= given.high <= about["highest"]


@pytest.mark.parametrize("wrong", [
    {"full_time_wage": -1}, {"grade_percent": 101}, {"persons": {"value": 3, "low": 4, "high": 5}}, {"person": 3},
    {"persons": "many"}, {"persons": True}, {"persons": float("nan")}, {"absence_percent": {"value": 3}},
])  # fmt: skip
def test_wrong_inputs_are_refused(wrong):
    with pytest.raises(ValidationError):
        EconomicInputs.model_validate(wrong)


def test_the_verb_reads_the_users_numbers_and_says_what_is_lacking(tmp_path):
    (tmp_path / "mine.yaml").write_text("persons: 40\nrelative_reduction_percent: {value: 5, low: 1, high: 9}\n")
    workspace = Workspace(tmp_path)
    write_json(workspace.evaluation(OUTCOME) / "metrics.json", report())
    found = economics.run(workspace, [OUTCOME, "burnout", "long_sick_leave_mental"], tmp_path / "mine.yaml", 10)
    assert found["own"]["inputs"]["persons"]["value"] == 40
    assert found["net_benefit_nok"] == 4_926_870
    assert "SYNTHETIC" in found["summary"]
    told = found["own"]["targeting"]
    assert told[OUTCOME]["by_payer"]["society"]["persons"] == 40
    assert "no price" in told["burnout"]["why_not"]
    assert "balance-risk evaluate" in told["long_sick_leave_mental"]["why_not"]
    written = {path.name for path in (tmp_path / "data" / "economics").iterdir()}
    assert written == {"report.json", "everybody.png", "everybody.svg", f"{OUTCOME}.png", f"{OUTCOME}.svg"}


def test_the_verb_refuses_a_file_that_is_not_there_and_a_capacity_that_was_not_judged(tmp_path):
    with pytest.raises(MissingInputError, match="--inputs"):
        economics.run(Workspace(tmp_path), [OUTCOME], Path(tmp_path / "none.yaml"), 10)
    with pytest.raises(SettingsError, match="1, 2, 5, 10"):
        economics.run(Workspace(tmp_path), [OUTCOME], None, 7)


def test_each_outcome_of_sick_leave_has_a_price():
    assert all(cost_of_a_long_spell(EconomicInputs(), name).society > 100_000 for name in LENGTH_BY_OUTCOME)
    assert replace(Terms.of(EconomicInputs(), OUTCOME), saved_per_event=-1).threshold(0.5) is None
