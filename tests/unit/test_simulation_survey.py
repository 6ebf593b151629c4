"""What persons answer: published figures, bias where a scenario asks for it, own streams."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from data_contracts.instruments import INSTRUMENTS
from pipeline.simulation.answers import Form, ItemModel
from pipeline.simulation.battery import battery_answers, battery_scores
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.persons import EDUCATION
from pipeline.simulation.survey import scale_models, survey_rows
from pipeline.simulation.world import World, build_world
from tests.lib.surveyed_worlds import correlation, worlds

PARAMETERS = read_parameters()
EVERYONE = np.arange(1000)
BASIC = EDUCATION.index("basic")


@cache
def asked(*instruments: str, again: bool = False) -> dict[str, np.ndarray]:
    """Scores of everybody in the base worlds."""
    parts = [battery_scores(world, instruments, EVERYONE, again=again) for world in worlds()]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def alpha(answers: np.ndarray) -> float:
    items = answers.shape[1]
    return float(items / (items - 1) * (1 - answers.var(axis=0).sum() / answers.sum(axis=1).var()))


# Items


def test_every_declared_scale_is_scored_and_stays_in_its_range() -> None:
    """A scale whose items point outwards, or have no numbers, would fail here and not in a check a minute long."""
    (world, *_) = worlds()
    found = battery_scores(world, list(INSTRUMENTS), EVERYONE)
    for instrument in INSTRUMENTS.values():
        for scale in instrument.scales:
            values = found[scale.name]
            assert np.isnan(values).mean() < 0.25, scale.name
            assert np.nanmin(values) >= scale.minimum, scale.name
            assert np.nanmax(values) <= scale.maximum, scale.name
            assert np.nanstd(values) > 0, scale.name


def test_every_numbered_scale_is_declared_and_answers_items() -> None:
    """A misspelt name in the parameters would silently fall back to the default."""
    answering = scale_models(PARAMETERS, dict.fromkeys(INSTRUMENTS, "all"))
    assert set(PARAMETERS.survey.scales) == set(answering)
    for instrument, shorts in PARAMETERS.survey.short_forms.items():
        ids = {item.id for item in INSTRUMENTS[instrument].items}
        assert all(set(items) <= ids for items in shorts.values())


def test_no_scale_has_more_variance_than_its_latents_leave() -> None:
    """Weights that explain more than all would make everybody's answers spread beyond what was calibrated."""
    from pipeline.simulation.latents import correlation_matrix

    for model in scale_models(PARAMETERS, dict.fromkeys(INSTRUMENTS, "all")).values():
        explained = model.weights @ correlation_matrix(PARAMETERS) @ model.weights
        assert explained + model.unique**2 + model.passing**2 == pytest.approx(1, abs=1e-6), model.scale.name


@pytest.mark.parametrize(
    ("instrument", "scale", "published"),
    [("cbi", "cbi_personal", 0.87), ("cbi", "cbi_client", 0.85), ("shc", "shc_musculoskeletal", 0.74),
     ("bat23", "bat23_core", 0.938), ("qpsnordic34", "qpsnordic34_control", 0.72)],
)  # fmt: skip
def test_alphas_are_the_published_ones(instrument: str, scale: str, published: float) -> None:
    declared = INSTRUMENTS[instrument]
    (found,) = (one for one in declared.scales if one.name == scale)
    answers = np.concatenate([battery_answers(world, [instrument], EVERYONE)[instrument] for world in worlds()])
    assert alpha(answers[:, [declared.item_positions[item] for item in found.items]]) == pytest.approx(
        published, abs=0.02
    )


@pytest.mark.parametrize(
    ("one", "other", "published"),
    [
        ("cbi_personal", "hscl10_distress", 0.65),
        ("cbi_personal", "bis_insomnia", 0.50),
        ("cbi_personal", "shc_musculoskeletal", 0.40),
        ("cbi_personal", "bat23_core", 0.73),
        ("cbi_work", "copsoq3_job_satisfaction", -0.51),
        ("cbi_work", "copsoq3_quantitative_demands", 0.48),
        ("cbi_work", "copsoq3_role_conflicts", 0.44),
        ("cbi_work", "copsoq3_emotional_demands", 0.42),
        ("hscl10_within_hscl25", "hscl25_distress", 0.94),
        ("hscl5_within_hscl25", "hscl25_distress", 0.91),
    ],
)
def test_scales_hang_together_as_published(one: str, other: str, published: float) -> None:
    found = asked("cbi", "hscl10", "hscl25", "bis", "shc", "bat23", "copsoq3_core")
    assert correlation(found[one], found[other]) == pytest.approx(published, abs=0.05)


