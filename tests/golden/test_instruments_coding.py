"""What the published forms mean by their codes, in the words a sender reads, and which way such an answer moves the score."""

from __future__ import annotations

import re

import numpy as np
import pytest

from data_contracts.instruments import INSTRUMENTS, score

SCALES = {scale.name: (instrument, scale) for instrument in INSTRUMENTS.values() for scale in instrument.scales}

# Scale, item, its highest code, what that code means, and whether it raises or lowers the score.
ENDS: list[tuple[str, str, int, str, int]] = [
    ("cbi_personal", "personal_1", 100, "always, or to a very high degree", 1),
    ("cbi_work", "work_1", 100, "always, or to a very high degree", 1),
    ("cbi_work", "work_7", 100, "always", -1),
    ("who5_wellbeing", "item_1", 5, "all of the time", 1),
    ("phq9_depression", "item_9", 3, "nearly every day", 1),
    ("gad7_anxiety", "item_1", 3, "nearly every day", 1),
    ("hscl10_distress", "item_1", 4, "extremely", 1),
    ("hscl25_depression", "suicidal_thoughts", 4, "extremely", 1),
    ("was_work_ability", "item_1", 10, "work ability at its lifetime best", 1),
    ("bis_insomnia", "item_1", 7, "every day of the week", 1),
    ("shc_flu", "flu_1", 3, "seriously", 1),
    ("pain_sites_count", "item_1", 10, "all ten places", 1),
    ("pain_worst", "worst", 10, "worst pain imaginable", 1),
    ("pain_three_months", "three_months", 1, "yes", 1),
    ("oss3_social_support", "item_1", 4, "more than five", 1),
    ("oss3_social_support", "item_2", 5, "a lot", 1),
    ("oss3_social_support", "item_3", 5, "very easy", 1),
    ("srh_self_rated_health", "item_1", 5, "excellent", 1),
    ("audit_c_alcohol", "item_1", 4, "four or more times a week", 1),
    ("audit_c_alcohol", "item_2", 4, "ten or more", 1),
    ("audit_c_alcohol", "item_3", 4, "daily or almost daily", 1),
    ("ipaq_sitting_minutes", "sitting_minutes", 1440, "the whole day", 1),
    ("fear_avoidance_work", "work", 6, "completely agree", 1),
    ("coping_expectancy", "item_1", 4, "completely true", 1),
    ("olbi_disengagement", "item_1", 4, "strongly disagree", 1),
    ("olbi_exhaustion", "item_2", 4, "strongly disagree", -1),
    ("dcsq_demands", "demands_1", 4, "often", 1),
    ("dcsq_demands", "demands_4", 4, "often", -1),
    ("dcsq_decision_latitude", "latitude_4", 4, "often", -1),
    ("dcsq_support", "support_1", 4, "strongly agree", 1),
    ("qpsnordic34_control", "control_1", 5, "very often or always", 1),
    ("copsoq3_job_satisfaction", "JS4", 100, "most of what the dimension is named after", 1),
    ("copsoq3_job_insecurity", "JI1", 100, "most of what the dimension is named after", 1),
    ("bat12_core", "exhaustion_1", 5, "always", 1),
    ("bat23_core", "exhaustion_1", 5, "always", 1),
    ("uwes3_engagement", "vigour", 6, "always", 1),
    ("isi_insomnia", "item_1", 4, "very severe", 1),
    ("isi_insomnia", "item_4", 4, "very dissatisfied", 1),
    ("isi_insomnia", "item_5", 4, "very much", 1),
    ("ompsq_sf_risk", "item_1", 10, "more than a year", 1),
    ("ompsq_sf_risk", "item_2", 10, "most of what the item is about", 1),
    ("ompsq_sf_risk", "item_8", 10, "most of what the item is about", -1),
    ("start_back_total", "item_1", 1, "agree", 1),
    ("start_back_psychosocial", "item_9", 4, "extremely", 1),
    ("wai_work_ability_index", "work_ability", 10, "lifetime best", 1),
    ("wai_work_ability_index", "physical", 5, "very good", 1),
    ("wai_work_ability_index", "diseases", 51, "all of the list", -1),
    ("wai_work_ability_index", "impairment", 6, "no hindrance", 1),
    ("wai_work_ability_index", "sick_leave", 5, "none", 1),
    ("wai_work_ability_index", "prognosis", 7, "relatively certain", 1),
    ("wai_work_ability_index", "resources_1", 4, "often or always", 1),
]


@pytest.mark.parametrize(("scale_name", "item", "code", "meaning", "effect"), ENDS)
def test_highest_code_means_what_is_published_and_moves_the_score_that_way(
    scale_name: str, item: str, code: int, meaning: str, effect: int
) -> None:
    instrument, _ = SCALES[scale_name]
    assert re.search(rf"(?<![\w.]){code} = {meaning}\b", instrument.coding)
    column = instrument.item_positions[item]
    assert instrument.items[column].answers[-1] == code
    sheets = np.array([[one.answers[0] for one in instrument.items]] * 2)
    sheets[1, column] = code
    low, high = score(instrument, sheets)[:, [one.name for one in instrument.scales].index(scale_name)]
    assert np.sign(high - low) == effect


def test_every_instrument_is_among_them() -> None:
    assert {SCALES[scale_name][0].name for scale_name, *_ in ENDS} == set(INSTRUMENTS)
