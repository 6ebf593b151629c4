"""The fast features equal a slow, plain reference, for every feature, on nasty small histories."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.analytes import ANALYTES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.time_windows import NO_DAY, day_number
from features.build import build_features, observation_days
from features.catalogue import FEATURE_NAMES, POSITIONS
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


def latest_day(days: np.ndarray, names: list[str]) -> int:
    return max(days[POSITIONS[name]] for name in names)


@settings(max_examples=40, deadline=None)
@given(any_rows(), st.sampled_from((0, 1, -60)))
def test_the_day_behind_a_number_is_that_of_the_answers_or_results_it_comes_from(rows, shift):
    t = day(T, shift)
    gathered = histories(rows, consent_on=t, person_ids=PERSONS)
    matrix, days_of = build_features(gathered, day_number(t)), observation_days(gathered, day_number(t))
    for person_id, values, days in zip(PERSONS, matrix.values, days_of, strict=True):
        reference, wanted = Reference(rows, person_id, t), {}
        for instrument in INSTRUMENTS.values():
            for scale in instrument.scales:
                scored = reference.scored(instrument, scale)
                wanted[scale.name] = scored[-1][0] if scored else NO_DAY
        assert {name: days[POSITIONS[name]] for name in wanted} == wanted
        levels = [*wanted, *(one.name for one in ANALYTES)]
        assert all((days[POSITIONS[name]] == NO_DAY) == np.isnan(values[POSITIONS[name]]) for name in levels)
        for examination in {one.examination for one in ANALYTES}:
            last = latest_day(days, [one.name for one in ANALYTES if one.examination == examination])
            age = values[POSITIONS[f"{examination}_age_days"]]
            assert (last == NO_DAY and np.isnan(age)) or age == day_number(t) - last
