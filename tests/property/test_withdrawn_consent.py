"""A consent withdrawn takes away the features of its own source, all of them, and moves no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.consent import SOURCES
from data_contracts.records import TABLES
from data_contracts.time_windows import day_number
from features.build import build_features
from features.catalogue import FEATURES
from features.workplace_context import FEATURES as CONTEXT_FEATURES
from tests.lib.random_histories import PERSONS, T, any_rows
from tests.lib.records import Rows, consent, day, histories

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # a failing example is shown whole

OF_SOURCE = {
    source: np.array([one not in CONTEXT_FEATURES and TABLES[one.table].consent_source == source for one in FEATURES])
    for source in SOURCES
}
LATEST = "2026-12-31"
WITHDRAWING = st.sampled_from(SOURCES)


def values(rows: Rows) -> np.ndarray:
    return build_features(histories(rows, T, person_ids=PERSONS), day_number(T)).values


def in_force(rows: Rows, source: str) -> Rows:
    """Nobody has withdrawn the consent for a source."""
    consents = [row for row in rows["consents"] if row["source"] != source]
    return rows | {"consents": consents + [consent(source, person_id) for person_id in PERSONS]}


def withdrawn(rows: Rows, source: str, on: str, known_from: str = LATEST) -> Rows:
    more = [consent(source, person_id, withdrawn_on=on, known_from=known_from) for person_id in PERSONS]
    return rows | {"consents": rows["consents"] + more}


def test_every_feature_but_facts_of_the_person_belongs_to_one_source():
    belongs = np.sum(list(OF_SOURCE.values()), axis=0)
    without = {one.table for one, n in zip(FEATURES, belongs, strict=True) if n == 0 and one not in CONTEXT_FEATURES}
    assert (without, belongs.max()) == ({"persons"}, 1)


@settings(max_examples=40, deadline=None)
@given(any_rows(), WITHDRAWING)
def test_a_source_withdrawn_is_missing_and_every_other_feature_keeps_its_bits(rows, source):
    before, after = values(in_force(rows, source)), values(withdrawn(rows, source, T))
    of_source = OF_SOURCE[source]
    assert np.isnan(after[:, of_source]).all()
    assert after[:, ~of_source].tobytes() == before[:, ~of_source].tobytes()


@settings(max_examples=40, deadline=None)
@given(any_rows(), WITHDRAWING)
def test_what_a_person_who_refuses_has_done_shows_nowhere(rows, source):
    tables = [name for name, record in TABLES.items() if record.consent_source == source]
    refused = withdrawn(rows, source, T)
    assert values(refused).tobytes() == values(refused | {table: [] for table in tables}).tobytes()


@settings(max_examples=20, deadline=None)
@given(any_rows(), WITHDRAWING)
def test_a_consent_withdrawn_after_t_is_in_force_on_t(rows, source):
    whole = in_force(rows, source)
    assert values(withdrawn(whole, source, day(T, 1))).tobytes() == values(whole).tobytes()
