"""The lines of the policy that set the new model beside others, on the same test rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.evaluation.thresholds import key_at, shown_threshold
from models.outcomes import OUTCOMES
from models.promotion_terms import InService, Line, Policy, complete, counts_days, difference, interval, of_champion

PUBLISHED, CURRENT = "roelen", "current_champion"

_LOSS, _LOSS_OF_MODEL = "loss", "tweedie_deviance"
"""The loss of days under its two names: in the differences, and among the numbers of a model."""


def better_than_published(report: Mapping[str, Any], policy: Policy) -> Iterator[Line]:
    """Against the published model, for outcomes that have one: Roelen's formula is of absence events."""
    outcome = OUTCOMES.get(str(report.get("outcome")))
    if outcome is None or (outcome.target == "event" and outcome.label_source == "absence"):
        yield from better(report, policy, PUBLISHED, "the published model, recalibrated")


def better(report: Mapping[str, Any], policy: Policy, other: str, words: str) -> Iterator[Line]:
    """Better than another model in discrimination, and not worse in net benefit."""
    name = f"better_than_{other}"
    if report.get("champion") == other:
        yield Line(name, f"better than {words}", "it is that model", False)
        return
    if counts_days(report):
        loss = difference(report, other, _LOSS)
        yield Line(name, f"loss below that of {words}, interval and all", interval(loss),
                   loss is not None and loss["high"] < 0)  # fmt: skip
        return
    area = difference(report, other, "auroc")
    yield Line(name, f"AUROC above that of {words}, interval and all", interval(area),
               area is not None and area["low"] > 0)  # fmt: skip
    yield _net_benefit(report, policy, other, words)


def _net_benefit(report: Mapping[str, Any], policy: Policy, other: str, words: str) -> Line:
    """At the working threshold, which was stated before: at one of several thresholds something is always worse by chance."""
    threshold = report.get("threshold")
    number = None if threshold is None else difference(report, other, key_at(threshold))
    margin = policy.net_benefit_margin * (threshold or 0.0)
    rule = f"at {_at(threshold)} at most {margin:.2g} below {words}, interval and all"
    passed = number is not None and bool(number["low"] >= -margin)
    return Line(f"net_benefit_against_{other}", rule, interval(number), passed)


def useful(report: Mapping[str, Any]) -> Iterator[Line]:
    """Better at the working threshold than what needs no model; days have no threshold."""
    if counts_days(report):
        return
    threshold, curve = report.get("threshold"), report.get("decision_curve") or {}
    places = [place for place, cut in enumerate(curve.get("thresholds", ())) if cut == threshold]
    gain = curve.get("gain_over_defaults")
    number = complete({part: gain[part][places[0]] for part in gain}) if gain and places else None
    rule = f"at {_at(threshold)} net benefit above that of acting on all and on none, interval and all"
    yield Line("useful", rule, interval(number), number is not None and bool(number["low"] > 0))


def _at(threshold: float | None) -> str:
    return "the working threshold" if threshold is None else f"a risk of {shown_threshold(threshold)}"


def not_worse_than_current(report: Mapping[str, Any], policy: Policy, current: InService | None) -> Iterator[Line]:
    """Not worse than what serves now, if anything does and this code can open it."""
    name, words = "not_worse_than_current", "the champion in service"
    if current is None:
        yield Line(name, f"not worse than {words}", "nothing is in service", True)
        return
    if current.refused:
        found = f"not tested: version {current.version} cannot be opened by this code: {current.refused}"
        yield Line(name, f"not worse than {words}", found, True)
        return
    judged = report.get(CURRENT) or {}
    if judged.get("artifact_sha256") != current.artifact_sha256:
        against = f"version {judged['version']}" if "version" in judged else "none"
        yield Line(name, f"evaluated against {words}, version {current.version}",
                   f"evaluated against another champion ({against}); evaluate and register again", False)  # fmt: skip
        return
    yield _margin(report, policy, name, words)
    if not counts_days(report):
        yield _net_benefit(report, policy, CURRENT, words)


def _margin(report: Mapping[str, Any], policy: Policy, name: str, words: str) -> Line:
    if counts_days(report):
        loss, own = difference(report, CURRENT, _LOSS), of_champion(report, _LOSS_OF_MODEL)
        rule = f"loss at most {policy.loss_margin:.0%} above that of {words}, interval and all"
        passed = loss is not None and own is not None and loss["high"] <= policy.loss_margin * own["value"]
        return Line(name, rule, interval(loss), bool(passed))
    area = difference(report, CURRENT, "auroc")
    rule = f"AUROC at most {policy.auroc_margin:g} below that of {words}, interval and all"
    return Line(name, rule, interval(area), area is not None and bool(area["low"] >= -policy.auroc_margin))
