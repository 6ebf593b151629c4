from __future__ import annotations

import numpy as np
import pytest

from data_contracts.time_windows import calendar_date, day_number
from features.survey_scores import FEATURES, occasions
from tests.lib.records import answers, consent, features_at, histories, person, rows_of

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
    assert_features(two, cbi_personal=75, cbi_personal_change=25, cbi_personal_age_days=2,
                    cbi_work=25, cbi_work_change=0, cbi_client=NAN, cbi_client_age_days=NAN)  # fmt: skip


def test_one_occasion_has_no_change():
    assert_features(answers("cbi", cbi(50), "2026-02-01"), cbi_personal=50, cbi_personal_change=NAN)


def test_an_occasion_with_too_few_answers_is_passed_over():
    # Two of six personal items are fewer than the three needed: the score of June stays the latest.
    two = answers("cbi", cbi(50), "2025-06-01") + answers("cbi", cbi(75, n_personal=2), "2026-02-01")
    assert_features(two, cbi_personal=50, cbi_personal_change=NAN, cbi_personal_age_days=273)


def test_scales_of_one_instrument_may_be_latest_on_different_days():
    two = answers("cbi", cbi(50, 25), "2025-06-01") + answers("cbi", cbi(75), "2026-02-01")
    assert_features(two, cbi_personal_age_days=28, cbi_work_age_days=273)


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
