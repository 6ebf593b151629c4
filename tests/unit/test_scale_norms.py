"""The programme's own deciles: right by hand and near the exact percentile, and never of fewer than 100 persons."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from models.scale_norms import GROUPS, SCALE_NAMES, OwnPercentile, own_percentile, scale_norms

PHQ9 = SCALE_NAMES.index("phq9_depression")


def norms_of(phq9: Any, is_female: Any = 1, age: Any = 50, person: Any = None) -> dict[str, Any]:
    n = len(phq9)
    scores = np.full((n, len(SCALE_NAMES)), np.nan, dtype=np.float32)
    scores[:, PHQ9] = phq9
    sex, ages = np.broadcast_to(np.float32(is_female), n), np.broadcast_to(np.float32(age), n)
    return scale_norms(scores, sex, ages, np.arange(n) if person is None else person)


def found(norms: dict[str, Any], score: float, is_female: float = 1, age: float = 50) -> int | str:
    own = own_percentile(norms, "phq9_depression", score, is_female, age)
    return own.value if isinstance(own, OwnPercentile) else own


@pytest.mark.parametrize(("score", "expected"), [(0, 20), (1, 50), (2, 70), (5, 75), (9, 85), (27, 95)])
def test_of_equal_scores_half_are_counted(score, expected):
    """35 persons have 0, 30 have 1, 10 have 2, 25 have 9.

    Lower, with half of the equal, are of 100: for 0 17.5, for 1 35 + 15, for 2 65 + 5, for 5 75, for 9 75 + 12.5, for 27 all;
    to the nearest 5, the last held at 95. The deciles are 0 0 0 1 1 1 2 9 9, of 27.
    """
    norms = norms_of(np.repeat([0, 1, 2, 9], [35, 30, 10, 25]))
    assert norms["deciles"] == {"female_45_59": {"phq9_depression": "0 0 0 4 4 4 7 33 33"}}
    assert found(norms, score) == expected


def test_it_is_within_five_of_the_exact_percentile():
    rng = np.random.default_rng(4)
    for n in (100, 137, 1000):
        scores = np.minimum(27, rng.negative_binomial(1, 0.25, n))
        norms = norms_of(scores)
        for score in range(28):
            exact = 50 * ((scores < score).mean() + (scores <= score).mean())
            assert abs(found(norms, score) - exact) <= 5 + 1e-9


def test_under_a_hundred_persons_give_nothing_and_a_person_counts_once_with_the_last_row():
    assert norms_of(np.ones(99))["deciles"] == {}
    assert norms_of(np.r_[np.ones(99), np.nan])["deciles"] == {}
    twice = np.tile(np.arange(99), 2)
    assert norms_of(np.ones(198), person=twice)["deciles"] == {}
    rows_of_each = np.repeat([3, 1], 50)
    scores = np.r_[np.tile([0, 0, 27], 50), np.full(50, 27)]
    norms = norms_of(scores, person=np.repeat(np.arange(100), rows_of_each))
    assert norms["deciles"]["female_45_59"]["phq9_depression"] == " ".join(["100"] * 9)


def test_neither_the_lowest_nor_the_highest_is_told_of_a_hundred():
    norms = norms_of(np.r_[0, np.full(9, 5), np.full(81, 10), np.full(8, 15), 27])
    places = norms["deciles"]["female_45_59"]["phq9_depression"].split()
    assert set(places) == {"19", "37"}


def test_groups_are_of_like_sex_and_age_and_what_is_unknown_says_so():
    assert [one.name for one in GROUPS[4:]] == ["female_18_29", "female_30_44", "female_45_59", "female_60_70"]
    norms = norms_of(np.ones(100))
    assert [found(norms, 1, age=age) for age in (45, 59)] == [50, 50]
    assert [found(norms, 1, age=age) for age in (44, 60)] == ["too_few", "too_few"]
    assert found(norms, 1, is_female=0) == "too_few"
    assert found(norms, 1, is_female=-1) == "sex_unknown"
    assert found(norms, 1, age=float("nan")) == "age_unknown"
    assert [found(norms, 1, age=age) for age in (17, 71)] == ["outside_ages", "outside_ages"]


def test_a_score_of_64_bits_is_equal_to_the_same_score_of_32():
    scores = np.full((100, len(SCALE_NAMES)), 100 * 7 / 24, dtype=np.float32)
    norms = scale_norms(scores, np.ones(100), np.full(100, 50.0), np.arange(100))
    own = own_percentile(norms, "cbi_personal", 100 * 7 / 24, 1, 50)
    assert isinstance(own, OwnPercentile)
    assert own.value == 50


def test_every_scale_of_every_group_is_less_than_40_kb_of_an_artifact():
    rng = np.random.default_rng(5)
    n = 100 * len(GROUPS)
    scores = rng.uniform(0, 1, (n, len(SCALE_NAMES))).astype(np.float32)
    norms = scale_norms(
        scores,
        np.repeat([float(one.is_female) for one in GROUPS], 100),
        np.repeat([float(one.first_age) for one in GROUPS], 100),
        np.arange(n),
    )
    assert sum(map(len, norms["deciles"].values())) == len(GROUPS) * len(SCALE_NAMES)
    text = json.dumps({"facts": {"scale_norms": norms}}, indent=1)
    assert json.loads(text)["facts"]["scale_norms"] == norms
    assert len(text) < 40_000
