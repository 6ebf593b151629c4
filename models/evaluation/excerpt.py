"""What of an evaluation goes with the bundle to where it is read: aggregates that the model card prints too, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.evaluation.report import FEWEST_EVENTS_FOR_A_VERDICT
from models.evaluation.suppression import FEWEST
from models.model_card.numbers import is_count, is_small

WHOLE = (
    "outcome", "target", "label", "champion", "champion_sha256", "training_set_sha256", "contract_version", "code_revision",
    "synthetic", "data_as_of", "threshold", "test", "settings", "subgroups", "harm",
)  # fmt: skip
"""Parts of a report that are taken as they are, counts of 1 to 9 left out."""

TABLES = ("by_contacts", "by_alerts", "programme")
"""Of the capacities."""

BENEFIT = ("thresholds", "useful_at")
"""Of the decision curve: by these alerts are allowed at a team's threshold, or not."""


def excerpt(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a reader of the page needs of the report of ``evaluate``; parts that it lacks are lacking here too.

    Parameters
    ----------
    report : mapping

    Returns
    -------
    dict of JSON values: the parts of ``WHOLE``; ``metrics`` of the champion alone; ``curve`` unless it would draw a handful
    of persons; ``capacity``; ``decision_curve``, where acting on the model helps; ``held_back``, the share without a number;
    ``leakage_alarms`` and ``few_events``, whether there are alarms, and too few persons with an event for a verdict.
    """
    test = report.get("test", {})
    capacity = report.get("capacity") or {}
    benefit = report.get("decision_curve") or {}
    found = {
        **{name: report.get(name) for name in WHOLE},
        "metrics": report.get("models", {}).get(report.get("champion")),
        "curve": report.get("curve") if _is_a_crowd(test) else None,
        "capacity": {name: capacity[name] for name in TABLES if name in capacity},
        "decision_curve": {name: benefit[name] for name in BENEFIT if name in benefit},
        "held_back": (report.get("held_back") or {}).get("share"),
        "leakage_alarms": bool((report.get("leakage") or {}).get("alarms")),
        "few_events": test.get("persons_with_event", 0) < FEWEST_EVENTS_FOR_A_VERDICT,
    }
    return {name: _without_small_counts(name, part) for name, part in found.items() if part not in (None, {}, [])}


def _is_a_crowd(test: Mapping[str, Any]) -> bool:
    with_event = test.get("persons_with_event", 0)
    return min(with_event, test.get("persons", 0) - with_event) >= FEWEST


def _without_small_counts(name: str, value: Any) -> Any:
    """Replace counts of 1 to 9, at any depth, by None: a small group may be recognised."""
    if isinstance(value, Mapping):
        return {key: _without_small_counts(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_small_counts(name, one) for one in value]
    is_hidden = type(value) is int and is_count(name) and is_small(value)
    return None if is_hidden else value