def test_two_weeks_later_sleep_is_answered_as_reliably_as_in_the_validation_study() -> None:
    """Without a passing part the retest would be as high as Cronbach's alpha, .86."""
    first, second = asked("bis"), asked("bis", again=True)
    assert correlation(first["bis_insomnia"], second["bis_insomnia"]) == pytest.approx(0.77, abs=0.03)


def test_answers_do_not_depend_on_what_else_is_asked_or_of_whom() -> None:
    world, some = worlds()[0], np.array([3, 500, 17])
    alone = battery_answers(world, ["isi"], some)["isi"]
    assert (battery_answers(world, ["bat23", "isi"], EVERYONE)["isi"][some] == alone).all()


def test_a_battery_asks_the_persons_that_the_survey_asked() -> None:
    """What is stable in a person must be the same in both: alcohol has next to nothing from the latents."""
    (answers,) = (
        rows for rows in rows_of(build_world(worlds()[0].block)) if "audit_c" in rows["instrument"].vocabulary
    )
    total = np.bincount(answers["person"], answers["answer"], minlength=1000)
    count = np.bincount(answers["person"], minlength=1000)
    battery = battery_scores(worlds()[0], ["audit_c"], EVERYONE)["audit_c_alcohol"]
    assert correlation((total / np.maximum(count, 1))[count > 0], battery[count > 0]) > 0.5


def test_a_battery_leaves_the_survey_itself_alone() -> None:
    """It has its own stream: the acceptance check must not change what is written."""
    block = worlds()[0].block
    first, second = build_world(block), build_world(block)
    battery_scores(second, ["bat23"], EVERYONE)
    for one, other in zip(rows_of(first), rows_of(second), strict=True):
        assert (one["answer"] == other["answer"]).all()


def rows_of(world: World) -> list[dict[str, Any]]:
    drawn = (world.block, world.streams["survey"], world.responses, world.persons, world.latents)
    return list(survey_rows(*drawn, world.models, world.stable))


def items_of(*models: tuple[str, str, float, float]) -> Form:
    made = []
    for instrument, item, centre, spread in models:
        declared = INSTRUMENTS[instrument]
        made.append(ItemModel(declared.items[declared.item_positions[item]], 0, 1.0, centre, spread, False, False))
    return Form(made, {})


def test_codes_are_next_to_where_a_person_stands_and_a_negative_spread_turns_them() -> None:
    form = items_of(("cbi", "personal_1", 50, 25), ("cbi", "personal_2", 50, -25), ("srh", "item_1", 3, 1))
    values = np.array([[-3.0], [-1.0], [0.4], [0.6], [9.0]])
    answers = form.answer(np.random.default_rng(1), values, straight_lining=0)
    assert answers.tolist() == [[0, 100, 1], [25, 75, 2], [50, 50, 3], [75, 25, 4], [100, 0, 5]]


def test_a_straight_liner_ticks_one_place_also_where_the_item_is_reversed() -> None:
    form = items_of(("cbi", "personal_1", 50, 25), ("cbi", "personal_2", 50, -25), ("srh", "item_1", 3, 1))
    answers = form.answer(np.random.default_rng(1), np.array([[-1.0], [2.0]]), straight_lining=1)
    assert answers.tolist() == [[25, 25, 2], [100, 100, 5]]


def test_a_few_in_a_hundred_questionnaires_are_ticked_straight_down() -> None:
    """Counted on CBI: with its reversed item nobody who reads it gives nineteen equal answers."""
    answers = np.concatenate([battery_answers(world, ["cbi"], EVERYONE)["cbi"] for world in worlds()])
    assert 0.018 < (answers == answers[:, :1]).all(axis=1).mean() < 0.032


# Response


