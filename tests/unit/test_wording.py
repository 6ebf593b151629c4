"""A course is told with its sign and by the year, in whatever a level is told in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from features.catalogue import feature
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


def test_age_in_years_is_no_course():
    assert shown_value(feature("age_years"), 41.0, without_consent=False) == {"nb": "41 år", "en": "41 years"}
