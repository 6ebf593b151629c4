"""What is answered from the store: stored risks, decisions, care, withdrawals, company reports, access logs.

Who may ask is decided before (``subjects`` names whom an answer is about). A person without a score that may be shown, be
it because of a withdrawal or because there never was one, is answered in one way: there is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import date
from typing import NoReturn

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from data_contracts.national_identity_number import contains
from data_contracts.records import Identifier
from models.outcomes import OUTCOMES
from serving import problems
from serving.access.policy import Subject
from serving.audit.reading import accesses as accesses_to
from serving.call import Basis, Call
from serving.handlers.stored_bodies import (
    AccessEvent,
    AccessLog,
    CareRelation,
    DecisionRecorded,
    Withdrawal,
)
from serving.problems import FieldError, Refused
from serving.store.scores import StoredScore

MOST_ACCESSES = 10_000


_IDENTIFIER = TypeAdapter(Identifier)


def person_subjects(call: Call) -> Sequence[Subject]:
    """Return the person of the path, with the companies the store knows of."""
    person_id = named(call, "person_id")
    return (Subject(person_id, call.parts.store.companies_of(person_id, call.today)),)


def known_subjects(call: Call) -> Sequence[Subject]:
    """Return the person of the path, with the companies the store knows of, whatever she consents to.

    A withdrawal can be said again, and a person's log be read, when nothing is consented to any more. Of whom the store
    knows nothing only a caller for all companies is answered: another must not learn who is known elsewhere.
    """
    person_id = named(call, "person_id")
    return (Subject(person_id, call.parts.store.memberships_of(person_id)),)


def company_subjects(call: Call) -> Sequence[Subject]:
    """Return the company of the path."""
    return (Subject(None, frozenset({named(call, "company_id")})),)


def nothing(call: Call) -> Basis:
    """Return no models and no data: what is written down is the caller's own word, and a body of few words has no hash."""
    return (), ""


def person_basis(call: Call) -> Basis:
    """Return the models of the night that the stored answer is of, and its data."""
    found = latest(call)
    return ((), "") if found is None else night_basis(call, found.night)


def night_basis(call: Call, day: date, outcomes: Sequence[str] = tuple(OUTCOMES)) -> Basis:
    """Return the models of a night, and its data."""
    night = call.parts.store.night(day)
    if night is None:
        return (), ""
    models = {name: model for name, model in night.models.items() if name in outcomes}
    named = (f"{name}:{one['version']}:{one['artifact_sha256'][:12]}" for name, one in models.items())
    return tuple(named), night.data_version


def person_risk(call: Call) -> Response:
    """Answer the newest night's answer about a person; its bytes are those that were computed."""
    found = latest(call)
    if found is None:
        raise Refused(problems.NO_SCORE)
    about = f'{{"night":"{found.night}","score_id":"{found.score_id}","answer":'.encode()
    return Response(about + found.answer + b"}", media_type="application/json")


def decide(call: Call) -> DecisionRecorded:
    """Note what a clinician says about a stored score."""
    store, body = call.parts.store, call.body
    score = store.score(body.score_id, named(call, "person_id"), call.today)
    if score is None:
        raise Refused(problems.NO_SCORE)
    noted = store.record_decision(call.caller.subject, score, body.outcome, body.verdict, body.reason, body.next_step)
    if noted is None:
        _refuse_field("/outcome", "outcome not in the score", "must be an outcome that the score tells of")
    return DecisionRecorded(
        decision_id=noted.decision_id,
        score_id=body.score_id,
        outcome=body.outcome,
        verdict=body.verdict,
        next_step=body.next_step,
        decided_at=noted.decided_at,
    )


def begin_care(call: Call) -> CareRelation:
    """Note that the person is in the caller's care."""
    person_id = named(call, "person_id")
    until = call.parts.store.begin_care(call.caller.subject, person_id, call.body.reason, call.today)
    return CareRelation(person_id=person_id, until=until)


def withdraw(call: Call) -> Withdrawal:
    """Note that a person withdraws consent; it counts from now on."""
    person_id = named(call, "person_id")
    sources = call.parts.store.withdraw(person_id, call.body.source, call.today)
    call.parts.withdrawals.note(person_id, sources, call.today)
    return Withdrawal(person_id=person_id, sources=sources, withdrawn_on=call.today)


def accesses(call: Call) -> AccessLog:
    """Answer who has looked at a person, or tried to."""
    person_id = named(call, "person_id")
    newest = deque(accesses_to(call.parts.settings.audit, person_id), MOST_ACCESSES + 1)
    events = [AccessEvent(**event | {"organisations": tuple(event["organisations"])}) for event in newest]
    return AccessLog(
        person_id=person_id, accesses=tuple(events[-MOST_ACCESSES:]), is_complete=len(events) <= MOST_ACCESSES
    )


def named(call: Call, name: str) -> str:
    """Return an identifier of the path; one that cannot be one, or is a national identity number, is refused unseen."""
    return identifier(f"/{name}", call.path[name])


def identifier(field: str, text: str) -> str:
    """Return a pseudonym, or the name of a company, as it was sent; raises Refused if it cannot be one."""
    try:
        found = _IDENTIFIER.validate_python(text)
    except ValidationError:
        found = ""
    if not found or contains(text):
        _refuse_field(field, "identifier", "must be a pseudonym: letters, digits and _ . : - only, at most 64")
    return found


def _refuse_field(field: str, rule: str, reason: str) -> NoReturn:
    raise Refused(problems.unprocessable("invalid-request", "The request does not have the right form",
                                         [FieldError(field, rule, reason)]))  # fmt: skip


def latest(call: Call) -> StoredScore | None:
    """Return the newest score, read once a request: what the audit log names is what is answered."""
    if "latest" not in call.kept:
        call.kept["latest"] = call.parts.store.latest_score(named(call, "person_id"), call.today)
    found: StoredScore | None = call.kept["latest"]
    return found
