"""The written policy by which a registered version may go into service: docs/promotion.md in words, here line by line.

Every line is judged on the evaluation that was registered with the version. What the evaluation does not say counts
against the version, and there is no way around a line but to change the numbers of the policy, which every record of a
promotion carries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.promotion_comparisons import better, better_than_published, not_worse_than_current, useful
from models.promotion_terms import (
    NOT_THERE,
    InService,
    Line,
    Policy,
    PromotionRefused,
    Situation,
    complete,
    counts_days,
    interval,
    of_champion,
    shown,
)

__all__ = ["InService", "Line", "Policy", "PromotionRefused", "Situation", "judge"]

PRIOR_ABSENCE = "prior_absence"

HARM_OF = ("sex", "age", "education")
"""Every group of these that is shown must have been large enough for harm to be seen."""


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
        _resamples(report, policy),
        _refits(report, policy),
        _looks(policy, situation),
        _observed_to_expected(report, policy),
        _slope(report, policy),
        *_horizons(report, policy),
        _harm(report, policy),
        _sample_size(report),
        _leakage(report),
        *better(report, policy, PRIOR_ABSENCE, "the model of prior absence alone"),
        *better_than_published(report, policy),
        *useful(report),
        *not_worse_than_current(report, policy, situation.in_service),
        _synthetic(report, situation),
        *_approval(policy, situation),
    ]


def _events(report: Mapping[str, Any], policy: Policy) -> Line:
    # Persons, not rows: one absence stands in the rows of up to four quarters.
    found = report.get("test", {}).get("persons_with_event")
    rule = f"at least {policy.fewest_test_events} persons with an event in the test rows"
    return Line("test_events", rule, shown(found), found is not None and found >= policy.fewest_test_events)


def _resamples(report: Mapping[str, Any], policy: Policy) -> Line:
    found = report.get("settings", {}).get("evaluate", {}).get("bootstrap")
    rule = f"at least {policy.fewest_resamples} behind each interval"
    return Line("resamples", rule, shown(found), found is not None and found >= policy.fewest_resamples)


def _refits(report: Mapping[str, Any], policy: Policy) -> Line:
    found = report.get("refits")
    rule = f"at least {policy.fewest_refits} behind the interval of each person's risk"
    return Line("refits", rule, shown(found), found is not None and found >= policy.fewest_refits)


def _looks(policy: Policy, situation: Situation) -> Line:
    found, most = situation.versions_on_test_rows, policy.most_versions_on_test_rows
    rule = f"at most {most} registered versions judged on the same test rows, this one too"
    return Line("looks", rule, "not known" if found is None else str(found), found is not None and found <= most)


def _observed_to_expected(report: Mapping[str, Any], policy: Policy) -> Line:
    low, high = policy.observed_to_expected
    best = policy.good_calibration
    widest = policy.widest_observed_to_expected
    rule = (
        f"observed over expected {low:g} to {high:g}, its interval reaching into {best[0]:g} to {best[1]:g}, "
        f"the upper end at most {widest:g} times the lower"
    )
    number = of_champion(report, "observed_to_expected")
    passed = number is not None and low <= number["value"] <= high and _meet(number, best)
    passed = passed and number is not None and number["high"] <= widest * number["low"]
    return Line("calibration", rule, interval(number), passed)


def _slope(report: Mapping[str, Any], policy: Policy) -> Line:
    low, high = policy.calibration_slope
    best = policy.good_slope
    number = of_champion(report, "calibration_slope")
    passed = number is not None and low <= number["value"] <= high and _meet(number, best)
    rule = f"{low:g} to {high:g}, its interval reaching into {best[0]:g} to {best[1]:g}"
    return Line("calibration_slope", rule, interval(number), passed)


def _horizons(report: Mapping[str, Any], policy: Policy) -> Iterator[Line]:
    """Every day whose risk is served; days of absence have none, and an event that has no date has a reason instead."""
    if counts_days(report):
        return
    limits = {"observed_to_expected": policy.observed_to_expected, "calibration_slope": policy.calibration_slope}
    said = report.get("horizons") or {}
    wrong = [
        f"day {day} {metric} {interval(number)}"
        for day, one in said.get("days", {}).items()
        for metric, bounds in limits.items()
        if (number := complete(one.get(metric))) is None or not _meet(number, bounds)
    ]
    served = ", ".join(sorted(said.get("days", {}), key=int))
    found = "; ".join(wrong) or (
        f"days {served} hold" if served else "none is served" if "reason" in said else NOT_THERE
    )
    within = [f"{metric} {bounds[0]:g} to {bounds[1]:g}" for metric, bounds in limits.items()]
    rule = f"the risk by every day that is served was judged, intervals reaching into {' and '.join(within)}"
    yield Line("horizons", rule, found, found != NOT_THERE and not wrong)


def _harm(report: Mapping[str, Any], policy: Policy) -> Line:
    groups, seen = report.get("harm"), (report.get("subgroups") or {}).get("detectable") or {}
    named = [f"{one.get('attribute')} {one.get('group')} ({one.get('finding')})" for one in groups or []]
    limit, unasked = policy.largest_detectable_ratio, [name for name in HARM_OF if seen.get(name) is None]
    weakest = max((seen[name] for name in HARM_OF if name not in unasked), default=0.0)
    power = f"a ratio of {weakest:.2f} would have been seen four times in five"
    if unasked:
        power = f"not every group of {', '.join(unasked)} could be judged, or none is shown"
    found = NOT_THERE if groups is None else ", ".join(named) or f"none named; {power}"
    rule = f"no group that is harmed, and for {', '.join(HARM_OF)} a ratio of {limit:g} seen four times in five"
    asked = not unasked and weakest <= limit
    return Line("subgroup_harm", rule, found, groups is not None and not groups and asked)


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
    of_whom = words[made_up] if isinstance(made_up, bool) else "a model of unknown persons"
    where = "simulated" if situation.is_workspace_synthetic else "real or unknown"
    found = f"{of_whom}; persons here are {where}"
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
