"""The written policy by which a registered version may go into service: docs/promotion.md in words, here line by line.

Every line is judged on the evaluation that was registered with the version. What the evaluation does not say counts
against the version, and there is no way around a line but to change the numbers of the policy, which every record of a
promotion carries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.promotion_comparisons import better, better_than_published, not_worse_than_current
from models.promotion_terms import (
    NOT_THERE,
    InService,
    Line,
    Policy,
    PromotionRefused,
    Situation,
    interval,
    of_champion,
    shown,
)

__all__ = ["InService", "Line", "Policy", "PromotionRefused", "Situation", "judge"]

PRIOR_ABSENCE = "prior_absence"


def judge(report: Mapping[str, Any], policy: Policy, situation: Situation) -> list[Line]:
    """Judge every line of the policy.

    Parameters
    ----------
    report : mapping
        The evaluation that was registered with the version.
    policy : Policy
    situation : Situation

    Returns
    -------
    list of Line; the version may be promoted if all have passed.
    """
    return [
        _events(report, policy),
        _observed_to_expected(report, policy),
        _slope(report, policy),
        _harm(report),
        _sample_size(report),
        _leakage(report),
        *better(report, policy, PRIOR_ABSENCE, "the model of prior absence alone"),
        *better_than_published(report, policy),
        *not_worse_than_current(report, policy, situation.in_service),
        _synthetic(report, situation),
        *_approval(policy, situation),
    ]


def _events(report: Mapping[str, Any], policy: Policy) -> Line:
    found = report.get("test", {}).get("events")
    rule = f"at least {policy.fewest_test_events} events in the test rows"
    return Line("test_events", rule, shown(found), found is not None and found >= policy.fewest_test_events)


def _observed_to_expected(report: Mapping[str, Any], policy: Policy) -> Line:
    low, high = policy.observed_to_expected
    best = policy.good_calibration
    rule = f"observed over expected {low:g} to {high:g}, its interval reaching into {best[0]:g} to {best[1]:g}"
    number = of_champion(report, "observed_to_expected")
    passed = number is not None and low <= number["value"] <= high and _meet(number, best)
    return Line("calibration", rule, interval(number), passed)


def _slope(report: Mapping[str, Any], policy: Policy) -> Line:
    low, high = policy.calibration_slope
    number = of_champion(report, "calibration_slope")
    passed = number is not None and low <= number["value"] <= high
    return Line("calibration_slope", f"{low:g} to {high:g}", interval(number), passed)


def _harm(report: Mapping[str, Any]) -> Line:
    groups = report.get("harm")
    named = [f"{one.get('attribute')} {one.get('group')} ({one.get('finding')})" for one in groups or []]
    found = NOT_THERE if groups is None else ", ".join(named) or "none"
    return Line("subgroup_harm", "no group that is harmed", found, groups is not None and not groups)


def _sample_size(report: Mapping[str, Any]) -> Line:
    verdicts = report.get("sample_size") or {}
    # Of every candidate by its name; of an updated published formula there is none, and its persons are too few.
    verdict = verdicts if "enough" in verdicts else verdicts.get(report.get("champion")) or {}
    found = NOT_THERE
    if "enough" in verdict:
        found = f"{shown(verdict.get('persons'))} persons of {shown(verdict.get('required_persons'))}"
    return Line("sample_size", "as many persons as a model of so many parameters takes", found,
                verdict.get("enough") is True)  # fmt: skip


def _leakage(report: Mapping[str, Any]) -> Line:
    alarms = (report.get("leakage") or {}).get("alarms")
    found = NOT_THERE if alarms is None else f"{len(alarms)} alarm(s)" if alarms else "none"
    return Line("leakage", "no alarm", found, alarms is not None and not alarms)


def _synthetic(report: Mapping[str, Any], situation: Situation) -> Line:
    made_up = report.get("synthetic")
    words = {True: "a model of simulated persons", False: "a model of real persons"}
    where = "simulated" if situation.is_workspace_synthetic else "real or unknown"
    found = f"{words.get(made_up, 'a model of unknown persons')}; persons here are {where}"  # type: ignore[arg-type]
    passed = made_up is False or (made_up is True and situation.is_workspace_synthetic)
    return Line("synthetic", "a model of simulated persons serves simulated persons only", found, passed)


def _approval(policy: Policy, situation: Situation) -> Iterator[Line]:
    if situation.approver is None:
        return
    yield Line("approver", "a name", situation.approver or "none", bool(situation.approver))
    yield Line("reason", "a reason", situation.reason or "none", bool(situation.reason))
    if policy.four_eyes:
        same = situation.approver.casefold() == situation.registered_by.casefold()
        found = f"approved by {situation.approver}, registered by {situation.registered_by or 'nobody known'}"
        yield Line("four_eyes", "another approver than who registered it", found,
                   bool(situation.registered_by) and not same)  # fmt: skip


def _meet(number: Mapping[str, float], limits: tuple[float, float]) -> bool:
    return number["low"] <= limits[1] and limits[0] <= number["high"]
