"""What of an evaluation leaves the workspace: declared aggregates, no other model's, no small count."""

from __future__ import annotations

import json

from models.evaluation.excerpt import excerpt

INTERVAL = {"value": 0.7, "low": 0.6, "high": 0.8}


def report(**changes):
    """A small report with more in it than may leave."""
    return {
        "outcome": "burnout", "champion": "short", "target": "event", "notes": ["SYNTHETIC-person-17"],
        "test": {"persons": 408, "persons_with_event": 84, "rows_without_label": 9, "left_out_of_split": {"rows": 12}},
        "models": {"short": {"auroc": INTERVAL}, "prior_absence": {"auroc": INTERVAL}},
        "curve": {"risk": [0.1, 0.4], "observed": [0.2, 0.3]},
        "capacity": {"by_alerts": [{"alerts_per_100": 5, "ppv": INTERVAL}], "by_threshold": [1],
                     "programme": {"persons": 1000}},
        "held_back": {"persons": 408, "share": INTERVAL}, "leakage": {"alarms": ["SUSPECT LEAKAGE"]}, "harm": [],
        "subgroups": {"attributes": [{"groups": [{"name": "male", "events": 3, "persons": 40, "auroc": INTERVAL}]}]},
    } | changes  # fmt: skip


def test_only_what_is_declared_leaves():
    found = excerpt(report())
    assert "SYNTHETIC" not in json.dumps(found)
    assert found["metrics"] == {"auroc": INTERVAL}
    assert "models" not in found
    assert found["capacity"] == {"by_alerts": [{"alerts_per_100": 5, "ppv": INTERVAL}], "programme": {"persons": 1000}}
    assert found["held_back"] == INTERVAL
    assert (found["leakage_alarms"], found["few_events"]) == (True, True)


def test_counts_of_one_to_nine_are_left_out_and_no_other_number():
    found = excerpt(report())
    assert found["test"] == {
        "persons": 408,
        "persons_with_event": 84,
        "rows_without_label": None,
        "left_out_of_split": {"rows": 12},
    }
    assert found["subgroups"]["attributes"][0]["groups"] == [
        {"name": "male", "events": None, "persons": 40, "auroc": INTERVAL}
    ]


def test_a_curve_of_a_handful_is_left_out():
    assert "curve" in excerpt(report(test={"persons": 20, "persons_with_event": 10}))
    assert "curve" not in excerpt(report(test={"persons": 20, "persons_with_event": 9}))
    assert "curve" not in excerpt(report(test={"persons": 20, "persons_with_event": 11}))


def test_a_verdict_takes_a_hundred_persons_with_an_event():
    assert excerpt(report(test={"persons": 408, "persons_with_event": 99}))["few_events"]
    assert not excerpt(report(test={"persons": 408, "persons_with_event": 100}))["few_events"]


def test_parts_that_a_report_lacks_are_lacking():
    assert excerpt({"outcome": "burnout"}) == {"outcome": "burnout", "leakage_alarms": False, "few_events": True}
