"""Contacts and what came after them, on cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.monitoring.after_contact import TOO_FEW, TOO_FEW_ANSWERS, event_ratio, score_difference
from pipeline.monitoring.contacts import LOGISTIC_SPREAD, Contacts


def test_contact_counts_from_the_index_date_to_before_the_end():
    contacts = Contacts(np.array(["a", "a", "b"]), np.array([100, 300, 110], dtype=np.int32))
    person = np.array(["a", "a", "a", "b", "c"])
    start, end = np.array([100, 101, 250, 50, 0]), np.array([101, 300, 301, 110, 999])
    assert contacts.of_rows(person, start, end).tolist() == [True, False, True, False, False]


def test_days_to_the_first_contact_on_or_after_the_index_date():
    contacts = Contacts(np.array(["a", "a", "b"]), np.array([300, 100, 110], dtype=np.int32))
    person, t = np.array(["a", "a", "a", "b", "c"]), np.array([90, 100, 101, 111, 0], dtype=np.int32)
    assert contacts.days_to_first(person, t).tolist() == [10, 0, 199, np.inf, np.inf]


def test_a_ratio_of_1_44_is_two_tenths_of_a_standard_deviation():
    assert np.log(1.44) / LOGISTIC_SPREAD == pytest.approx(0.2, abs=0.002)


def rows(n: int = 100):
    """Equally many of both risks on each side: 40 of 100 with the event after contact, 20 of 100 without."""
    contacted = np.repeat([True, False], n)
    event = np.concatenate([np.arange(n) % 10 < 4, np.arange(n) % 10 < 2])
    log_odds = np.tile(np.repeat([-1.0, 1.0], 10), n // 10)
    return contacted, event, log_odds, np.zeros(2 * n, dtype=int), np.arange(2 * n)


def test_the_ratio_of_two_shares_and_its_interval():
    found = event_ratio(*rows())
    assert (found["contacted"], found["others"]) == (100, 100)
    assert found["value"] == pytest.approx(2.0, rel=1e-6)
    # The robust interval of a ratio of 40/100 and 20/100: exp(log 2 +- 1.96 sqrt(0.6/40 + 0.8/20)), and 200/199 for clusters.
    half = 1.96 * np.sqrt((0.6 / 40 + 0.8 / 20) * 200 / 199)
    assert found["low"] == pytest.approx(2 * np.exp(-half), rel=0.01)
    assert found["high"] == pytest.approx(2 * np.exp(half), rel=0.01)
    assert 0.001 < found["p"] < 0.05


def test_of_few_persons_with_the_event_nothing_is_told():
    contacted, event, log_odds, t, person = rows()
    event[:100] = np.arange(100) < 9
    assert event_ratio(contacted, event, log_odds, t, person) == {"why_not": TOO_FEW}
    event[:100] = np.arange(100) < 10
    assert "value" in event_ratio(contacted, event, log_odds, t, person)


def test_rows_of_one_person_are_one_person():
    contacted, event, log_odds, t, person = rows()
    assert event_ratio(contacted, event, log_odds, t, np.where(contacted, 0, person)) == {"why_not": TOO_FEW}


def test_a_score_that_is_three_points_higher_after_contact():
    contacted, _, log_odds, t, person = rows()
    before = np.random.default_rng(3).normal(10, 3, 200)
    after = 2 + before + 3 * contacted + np.random.default_rng(4).normal(0, 1, 200)
    found = score_difference(contacted, before, after, log_odds, t, person)
    assert found["low"] < 3 < found["high"]
    assert found["high"] - found["low"] < 1
    before[contacted] = np.where(np.arange(100) < 9, before[contacted], np.nan)
    assert score_difference(contacted, before, after, log_odds, t, person) == {"why_not": TOO_FEW_ANSWERS}
