"""The order of rows in a source means nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.time_windows import day_number
from features.build import build_features
from tests.lib.random_histories import PERSONS, T, any_rows
from tests.lib.records import Rows, histories

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # a failing example is shown whole


def shuffled(rows: Rows, seed: int) -> Rows:
    order = random.Random(seed)
    return {table: order.sample(of_table, len(of_table)) for table, of_table in rows.items()}


@settings(max_examples=80, deadline=None)
@given(any_rows(), st.integers(0, 1000))
def test_features_do_not_depend_on_the_order_of_rows(rows, seed):
    one = build_features(histories(rows, T, person_ids=PERSONS), day_number(T)).values
    other = build_features(histories(shuffled(rows, seed), T, person_ids=PERSONS), day_number(T)).values
    assert one.tobytes() == other.tobytes()


@settings(max_examples=20, deadline=None)
@given(any_rows(), st.integers(0, 1000))
def test_everyone_comes_sorted_whatever_the_order_of_rows(rows, seed):
    assert histories(shuffled(rows, seed), T).person_ids == histories(rows, T).person_ids
