import numpy as np
import pytest

from models.evaluation.intervals import resampled_weights, with_intervals

PERSON = np.repeat(np.arange(100), 4)
WEIGHTS = np.linspace(1, 2, 400)


def blocks(person=PERSON, repeats=30, seed=1) -> np.ndarray:
    return np.concatenate(list(resampled_weights(person, WEIGHTS, repeats, seed)))


def test_all_rows_of_a_person_are_drawn_together_and_as_many_persons_as_there_are():
    times = np.round(blocks() / WEIGHTS, 9).reshape(30, 100, 4)
    assert (times == times[:, :, :1]).all()
    assert (times[:, :, 0].sum(axis=1) == 100).all()


def test_the_same_seed_draws_the_same_persons_in_blocks_of_any_size(monkeypatch):
    at_once = blocks()
    monkeypatch.setattr("models.evaluation.intervals._CELLS_AT_ONCE", 800)
    assert np.array_equal(at_once, blocks())
    assert not np.array_equal(at_once, blocks(seed=2))


def test_the_interval_is_as_wide_as_persons_not_rows_allow():
    """Four identical rows of a person tell as much as one: the standard error is 1 / sqrt(100), not 1 / sqrt(400)."""
    values = np.repeat(np.random.default_rng(2).normal(size=100), 4)

    def mean(weights):
        return {"mean": weights @ values / weights.sum(axis=1)}

    found = with_intervals(mean, PERSON, np.ones(400), 500, 3)["mean"]
    assert found["value"] == pytest.approx(values.mean())
    assert (found["high"] - found["low"]) / (2 * 1.96) == pytest.approx(values.std() / 10, rel=0.15)


def test_resamples_without_an_answer_are_left_out():
    def never(weights):
        return {
            "nothing": np.full(len(weights), np.nan),
            "sometimes": np.where(np.arange(len(weights)) == 0, np.nan, 1.0),
        }

    found = with_intervals(never, PERSON, WEIGHTS, 10, 1)
    assert found["nothing"] == {"value": None, "low": None, "high": None}
    assert found["sometimes"]["low"] == found["sometimes"]["high"] == 1.0


def test_every_point_of_a_curve_gets_the_interval_it_has_alone():
    values = np.random.default_rng(4).normal(size=(400, 3))

    def curve(weights):
        return {"curve": weights @ values / weights.sum(axis=1, keepdims=True)}

    def last(weights):
        return {"last": weights @ values[:, 2] / weights.sum(axis=1)}

    found = with_intervals(curve, PERSON, WEIGHTS, 20, 5)["curve"]
    alone = with_intervals(last, PERSON, WEIGHTS, 20, 5)["last"]
    assert [found[part][2] for part in ("value", "low", "high")] == pytest.approx(list(alone.values()))
    assert len(found["low"]) == 3
