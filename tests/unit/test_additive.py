"""Curves give the value they were drawn with, for a row alone and in a batch, and refuse parts that do not fit."""

import numpy as np
import pytest

from data_contracts.errors import ArtifactError
from models.additive import AdditiveTerms, stacked

BROKEN_LINE = ([0.0, 2.0, 4.0], [1.0, 3.0, -1.0], 7.0)
STEPS = ([10.0, 20.0], [5.0, 6.0, 8.0], -2.0)
CONSTANT = ([], [0.25], 0.5)
HAND = AdditiveTerms.from_curves([BROKEN_LINE, STEPS, CONSTANT])


def random_terms(seed: int, most: int) -> AdditiveTerms:
    random = np.random.default_rng(seed)
    knots = [np.unique(random.normal(size=random.integers(0, most))) for _ in range(40)]
    extra = [1 if len(own) == 0 else int(random.integers(0, 2)) for own in knots]
    values = [random.normal(size=len(own) + more) for own, more in zip(knots, extra, strict=True)]
    return AdditiveTerms.from_curves([(*curve, float(random.normal())) for curve in zip(knots, values, strict=True)])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([1, 9.99, 3], [2.0, 5.0, 0.25]),  # between knots; before the first step
        ([3, 10, -3], [1.0, 6.0, 0.25]),  # a knot belongs to the step that begins there
        ([-9, 20, np.inf], [1.0, 8.0, 0.25]),  # held constant outside the knots
        ([np.inf, np.inf, 0], [-1.0, 8.0, 0.25]),
        ([-np.inf, -np.inf, 0], [1.0, 5.0, 0.25]),
        ([np.nan, np.nan, np.nan], [7.0, -2.0, 0.5]),
    ],
)
def test_curves_by_hand(row, expected):
    assert HAND.of(np.array([row], dtype=np.float32)).tolist() == [expected]


def test_a_row_has_the_bits_it_has_in_a_batch_and_each_model_those_it_has_alone():
    several = [random_terms(seed, most) for seed, most in ((1, 9), (2, 33), (3, 2))]
    X = np.random.default_rng(4).normal(size=(300, 40)).astype(np.float32)
    X[X > 1.5] = np.nan
    for terms in several:
        assert np.array_equal(terms.of(X), np.concatenate([terms.of(X[i : i + 1]) for i in range(300)]))
    together = stacked(several).of(X[:, np.newaxis])
    assert np.array_equal(together, np.stack([terms.of(X) for terms in several], axis=1))


@pytest.mark.parametrize(
    ("curve", "match"),
    [
        (([0.0, 2.0], [1.0], 0.0), "as many values"),
        (([], [], 0.0), "as many values"),
        (([2.0, 2.0], [1.0, 1.0], 0.0), "do not rise"),
        (([0.0], [np.nan], 0.0), "not a number"),
        (([0.0], [1.0], np.inf), "not a number"),
        (([np.nan], [1.0], 0.0), "not a number"),
        ((np.arange(257.0), np.zeros(257), 0.0), "more than 256 knots"),
    ],
)
def test_a_curve_that_is_none_is_refused(curve, match):
    with pytest.raises(ArtifactError, match=match):
        AdditiveTerms.from_curves([BROKEN_LINE, curve])


def test_so_many_curves_as_no_catalogue_has_are_refused():
    AdditiveTerms.from_curves([CONSTANT] * 4096)
    with pytest.raises(ArtifactError, match="more than 4096 curves"):
        AdditiveTerms.from_curves([CONSTANT] * 4097)


def test_counts_that_do_not_add_up_are_refused():
    with pytest.raises(ArtifactError, match="other numbers"):
        AdditiveTerms(HAND.knots, HAND.values[:-1], HAND.n_knots, HAND.n_values, HAND.missing)
