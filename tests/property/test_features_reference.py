"""The fast features equal a slow, plain reference, for every feature, on nasty small histories."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.time_windows import day_number
from features.build import build_features
from features.catalogue import FEATURE_NAMES
from tests.lib.random_histories import PERSONS, T, any_rows
from tests.lib.records import Rows, day, histories
from tests.lib.reference_features import Reference

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # a failing example is shown whole


def assert_equals_reference(rows: Rows, found: np.ndarray, person_id: str, t: str, **options: str) -> None:
    """One unit in the last place of float32 is allowed: the reference may add in another order."""
    expected = Reference(rows, person_id, t, **options).features()
    for name, value in zip(FEATURE_NAMES, found, strict=True):
        wanted = np.float32(expected[name])
        same = (np.isnan(wanted) and np.isnan(value)) or abs(value - wanted) <= np.spacing(abs(wanted))
        assert same, f"{name} of {person_id} at {t}: {value}, reference {wanted}"


@settings(max_examples=100, deadline=None)
@given(any_rows(), st.sampled_from((0, 0, -1, 1, 30)))
def test_every_feature_equals_the_reference(rows, shift):
    t = day(T, shift)
    matrix = build_features(histories(rows, consent_on=t, person_ids=PERSONS), day_number(t))
    for person_id, found in zip(PERSONS, matrix.values, strict=True):
        assert_equals_reference(rows, found, person_id, t)


@settings(max_examples=40, deadline=None)
@given(any_rows(), st.sampled_from((0, -5, 10)), st.sampled_from((0, 0, -30, 5)))
def test_an_earlier_state_of_the_store_equals_the_reference(rows, shift, later):
    data_as_of, t = day(T, shift), day(T, later)
    options = {"consent_on": data_as_of, "data_as_of": data_as_of}
    gathered = histories(rows, data_as_of, data_as_of=day_number(data_as_of), person_ids=PERSONS)
    matrix = build_features(gathered, day_number(t))
    for person_id, found in zip(PERSONS, matrix.values, strict=True):
        assert_equals_reference(rows, found, person_id, t, **options)
