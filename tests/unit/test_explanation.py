"""Reasons add up to the served log-odds, say when and what was observed, and never diagnose, alarm or blame."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from data_contracts.domains import DOMAIN_LABELS
from data_contracts.time_windows import NO_DAY, day_number
from features.catalogue import FEATURE_NAMES, FEATURES, POSITIONS
from features.workplace_context import NAMES
from models.explanation import explain
from models.wording import RISK_BANDS, reason_text, risk_band, shown_value
from tests.lib.models import boosted_model, linear_model, random_rows

T = day_number("2026-03-01")
NO_DAYS = np.full(len(FEATURE_NAMES), NO_DAY, dtype=np.int32)
ALL, NONE = np.ones(4, dtype=bool), np.zeros(4, dtype=bool)
KINDS = pytest.mark.parametrize("make", [linear_model, boosted_model], ids=["linear", "lightgbm"])


def row(**values: float) -> np.ndarray:
    """A row of the catalogue in which only these features are known."""
    known = np.full(len(FEATURE_NAMES), np.nan, dtype=np.float32)
    for name, value in values.items():
        known[POSITIONS[name]] = value
    return known


def days(**values: int) -> np.ndarray:
    """Days of the answers or samples behind some features of the catalogue."""
    observed_on = NO_DAYS.copy()
    for name, day in values.items():
        observed_on[POSITIONS[name]] = day
    return observed_on


def model_of(*names: str, coefficients: tuple[float, ...]):
    """A linear model with mean 0 and scale 1: a contribution is coefficient times value (missing counts as 1)."""
    n = len(names)
    ones = np.ones(n)
    return replace(
        linear_model(), feature_names=names, impute=ones, low=-1e6 * ones, high=1e6 * ones, mean=np.zeros(n), scale=ones,
        coefficients=np.array(coefficients), intercept=-2.0, recalibration_intercept=0.0, recalibration_slope=1.0,
        refits=(), golden=None,
    )  # fmt: skip


@KINDS
def test_reasons_and_domains_add_up_to_the_log_odds(make):
    model = make()
    for values in random_rows(20, seed=8):
        found = explain(model, values, NO_DAYS, ALL)
        assert found.log_odds == model.log_odds(values[np.newaxis])[0]
        listed = {reason.feature for reason in found.reasons}
        unlisted = [name not in listed for name in model.feature_names]
        assert np.isnan(found.values[unlisted]).all()
        assert not found.contributions[unlisted].any()
        assert abs(found.base + sum(reason.contribution for reason in found.reasons) - found.log_odds) < 1e-9
        assert abs(found.base + sum(domain.contribution for domain in found.domains) - found.log_odds) < 1e-9


def test_ranked_by_size_whatever_the_direction():
    model = model_of("systolic_bp", "ldl", "who5_wellbeing", "age_years", coefficients=(0.01, 0.5, -0.03, 0.0))
    found = explain(model, row(systolic_bp=120, ldl=3, who5_wellbeing=64, age_years=40), NO_DAYS, ALL)
    assert [(reason.feature, round(reason.contribution, 5), reason.direction) for reason in found.reasons] == [
        ("who5_wellbeing", -1.92, "lowers"),
        ("ldl", 1.5, "raises"),
        ("systolic_bp", 1.2, "raises"),
        ("age_years", 0.0, "none"),
    ]
    assert [reason.feature for reason in found.strongest(raising=1, lowering=5)] == ["who5_wellbeing", "ldl"]
    assert [reason.feature for reason in found.strongest(raising=5, lowering=0)] == ["ldl", "systolic_bp"]
    sums = {domain.group: round(domain.contribution, 5) for domain in found.domains}
    assert sums == {"mental_health": -1.92, "diet_and_cardiometabolic": 2.7, "life_situation": 0.0}
    assert found.base == -2.0


def test_a_reason_in_full():
    model = model_of("who5_wellbeing", coefficients=(-0.03,))
    (reason,) = explain(model, row(who5_wellbeing=64), days(who5_wellbeing=T - 29), ALL).reasons
    assert reason.value == 64.0
    assert reason.unit == "score"
    assert reason.observed_on == "2026-01-31"
    assert reason.group == "mental_health"
    assert reason.modifiable
    assert (reason.missing, reason.without_consent) == (False, False)
    assert reason.text["en"].endswith(": 64 points. Is associated in the model with lower risk.")
    assert reason.text["nb"].endswith(": 64 poeng. Henger i modellen sammen med lavere risiko.")


def test_values_are_shown_as_short_as_they_were_stored():
    model = model_of("ldl", coefficients=(0.5,))
    (reason,) = explain(model, row(ldl=3.4), NO_DAYS, ALL).reasons
    assert reason.value == 3.4
    assert np.float32(reason.value) == np.float32(3.4)
    assert ": 3,4 mmol/L." in reason.text["nb"]
    assert ": 3.4 mmol/L." in reason.text["en"]


def test_missing_is_told_apart_from_not_consented():
    model = model_of("ldl", coefficients=(0.5,))
    (unknown,) = explain(model, row(), NO_DAYS, ALL).reasons
    (refused,) = explain(model, row(), NO_DAYS, NONE).reasons
    assert (unknown.value, unknown.observed_on, unknown.missing, unknown.without_consent) == (None, None, True, False)
    assert refused.without_consent
    assert "ikke kjent" in unknown.text["nb"]
    assert "samtykke" in refused.text["nb"]
    assert unknown.contribution == 0.5


def test_what_was_never_asked_in_training_is_not_listed_as_missing():
    """Its coefficient is 0: a clinician who sees "not known" would ask for something that the model does not use."""
    model = model_of("ldl", "phq9_depression", "srh_self_rated_health", coefficients=(0.5, 0.0, 0.0))
    known = explain(model, row(ldl=3, srh_self_rated_health=4), NO_DAYS, ALL).reasons
    assert [reason.feature for reason in known] == ["ldl", "srh_self_rated_health"]


def test_of_others_at_the_workplace_no_number_is_shown():
    """Not even through the words: 5.7 days, 23 persons. What it adds to the risk is told."""
    names = sorted(NAMES)
    model = model_of(*names, coefficients=(0.5,) * len(names))
    known = explain(model, row(**dict.fromkeys(names, 23.25)), days(**dict.fromkeys(names, T - 9)), ALL).reasons
    assert {reason.feature for reason in known} == NAMES
    for reason in known:
        assert (reason.value, reason.missing, reason.without_consent) == (None, False, False)
        assert reason.shown == {
            "nb": "ikke vist: bygger på minst ti andres opplysninger",
            "en": "not shown: rests on what at least ten others told",
        }
        assert not re.search(r"23|mulig|can do", " ".join(reason.text.values()))
        assert (reason.contribution, reason.observed_on, reason.modifiable) == (11.625, "2026-02-20", False)
    for unknown in explain(model, row(), NO_DAYS, ALL).reasons:
        assert (unknown.value, unknown.missing, unknown.shown["en"]) == (None, True, "not known")
    for refused in explain(model, row(), NO_DAYS, NONE).reasons:
        assert (refused.missing, refused.without_consent) == (True, True)


def test_flags_are_said_in_words():
    model = model_of("shift_work", "running_doctor", coefficients=(0.1, 0.2))
    texts = {
        reason.feature: reason.text
        for reason in explain(model, row(shift_work=1, running_doctor=0), NO_DAYS, ALL).reasons
    }
    assert ": ja." in texts["shift_work"]["nb"]
    assert ": no." in texts["running_doctor"]["en"]


@pytest.mark.parametrize(
    ("name", "value", "nb", "en"),
    [
        ("cbi_personal", 41.6667, "41,7 poeng", "41.7 points"),
        ("cbi_personal_change", 1.0, "+1 poeng", "+1 point"),
        ("cbi_personal_change", -16.6667, "−16,7 poeng", "−16.7 points"),
        ("is_female", 0.0, "nei", "no"),
        ("bis_case", 1.0, "ja", "yes"),
        ("starts_doctor_365", 1.0, "1", "1"),
        ("pain_sites_count", 3.0, "3", "3"),
        ("days_since_doctor", 1.0, "1 dag", "1 day"),
        ("days_since_doctor", 1690.0, "1690 dager", "1690 days"),
        ("age_years", 41.0, "41 år", "41 years"),
        ("education", 4.0, "høyere utdanning over fire år", "more than four years of higher education"),
        ("position_percent", 80.0, "80 %", "80%"),
        ("systolic_bp", 128.0, "128 mmHg", "128 mmHg"),
        ("ldl", None, "ikke kjent", "not known"),
    ],
)
def test_a_value_is_shown_with_a_word_for_its_unit(name, value, nb, en):
    (reason,) = explain(
        model_of(name, coefficients=(0.1,)), row(**({name: value} if value is not None else {})), NO_DAYS, ALL
    ).reasons
    assert reason.shown == {"nb": nb, "en": en}
    assert f": {nb}. " in reason.text["nb"]
    assert f": {en}. " in reason.text["en"]


def test_only_an_answer_or_a_sample_has_a_date():
    model = model_of("days_doctor_365", "ldl", coefficients=(0.1, 1.0))
    found = explain(model, row(days_doctor_365=5, ldl=3), days(ldl=T - 10), ALL)
    dates = {reason.feature: reason.observed_on for reason in found.reasons}
    assert dates == {"days_doctor_365": None, "ldl": "2026-02-19"}


@KINDS
def test_the_same_reasons_every_time(make):
    model, values = make(), random_rows(1, seed=12)[0]
    assert explain(model, values, NO_DAYS, ALL).reasons == explain(model, values, NO_DAYS, ALL).reasons


def test_no_text_diagnoses_alarms_or_blames():
    forbidden = re.compile(
        r"fordi du|forårsak|skyldes|skade|farlig|fare for|alarm|diagnose|syk er|caus(?!e consent)|danger|diagnos|"
        r"due to|leads to|injur|sick person|alarming|warning",
        re.IGNORECASE,
    )
    for feature in FEATURES:
        for value in (None, 0.0, 1.0, 1234.5):
            for direction in ("raises", "lowers", "none"):
                for without_consent in (False, True):
                    shown = shown_value(feature, value, without_consent)
                    for text in reason_text(feature, shown, direction, value is not None).values():
                        assert not forbidden.search(text), text
                        assert "model" in text


def test_what_protects_is_told_as_fully_as_what_burdens():
    for feature in FEATURES:
        shown = shown_value(feature, 2.0, False)
        up, down = reason_text(feature, shown, "raises", True), reason_text(feature, shown, "lowers", True)
        for language in ("nb", "en"):
            assert shown[language] in up[language]
            assert shown[language] in down[language]
            assert up[language].split(". ")[0] == down[language].split(". ")[0]


def test_what_lowers_the_risk_is_never_recommended():
    """A model may say "lower" of long unanswered surveys or of much exhaustion: "worth keeping up" would then do harm."""
    for feature in FEATURES:
        shown = shown_value(feature, 2.0, False)
        text = reason_text(feature, shown, "lowers", True)
        assert text["en"].endswith("Is associated in the model with lower risk.")


def test_the_age_of_an_answer_is_nothing_a_person_can_change():
    assert not [feature.name for feature in FEATURES if feature.name.endswith("_age_days") and feature.modifiable]


@pytest.mark.parametrize(
    ("risk", "name"),
    [(0.0, "lower"), (0.187, "lower"), (0.1875, "around"), (0.374, "around"), (0.375, "above"), (0.624, "above"),
     (0.625, "well_above"), (1.0, "well_above")],
)  # fmt: skip
def test_bands_compare_with_the_reference_group(risk, name):
    assert risk_band(risk, 0.25).name == name
    assert [band.below for band in RISK_BANDS] == sorted(band.below for band in RISK_BANDS)


def test_a_reference_group_without_events():
    assert risk_band(0.0, 0.0).name == "well_above"


def test_every_domain_has_words():
    assert {feature.domain for feature in FEATURES} <= set(DOMAIN_LABELS)
