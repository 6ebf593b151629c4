import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES
from models.evaluation import cluster_folds as cluster_folds_module
from models.evaluation.cluster_folds import INDUSTRY, cluster_folds, drawn_rows, industries, learning_rows
from tests.lib.cohorts import random_training_set

DATA = random_training_set(400)
ROWS = np.flatnonzero(DATA.observed)


def test_with_room_for_all_everybody_takes_part():
    assert drawn_rows(DATA, ROWS, 5, 1).tolist() == ROWS.tolist()


def test_companies_are_drawn_whole_and_another_seed_draws_others(monkeypatch):
    """Twenty companies of twenty persons: room for 110 is five of them and half of another."""
    monkeypatch.setattr(cluster_folds_module, "MOST_PERSONS", 110)
    drawn = drawn_rows(DATA, ROWS, 5, 1)
    persons = [len(np.unique(DATA.person[drawn[DATA.company[drawn] == one]])) for one in np.unique(DATA.company[drawn])]
    assert sorted(persons) == [10, 20, 20, 20, 20, 20]
    assert set(DATA.company[drawn]) != set(DATA.company[drawn_rows(DATA, ROWS, 5, 2)])


def test_one_large_company_does_not_fill_all_places(monkeypatch):
    monkeypatch.setattr(cluster_folds_module, "MOST_PERSONS", 50)
    drawn = drawn_rows(DATA, ROWS, 5, 1)
    assert (
        np.unique(np.unique(np.stack([DATA.company[drawn], DATA.person[drawn]]), axis=1)[0], return_counts=True)[
            1
        ].tolist()
        == [10] * 5
    )


def test_all_rows_of_a_drawn_person_in_the_company_come_along(monkeypatch):
    monkeypatch.setattr(cluster_folds_module, "MOST_PERSONS", 50)
    drawn = drawn_rows(DATA, ROWS, 5, 1)
    assert len(drawn) == np.isin(DATA.person[ROWS], DATA.person[drawn]).sum()


@pytest.mark.parametrize(("most", "dates"), [(50, {1, 2, 3, 4, 5}), (49, {1, 3, 5}), (20, {2, 5})])
def test_models_learn_from_every_so_many_index_dates(monkeypatch, most, dates):
    monkeypatch.setattr(cluster_folds_module, "MOST_ROWS", most)
    t = np.repeat([1, 2, 3, 4, 5], 10)
    assert set(t[learning_rows(t)]) == dates


def test_folds_are_even_and_clusters_whole():
    cluster = np.repeat([-1, 0, 3, 4, 7, 9], [5, 40, 30, 20, 10, 10])
    fold = cluster_folds(cluster, 2)
    assert (fold[cluster == -1] == -1).all()
    assert all(len(set(fold[cluster == one])) == 1 for one in (0, 3, 4, 7, 9))
    assert sorted(np.bincount(fold[fold >= 0])) == [50, 60]


def test_an_industry_is_one_of_the_columns_another_or_not_known():
    names = [name for name in FEATURE_NAMES if name.startswith(INDUSTRY)]
    X = np.zeros((3, len(names)), dtype=np.float32)
    X[0, 1], X[1, 0] = 1, np.nan
    found, labels = industries(X, names)
    assert [labels.get(int(one)) for one in found] == [names[1].removeprefix(INDUSTRY), None, "other"]


def test_two_clusters_are_two_folds():
    assert cluster_folds(np.array([3, 3, 5]), 2).tolist() == [0, 0, 1]
