"""The doors for one row: the same bits as LightGBM gives a batch, for every kind of split it knows."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from models.booster import Trees, lightgbm, margins_of_row
from models.packed_trees import PackedTrees, packed

N = 6


def rows_of(n: int, seed: int, missing: float = 0.2) -> np.ndarray:
    random = np.random.default_rng(seed)
    rows = random.normal(0, 10, (n, N)).astype(np.float32)
    rows[:, 1] = random.integers(0, 4, n)  # ties with thresholds and many zeros
    rows[random.random(rows.shape) < missing] = np.nan
    return rows


def text_of(seed: int = 1, trees: int = 30, rows: np.ndarray | None = None, **settings: object) -> str:
    rows = rows_of(400, seed) if rows is None else rows
    random = np.random.default_rng(seed)
    y = (np.nan_to_num(rows[:, 0]) + random.normal(0, 8, len(rows)) > 0).astype(float)
    usual = {
        "objective": "binary",
        "num_leaves": 15,
        "min_data_in_leaf": 3,
        "num_threads": 1,
        "verbosity": -1,
        "seed": seed,
    }
    categories = settings.pop("categories", "auto")
    data = lightgbm.Dataset(rows, y, categorical_feature=categories, params={"verbosity": -1})
    return lightgbm.train(usual | settings, data, trees).model_to_string()


def packed_of(*texts: str) -> tuple[PackedTrees | None, list[Trees]]:
    ensembles = [Trees(text) for text in texts]
    return packed(texts, ensembles, N), ensembles


def by_batch(ensembles: list[Trees], rows: np.ndarray) -> np.ndarray:
    return np.array([trees.margins(rows) for trees in ensembles])


ODD_ROWS = np.vstack(
    [
        rows_of(60, 7),
        np.zeros((1, N), dtype=np.float32),
        np.full((1, N), np.nan, dtype=np.float32),
        np.full((1, N), -0.0, dtype=np.float32),
        np.full((1, N), 1e-36, dtype=np.float32),
        np.full((1, N), np.inf, dtype=np.float32),
        np.full((1, N), -np.inf, dtype=np.float32),
    ]
)


def test_one_row_has_the_bits_it_has_in_a_batch() -> None:
    trees = Trees(text_of())
    margins, terms = trees.margins(ODD_ROWS), trees.contributions(ODD_ROWS)
    for place, row in enumerate(ODD_ROWS[:, np.newaxis]):
        assert trees.margins(row).tobytes() == margins[place : place + 1].tobytes()
        assert trees.contributions(row).tobytes() == terms[place : place + 1].tobytes()
    assert trees.margins(ODD_ROWS[:0]).shape == (0,)
    assert trees.contributions(ODD_ROWS[:0]).shape == (0, N + 1)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"num_leaves": 31},
        {"num_leaves": 64, "min_data_in_leaf": 1},
        {"num_leaves": 2},
        {"min_data_in_leaf": 1000},
    ],
    ids=["usual", "zero is missing", "nothing is missing", "32 bits", "64 bits", "stumps", "one leaf"],
)
def test_packed_refits_have_the_bits_of_each_alone(settings: dict[str, object]) -> None:
    # Ensembles of different length, as refits that stopped early are.
    found, ensembles = packed_of(*(text_of(seed, 10 * seed, **settings) for seed in (1, 2, 3)))
    assert found is not None
    expected = by_batch(ensembles, ODD_ROWS)
    for place, row in enumerate(ODD_ROWS[:, np.newaxis]):
        assert found.margins(row).tobytes() == np.ascontiguousarray(expected[:, place]).tobytes()
        assert margins_of_row(ensembles, row).tobytes() == np.ascontiguousarray(expected[:, place]).tobytes()


def test_what_a_threshold_cannot_tell_stays_with_lightgbm() -> None:
    rows = rows_of(400, 1, missing=0)
    rows[:, 1] = np.arange(400) % 7
    rows[:, 0] = (rows[:, 1] % 2) * 20
    rows[:, 2:] = 0
    assert (
        packed_of(
            text_of(rows=rows, categories=[0, 1], min_data_per_group=1, cat_smooth=0.1, cat_l2=0.0, max_cat_to_onehot=1)
        )[0]
        is None
    )
    assert packed_of(text_of(num_leaves=100, min_data_in_leaf=1))[0] is None
    forest = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}
    assert packed_of(text_of(**forest))[0] is None


def test_ensembles_that_do_not_come_out_alike_are_not_packed() -> None:
    text, other = text_of(1), text_of(2)
    assert packed([text], [Trees(other)], N) is None


def test_threads_may_share_a_door() -> None:
    trees = Trees(text_of())
    expected, wrong = trees.margins(ODD_ROWS), []

    def ask() -> None:
        for _ in range(50):
            got = [float(trees.margins(row)[0]) for row in ODD_ROWS[:, np.newaxis]]
            wrong.extend(got[place] for place in range(len(got)) if got[place] != expected[place])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong
