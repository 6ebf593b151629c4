"""A person's features have the same bits alone, in any company, in any chunk, and through either door."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.time_windows import day_number
from features import build
from features.build import CONTEXT_COLUMNS, build_features
from features.histories import Histories
from features.workplace_context import workplace_context
from tests.lib.random_histories import PERSONS, T, any_rows
from tests.lib.random_workplaces import S, workplaces
from tests.lib.records import Rows, day, histories, record_of

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # a failing example is shown whole

RECEIVED_ON = date(2027, 1, 1)


def of_one(rows: Rows, person_id: str) -> Rows:
    return {
        table: [row for row in of_table if row.get("person_id", person_id) == person_id]
        for table, of_table in rows.items()
    }


@settings(max_examples=60, deadline=None)
@given(any_rows())
def test_features_of_one_are_the_row_of_many(rows):
    together = build_features(histories(rows, T, person_ids=PERSONS), day_number(T)).values
    for position, person_id in enumerate(PERSONS):
        alone = build_features(histories(of_one(rows, person_id), T, person_ids=[person_id]), day_number(T)).values
        assert alone.tobytes() == together[position].tobytes()


@settings(max_examples=40, deadline=None)
@given(any_rows(), st.lists(st.integers(0, 2), max_size=6), st.integers(1, 4))
def test_taking_and_chunking_persons_changes_no_bit(rows, positions, chunk):
    gathered = histories(rows, T, person_ids=PERSONS)
    shifts = np.array([0, 20, -1], dtype=np.int32)
    whole = build_features(gathered, day_number(T) + shifts).values
    chosen = np.array(positions, dtype=np.int64)
    size, build.CHUNK = build.CHUNK, chunk
    try:
        taken = build_features(gathered.take(chosen), day_number(T) + shifts[chosen]).values
    finally:
        build.CHUNK = size
    assert taken.tobytes() == whole[chosen].tobytes()


@settings(max_examples=40, deadline=None)
@given(any_rows())
def test_one_index_date_per_person_equals_one_for_all(rows):
    gathered = histories(rows, T, person_ids=PERSONS)
    t = np.array([day_number(day(T, shift)) for shift in (-7, 0, 3)])
    each = build_features(gathered, t).values
    for position, one_t in enumerate(t):
        assert each[position].tobytes() == build_features(gathered, int(one_t)).values[position].tobytes()


@settings(max_examples=60, deadline=None)
@given(any_rows())
def test_the_json_door_equals_the_table_door(rows):
    mine = of_one(rows, "p")
    mine["persons"] = mine["persons"][-1:]
    through_tables = build_features(histories(mine, T, person_ids=["p"]), day_number(T)).values
    record = json.loads(json.dumps(record_of(mine)))
    gathered = Histories.from_record(record, consent_on=date.fromisoformat(T), received_on=RECEIVED_ON)
    assert build_features(gathered, day_number(T)).values.tobytes() == through_tables.tobytes()


@settings(max_examples=15, deadline=None)
@given(workplaces(), st.lists(st.integers(0, 9), max_size=6), st.integers(1, 7))
def test_with_the_others_at_work_a_row_of_many_stays_what_it_is_alone(rows, positions, chunk):
    gathered = histories(rows, T)
    context = workplace_context(gathered, day_number(S))
    shifts = np.arange(len(gathered), dtype=np.int32) % 3
    whole = build_features(gathered, day_number(T) + shifts, context).values
    chosen = np.array(positions, dtype=np.int64) % len(gathered)  # how many work there is drawn, too
    size, build.CHUNK = build.CHUNK, chunk
    try:
        taken = build_features(gathered.take(chosen), day_number(T) + shifts[chosen], context).values
    finally:
        build.CHUNK = size
    assert taken.tobytes() == whole[chosen].tobytes()
    without = build_features(gathered, day_number(T) + shifts).values
    assert np.isnan(without[:, CONTEXT_COLUMNS]).all()
    assert np.delete(without, CONTEXT_COLUMNS, axis=1).tobytes() == np.delete(whole, CONTEXT_COLUMNS, axis=1).tobytes()
