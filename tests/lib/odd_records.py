"""The example as forty persons, every one of them odd in a way of her own: what is scored together must be as alone."""

from __future__ import annotations

import copy

from tests.lib.deployment import REQUEST

N = 40


def record(number: int) -> dict:
    """The example as another person; every one of them odd in a way of her own."""
    found = copy.deepcopy(REQUEST["record"])
    found["person"] |= {"person_id": f"SYNTHETIC-{number}", "birth_year": 1955 + number}
    found["survey_answers"] = found["survey_answers"][number % 7 :]
    ODD.get(number, lambda one: None)(found)
    return found


def _flag(found: dict) -> None:
    found["survey_answers"].append(
        {"instrument": "phq9", "item": "item_9", "answer": 3, "answered_on": "2025-10-14", "known_from": "2025-10-14"}
    )


def _flag_and_fault(found: dict) -> None:
    _flag(found)
    found["lab_results"][0]["value"] = "high"


def _event(kind: str, **more: object) -> dict:
    company = REQUEST["record"]["employments"][0]["company_id"]
    return {"company_id": company, "kind": kind, "occurred_on": "2025-05-01", "known_from": "2025-05-02", **more}


ODD = {
    1: _flag,
    2: _flag_and_fault,
    5: lambda one: one.update(employments=[]),
    6: lambda one: one.pop("lab_results"),
    7: lambda one: one.update(absence_spells=None),
    8: lambda one: one["survey_answers"][0].update(person_id="SYNTHETIC-9"),
    9: lambda one: one.update(hobbies=[]),
    10: lambda one: one["survey_answers"].append(dict(one["survey_answers"][0])),
    11: lambda one: one["survey_answers"].append(one["survey_answers"][0] | {"answer": 0}),
    12: lambda one: one.update(survey_answers="none"),
    13: lambda one: one.update(workplace_events=[_event("downsizing")]),
    14: lambda one: one.update(workplace_events=[_event("downsizing", is_deleted=1)]),
    15: lambda one: one["survey_answers"].append("not an object"),
    16: lambda one: one["person"].pop("person_id"),
    17: lambda one: one["survey_answers"][0].update(answer=-0.0),
    18: lambda one: one["survey_answers"][0].update(answer=0.0),
    19: lambda one: one["consents"].clear(),
    # Equal numbers, of which the contract refuses the one without a point.
    20: lambda one: one["lab_results"][0].update(reference_high=2**63),
    29: lambda one: one["lab_results"][0].update(reference_high=float(2**63)),
}
