"""A course is told with its sign and by the year, in whatever a level is told in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data_contracts.analytes import ANALYTES
from features.catalogue import FEATURES, feature
from features.survey_scores import FOLLOWED
from models.wording import shown_value


@pytest.mark.parametrize(
    ("name", "value", "nb", "en"),
    [
        ("cbi_personal_slope", 12.34, "+12,3 poeng per år", "+12.3 points per year"),
        ("cbi_personal_slope", -1.0, "−1 poeng per år", "−1 point per year"),
        ("cbi_personal_slope", 0.0, "0 poeng per år", "0 points per year"),
        ("pain_sites_count_slope", 1.5, "+1,5 per år", "+1.5 per year"),
        ("pain_sites_count_change", 2.0, "+2", "+2"),
        ("shc_complaints_count", 7.0, "7", "7"),
        ("shc_pain_regions_count", 1.0, "1", "1"),
        ("who5_age_days", 1.0, "1 dag", "1 day"),
        ("days_since_survey", 20.0, "20 dager", "20 days"),
        ("survey_days_730", 3.0, "3", "3"),
        # An ending of the name makes no change: this is a number of days. A trend is one.
        ("days_since_leader_change", 40.0, "40 dager", "40 days"),
        ("events_leader_change_365", 2.0, "2", "2"),
        ("trend_days_doctor", 37.0, "+37 dager", "+37 days"),
        ("trend_days_self", -1.0, "−1 dag", "−1 day"),
        ("season_sin", 0.5, "0,5", "0.5"),
        # Yes or no, by the declaration of the scale.
        ("pain_three_months", 1.0, "ja", "yes"),
        ("pain_three_months", 0.0, "nei", "no"),
        ("bis_case", 1.0, "ja", "yes"),
        ("srh_self_rated_health", 1.0, "1 poeng", "1 point"),
        ("audit_c_alcohol", 1.0, "1 poeng", "1 point"),
        ("survey_items_missing_share", 0.75, "75 %", "75%"),
        ("survey_items_missing_share", 1.0, "100 %", "100%"),
        ("straight_lining_share", 1 / 3, "33,3 %", "33.3%"),
        ("quota_days_used_365", 0.25, "25 %", "25%"),
        ("quota_times_used_365", 0.0, "0 %", "0%"),
    ],
)
def test_survey_numbers_are_told_in_words(name, value, nb, en):
    assert shown_value(feature(name), value, without_consent=False) == {"nb": nb, "en": en}


@pytest.mark.parametrize(
    ("unit", "nb", "en"),
    [
        ("mmol/L/a", "+0,25 mmol/L per år", "+0.25 mmol/L per year"),
        ("mm[Hg]/a", "+0,25 mmHg per år", "+0.25 mmHg per year"),
        ("%/a", "+0,25 % per år", "+0.25% per year"),
    ],
)
def test_a_course_of_what_is_measured_keeps_its_unit(unit, nb, en):
    course = replace(feature("cbi_personal_slope"), name="anything_slope", unit=unit)
    assert shown_value(course, 0.25, without_consent=False) == {"nb": nb, "en": en}


def test_every_share_of_a_whole_is_told_in_per_cent():
    shares = [one for one in FEATURES if one.label_en.startswith("Share ")]
    assert len(shares) == 4
    assert all(shown_value(one, 0.5, without_consent=False) == {"nb": "50 %", "en": "50%"} for one in shares)


def test_only_changes_courses_distances_and_trends_have_a_sign():
    signed = {one.name for one in FEATURES if shown_value(one, 5.0, without_consent=False)["en"].startswith("+")}
    followed = [*(scale.name for scale in FOLLOWED), *(one.name for one in ANALYTES if one.followed)]
    judged = [one.name for one in ANALYTES if one.name not in ("height", "weight")]
    wanted = {f"{name}_{what}" for name in followed for what in ("change", "slope")}
    assert signed == wanted | {f"{name}_distance" for name in judged} | {"trend_days_doctor", "trend_days_self"}


def test_age_in_years_is_no_course():
    assert shown_value(feature("age_years"), 41.0, without_consent=False) == {"nb": "41 år", "en": "41 years"}