def first_wave(*scenarios: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Invited persons' true exhaustion, whether they answered, and their burnout score had they been asked."""
    exhaustion, answers, burnout = [], [], []
    for world in worlds(*scenarios):
        invited, quarter = world.responses.invited[0], world.block.timeline.first_index_quarter + 1
        answered = np.isin(EVERYONE, world.responses.person[world.responses.wave == 0])
        exhaustion.append(world.latents.level[quarter, invited, 0])
        answers.append(answered[invited])
        burnout.append(battery_scores(world, ["cbi"], EVERYONE)["cbi_personal"][invited])
    return np.concatenate(exhaustion), np.concatenate(answers), np.concatenate(burnout)


def test_women_older_and_public_employees_answer_more() -> None:
    design, answers = [], []
    for world in worlds():
        invited, persons = world.responses.invited[0], world.persons
        industry = np.array([row["division"] for row in PARAMETERS.industries])[world.workplaces.industry]
        is_public = np.isin(industry[persons.company], PARAMETERS.survey.public_divisions)
        design.append(np.column_stack([persons.is_female, persons.age(2021) / 10, is_public])[invited])
        answers.append(np.isin(EVERYONE, world.responses.person[world.responses.wave == 0])[invited])
    points = 100 * LinearRegression().fit(np.concatenate(design), np.concatenate(answers)).coef_
    assert points == pytest.approx([9, 9, 5], abs=3.5)


def test_waves_shrink_as_in_the_trial() -> None:
    answered, consents = np.zeros(3), 0
    for world in worlds():
        at_start = world.persons.observed_from == world.block.timeline.start
        consents += at_start.sum()
        for wave in range(3):
            answered[wave] += at_start[world.responses.person[world.responses.wave == wave]].sum()
    assert 100 * answered / consents == pytest.approx([65, 40, 28], abs=5)


def test_drop_out_counts_the_invitations_of_each_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted by calendar wave, a person hired in the third year would already be the hard core."""
    block = worlds()[0].block
    monkeypatch.setattr(block.parameters.survey, "drop_out", [0.0, 1.0])
    invited = build_world(block).responses.invited.sum(axis=0)
    assert invited.max() == 2
    assert (invited == 2).mean() > 0.3


def test_complete_cases_are_a_little_healthier_in_the_base_and_clearly_in_the_scenario() -> None:
    """The scenario must be worth correcting for: a model of the answers alone underestimates burnout by a fifth."""
    shift, ratio = {}, {}
    for scenario in ((), ("response_not_at_random",)):
        exhaustion, answers, burnout = first_wave(*scenario)
        assert answers.mean() == pytest.approx(0.66, abs=0.04)
        shift[scenario] = exhaustion[answers].mean() - exhaustion.mean()
        ratio[scenario] = (burnout[answers] >= 50).mean() / (burnout >= 50).mean()
    assert -0.13 < shift[()] < -0.03
    assert 0.88 < ratio[()] < 0.99
    assert shift[("response_not_at_random",)] < -0.2
    assert ratio[("response_not_at_random",)] < 0.82


# A group that under-reports


def test_under_reporting_lowers_the_scores_of_the_group_and_of_nobody_else() -> None:
    base, biased = worlds()[0], worlds("subgroup_harm")[0]
    in_group = base.persons.education == BASIC
    names = ["cbi", "hscl10", "who5", "oss3", "srh"]
    before, after = (battery_scores(world, names, EVERYONE) for world in (base, biased))
    for scale, values in before.items():
        assert (after[scale][~in_group] == values[~in_group]).all(), scale
    change = (after["cbi_personal"] - before["cbi_personal"])[in_group].mean() / before["cbi_personal"].std()
    assert change == pytest.approx(-0.75, abs=0.15)
    assert (after["who5_wellbeing"] - before["who5_wellbeing"])[in_group].mean() > 8
    assert (after["srh_self_rated_health"] >= before["srh_self_rated_health"])[in_group].mean() > 0.95


def test_under_reporting_changes_neither_the_true_rates_nor_who_answers_nor_what_happens() -> None:
    for base, biased in zip(worlds(), worlds("subgroup_harm"), strict=True):
        assert (base.latents.level == biased.latents.level).all()
        assert (base.certified.first_day == biased.certified.first_day).all()
        assert (base.responses.person == biased.responses.person).all()


def test_rates_predicted_from_biased_answers_are_too_low_in_the_group_alone() -> None:
    """What a fairness report must catch: observed over expected by level of education."""
    ratios = {}
    for scenario in ((), ("subgroup_harm",)):
        drawn = worlds(*scenario)
        names = ["cbi", "hscl10", "shc", "srh", "was", "bis", "pain_sites"]
        scores = [battery_scores(world, names, EVERYONE) for world in drawn]
        answers = np.concatenate([np.column_stack(list(one.values())) for one in scores])
        quarter = drawn[0].block.timeline.first_index_quarter + 2
        effect = np.concatenate([world.latents.deviation[quarter] @ world.hazard.latent_rate for world in drawn])
        in_group = np.concatenate([world.persons.education == BASIC for world in drawn])
        predicted = LinearRegression().fit(answers, effect).predict(answers)
        off = [np.exp(effect[group]).mean() / np.exp(predicted[group]).mean() for group in (in_group, ~in_group)]
        ratios[scenario] = off[0] / off[1]
    assert ratios[()] == pytest.approx(1, abs=0.06)
    assert ratios[("subgroup_harm",)] > 1.15
