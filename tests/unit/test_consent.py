"""Consent is in force from the day it is given until the day it is withdrawn; the latest version of each counts."""

from __future__ import annotations

import numpy as np

from data_contracts.consent import SOURCES, in_force
from data_contracts.records import Consent
from data_contracts.tables import empty_table
from data_contracts.time_windows import day_number
from tests.lib.sound_rows import changed, checked


def scoring(on: str | list[str], *rows: dict[str, str], purpose: str = "risk_scoring") -> list[list[bool]]:
    """Who has which consent on a day, for the persons p1 and p2."""
    table = checked(
        "consents", *(changed("consents", withdrawn_on="", known_from="2025-03-01") | row for row in rows)
    ).table
    days = day_number(on) if isinstance(on, str) else np.array([day_number(one) for one in on], dtype=np.int32)
    person = table["person_id"].recode({"p1": 0, "p2": 1})
    return in_force(table, person, 2, purpose, days).tolist()


NOBODY = [False] * 4
SURVEY = [True, False, False, False]


def test_the_columns_are_the_sources_in_this_order():
    assert SOURCES == ("survey", "lab", "absence", "employment")
    held = scoring("2025-06-01", {"source": "lab"}, {"source": "employment", "person_id": "p2"})
    assert held == [[False, True, False, False], [False, False, False, True]]


def test_in_force_from_the_day_it_is_given():
    assert scoring("2024-12-31", {})[0] == NOBODY
    assert scoring("2025-01-01", {})[0] == SURVEY


def test_no_longer_in_force_on_the_day_it_is_withdrawn():
    withdrawn = {"withdrawn_on": "2025-02-25"}
    assert scoring("2025-02-24", withdrawn)[0] == SURVEY
    assert scoring("2025-02-25", withdrawn)[0] == NOBODY


def test_consent_for_one_purpose_is_none_for_another():
    assert scoring("2025-06-01", {}, purpose="model_training")[0] == NOBODY


def test_the_latest_version_counts_in_any_order_of_rows():
    first, withdrawal = {}, {"withdrawn_on": "2025-02-25", "known_from": "2025-03-02"}
    assert scoring("2025-06-01", first, withdrawal)[0] == NOBODY
    assert scoring("2025-06-01", withdrawal, first)[0] == NOBODY


def test_a_deleted_consent_is_gone():
    assert scoring("2025-06-01", {}, {"is_deleted": "true", "known_from": "2025-03-02"})[0] == NOBODY


def test_a_new_consent_after_a_withdrawal_is_in_force():
    old, new = {"withdrawn_on": "2025-02-01"}, {"given_on": "2025-02-10"}
    assert scoring("2025-02-05", old, new)[0] == NOBODY
    assert scoring("2025-02-10", old, new)[0] == SURVEY


def test_versions_of_two_consents_known_in_turns_are_not_mixed_up():
    one, other = {}, {"given_on": "2025-01-10", "withdrawn_on": "2025-02-01", "known_from": "2025-03-02"}
    withdrawal = {"withdrawn_on": "2025-02-25", "known_from": "2025-03-03"}
    assert scoring("2025-06-01", one, other, withdrawal)[0] == NOBODY


def test_each_person_may_have_a_day_of_their_own():
    assert scoring(["2024-12-31", "2025-01-01"], {}, {"person_id": "p2"}) == [NOBODY, SURVEY]


def test_rows_of_persons_of_no_interest_are_ignored():
    assert scoring("2025-06-01", {"person_id": "p3"}) == [NOBODY, NOBODY]


def test_nobody_has_consented_in_an_empty_table():
    assert in_force(empty_table(Consent), np.empty(0, dtype=np.int32), 1, "risk_scoring", 0).tolist() == [NOBODY]
