from __future__ import annotations

import re

import numpy as np
import pytest

from data_contracts.instruments import CORE, INSTRUMENTS, VALID_DAYS
from data_contracts.time_windows import NO_DAY, calendar_date, day_number
from features.build import build_features, observation_days
from features.catalogue import FEATURE_NAMES
from features.survey_scores import FEATURES, FOLLOWED, occasions
from pipeline.simulation.parameters import read_parameters
from serving.notices import STALE_SURVEY_DAYS
from tests.lib.records import answers, consent, day, features_at, histories, person, rows_of

NAN = float("nan")
T = "2026-03-01"


def cbi(personal: float, work: float = NAN, n_personal: int = 6) -> list[float]:
    """Answers to the 19 items; the reversed work item is answered so that the whole scale has the value ``work``."""
    return [personal] * n_personal + [NAN] * (6 - n_personal) + [work] * 6 + [100 - work] + [NAN] * 6


def assert_features(survey_answers, t: str = T, **expected: float) -> None:
    found = features_at(rows_of(survey_answers=survey_answers), t)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_latest_change_and_age():
    two = answers("cbi", cbi(50, 25), "2025-06-01") + answers("cbi", cbi(75, 25), "2026-02-27")
    assert_features(two, cbi_personal=75, cbi_personal_change=25, cbi_work=25, cbi_work_change=0, cbi_client=NAN,
                    cbi_client_change=NAN, cbi_age_days=2, who5_age_days=NAN)  # fmt: skip


def test_one_occasion_has_no_change():
    assert_features(answers("cbi", cbi(50), "2026-02-01"), cbi_personal=50, cbi_personal_change=NAN)


def test_an_occasion_with_too_few_answers_is_passed_over():
    # Two of six personal items are fewer than the three needed: the score of June stays the latest.
    two = answers("cbi", cbi(50), "2025-06-01") + answers("cbi", cbi(75, n_personal=2), "2026-02-01")
    assert_features(two, cbi_personal=50, cbi_personal_change=NAN, cbi_age_days=273)


def test_age_is_that_of_the_latest_day_on_which_any_scale_can_be_scored():
    two = answers("cbi", cbi(50, 25), "2025-06-01") + answers("cbi", cbi(75), "2026-02-01")
    assert_features(two, cbi_age_days=28, cbi_personal=75, cbi_work=25)
    assert_features(two, "2026-02-01", cbi_age_days=245)


def test_slope_of_the_latest_three_scores_per_year():
    waves = [(0, 100), (400, 25), (500, 50), (700, 50)]
    rows = [row for shift, score in waves for row in answers("cbi", cbi(score, 0), day("2024-01-01", shift))]
    # Scores 25, 50, 50 on days 400, 500, 700: sums about the means 10 000 / 3 and 140 000 / 3, so 1 / 14 a day.
    assert_features(rows, cbi_personal_slope=365.25 / 14, cbi_personal_change=0, cbi_work_slope=0)
    # Scores 100, 25, 50 on days 0, 400, 500: -17 500 and 140 000, so -1 / 8 a day; day 700 itself is not known on day 700.
    assert_features(rows, day("2024-01-01", 700), cbi_personal_slope=-365.25 / 8, cbi_personal_change=25)
    assert_features(rows, day("2024-01-01", 500), cbi_personal_slope=NAN, cbi_personal_change=-75)


