"""Instruments of health and habits against their published scoring keys: sheets small enough to score by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from data_contracts.instruments import INSTRUMENTS, score

BLANK = float("nan")
CLIENT_BLANK = [BLANK] * 6
VECTORS = Path(__file__).parents[2] / "../shared/vectors/health_scores/phq9_gad7_who5_cbi_rules.json"


def scale_scores(name: str, sheet: list[float]) -> dict[str, float]:
    instrument = INSTRUMENTS[name]
    row = score(instrument, np.array([sheet], dtype=float))[0]
    return dict(zip((scale.name for scale in instrument.scales), row.tolist(), strict=True))


def cbi(personal: list[float], work: list[float], client: list[float]) -> list[float]:
    return [*personal, *work, *client]


def hscl25(anxiety: list[float], depression: list[float]) -> list[float]:
    return [*anxiety, *depression]


def shc(musculoskeletal: list[float], pseudoneurology: list[float], gastrointestinal: list[float],
        allergy: list[float], flu: list[float]) -> list[float]:  # fmt: skip
    return [*musculoskeletal, *pseudoneurology, *gastrointestinal, *allergy, *flu]


GOLDEN: list[tuple[str, list[float], dict[str, float]]] = [
    # Published or computed in the domain notes.
    ("cbi", cbi([100, 75, 50, 50, 25, 0], [75] * 7, CLIENT_BLANK),
     {"cbi_personal": 50.0, "cbi_work": 475 / 7, "cbi_client": BLANK}),
    ("who5", [3, 2, 3, 2, 4], {"who5_wellbeing": 56.0}),
    ("hscl10", [2] * 8 + [1] * 2, {"hscl10_distress": 1.8}),
    ("hscl10", [2] * 9 + [1], {"hscl10_distress": 1.9}),
    ("bis", [0, 0, 0, 3, 3, 0], {"bis_insomnia": 6.0, "bis_case": 1.0}),
    ("bis", [3, 3, 3, 0, 2, 2], {"bis_insomnia": 13.0, "bis_case": 0.0}),
    ("oss3", [3, 4, 4], {"oss3_social_support": 11.0}),
    # By hand.
    ("was", [7], {"was_work_ability": 7.0}),
    ("shc", shc([0, 1, 2, 3, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1, 2], [3] * 7, [0, 0, 0, 0, 1], [2, 3]),
     {"shc_musculoskeletal": 7.0, "shc_pseudoneurology": 8.0, "shc_gastrointestinal": 21.0, "shc_allergy": 1.0,
      "shc_flu": 5.0, "shc_complaints_count": 4.0 + 7 + 7 + 1 + 2, "shc_substantial_count": 2.0 + 1 + 7 + 0 + 2,
      "shc_pain_regions_count": 4.0, "shc_groups_count": 4.0}),
    # The musculoskeletal part alone, as in the programme, has its own count and none of all 29.
    ("shc", shc([0, 1, 2, 3, 0, 1, 0, 0], [BLANK] * 7, [BLANK] * 7, [BLANK] * 5, [BLANK] * 2),
     {"shc_musculoskeletal": 7.0, "shc_pseudoneurology": BLANK, "shc_gastrointestinal": BLANK, "shc_allergy": BLANK,
      "shc_flu": BLANK, "shc_complaints_count": BLANK, "shc_substantial_count": BLANK, "shc_pain_regions_count": 4.0,
      "shc_groups_count": BLANK}),
    # One of 29 unanswered; and of all parts only the last has a substantial complaint.
    ("shc", shc([1] * 8, [0] * 7, [0] * 7, [0] * 5, [0, BLANK]),
     {"shc_musculoskeletal": 8.0, "shc_pseudoneurology": 0.0, "shc_gastrointestinal": 0.0, "shc_allergy": 0.0,
      "shc_flu": BLANK, "shc_complaints_count": BLANK, "shc_substantial_count": BLANK, "shc_pain_regions_count": 8.0,
      "shc_groups_count": BLANK}),
    ("shc", shc([0] * 8, [1] * 7, [1] * 7, [1] * 5, [1, 2]),
     {"shc_musculoskeletal": 0.0, "shc_pseudoneurology": 7.0, "shc_gastrointestinal": 7.0, "shc_allergy": 5.0,
      "shc_flu": 3.0, "shc_complaints_count": 21.0, "shc_substantial_count": 1.0, "shc_pain_regions_count": 0.0,
      "shc_groups_count": 1.0}),
    ("pain_sites", [4], {"pain_sites_count": 4.0}),
    ("pain", [8, 5, 1], {"pain_worst": 8.0, "pain_average": 5.0, "pain_three_months": 1.0}),
    ("audit_c", [2, 1, 0], {"audit_c_alcohol": 3.0}),
    ("fear_avoidance", [6, 2], {"fear_avoidance_activity": 6.0, "fear_avoidance_work": 2.0}),
    ("coping_expectancy", [3], {"coping_expectancy": 3.0}),
    ("phq9", [1] * 9, {"phq9_depression": 9.0, "phq8_depression": 8.0, "phq2_depression": 2.0}),
    ("gad7", [3, 2, 1, 0, 0, 0, 1], {"gad7_anxiety": 7.0, "gad2_anxiety": 5.0}),
    ("hscl25", hscl25([2] * 10, [1] * 14 + [4]),
     {"hscl25_distress": 38 / 25, "hscl25_anxiety": 2.0, "hscl25_depression": 18 / 15}),
    ("srh", [2], {"srh_self_rated_health": 2.0}),
    # Only one half of the criteria is met: troubled nights without troubled days, and the reverse.
    ("bis", [7, 7, 7, 7, 2, 2], {"bis_insomnia": 32.0, "bis_case": 0.0}),
    ("bis", [2, 2, 2, 2, 7, 7], {"bis_insomnia": 22.0, "bis_case": 0.0}),
    # Activity: days and minutes of vigorous activity, of moderate activity and of walking, then minutes of sitting.
    ("ipaq_sf", [3, 30, 2, 40, 5, 30, 480],
     {"ipaq_met_minutes": 1535.0, "ipaq_category": 3.0, "ipaq_sitting_minutes": 480.0}),
    ("ipaq_sf", [7, 180, 7, 180, 7, 180, 0],
     {"ipaq_met_minutes": 19278.0, "ipaq_category": 3.0, "ipaq_sitting_minutes": 0.0}),
    # Who reports no day of an activity is not asked for its minutes.
    ("ipaq_sf", [0, BLANK, 0, BLANK, 0, BLANK, 600],
     {"ipaq_met_minutes": 0.0, "ipaq_category": 1.0, "ipaq_sitting_minutes": 600.0}),
    # Enough answers for a mean of those given ...
    ("cbi", cbi([100, 50, 0, BLANK, BLANK, BLANK], [100, 100, 100, BLANK, BLANK, BLANK, 100], [25] * 3 + [BLANK] * 3),
     {"cbi_personal": 50.0, "cbi_work": 75.0, "cbi_client": 25.0}),
    ("hscl10", [2, 2, 2, 2, 1, 1, 1] + [BLANK] * 3, {"hscl10_distress": 11 / 7}),
    ("hscl25", hscl25([2] * 8 + [BLANK] * 2, [1] * 12 + [BLANK] * 3),
     {"hscl25_distress": 28 / 20, "hscl25_anxiety": 2.0, "hscl25_depression": 1.0}),
    ("phq9", [2, 2, 2, 2, 2, 2, BLANK, BLANK, 0],
     {"phq9_depression": 12 * 9 / 7, "phq8_depression": 16.0, "phq2_depression": 4.0}),
    ("gad7", [2] * 6 + [BLANK], {"gad7_anxiety": 14.0, "gad2_anxiety": 4.0}),
    # ... and one too few: missing, never a number.
    ("cbi", cbi([100, 50] + [BLANK] * 4, [100, 100, 100] + [BLANK] * 4, [25] * 2 + [BLANK] * 4),
     {"cbi_personal": BLANK, "cbi_work": BLANK, "cbi_client": BLANK}),
    ("hscl10", [2, 2, 2, 2, 1, 1] + [BLANK] * 4, {"hscl10_distress": BLANK}),
    ("hscl25", hscl25([2] * 7 + [BLANK] * 3, [1] * 11 + [BLANK] * 4),
     {"hscl25_distress": BLANK, "hscl25_anxiety": BLANK, "hscl25_depression": BLANK}),
    ("phq9", [BLANK, 2, 2, 2, 2, 2, BLANK, BLANK, 0],
     {"phq9_depression": BLANK, "phq8_depression": BLANK, "phq2_depression": BLANK}),
    ("gad7", [2] * 5 + [BLANK] * 2, {"gad7_anxiety": BLANK, "gad2_anxiety": 4.0}),
    ("gad7", [BLANK] + [2] * 6, {"gad7_anxiety": 14.0, "gad2_anxiety": BLANK}),
    ("audit_c", [2, 1, BLANK], {"audit_c_alcohol": BLANK}),
    ("fear_avoidance", [BLANK, BLANK], {"fear_avoidance_activity": BLANK, "fear_avoidance_work": BLANK}),
    ("coping_expectancy", [BLANK], {"coping_expectancy": BLANK}),
    ("pain", [BLANK] * 3, {"pain_worst": BLANK, "pain_average": BLANK, "pain_three_months": BLANK}),
    ("ipaq_sf", [1, BLANK, 2, 40, 5, 30, BLANK],
     {"ipaq_met_minutes": BLANK, "ipaq_category": BLANK, "ipaq_sitting_minutes": BLANK}),
    ("who5", [3, 2, 3, 2, BLANK], {"who5_wellbeing": BLANK}),
    ("bis", [7, 7, 7, 7, 7, BLANK], {"bis_insomnia": BLANK, "bis_case": BLANK}),
    ("shc", shc([3] * 7 + [BLANK], [3] * 6 + [BLANK], [3] * 6 + [BLANK], [3] * 4 + [BLANK], [3, BLANK]),
     {"shc_musculoskeletal": BLANK, "shc_pseudoneurology": BLANK, "shc_gastrointestinal": BLANK, "shc_allergy": BLANK,
      "shc_flu": BLANK, "shc_complaints_count": BLANK, "shc_substantial_count": BLANK, "shc_pain_regions_count": BLANK,
      "shc_groups_count": BLANK}),
    ("oss3", [3, BLANK, 4], {"oss3_social_support": BLANK}),
    ("was", [BLANK], {"was_work_ability": BLANK}),
    ("pain_sites", [BLANK], {"pain_sites_count": BLANK}),
    ("srh", [BLANK], {"srh_self_rated_health": BLANK}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sheet", "expected"), GOLDEN)
def test_sheet_scores_as_the_published_key_says(name: str, sheet: list[float], expected: dict[str, float]) -> None:
    # Exact equality on purpose: totals of answer codes are whole numbers, so only one rounding is ever done.
    np.testing.assert_equal(scale_scores(name, sheet), expected)


def test_every_scale_has_a_scored_and_an_unscorable_sheet() -> None:
    for name in dict.fromkeys(name for name, _, _ in GOLDEN):
        for scale in INSTRUMENTS[name].scales:
            seen = [np.isnan(expected[scale.name]) for golden, _, expected in GOLDEN if golden == name]
            assert {False, True} == set(seen), f"{scale.name} lacks a golden sheet with, or without, a score"


def cases(instrument: str) -> list[dict]:
    return json.loads(VECTORS.read_text())[instrument]


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared test vectors are not on this machine")
@pytest.mark.parametrize(("name", "scale_name"), [("phq9", "phq9_depression"), ("gad7", "gad7_anxiety")])
def test_totals_and_bands_are_those_of_cases_written_by_others(name: str, scale_name: str) -> None:
    (scale,) = [scale for scale in INSTRUMENTS[name].scales if scale.name == scale_name]
    for case in cases(name):
        total = scale_scores(name, [BLANK if answer is None else answer for answer in case["items"]])[scale_name]
        assert total == case["total"], case
        if "band" in case:
            # "moderately severe 15-19"
            words, lowest, highest = re.fullmatch(r"(.+) (\d+)-(\d+)", case["band"]).groups()
            assert {scale.band(total), scale.band(int(lowest)), scale.band(int(highest))} == {words.replace(" ", "_")}


@pytest.mark.parametrize(
    ("sheet", "met_minutes", "category"),
    [
        # More than 960 minutes a day cannot be; 960 can, although each activity counts with at most 180.
        ([7, 320, 7, 320, 7, 320], 19278, 3),
        ([7, 320, 7, 320, 7, 321], BLANK, BLANK),
        # An activity that is not done on any day does not count against the 960 minutes either.
        ([7, 480, 7, 480, 0, 480], 15120, 3),
        # Under ten minutes count as nothing, and their days neither: with seven more days this would be high.
        ([2, 180, 1, 60, 7, 9], 3120, 1),
        ([0, 0, 0, 0, 7, 10], 231, 1),
        # Three days of vigorous activity: 20 minutes for moderate, 1500 MET-minutes in all for high.
        ([3, 20, 0, 0, 0, 0], 480, 2),
        ([3, 19, 0, 0, 0, 0], 456, 1),
        ([3, 60, 1, 15, 0, 0], 1500, 3),
        ([3, 60, 1, 14, 0, 0], 1496, 2),
        ([2, 180, 0, 0, 0, 0], 2880, 1),
        # Five days of half an hour, moderate activity and walking added up.
        ([0, 0, 2, 30, 3, 30], 537, 2),
        ([0, 0, 2, 29, 3, 30], 529, 1),
        ([0, 0, 2, 30, 2, 30], 438, 1),
        # Five days of anything with 600 MET-minutes in all.
        ([2, 20, 2, 20, 1, 40], 612, 2),
        ([2, 20, 2, 20, 1, 36], 598.8, 1),
        ([2, 30, 1, 25, 1, 25], 662.5, 1),
        # Seven days of anything with 3000 MET-minutes in all.
        ([2, 90, 4, 90, 1, 40], 3012, 3),
        ([2, 90, 4, 90, 1, 36], 2998.8, 2),
        ([2, 120, 3, 90, 1, 60], 3198, 2),
        # A needed value is missing: days, or the minutes of a day that was reported. Never counted as nothing.
        ([BLANK, 0, 0, 0, 7, 60], BLANK, BLANK),
        ([0, 0, 0, 0, BLANK, 60], BLANK, BLANK),
        ([3, 60, 0, 0, 1, BLANK], BLANK, BLANK),
        ([3, 60, 0, BLANK, 0, BLANK], 1440, 2),
    ],
)
def test_activity_is_cleaned_and_categorised_as_published(
    sheet: list[float], met_minutes: float, category: float
) -> None:
    scores = scale_scores("ipaq_sf", [*sheet, 300])
    np.testing.assert_equal((scores["ipaq_met_minutes"], scores["ipaq_category"]), (met_minutes, category))


def test_only_the_energy_item_of_the_burnout_inventory_is_reversed() -> None:
    # Forgetting the reversal, or reversing another item, gives 1/7 of 100 or 6/7 of 100 to the wrong sheet.
    assert scale_scores("cbi", cbi([0] * 6, [0] * 6 + [100], [0] * 6))["cbi_work"] == 0
    assert scale_scores("cbi", cbi([0] * 6, [100] * 6 + [0], [0] * 6))["cbi_work"] == 100


@pytest.mark.parametrize(
    ("raw", "index", "band"),
    [(7, 28, "low"), (8, 32, "moderate"), (12, 48, "moderate"), (13, 52, "high")],
)
def test_wellbeing_cut_of_50_means_a_raw_sum_of_12_not_13(raw: int, index: int, band: str) -> None:
    sheet = [raw // 5 + (item < raw % 5) for item in range(5)]
    assert sum(sheet) == raw
    wellbeing = scale_scores("who5", sheet)["who5_wellbeing"]
    assert wellbeing == index
    assert INSTRUMENTS["who5"].scales[0].band(wellbeing) == band


@pytest.mark.parametrize(
    ("scale_name", "value", "band"),
    [
        ("cbi_personal", 49.99999, "low"),
        ("cbi_personal", 50.0, "high"),
        ("cbi_work", 475 / 7, "high"),
        ("hscl10_distress", 1.8, "low"),
        ("hscl10_distress", 1.85, "high"),
        ("hscl10_distress", 1.9, "high"),
        ("oss3_social_support", 8, "low"),
        ("oss3_social_support", 11, "moderate"),
        ("oss3_social_support", 12, "high"),
        ("was_work_ability", 5, "low"),
        ("was_work_ability", 7, "moderate"),
        ("was_work_ability", 9, "high"),
        ("was_work_ability", 10, "very_high"),
        ("shc_musculoskeletal", 24, None),
        ("phq8_depression", 9.9, "mild"),
        ("phq8_depression", 20, "severe"),
        ("phq2_depression", 2, "low"),
        ("phq2_depression", 3, "high"),
        ("gad2_anxiety", 3, "high"),
        ("hscl25_distress", 1.72, "low"),
        ("hscl25_distress", 1.75, "high"),
        ("hscl25_anxiety", 4, None),
        ("ipaq_category", 2, "moderate"),
        ("cbi_personal", BLANK, None),
    ],
)
def test_bands_begin_where_published(scale_name: str, value: float, band: str | None) -> None:
    scales = {scale.name: scale for instrument in INSTRUMENTS.values() for scale in instrument.scales}
    assert scales[scale_name].band(value) == band


@pytest.mark.parametrize(
    ("score_", "woman", "man", "unknown"),
    [(2, "low", "low", "low"), (3, "moderate", "low", None), (4, "moderate", "moderate", "moderate"),
     (8, "high", "high", "high"), (BLANK, None, None, None)],
)  # fmt: skip
def test_alcohol_limits_are_three_for_women_and_four_for_men(
    score_: float, woman: str | None, man: str | None, unknown: str | None
) -> None:
    (scale,) = INSTRUMENTS["audit_c"].scales
    assert (scale.band(score_, "female"), scale.band(score_, "male"), scale.band(score_)) == (woman, man, unknown)
