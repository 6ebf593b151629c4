"""Stability and compacity against Shapash 2.10.0 itself, and small cases by hand."""

from __future__ import annotations

import numpy as np

from models.evaluation.shapash_metrics import distance_reached, features_needed, stability


def sixty_rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    X = np.round(random.normal(size=(60, 3)), 3)
    X[:, 2] = np.round(X[:, 0] + X[:, 2] * 0.1, 3)
    contributions = np.round(np.array([1.2, -0.5, 0.3]) * (X - X.mean(0)), 6)
    contributions[:, 1] *= np.where(X[:, 0] > 0, 1, 0.3)
    return X, 1 / (1 + np.exp(-(contributions.sum(axis=1) - 1))), contributions


SHAPASH = {
    "variability": [[0.028917975, 0.227115736, 0.100203223], [0.428152875, 0.521432562, 0.687619328],
                    [0.154165681, 0.665916682, 0.282361915], [0.022132618, 0.815690335, 0.034365706],
                    [0.09034192, 0.686094362, 0.108502341]],
    "amplitude": [[0.673586015, 0.156099045, 0.17031494], [0.456907637, 0.422805871, 0.120286492],
                  [0.71026489, 0.149093096, 0.140642015], [0.763457914, 0.057258797, 0.17928329],
                  [0.675233327, 0.163347169, 0.161419504]],
    "needed": [1, 3, 1, 3, 3],
    "distance": [0.192435, 0.16744, 0.10526, 0.15705, 0.24326],
}  # fmt: skip
"""find_neighbors, shap_neighbors, get_min_nb_features (0.1) and get_distance (2) of the first five rows."""


def test_equal_to_shapash():
    X, predictions, contributions = sixty_rows()
    variability, amplitude = stability(np.arange(5), X, predictions, contributions)
    np.testing.assert_allclose(variability, SHAPASH["variability"], atol=1e-8)
    np.testing.assert_allclose(amplitude, SHAPASH["amplitude"], atol=1e-8)
    assert features_needed(contributions)[:5].tolist() == SHAPASH["needed"]
    np.testing.assert_allclose(distance_reached(contributions, 2)[:5], SHAPASH["distance"], atol=1e-8)


def test_compacity_by_hand():
    contributions = np.array([[0.05, -1.0, 0.5, 0.02], [0.0, 0.0, 0.0, 0.0], [0.3, 0.3, 0.3, 0.3]])
    # -1.0 is 0.57 from -0.43, -0.5 is 0.07 from it; nothing needs one feature; the sum of four equal ones needs all four.
    assert features_needed(contributions).tolist() == [2, 1, 4]
    np.testing.assert_allclose(distance_reached(contributions, 2), [0.07, 0.0, 0.6], atol=1e-12)
    np.testing.assert_allclose(distance_reached(contributions, 9), 0.0, atol=1e-12)


def test_the_same_explanation_everywhere_is_stable_and_a_row_without_neighbours_too():
    X, predictions, _ = sixty_rows()
    same = np.tile([0.5, -0.25, 0.25], (60, 1))
    variability, amplitude = stability(np.arange(60), X, predictions, same)
    np.testing.assert_allclose(variability, 0.0, atol=1e-12)
    np.testing.assert_allclose(amplitude, [[0.5, 0.25, 0.25]] * 60)
    X[0] = 1e6
    alone, _ = stability(np.array([0]), X, predictions, sixty_rows()[2])
    assert not alone.any()
