"""Very many rows: trees are grown from halves of them, few rows as ever; refits of the same rows by the same rule."""

from __future__ import annotations

import numpy as np
import pytest

from models.estimators import trees
from models.estimators.trees import BinnedRows, TreesEstimator, TreeSize

N = 400


@pytest.fixture
def rows():
    random = np.random.default_rng(3)
    X = random.normal(size=(N, 3)).astype(np.float32)
    y = (random.random(N) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    return X, y, np.ones(N)


def fitted(X, y, weight):
    return TreesEstimator(TreeSize(n_estimators=12, min_child_samples=20)).fit(X, y, weight).booster_


@pytest.mark.parametrize(("limit", "most"), [(N, N), (N - 1, N // 2 + 40)])
def test_only_above_the_limit_is_a_tree_grown_from_half_of_the_rows(rows, monkeypatch, limit, most):
    monkeypatch.setattr(trees, "MANY_ROWS", limit)
    tree = fitted(*rows).dump_model()["tree_info"][0]["tree_structure"]
    assert most - 80 < tree["internal_count"] <= most


def test_halves_are_drawn_by_the_seed(rows, monkeypatch):
    monkeypatch.setattr(trees, "MANY_ROWS", N - 1)
    assert fitted(*rows).model_to_string() == fitted(*rows).model_to_string()


def test_a_refit_of_few_of_many_rows_uses_all_of_the_few(rows, monkeypatch):
    X, y, weight = rows
    drawn = np.arange(0, N, 2)
    estimator = TreesEstimator(TreeSize(n_estimators=12, min_child_samples=20))
    expected = BinnedRows(estimator, X).fitted(drawn, y[drawn], weight[drawn]).booster_.model_to_string()
    monkeypatch.setattr(trees, "MANY_ROWS", N - 1)
    assert BinnedRows(estimator, X).fitted(drawn, y[drawn], weight[drawn]).booster_.model_to_string() == expected
