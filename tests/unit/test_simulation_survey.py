"""What persons answer and what laboratories measure: published figures, bias where a scenario asks for it, own streams."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from data_contracts.analytes import ANALYTES, canonical
from data_contracts.instruments import INSTRUMENTS
from pipeline.simulation import parameters
from pipeline.simulation.answers import Form, ItemModel
from pipeline.simulation.battery import battery_answers, battery_scores
from pipeline.simulation.blocks import Block
from pipeline.simulation.labs import draw_lab_rows, draw_lab_traits, stable_share
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.persons import EDUCATION
from pipeline.simulation.survey import scale_models, survey_rows
from pipeline.simulation.timeline import Timeline, years_of
from pipeline.simulation.world import World, build_world

PARAMETERS = read_parameters()
BLOCKS = 6
EVERYONE = np.arange(1000)
BASIC = EDUCATION.index("basic")


@cache
def worlds(*scenarios: str) -> tuple[World, ...]:
    timeline = Timeline.between(date(2021, 1, 1), date(2024, 1, 1), 8, 4)
    return tuple(build_world(Block(11, number, timeline, read_parameters(scenarios))) for number in range(BLOCKS))


@cache
def asked(*instruments: str, again: bool = False) -> dict[str, np.ndarray]:
    """Scores of everybody in the base worlds."""
    parts = [battery_scores(world, instruments, EVERYONE, again=again) for world in worlds()]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


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


# Laboratories


@cache
def results() -> dict[str, np.ndarray]:
    """Panels of the base worlds: one column per analyte in its own unit, NaN where not measured, "<" as half its limit."""
    names = list(PARAMETERS.labs.analytes)
    blocks = []
    for world in worlds():
        tables = draw_lab_rows(
            world.block, world.workplaces, world.persons, world.employments, world.consents, world.latents
        )
        keys = [rows["person"].astype(np.int64) << 32 | rows["sampled_on"] for rows in tables]
        panels = np.unique(np.concatenate(keys))
        found = {name: np.full(len(panels), np.nan) for name in names}
        found |= {f"{name}_high": np.full(len(panels), np.nan) for name in names}
        laboratory = np.zeros(len(panels), dtype=int)
        for name, key, rows in zip(names, keys, tables, strict=True):
            place, (factor, offset) = np.searchsorted(panels, key), conversions(rows)
            value = rows["value"] * factor + offset
            found[name][place] = np.where(rows["comparator"].codes == 0, value / 2, value)
            found[f"{name}_high"][place] = rows["reference_high"] * factor + offset
            laboratory[place] = rows["laboratory"].codes
        person, day = panels >> 32, panels & 0xFFFFFFFF
        blocks.append(found | {
            "person": person + 1000 * world.block.number, "is_woman": world.persons.is_female[person], "day": day,
            "age": years_of(day) - world.persons.birth_year[person], "laboratory": laboratory,
        })  # fmt: skip
    merged = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    return merged | {"bmi": merged["weight"] / (merged["height"] / 100) ** 2}


def conversions(rows: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    texts = zip(*(rows[name].vocabulary for name in ("code_system", "code", "unit")), strict=True)
    found = [canonical(*text) for text in texts]
    assert None not in found
    table = np.array([one[1:] for one in found if one is not None])[rows["code"].codes]
    return table[:, 0], table[:, 1]


@pytest.mark.parametrize(
    ("analyte", "mean", "sd", "tolerance"),
    [("hba1c", 37.6, 3.3, 0.8), ("total_cholesterol", 5.63, 1.0, 0.15), ("hdl", 1.75, 0.5, 0.08),
     ("triglycerides", 1.34, 0.7, 0.1), ("waist", 90.6, 12.5, 2), ("systolic_bp", 128.7, 20.3, 3),
     ("diastolic_bp", 73.2, 9.7, 1.5)],
)  # fmt: skip
def test_women_have_the_values_of_tromsoe_at_its_mean_age(
    analyte: str, mean: float, sd: float, tolerance: float
) -> None:
    """The survey's women are 57 on average, ours 51: the straight line through age makes them comparable."""
    found = results()
    chosen = found["is_woman"] & (found["age"] >= 40) & ~np.isnan(found[analyte])
    age, values = found["age"][chosen], found[analyte][chosen]
    slope, level = np.polyfit(age - 57, values, 1)
    assert level == pytest.approx(mean, abs=tolerance)
    assert values.std() == pytest.approx(sd, rel=0.15)
    assert slope > -0.01


