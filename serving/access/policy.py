"""The one table of who may do what, why, for whom. What does not stand in it is denied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from serving.access.caller import Caller, Role


class Action(StrEnum):
    """What can be asked of the service."""

    SCORE = "score"
    EXPLAIN = "explain"
    WHAT_IF = "what_if"
    PROFILE = "profile"
    READ_WORKLIST = "read_worklist"
    READ_ALERTS = "read_alerts"
    ACKNOWLEDGE_ALERT = "acknowledge_alert"
    READ_PERSON = "read_person"
    RECORD_DECISION = "record_decision"
    BEGIN_CARE = "begin_care"
    WITHDRAW = "withdraw"
    READ_REPORT = "read_report"
    READ_MODELS = "read_models"
    READ_ACCESSES = "read_accesses"


class Purpose(StrEnum):
    """What the answer is for, as the caller declares it in the header X-Purpose-Of-Use."""

    HEALTHCARE = "healthcare"
    QUALITY = "quality"
    AGGREGATE_REPORTING = "aggregate_reporting"
    AUDIT = "audit"


@dataclass(frozen=True)
class Subject:
    """Whom a request is about: a person with the companies of today's employments, or companies alone."""

    person_id: str | None
    companies: frozenset[str]


@dataclass(frozen=True)
class Condition:
    """What must hold besides the rule itself.

    Attributes
    ----------
    organisation : bool
        The caller acts for a company where the person is employed now (or for the company that is asked about).
    care_relation : bool
        The caller has begun care of the person, and it has not run out.
    """

    organisation: bool
    care_relation: bool


@dataclass(frozen=True)
class Decision:
    """Allowed or denied, with a fixed code that may be shown and logged."""

    allowed: bool
    reason: str


NOTHING_ELSE = Condition(organisation=False, care_relation=False)
ORGANISATION = Condition(organisation=True, care_relation=False)
CARE = Condition(organisation=True, care_relation=True)

Rule = tuple[Role, Purpose, Action]


def _rules(role: Role, purpose: Purpose, condition: Condition, actions: Iterable[Action]) -> dict[Rule, Condition]:
    return {(role, purpose, action): condition for action in actions}


_A, _P = Action, Purpose
RULES: Mapping[Rule, Condition] = MappingProxyType(
    _rules("app", _P.HEALTHCARE, ORGANISATION, (_A.SCORE, _A.EXPLAIN, _A.WHAT_IF, _A.PROFILE, _A.WITHDRAW))
    | _rules("app", _P.HEALTHCARE, NOTHING_ELSE, (_A.READ_MODELS,))
    | _rules("clinician", _P.HEALTHCARE, CARE, (_A.SCORE, _A.EXPLAIN, _A.WHAT_IF, _A.PROFILE))
    | _rules("clinician", _P.HEALTHCARE, CARE, (_A.READ_PERSON, _A.RECORD_DECISION))
    | _rules("clinician", _P.HEALTHCARE, ORGANISATION, (_A.READ_WORKLIST, _A.BEGIN_CARE))
    | _rules("clinician", _P.HEALTHCARE, ORGANISATION, (_A.READ_ALERTS, _A.ACKNOWLEDGE_ALERT))
    | _rules("clinician", _P.HEALTHCARE, NOTHING_ELSE, (_A.READ_MODELS,))
    | _rules("clinician", _P.QUALITY, NOTHING_ELSE, (_A.READ_MODELS,))
    | _rules("employer", _P.AGGREGATE_REPORTING, ORGANISATION, (_A.READ_REPORT,))
    | _rules("auditor", _P.AUDIT, ORGANISATION, (_A.READ_ACCESSES,))
    | _rules("auditor", _P.AUDIT, NOTHING_ELSE, (_A.READ_MODELS,))
)

ALLOWED = Decision(True, "allowed")
ROLE = Decision(False, "role_not_allowed")
PURPOSE = Decision(False, "purpose_not_allowed")
OTHER_ORGANISATION = Decision(False, "other_organisation")
NO_CARE_RELATION = Decision(False, "no_care_relation")


def permit(caller: Caller, purpose: Purpose, action: Action) -> Decision:
    """Decide before the body is read: could this caller do this, for this purpose, to anybody at all?"""
    condition = RULES.get((caller.role, purpose, action))
    if condition is None:
        elsewhere = any((caller.role, other, action) in RULES for other in Purpose)
        return PURPOSE if elsewhere else ROLE
    if condition.organisation and not caller.organisations:
        return OTHER_ORGANISATION
    return ALLOWED


def permit_subject(
    caller: Caller, purpose: Purpose, action: Action, subject: Subject, has_care_relation: Callable[[], bool]
) -> Decision:
    """Decide about one person (or company).

    Parameters
    ----------
    has_care_relation : callable
        Asked only where the table demands it and all else holds, since it costs a look into the store.
    """
    general = permit(caller, purpose, action)
    if not general.allowed:
        return general
    if caller.role == "employer" and subject.person_id is not None:
        return ROLE  # whatever the table may say one day: an employer is answered about companies only
    condition = RULES[caller.role, purpose, action]
    if condition.organisation and not caller.acts_for(subject.companies):
        return OTHER_ORGANISATION
    if condition.care_relation and (subject.person_id is None or not has_care_relation()):
        return NO_CARE_RELATION
    return ALLOWED
