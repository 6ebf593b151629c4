"""Distances, courses and counts of measurements as a clinician reads them."""

from __future__ import annotations

import pytest

from features.catalogue import feature
from features.labs import FEATURES
from models.wording import shown_value


@pytest.mark.parametrize(
    ("name", "value", "nb", "en"),
    [
        ("ferritin_distance", 0.12, "+0,12", "+0.12"),
        ("ferritin_distance", -0.2, "−0,2", "−0.2"),
        # 0 and 1 are distances too: inside, and twice the limit.
        ("ferritin_distance", 0, "0", "0"),
        ("crp_distance", 1, "+1", "+1"),
        ("crp_distance", 119, "+119", "+119"),
        ("bmi_change", 1.25, "+1,25 kg/m²", "+1.25 kg/m²"),
        ("systolic_bp_change", -12, "−12 mmHg", "−12 mmHg"),
        ("systolic_bp_slope", 4.5, "+4,5 mmHg per år", "+4.5 mmHg per year"),
        ("hba1c_slope", -3, "−3 mmol/mol per år", "−3 mmol/mol per year"),
        ("lab_bounds_count", 1, "1", "1"),
        ("lab_bounds_count", 0, "0", "0"),
        ("analytes_measured_730", 17, "17", "17"),
        ("blood_sample_age_days", 1, "1 dag", "1 day"),
        ("blood_pressure_age_days", 400, "400 dager", "400 days"),
    ],
)
def test_values_are_numbers_with_their_sign_and_unit(name, value, nb, en):
    assert shown_value(feature(name), value, without_consent=False) == {"nb": nb, "en": en}


@pytest.mark.parametrize("one", [one for one in FEATURES if one.unit == "1"], ids=lambda one: one.name)
def test_no_measurement_reads_as_yes_or_no(one):
    for value in (0.0, 1.0):
        assert not set(shown_value(one, value, without_consent=False).values()) & {"ja", "nei", "yes", "no"}


def test_labels_tell_the_features_of_a_measurement_apart_in_both_languages():
    for label in ("label_nb", "label_en"):
        assert len({getattr(one, label) for one in FEATURES}) == len(FEATURES)
