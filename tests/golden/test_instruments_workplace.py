"""Instruments of work, pain and sleep against their published scoring keys: sheets small enough to score by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from data_contracts.instruments import INSTRUMENTS, score

BLANK = float("nan")
FREE = ("olbi", "dcsq", "qpsnordic34", "copsoq3_core")
SCORING_ONLY = ("bat12", "bat23", "uwes3", "isi", "ompsq_sf", "start_back", "wai")
SCALES = {scale.name: (name, scale) for name in (*FREE, *SCORING_ONLY) for scale in INSTRUMENTS[name].scales}

COPSOQ_ITEMS = [
    "QD2", "QD3", "WP1", "WP2", "EDX2", "ED3", "INX1", "PD2", "PD3", "MW1", "PR1", "PR2", "RE1", "CL1", "CO2", "CO3",
    "QL3", "QL4", "SSX2", "SCX1", "SW1", "JI1", "JI3", "IW1", "JS4", "WF2", "WF3", "TM1", "TMX2", "JU1", "JU4", "GH1",
]  # fmt: skip
COPSOQ_HALF = {"QD2": 75, "WP1": 50, "EDX2": 25, "PD2": 75, "PR1": 50, "CO2": 25, "QL3": 75, "JI1": 50, "WF2": 25,
               "TM1": 75, "JU1": 50}  # fmt: skip
WAI_BEST = {"work_type": 3, "work_ability": 10, "physical": 5, "mental": 5, "diseases": 0, "impairment": 6,
            "sick_leave": 5, "prognosis": 7, "resources_1": 4, "resources_2": 4, "resources_3": 4}  # fmt: skip
WAI_WORST = {"work_type": 1, "work_ability": 0, "physical": 1, "mental": 1, "diseases": 9, "impairment": 1,
             "sick_leave": 1, "prognosis": 1, "resources_1": 0, "resources_2": 0, "resources_3": 0}  # fmt: skip
WAI_OFFICE = {"work_type": 1, "work_ability": 8, "physical": 5, "mental": 4, "diseases": 2, "impairment": 5,
              "sick_leave": 4, "prognosis": 4, "resources_1": 3, "resources_2": 3, "resources_3": 2}  # fmt: skip


def numbered(prefix: str, answers: list[float]) -> dict[str, float]:
    return {f"{prefix}_{number}": answer for number, answer in enumerate(answers, start=1)}


def dcsq(demands: list[float], latitude: list[float], support: list[float]) -> dict[str, float]:
    return numbered("demands", demands) | numbered("latitude", latitude) | numbered("support", support)


def qps(clarity: list[float], control: list[float], support: list[float], leadership: list[float]) -> dict[str, float]:
    return (
        numbered("role_clarity", clarity)
        | numbered("control", control)
        | numbered("support_from_superior", support)
        | numbered("empowering_leadership", leadership)
    )


def bat(
    exhaustion: list[float], distance: list[float], cognitive: list[float], emotional: list[float]
) -> dict[str, float]:
    return (
        numbered("exhaustion", exhaustion)
        | numbered("mental_distance", distance)
        | numbered("cognitive", cognitive)
        | numbered("emotional", emotional)
    )


def back(*answers: float) -> dict[str, float]:
    return numbered("item", list(answers))


def scale_scores(name: str, answers: dict[str, float]) -> dict[str, float]:
    """Score one sheet given by item; items that are not given are unanswered."""
    instrument = INSTRUMENTS[name]
    assert set(answers) <= set(instrument.item_positions), "no such item"
    sheet = [answers.get(item.id, BLANK) for item in instrument.items]
    row = score(instrument, np.array([sheet], dtype=float))[0]
    return dict(zip((scale.name for scale in instrument.scales), row.tolist(), strict=True))


GOLDEN: list[tuple[str, dict[str, float], dict[str, float]]] = [
    # From the domain notes: eight statements count 2, the eight reversed ones 5 - 2 = 3.
    ("olbi", numbered("item", [2] * 16), {"olbi_disengagement": 20.0, "olbi_exhaustion": 20.0, "olbi_total": 40.0}),
    # Every item of one scale at its worst, 4 or reversed 1, and every item of the other at its best.
    ("olbi", numbered("item", [4, 4, 1, 4, 1, 1, 4, 4, 1, 1, 1, 4, 4, 1, 4, 1]),
     {"olbi_disengagement": 32.0, "olbi_exhaustion": 8.0, "olbi_total": 40.0}),
    ("olbi", numbered("item", [1, 1, 4, 1, 4, 4, 1, 1, 4, 4, 4, 1, 1, 4, 1, 4]),
     {"olbi_disengagement": 8.0, "olbi_exhaustion": 32.0, "olbi_total": 40.0}),
    ("olbi", numbered("item", [BLANK] + [2] * 15),
     {"olbi_disengagement": BLANK, "olbi_exhaustion": 20.0, "olbi_total": BLANK}),
    ("olbi", numbered("item", [2] * 15 + [BLANK]),
     {"olbi_disengagement": 20.0, "olbi_exhaustion": BLANK, "olbi_total": BLANK}),
    # Demands 4+3+2+(5-1)+1, latitude 4+4+3+(5-2)+2+1, support 1+2+3+4+4+4.
    ("dcsq", dcsq([4, 3, 2, 1, 1], [4, 4, 3, 2, 2, 1], [1, 2, 3, 4, 4, 4]),
     {"dcsq_demands": 14.0, "dcsq_decision_latitude": 17.0, "dcsq_support": 18.0}),
    ("dcsq", dcsq([4, 3, 2, 1], [4, 4, 3, 2, 2], [1, 2, 3, 4, 4]),
     {"dcsq_demands": BLANK, "dcsq_decision_latitude": BLANK, "dcsq_support": BLANK}),
    ("qpsnordic34", qps([5, 4], [1, 2, 3, 5], [3, 4], [1, 1]),
     {"qpsnordic34_role_clarity": 4.5, "qpsnordic34_control": 2.75, "qpsnordic34_support_from_superior": 3.5,
      "qpsnordic34_empowering_leadership": 1.0}),
    ("qpsnordic34", qps([5], [1, 2, 3], [3], [1]),
     {"qpsnordic34_role_clarity": BLANK, "qpsnordic34_control": BLANK, "qpsnordic34_support_from_superior": BLANK,
      "qpsnordic34_empowering_leadership": BLANK}),
    ("bat23", bat([5, 4, 4, 3, 3, 3, 2, 2], [1, 2, 3, 4, 5], [1, 1, 1, 1, 2], [2, 2, 2, 2, 3]),
     {"bat23_core": (26 + 15 + 6 + 11) / 23, "bat23_exhaustion": 26 / 8, "bat23_mental_distance": 3.0,
      "bat23_cognitive": 6 / 5, "bat23_emotional": 11 / 5}),
    # 80 %: 7 of 8, 4 of 5 and 19 of 23 are enough ...
    ("bat23", bat([5, 4, 4, 3, 3, 3, 2], [1, 2, 3, 4], [1, 1, 1, 1], [2, 2, 2, 2]),
     {"bat23_core": (24 + 10 + 4 + 8) / 19, "bat23_exhaustion": 24 / 7, "bat23_mental_distance": 2.5,
      "bat23_cognitive": 1.0, "bat23_emotional": 2.0}),
    # ... 6, 3 and 18 are not, although each of three scales alone would do.
    ("bat23", bat([3] * 6, [3] * 4, [3] * 4, [3] * 4),
     {"bat23_core": BLANK, "bat23_exhaustion": BLANK, "bat23_mental_distance": 3.0, "bat23_cognitive": 3.0,
      "bat23_emotional": 3.0}),
    ("bat23", bat([3] * 8, [3] * 3, [3] * 3, [3] * 3),
     {"bat23_core": BLANK, "bat23_exhaustion": 3.0, "bat23_mental_distance": BLANK, "bat23_cognitive": BLANK,
      "bat23_emotional": BLANK}),
    ("bat12", bat([5, 4, 3], [1, 1, 2], [2, 2, 2], [1, 1, 1]),
     {"bat12_core": 25 / 12, "bat12_exhaustion": 4.0, "bat12_mental_distance": 4 / 3, "bat12_cognitive": 2.0,
      "bat12_emotional": 1.0}),
    # Two of three are under 80 %, ten of twelve are not.
    ("bat12", bat([5, 4], [1, 1], [2, 2, 2], [1, 1, 1]),
     {"bat12_core": 20 / 10, "bat12_exhaustion": BLANK, "bat12_mental_distance": BLANK, "bat12_cognitive": 2.0,
      "bat12_emotional": 1.0}),
    ("bat12", bat([5, 4, 3], [1, 1], [2, 2], [1, 1]),
     {"bat12_core": BLANK, "bat12_exhaustion": 4.0, "bat12_mental_distance": BLANK, "bat12_cognitive": BLANK,
      "bat12_emotional": BLANK}),
    ("uwes3", {"vigour": 6, "dedication": 4, "absorption": 3}, {"uwes3_engagement": 13 / 3}),
    ("uwes3", {"vigour": 6, "dedication": 4}, {"uwes3_engagement": BLANK}),
    ("isi", numbered("item", [1, 2, 3, 4, 0, 1, 2]), {"isi_insomnia": 13.0}),
    ("isi", numbered("item", [4] * 6), {"isi_insomnia": BLANK}),
    # 7 + 6 + (10-8) + (10-5) + 4 + 3 + 5 + (10-9) + 6 + 7.
    ("ompsq_sf", numbered("item", [7, 6, 8, 5, 4, 3, 5, 9, 6, 7]), {"ompsq_sf_risk": 46.0}),
    ("ompsq_sf", numbered("item", [7, 6, 8, 5, 4, 3, 5, 9, 6]), {"ompsq_sf_risk": BLANK}),
    # From the domain notes: nine points, five of them psychosocial, is high; three points, all psychosocial, is low.
    ("start_back", back(1, 1, 1, 1, 1, 1, 1, 1, 4),
     {"start_back_total": 9.0, "start_back_psychosocial": 5.0, "start_back_risk_group": 3.0}),
    ("start_back", back(0, 0, 0, 0, 1, 1, 1, 0, 2),
     {"start_back_total": 3.0, "start_back_psychosocial": 3.0, "start_back_risk_group": 1.0}),
    # Without an answer about the legs, the psychosocial points still stand.
    ("start_back", {f"item_{number}": 1 for number in range(2, 10)},
     {"start_back_total": BLANK, "start_back_psychosocial": 4.0, "start_back_risk_group": BLANK}),
    ("start_back", back(1, 1, 1, 1, 1, 1, 1, 1),
     {"start_back_total": BLANK, "start_back_psychosocial": BLANK, "start_back_risk_group": BLANK}),
    ("wai", WAI_BEST, {"wai_work_ability_index": 49.0}),
    ("wai", WAI_WORST, {"wai_work_ability_index": 7.0}),
    # 8 + (0.5 * 5 + 1.5 * 4) + 4 (two diseases) + 5 + 4 + 4 + 3 (resources 8).
    ("wai", WAI_OFFICE, {"wai_work_ability_index": 36.5}),
    ("copsoq3_core", dict.fromkeys(COPSOQ_ITEMS, 25) | COPSOQ_HALF,
     {"copsoq3_quantitative_demands": 50.0, "copsoq3_work_pace": 37.5, "copsoq3_emotional_demands": 25.0,
      "copsoq3_influence": 25.0, "copsoq3_possibilities_for_development": 50.0, "copsoq3_meaning_of_work": 25.0,
      "copsoq3_predictability": 37.5, "copsoq3_recognition": 25.0, "copsoq3_role_clarity": 25.0,
      "copsoq3_role_conflicts": 25.0, "copsoq3_quality_of_leadership": 50.0, "copsoq3_support_from_supervisor": 25.0,
      "copsoq3_support_from_colleagues": 25.0, "copsoq3_sense_of_community": 25.0, "copsoq3_job_insecurity": 37.5,
      "copsoq3_insecurity_over_working_conditions": 25.0, "copsoq3_job_satisfaction": 25.0,
      "copsoq3_work_life_conflict": 25.0, "copsoq3_vertical_trust": 50.0, "copsoq3_organisational_justice": 37.5,
      "copsoq3_self_rated_health": 25.0}),
    # One of two is half, which is enough; none of one is not.
    ("copsoq3_core", COPSOQ_HALF,
     {"copsoq3_quantitative_demands": 75.0, "copsoq3_work_pace": 50.0, "copsoq3_emotional_demands": 25.0,
      "copsoq3_influence": BLANK, "copsoq3_possibilities_for_development": 75.0, "copsoq3_meaning_of_work": BLANK,
      "copsoq3_predictability": 50.0, "copsoq3_recognition": BLANK, "copsoq3_role_clarity": BLANK,
      "copsoq3_role_conflicts": 25.0, "copsoq3_quality_of_leadership": 75.0, "copsoq3_support_from_supervisor": BLANK,
      "copsoq3_support_from_colleagues": BLANK, "copsoq3_sense_of_community": BLANK, "copsoq3_job_insecurity": 50.0,
      "copsoq3_insecurity_over_working_conditions": BLANK, "copsoq3_job_satisfaction": BLANK,
      "copsoq3_work_life_conflict": 25.0, "copsoq3_vertical_trust": 75.0, "copsoq3_organisational_justice": 50.0,
      "copsoq3_self_rated_health": BLANK}),
    ("copsoq3_core", {}, {name: BLANK for name in SCALES if name.startswith("copsoq3_")}),
    *(("wai", {item: answer for item, answer in WAI_BEST.items() if item != left_out},
       {"wai_work_ability_index": BLANK}) for left_out in WAI_BEST),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answers", "expected"), GOLDEN)
def test_sheet_scores_as_the_published_key_says(
    name: str, answers: dict[str, float], expected: dict[str, float]
) -> None:
    # Exact equality on purpose: totals of answer codes are whole or half numbers, so only one rounding is ever done.
    np.testing.assert_equal(scale_scores(name, answers), expected)


def test_every_scale_has_a_scored_and_an_unscorable_sheet() -> None:
    for scale, (name, _) in SCALES.items():
        seen = {bool(np.isnan(expected[scale])) for golden, _, expected in GOLDEN if golden == name}
        assert seen == {False, True}, f"{scale} lacks a golden sheet with, or without, a score"


REVERSED = {
    "olbi_disengagement": {"item_3", "item_6", "item_9", "item_11"},
    "olbi_exhaustion": {"item_2", "item_4", "item_8", "item_12"},
    "olbi_total": {f"item_{number}" for number in (2, 3, 4, 6, 8, 9, 11, 12)},
    "dcsq_demands": {"demands_4"},
    "dcsq_decision_latitude": {"latitude_4"},
    "ompsq_sf_risk": {"item_3", "item_4", "item_8"},
    "wai_work_ability_index": {"diseases"},
}
# What kind of work it is changes only which of two equal answers counts more; a group of three moves only at its limits.
UNMOVED = {"wai_work_ability_index": {"work_type"}, "start_back_risk_group": {f"item_{n}" for n in range(1, 10)}}


@pytest.mark.parametrize("scale_name", SCALES)
def test_a_higher_answer_lowers_the_score_for_exactly_the_reversed_items(scale_name: str) -> None:
    # A reversal forgotten, or applied to a neighbour, keeps every total plausible and turns its meaning round.
    name, scale = SCALES[scale_name]
    items = INSTRUMENTS[name].items
    lowest = {item.id: item.answers[0] for item in items}
    before = scale_scores(name, lowest)[scale_name]
    moves = {
        item.id: scale_scores(name, lowest | {item.id: item.answers[-1]})[scale_name] - before
        for item in items
        if item.id in scale.items
    }
    assert {item for item, move in moves.items() if move < 0} == REVERSED.get(scale_name, set())
    assert {item for item, move in moves.items() if move == 0} == UNMOVED.get(scale_name, set())


def test_core_items_are_those_of_the_international_copsoq_network() -> None:
    # QD4 (enough time), which was in earlier versions and runs the other way, is no longer a core item.
    assert [item.id for item in INSTRUMENTS["copsoq3_core"].items] == COPSOQ_ITEMS
    assert len(COPSOQ_ITEMS) == 32


def test_letters_of_a_copsoq_item_say_its_dimension() -> None:
    letters = {
        scale.name: {re.sub(r"X?\d", "", item) for item in scale.items} for scale in INSTRUMENTS["copsoq3_core"].scales
    }
    assert letters == {
        "copsoq3_quantitative_demands": {"QD"},
        "copsoq3_work_pace": {"WP"},
        "copsoq3_emotional_demands": {"ED"},
        "copsoq3_influence": {"IN"},
        "copsoq3_possibilities_for_development": {"PD"},
        "copsoq3_meaning_of_work": {"MW"},
        "copsoq3_predictability": {"PR"},
        "copsoq3_recognition": {"RE"},
        "copsoq3_role_clarity": {"CL"},
        "copsoq3_role_conflicts": {"CO"},
        "copsoq3_quality_of_leadership": {"QL"},
        "copsoq3_support_from_supervisor": {"SS"},
        "copsoq3_support_from_colleagues": {"SC"},
        "copsoq3_sense_of_community": {"SW"},
        "copsoq3_job_insecurity": {"JI"},
        "copsoq3_insecurity_over_working_conditions": {"IW"},
        "copsoq3_job_satisfaction": {"JS"},
        "copsoq3_work_life_conflict": {"WF"},
        "copsoq3_vertical_trust": {"TM"},
        "copsoq3_organisational_justice": {"JU"},
        "copsoq3_self_rated_health": {"GH"},
    }


@pytest.mark.parametrize(
    ("answers", "total", "psychosocial", "group"),
    [
        (back(0, 0, 0, 0, 0, 0, 0, 0, 2), 0, 0, 1),  # moderately bothersome does not count ...
        (back(0, 0, 0, 0, 0, 0, 0, 0, 3), 1, 1, 1),  # ... very much does, as one point
        (back(0, 0, 0, 0, 0, 0, 0, 0, 4), 1, 1, 1),
        (back(1, 1, 1, 0, 0, 0, 0, 0, 0), 3, 0, 1),
        (back(1, 1, 1, 1, 0, 0, 0, 0, 0), 4, 0, 2),
        (back(1, 1, 1, 1, 1, 1, 1, 0, 0), 7, 3, 2),
        (back(0, 0, 0, 0, 1, 1, 1, 1, 0), 4, 4, 3),
        (back(0, 0, 0, 0, 1, 1, 1, 0, 3), 4, 4, 3),
    ],
)
def test_back_pain_group_is_high_by_psychosocial_points_alone(
    answers: dict[str, float], total: float, psychosocial: float, group: float
) -> None:
    assert list(scale_scores("start_back", answers).values()) == [total, psychosocial, group]


@pytest.mark.parametrize(("work_type", "dimension_2"), [(1, 0.5 * 5 + 1.5 * 2), (2, 1.5 * 5 + 0.5 * 2), (3, 5 + 2)])
def test_work_ability_counts_most_the_demands_the_work_mainly_makes(work_type: float, dimension_2: float) -> None:
    answers = WAI_BEST | {"work_type": work_type, "physical": 5, "mental": 2}
    assert scale_scores("wai", answers)["wai_work_ability_index"] == 49 - 10 + dimension_2


@pytest.mark.parametrize(("diseases", "points"), [(0, 7), (1, 5), (2, 4), (3, 3), (4, 2), (5, 1), (6, 1), (51, 1)])
def test_work_ability_points_by_number_of_diseases_skip_six(diseases: float, points: float) -> None:
    assert scale_scores("wai", WAI_BEST | {"diseases": diseases})["wai_work_ability_index"] == 49 - 7 + points


@pytest.mark.parametrize(
    ("resources", "points"),
    [((0, 0, 0), 1), ((1, 1, 1), 1), ((2, 1, 1), 2), ((2, 2, 2), 2), ((3, 2, 2), 3), ((3, 3, 3), 3), ((4, 3, 3), 4)],
)
def test_work_ability_points_for_mental_resources(resources: tuple[float, ...], points: float) -> None:
    answers = WAI_BEST | numbered("resources", list(resources))
    assert scale_scores("wai", answers)["wai_work_ability_index"] == 49 - 4 + points


@pytest.mark.parametrize(
    ("scale_name", "value", "band"),
    [
        ("olbi_disengagement", 16, "low"),  # mean 2.0
        ("olbi_disengagement", 17, "high"),  # mean 2.125, cut-off 2.10
        ("olbi_exhaustion", 17, "low"),  # mean 2.125, cut-off 2.25
        ("olbi_exhaustion", 18, "high"),
        ("olbi_total", 64, None),
        ("dcsq_demands", 20, None),
        ("bat23_core", 2.58, "low"),
        ("bat23_core", 2.59, "at_risk"),
        ("bat23_core", 3.01, "at_risk"),
        ("bat23_core", 3.02, "severe"),
        ("bat12_core", 2.53, "low"),
        ("bat12_core", 2.54, "at_risk"),
        ("bat12_core", 2.95, "at_risk"),
        ("bat12_core", 2.96, "severe"),
        ("bat23_mental_distance", 5, None),
        ("isi_insomnia", 7, "low"),
        ("isi_insomnia", 8, "mild"),
        ("isi_insomnia", 14, "mild"),
        ("isi_insomnia", 15, "moderate"),
        ("isi_insomnia", 21, "moderate"),
        ("isi_insomnia", 22, "severe"),
        ("ompsq_sf_risk", 49, "low"),
        ("ompsq_sf_risk", 50, "high"),
        ("start_back_risk_group", 1, "low"),
        ("start_back_risk_group", 2, "medium"),
        ("start_back_risk_group", 3, "high"),
        ("wai_work_ability_index", 27.5, "poor"),
        ("wai_work_ability_index", 28, "moderate"),
        ("wai_work_ability_index", 36.5, "moderate"),
        ("wai_work_ability_index", 37, "good"),
        ("wai_work_ability_index", 43.5, "good"),
        ("wai_work_ability_index", 44, "excellent"),
        ("wai_work_ability_index", BLANK, None),
    ],
)
def test_bands_begin_where_published(scale_name: str, value: float, band: str | None) -> None:
    assert SCALES[scale_name][1].band(value) == band


PROTECTIVE = [
    "dcsq_decision_latitude", "dcsq_support", "qpsnordic34_role_clarity",
    "qpsnordic34_control", "qpsnordic34_support_from_superior", "qpsnordic34_empowering_leadership",
    "copsoq3_influence", "copsoq3_possibilities_for_development", "copsoq3_meaning_of_work",
    "copsoq3_predictability", "copsoq3_recognition", "copsoq3_role_clarity",
    "copsoq3_quality_of_leadership", "copsoq3_support_from_supervisor", "copsoq3_support_from_colleagues",
    "copsoq3_sense_of_community", "copsoq3_job_satisfaction", "copsoq3_vertical_trust",
    "copsoq3_organisational_justice", "copsoq3_self_rated_health", "uwes3_engagement",
    "wai_work_ability_index",
]  # fmt: skip


def test_high_is_good_for_resources_and_bad_for_strains() -> None:
    assert [name for name, (_, scale) in SCALES.items() if not scale.higher_is_worse] == PROTECTIVE


def test_licensed_instruments_are_scoring_only_and_say_where_the_wording_is_had() -> None:
    for name in SCORING_ONLY:
        assert INSTRUMENTS[name].licence_kind == "scoring_only"
        assert "©" in INSTRUMENTS[name].licence
        assert "the customer gets" in INSTRUMENTS[name].licence
    assert {INSTRUMENTS[name].licence_kind for name in FREE} == {"free"}
