"""No future: rows known on or after t change nothing, and a store can be shown as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from data_contracts.time_windows import day_number
from features.as_of import doctor_stretches
from features.build import build_features
from features.survey_scores import occasions
from tests.lib.random_histories import PERSONS, T, added, any_rows, later_rows
from tests.lib.records import Rows, day, histories

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # a failing example is shown whole

D = day(T, -10)
"""Before t, so that what is known between the two would count if the store did not end on D."""


def bits(rows: Rows, **options) -> bytes:
    return build_features(histories(rows, T, person_ids=PERSONS, **options), day_number(T)).values.tobytes()


@settings(max_examples=80, deadline=None)
@given(any_rows(), later_rows())
def test_a_row_known_on_or_after_t_changes_no_bit(rows, more):
    assert bits(added(rows, more)) == bits(rows)


@settings(max_examples=60, deadline=None)
@given(any_rows(), later_rows(not_before=D, consents=True))
def test_a_store_as_of_a_day_is_the_store_without_later_rows(rows, more):
    known_in_time = {table: [row for row in of_table if row["known_from"] < D] for table, of_table in rows.items()}
    assert bits(added(rows, more), data_as_of=day_number(D)) == bits(known_in_time)


@settings(max_examples=60, deadline=None)
@given(any_rows(), later_rows())
def test_what_labels_read_at_d_is_not_changed_by_rows_known_on_or_after_d(rows, more):
    d = day_number(T)
    before, after = histories(rows, T, person_ids=PERSONS), histories(added(rows, more), T, person_ids=PERSONS)
    for one, other in zip(doctor_stretches(before, d), doctor_stretches(after, d), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(occasions(before, d, "cbi"), occasions(after, d, "cbi"), strict=True):
        np.testing.assert_array_equal(one, other)
