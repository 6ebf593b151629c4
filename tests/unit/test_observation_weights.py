import numpy as np
import pytest

from models.observation_weights import (
    censoring_weights,
    effective_sample_size,
    known_diagnosis_weights,
    response_weights,
)


def test_censoring_weights_by_hand():
    """Five rows, horizon 10: event on day 2, censored on 3, event on 5, censored on 5, followed to the end.

    On day 3 four are at risk and one leaves: G = 3/4. On day 5 the event comes first, so two are at risk and one
    leaves: G = 3/8. Hence 1, 0, 4/3, 0, 8/3, together 5.
    """
    followed = np.array([2, 3, 5, 5, 10])
    event = np.array([True, False, True, False, False])
    censored = np.array([False, True, False, True, False])
    weights = censoring_weights(followed, event, censored, 10)
    assert weights == pytest.approx([1, 0, 4 / 3, 0, 8 / 3])


def test_without_censoring_every_weight_is_one():
    nobody = np.zeros(3, dtype=bool)
    assert censoring_weights(np.array([4, 10, 10]), np.array([True, False, False]), nobody, 10).tolist() == [1, 1, 1]


def test_everybody_censored_on_the_index_date_gives_zeros_without_a_warning():
    everybody = np.ones(2, dtype=bool)
    assert censoring_weights(np.array([0, 0]), ~everybody, everybody, 10).tolist() == [0, 0]


def test_weights_restore_the_event_share_when_leaving_does_not_depend_on_risk():
    random = np.random.default_rng(1)
    n = 20_000
    event_on = np.where(random.random(n) < 0.3, random.integers(0, 365, n), 365)
    leaves_on = np.where(random.random(n) < 0.5, random.integers(0, 365, n), 365)
    event = (event_on < 365) & (event_on <= leaves_on)
    censored = ~event & (leaves_on < 365)
    weights = censoring_weights(np.minimum(event_on, leaves_on), event, censored, 365)
    assert np.average(event, weights=weights) == pytest.approx(0.3, abs=0.01)
    assert event[~censored].mean() > 0.32, "leaving out the censored rows overstates the risk"
    assert weights.sum() == pytest.approx(n)


def test_rows_of_known_diagnosis_stand_for_the_others_and_nobody_else_does():
    """Three long absences weigh 1, 2 and 3; the last has no diagnosis: the others count 6/3 times. The fourth row is as was."""
    weights, needed = np.array([1.0, 2.0, 3.0, 5.0]), np.array([True, True, True, False])
    found = known_diagnosis_weights(weights, needed, np.array([True, True, False, True]))
    assert found.tolist() == [2.0, 4.0, 0.0, 5.0]
    assert found.sum() == weights.sum()


def test_without_any_known_diagnosis_nobody_stands_for_them():
    found = known_diagnosis_weights(np.ones(3), np.array([True, True, False]), np.array([False, False, True]))
    assert found.tolist() == [0.0, 0.0, 1.0]


def test_weights_restore_the_share_of_a_chapter_when_a_third_of_diagnoses_are_missing():
    random = np.random.default_rng(6)
    long, of_chapter, told = (random.random(30_000) < chance for chance in (0.4, 0.3, 0.67))
    known = ~long | told
    weights = known_diagnosis_weights(np.ones(30_000), long, known)
    assert np.average(long & of_chapter, weights=weights) == pytest.approx(0.12, abs=0.006)
    assert (long & of_chapter)[known].mean() < 0.10, "left out in silence they make the event rarer"


def test_response_weights_undo_a_response_that_depends_on_the_baseline():
    random = np.random.default_rng(2)
    x = random.normal(size=(8000, 1))
    responded = random.random(8000) < 1 / (1 + np.exp(-x[:, 0]))
    weights = response_weights(x, responded, random.integers(0, 5, 8000))
    assert x[responded].mean() > 0.3
    assert np.average(x[:, 0], weights=weights) == pytest.approx(0.0, abs=0.08)
    assert (weights[~responded] == 0).all()


def test_response_weights_are_truncated_at_the_99th_percentile():
    random = np.random.default_rng(3)
    x = random.normal(size=(5000, 1)) * 3
    responded = random.random(5000) < 1 / (1 + np.exp(-x[:, 0]))
    weights = response_weights(x, responded, random.integers(0, 5, 5000))
    assert (weights == weights.max()).sum() >= 0.009 * responded.sum()


def test_too_few_to_learn_from_gives_equal_weights():
    weights = response_weights(np.zeros((6, 2)), np.array([True] * 4 + [False] * 2), np.arange(6))
    assert weights.tolist() == [1, 1, 1, 1, 0, 0]
    assert response_weights(np.zeros((2, 1)), np.zeros(2, dtype=bool), np.arange(2)).tolist() == [0, 0]


def test_a_baseline_feature_that_nobody_has_is_ignored():
    x = np.column_stack([np.full(100, np.nan), np.arange(100.0)])
    assert np.isfinite(response_weights(x, np.arange(100) % 2 == 0, np.arange(100) % 3)).all()


def test_effective_sample_size():
    assert effective_sample_size(np.ones(7)) == 7
    assert effective_sample_size(np.array([1.0, 0.0])) == 1
    assert effective_sample_size(np.zeros(2)) == 0


def test_a_persons_own_response_does_not_weigh_in_the_models_own_fold():
    """Who answered in fold 0 is unknown to the model that weights fold 0, so the ratio of two weights there stays."""
    random = np.random.default_rng(4)
    x, fold = random.normal(size=(3000, 1)), random.integers(0, 3, 3000)
    responded = random.random(3000) < 0.6
    first, second = np.flatnonzero(responded & (fold == 0) & (np.abs(x[:, 0]) < 1))[:2]
    changed = responded | ((fold == 0) & (x[:, 0] > 1))
    before, after = response_weights(x, responded, fold), response_weights(x, changed, fold)
    assert after[first] / after[second] == pytest.approx(before[first] / before[second], abs=1e-12)
