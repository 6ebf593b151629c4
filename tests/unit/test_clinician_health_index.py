"""The health index: which way a score points, what counts once, and what is not computed."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from data_contracts.instruments import INSTRUMENTS
from data_contracts.time_windows import calendar_date
from serving.domain_scores import (
    COUNTED,
    DOMAINS,
    LEFT_OUT,
    NOT_COUNTED,
    HealthIndex,
    favourable,
    health_index,
)
from serving.handlers.profile import domain_profiles
from serving.handlers.profile_bodies import ProfileValue
from serving.predictor import case_of
from serving.responses import Texts
from tests.lib.records import answers, job, rows_of, tables

T = date(2026, 3, 1)
RECENT, OLD = "2026-01-10", "2024-01-10"

SLEEP = answers("bis", [0] * 6, RECENT)  # 0 of 42 days with trouble: 100
SUPPORT = answers("oss3", [1, 1, 1], RECENT)  # 3 of 3 to 14: 0
WELL_BEING = answers("who5", [3] * 5, RECENT)  # 60 of 100: 60
PAIN = answers("pain_sites", [0], RECENT)  # 0 of 10: 100
DRINKING = answers("audit_c", [1, 1, 1], RECENT)


def index_of(*survey: list[dict[str, Any]]) -> HealthIndex:
    rows = [row for answered in survey for row in answered]
    found = tables(rows_of(employments=[job()], survey_answers=rows))
    return health_index(domain_profiles(case_of(found, T, T), found))


def by_domain(index: HealthIndex) -> dict[str, float]:
    return {one.domain: round(one.value, 6) for one in index.domains}


def test_a_score_is_placed_in_its_range_and_turned_so_that_100_is_best():
    assert by_domain(index_of(SLEEP, SUPPORT, WELL_BEING, PAIN)) == {
        "sleep": 100, "mental_health": 60, "pain_and_body": 100, "life_situation": 0,
    }  # fmt: skip


def test_the_index_is_the_mean_of_the_domains_and_says_how_many_there_are():
    index = index_of(SLEEP, SUPPORT, WELL_BEING, PAIN)
    assert index.value == (100 + 60 + 100 + 0) / 4
    assert (len(index.domains), len(DOMAINS)) == (4, 6)


def test_the_use_of_alcohol_alone_does_not_stand_for_diet():
    assert by_domain(index_of(SLEEP, DRINKING)) == {"sleep": 100}
    assert favourable(value("audit_c_alcohol", 3)) is None
    assert LEFT_OUT.isdisjoint(DOMAINS)


def test_three_domains_are_too_few():
    index = index_of(SLEEP, SUPPORT, WELL_BEING)
    assert len(index.domains) == 3
    assert index.value is None


def test_nothing_is_computed_of_nothing():
    index = index_of()
    assert (index.domains, index.value) == ((), None)


def test_the_questionnaires_of_a_domain_count_alike_however_many_scales_they_have():
    exhausted = answers("cbi", [100.0] * 12 + [0.0] + [100.0] * 6, RECENT)
    able = answers("was", [10], RECENT)
    found = index_of(exhausted, able).of("stress_and_work_environment")
    assert found is not None
    assert found.value == 50
    assert found.scales == ("cbi_personal", "cbi_work", "cbi_client", "was_work_ability")


def test_old_answers_do_not_count():
    assert by_domain(index_of(answers("bis", [0] * 6, OLD), WELL_BEING)) == {"mental_health": 60}


def test_what_only_says_yes_or_no_does_not_count():
    found = index_of(SLEEP).of("sleep")
    assert found is not None
    assert found.scales == ("bis_insomnia",)


@pytest.mark.parametrize("name", COUNTED)
def test_the_best_end_of_every_scale_is_100_and_the_other_0(name):
    _, scale = COUNTED[name]
    worst, best = (scale.maximum, scale.minimum) if scale.higher_is_worse else (scale.minimum, scale.maximum)
    assert [favourable(value(name, at)) for at in (worst, best)] == [0, 100]


def value(name: str, score: float, stale: bool = False) -> ProfileValue:
    text = Texts(nb="", en="")
    return ProfileValue(
        name=name, kind="scale", label=text, value=score, comparator=None, shown=text, unit="score",
        observed_on=calendar_date(0), days_old=1, stale=stale, valid_days=400, higher_is="worse", interval=None,
        position=None, cutoffs=(), cutoff=None, trend=None, percentile=None, reliability=None, modifiable=True,
    )  # fmt: skip


def test_no_answer_counts_twice_and_every_questionnaire_counts_whose_domain_does():
    for instrument in INSTRUMENTS.values():
        counted = [scale for scale in instrument.scales if scale.name in COUNTED]
        used = Counter(item for scale in counted for item in scale.items)
        assert counted or {scale.domain for scale in instrument.scales} <= LEFT_OUT, instrument.name
        assert set(used.values()) <= {1}, instrument.name


def test_what_does_not_count_is_a_scale():
    assert {scale.name for one in INSTRUMENTS.values() for scale in one.scales} >= NOT_COUNTED
    assert favourable(value("phq2_depression", 6)) is None
    assert favourable(value("who5_wellbeing", 60, stale=True)) is None
