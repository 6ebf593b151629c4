"""The rows that models are judged on: the test rows with a label, every model's word on them, and what is resampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES
from models.evaluation.held_out import FEWEST_COMPANIES, HeldOut
from tests.lib.cohorts import N_COMPANIES, random_training_set, split_of
from tests.lib.models import linear_model


@pytest.fixture(scope="module")
def held_out() -> HeldOut:
    found = random_training_set()
    return HeldOut.of(found, split_of(found), {"linear": linear_model(), "again": linear_model()}, "linear")


def test_only_test_rows_with_a_label_are_there(held_out):
    found = random_training_set()
    rows = split_of(found).test
    assert len(held_out) == found.observed[rows].sum() < len(rows)
    assert np.isfinite(held_out.y).all()
    assert held_out.weight.min() > 0


def test_every_model_numbers_the_rows_from_its_own_columns(held_out):
    model = linear_model()
    columns = [FEATURE_NAMES.index(name) for name in model.feature_names]
    assert held_out.linear["linear"].tolist() == model.log_odds(held_out.X[:, columns]).tolist()


def test_few_companies_are_not_resampled(held_out):
    assert N_COMPANIES < FEWEST_COMPANIES
    assert held_out.cluster is held_out.person


def test_enough_companies_are_resampled_and_who_has_none_stands_alone(held_out):
    company = np.where(held_out.person % 7 == 0, -1, held_out.person // 2).astype(np.int32)
    cluster = replace(held_out, company=company).cluster
    with_company = company >= 0
    assert cluster[with_company].tolist() == company[with_company].tolist()
    alone = cluster[~with_company]
    assert (alone < 0).all()
    assert len(np.unique(alone)) == len(np.unique(held_out.person[~with_company]))


def test_a_cut_keeps_rows_and_numbers_together(held_out):
    chosen = np.flatnonzero(held_out.y == 1)
    events = held_out.take(chosen)
    assert len(events) == len(chosen)
    assert (events.y == 1).all()
    assert events.linear["again"].tolist() == held_out.linear["again"][chosen].tolist()
    assert np.array_equal(events.column("age_years"), held_out.column("age_years")[chosen], equal_nan=True)