@pytest.mark.parametrize(("days_before", "slope"), [(89, NAN), (90, 10 / 90 * 365.25)])
def test_three_scores_within_a_few_weeks_are_no_course(days_before, slope):
    values = [(days_before, 0), (days_before // 2, 5), (0, 10)]
    rows = [row for shift, score in values for row in answers("was", [score], day("2026-02-01", -shift))]
    expected = {"was_work_ability": 10, "was_work_ability_change": 5, "was_work_ability_slope": slope}
    assert_features(rows, **expected)


def test_scales_that_are_followed():
    """Of the core set, but no yes or no, no level, and nothing that counts again what other scales add up."""
    assert len(FOLLOWED) == 22
    names = {feature.name for feature in FEATURES}
    of_core = {scale.name for instrument in CORE for scale in instrument.scales}
    not_followed = {"bis_case", "ipaq_category"} | {name for name in of_core if re.fullmatch("shc_.*_count", name)}
    assert {name.removesuffix("_slope") for name in names if name.endswith("_slope")} == of_core - not_followed
    assert {name.removesuffix("_change") for name in names if name.endswith("_change")} == of_core - not_followed
    assert not {f"{scale.name}_change" for scale in INSTRUMENTS["phq9"].scales} & names


def test_the_simulator_asks_nothing_but_the_core_set():
    assert set(read_parameters().survey.instruments) <= {instrument.name for instrument in CORE}


def test_every_number_says_in_which_range_it_lies_and_how_long_it_is_current():
    of_name = {feature.name: feature for feature in FEATURES}
    level, change, slope, age = (
        of_name[f"who5_{end}"] for end in ("wellbeing", "wellbeing_change", "wellbeing_slope", "age_days")
    )
    assert (level.low, level.high, change.low, change.high, slope.low, slope.high) == (0, 100, -100, 100, -500, 500)
    assert (level.valid_days, change.valid_days, slope.valid_days, age.valid_days) == (400, 400, 400, None)
    # The key says which end of the scale is the unfavourable one, and nothing about our outcomes.
    key = f"the unfavourable end by its scoring key; {INSTRUMENTS['who5'].source}"
    assert level.source == change.source == slope.source == key
    assert (age.low, age.source, age.expected_direction) == (1, "", 0)
    assert STALE_SURVEY_DAYS == VALID_DAYS == 400


def test_the_day_behind_each_number():
    waves = [("2025-06-01", 50), ("2025-12-01", 25), ("2026-02-01", 75)]
    rows = [row for answered_on, score in waves for row in answers("cbi", cbi(score), answered_on)]
    gathered = histories(rows_of(survey_answers=rows + answers("srh", [4], "2026-02-05")), T)
    found = dict(zip(FEATURE_NAMES, observation_days(gathered, day_number(T))[0].tolist(), strict=True))
    values = dict(zip(FEATURE_NAMES, build_features(gathered, day_number(T)).values[0].tolist(), strict=True))
    named = {feature.name for feature in FEATURES}
    known = {name: calendar_date(on).isoformat() for name, on in found.items() if name in named and on != NO_DAY}
    of_cbi = ("cbi_personal", "cbi_age_days", "cbi_personal_change", "cbi_personal_slope")
    of_health = ("srh_self_rated_health", "srh_age_days")
    assert known == dict.fromkeys(of_cbi, "2026-02-01") | dict.fromkeys(of_health, "2026-02-05")
    assert set(known) == {name for name in named if values[name] == values[name]}


def test_an_older_occasion_that_becomes_known_later_does_not_become_the_latest():
    late = answers("srh", [4], "2026-01-01", known_from="2026-02-20") + answers("srh", [2], "2026-02-01")
    assert_features(late, "2026-02-10", srh_self_rated_health=2, srh_self_rated_health_change=NAN)
    assert_features(late, "2026-02-21", srh_self_rated_health=2, srh_self_rated_health_change=-2)


def test_without_consent_for_surveys_no_score_is_known():
    rows = rows_of(consents=[consent("absence")], survey_answers=answers("cbi", cbi(50), "2026-02-01"))
    found = features_at(rows, T)
    assert all(np.isnan(found[feature.name]) for feature in FEATURES)


def test_occasions_for_labels():
    rows = rows_of(
        persons=[person("p"), person("q")],
        survey_answers=[
            *answers("cbi", cbi(75), "2026-02-01"),
            *answers("cbi", cbi(50, 25), "2025-06-01"),
            *answers("cbi", cbi(50, 25), "2025-06-02", person_id="q"),
            *answers("cbi", cbi(100), "2026-02-28", known_from="2026-03-01"),
            *answers("cbi", cbi(100, n_personal=2), "2026-02-20"),
            *answers("who5", [3, 3, 3, 3, 3], "2025-12-01"),
        ],
    )
    who, answered_on, scores = occasions(histories(rows), day_number(T), "cbi")
    assert who.tolist() == [0, 0, 1]
    assert [calendar_date(one).isoformat() for one in answered_on] == ["2025-06-01", "2026-02-01", "2025-06-02"]
    np.testing.assert_array_equal(scores, [[50, 25, NAN], [75, NAN, NAN], [50, 25, NAN]])


def test_occasions_are_never_answers_of_another_instrument():
    rows = rows_of(survey_answers=answers("who5", [3, 3, 3, 3, 3], "2025-12-01"))
    assert [len(array) for array in occasions(histories(rows), day_number(T), "cbi")] == [0, 0, 0]