@pytest.mark.parametrize(
    ("one", "other", "published", "of"),
    [("bmi", "systolic_bp", 0.30, None), ("bmi", "hdl", -0.35, None), ("bmi", "log triglycerides", 0.35, None),
     ("bmi", "log crp", 0.40, None), ("bmi", "waist", 0.85, None), ("log ferritin", "haemoglobin", 0.30, "women")],
)  # fmt: skip
def test_analytes_hang_together_as_published(one: str, other: str, published: float, of: str | None) -> None:
    found, log = results(), "log "
    first, second = (np.log(found[n.removeprefix(log)]) if n.startswith(log) else found[n] for n in (one, other))
    sexes = (True,) if of == "women" else (True, False)
    parts = []
    for sex in sexes:
        chosen = (found["is_woman"] == sex) & ~np.isnan(first) & ~np.isnan(second)
        parts.append(correlation(first[chosen], second[chosen]))
    assert np.mean(parts) == pytest.approx(published, abs=0.05)


def test_traits_are_standard_scores_and_what_panels_measure() -> None:
    """Absence may depend on the traits: a trait that the panels do not show would make laboratories useless by mistake."""
    traits = [draw_lab_traits(world.block, world.persons, world.latents) for world in worlds()]
    found = results()
    assert list(traits[0]) == list(PARAMETERS.labs.analytes)
    for name, model in PARAMETERS.labs.analytes.items():
        trait = np.concatenate([one[name] for one in traits])
        assert trait.mean() == pytest.approx(0, abs=0.05)
        assert trait.std() == pytest.approx(1, abs=0.04)
        chosen = found["is_woman"] & ~np.isnan(found[name]) & (found["age"] > 40) & (found["age"] < 50)
        value = np.log(found[name][chosen]) if model.get("log") else found[name][chosen]
        expected = np.sqrt(stable_share(model, PARAMETERS.labs.person_share, is_woman=True))
        assert correlation(trait[found["person"][chosen]], value) == pytest.approx(expected, abs=0.13), name


def test_iron_stores_and_haemoglobin_hang_together_in_women_only() -> None:
    world = worlds()[0]
    traits = draw_lab_traits(world.block, world.persons, world.latents)
    woman = world.persons.is_female
    assert correlation(traits["ferritin"][woman], traits["haemoglobin"][woman]) > 0.25
    assert abs(correlation(traits["ferritin"][~woman], traits["haemoglobin"][~woman])) < 0.1


def test_vitamin_d_is_highest_after_the_summer() -> None:
    found = results()
    month = found["day"].astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    autumn, spring = (np.nanmean(found["vitamin_d"][np.isin(month, chosen)]) for chosen in ((7, 8, 9), (1, 2, 3)))
    assert autumn - spring == pytest.approx(2 * PARAMETERS.labs.vitamin_d_season, abs=4)


def test_low_crp_keeps_its_comparator_and_laboratories_differ_a_little() -> None:
    found = results()
    assert 0.3 < (found["crp"] == 0.5).mean() < 0.6
    measured = [np.nanmean(found["hba1c"][found["laboratory"] == place]) for place in range(3)]
    assert measured[1] > measured[0] > measured[2]
    of_women = np.where(found["is_woman"], found["creatinine_high"], np.nan)
    limits = [np.nanmean(of_women[found["laboratory"] == place]) for place in range(3)]
    assert limits[0] < limits[1] < limits[2]
    assert set(found["systolic_bp_high"][~np.isnan(found["systolic_bp_high"])]) == {140.0}


def test_what_no_sample_can_give_is_the_only_thing_never_measured() -> None:
    """Derived analytes are left to their derivation; cortisol needs a clock time that the table does not hold."""
    derived = {analyte.name for analyte in ANALYTES if analyte.derived_from} - {"ldl"}
    assert {analyte.name for analyte in ANALYTES} - set(PARAMETERS.labs.analytes) == derived | {"cortisol"}


def test_scenarios_of_the_survey_change_only_what_they_name() -> None:
    for name, section in (("response_not_at_random", "survey"), ("subgroup_harm", "survey")):
        assert set(parameters.read_scenario(name)["parameters"]) == {section}
