"""Reliability and norms: every number has a source, and a percentile is told only where the figures carry one."""

from __future__ import annotations

from math import sqrt

import pytest

from data_contracts.instruments import INSTRUMENTS
from data_contracts.published_norms import NORMS, RELIABILITY, norm_of, smallest_real_change

SCALES = {scale.name: scale for one in INSTRUMENTS.values() for scale in one.scales}


def test_all_is_about_scales_that_there_are_and_has_a_source():
    assert set(SCALES) >= {*NORMS, *RELIABILITY}
    assert all(0 < one.alpha < 1 and one.source and one.sample for one in RELIABILITY.values())
    for name, norms in NORMS.items():
        assert all(SCALES[name].minimum < norm.mean < SCALES[name].maximum and norm.source for norm in norms)
        assert {norm.sex for norm in norms} in ({None}, {"female", "male"})


@pytest.mark.parametrize(
    ("sex", "score", "expected"),
    [("female", 10, 37.52), ("female", 13, 85.21), ("male", 8, 12.92), ("female", 3, 0.02)],
)
def test_a_percentile_is_that_of_the_persons_sex_and_counts_only_whole_scores_below(sex, score, expected):
    """By the table of the normal distribution: (9.5 - 10.2) / 2.2 is -0.318, which leaves 37.5 of 100 below."""
    norm = norm_of("oss3_social_support", sex)
    assert norm is not None
    assert (norm.percentile(score), norm.why_no_percentile) == (pytest.approx(expected, abs=0.01), None)


@pytest.mark.parametrize(("scale", "sex", "why_not"), [
    ("cbi_personal", "male", "not_by_sex_and_age"), ("gad7_anxiety", "male", "not_normally_distributed"),
])  # fmt: skip
def test_where_there_is_no_percentile_it_says_why(scale, sex, why_not):
    norm = norm_of(scale, sex)
    assert norm is not None
    assert (norm.percentile(5), norm.why_no_percentile) == (None, why_not)


@pytest.mark.parametrize(("scale", "sex"), [("who5_wellbeing", "female"), ("oss3_social_support", None)])
def test_there_is_no_norm_of_other_scales_nor_of_an_unknown_sex_where_it_would_decide(scale, sex):
    assert norm_of(scale, sex) is None


def test_the_skewed_scales_are_rightly_left_without_one():
    """A normal distribution would have a good part of all persons answer below the lowest possible score."""
    for scale in ("phq9_depression", "gad7_anxiety"):
        assert all(norm.mean - norm.sd < SCALES[scale].minimum + 0.5 for norm in NORMS[scale])


def test_a_real_change_by_hand():
    assert smallest_real_change("cbi_personal", None) == pytest.approx(1.959964 * 16.5 * sqrt(2 * 0.13), rel=1e-6)
    assert smallest_real_change("shc_musculoskeletal", "female") is None
    assert smallest_real_change("oss3_social_support", None) is None
    assert norm_of("oss3_social_support", "male") != norm_of("oss3_social_support", "female")
