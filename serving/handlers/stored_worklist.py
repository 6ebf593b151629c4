"""The worklist: what is asked in the address, and what is answered; the clinician's page asks the same question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar, get_args

from data_contracts.domains import DOMAIN_LABELS, Domain
from models.outcomes import OUTCOMES
from serving import problems
from serving.access.caller import ANY
from serving.access.policy import Subject
from serving.call import Basis, Call
from serving.handlers.stored import identifier, night_basis
from serving.handlers.stored_bodies import (
    DEFAULT_CAPACITY,
    MOST_CAPACITY,
    WORKLIST_QUERY,
    DecisionShown,
    WorklistPerson,
    WorklistResponse,
)
from serving.problems import Problem, Refused
from serving.store.worklist import Order, Worklist, WorklistEntry, WorklistQuestion

Name = TypeVar("Name", bound=str)

NO_NIGHT = Problem(404, "no-night", "No such night", "That night was not scored. Leave it out for the newest.")


def worklist_subjects(call: Call) -> Sequence[Subject]:
    """Return everybody who is named, each an event in the audit log; of a company that is not the caller's, that company."""
    company = question(call).company
    if company is not None and company not in call.caller.organisations:
        return [Subject(None, frozenset({company}))]
    found = listed(call)
    return [Subject(entry.person_id, entry.companies) for entry in (*found.entries, *found.set_aside)]


def worklist_basis(call: Call) -> Basis:
    """Return the model that ranked the list, and from which data."""
    found = listed(call)
    return night_basis(call, found.night, (found.outcome,))


def worklist(call: Call) -> WorklistResponse:
    """Whom to talk with first."""
    asked, found = question(call), listed(call)
    is_event = found.target == "event"
    return WorklistResponse(
        night=found.night,
        outcome=found.outcome,
        capacity=asked.capacity,
        order=asked.order,
        persons=tuple(_person(entry, is_event) for entry in found.entries),
        set_aside=tuple(_person(entry, is_event) for entry in found.set_aside),
        safety_flags_left_out=found.n_flagged_left_out,
        above_capacity=found.n_above_capacity,
    )


def listed(call: Call) -> Worklist:
    """Return the list, read once a request: whom the answer names is whom the audit log names."""
    if "worklist" not in call.kept:
        found = call.parts.store.worklist(question(call))
        if found is None:
            raise Refused(NO_NIGHT)
        call.kept["worklist"] = found
    kept: Worklist = call.kept["worklist"]
    return kept


def question(call: Call) -> WorklistQuestion:
    """Return what the address asks, defaults filled in; raises Refused where it cannot be understood."""
    return WorklistQuestion(
        subject=call.caller.subject,
        # Only an app or an auditor may act for all companies, and neither has a worklist.
        companies=call.caller.organisations - {ANY},
        outcome=_one_of(call, "outcome", tuple(OUTCOMES)) or WORKLIST_QUERY["outcome"]["default"],
        capacity=_capacity(call),
        day=call.today,
        night=_night(call),
        order=_one_of(call, "order", get_args(Order)) or WORKLIST_QUERY["order"]["default"],
        company=_company(call),
        domain=_domain(call),
    )


def _said(call: Call, name: str) -> str | None:
    """Return what stands in the address."""
    given = call.query.getlist(name)
    if len(given) > 1:
        raise Refused(problems.invalid_query(f"{name} stands more than once"))
    return given[0] if given else None


def _one_of(call: Call, name: str, known: Sequence[Name]) -> Name | None:
    said = _said(call, name)
    if said is None:
        return None
    if said not in known:
        raise Refused(problems.invalid_query(f"{name} must be one of: {', '.join(known)}"))
    return known[known.index(said)]


def _domain(call: Call) -> Domain | None:
    return _one_of(call, "domain", tuple(DOMAIN_LABELS))


def _company(call: Call) -> str | None:
    said = _said(call, "company")
    return None if said is None else identifier("/company", said)


def _capacity(call: Call) -> int:
    text = _said(call, "capacity")
    if text is None:
        return DEFAULT_CAPACITY
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MOST_CAPACITY):
        raise Refused(problems.invalid_query(f"capacity must be a number from 1 to {MOST_CAPACITY}"))
    return int(text)


def _night(call: Call) -> date | None:
    text = _said(call, "night")
    try:
        if text is None or len(text) == 10:
            return None if text is None else date.fromisoformat(text)
    except ValueError:
        pass
    raise Refused(problems.invalid_query("night must be a date such as 2026-03-01"))


def _person(entry: WorklistEntry, is_event: bool) -> WorklistPerson:
    interval = None if entry.low is None or entry.high is None else (entry.low, entry.high)
    last = entry.last_decision
    return WorklistPerson(
        person_id=entry.person_id,
        score_id=entry.score_id,
        risk=entry.number if is_event else None,
        interval=interval if is_event else None,
        expected_days=None if is_event else entry.number,
        expected_days_interval=None if is_event else interval,
        band=entry.band,
        benefit=entry.benefit,
        domain=entry.domain,
        mark=entry.mark,
        has_safety_flag=entry.is_flagged,
        last_decision=None if last is None else DecisionShown(**vars(last)),
        has_care_relation=entry.has_care_relation,
    )
