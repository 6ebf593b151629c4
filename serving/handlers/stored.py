"""What is answered from the store: worklist, stored risks, decisions, care, withdrawals, company reports, access logs.

Who may ask is decided before (``subjects`` names whom an answer is about). A person without a score that may be shown, be
it because of a withdrawal or because there never was one, is answered in one way: there is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import date
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from data_contracts.national_identity_number import contains
from data_contracts.records import Identifier
from models.outcomes import OUTCOMES
from serving import problems
from serving.access.caller import ANY
from serving.access.policy import Subject
from serving.audit.reading import accesses as accesses_to
from serving.call import Basis, Call
from serving.handlers.stored_bodies import (
    DEFAULT_CAPACITY,
    MOST_CAPACITY,
    WORKLIST_QUERY,
    AccessEvent,
    AccessLog,
    CareRelation,
    CompanyReport,
    DecisionRecorded,
    DecisionShown,
    OutcomeReport,
    Withdrawal,
    WorklistPerson,
    WorklistResponse,
)
from serving.problems import FieldError, Problem, Refused
from serving.responses import Texts
from serving.store.releases import OutcomeRelease
from serving.store.scores import StoredScore, Worklist, WorklistEntry

MOST_ACCESSES = 10_000

NO_NIGHT = Problem(404, "no-night", "No such night", "That night was not scored. Leave it out for the newest.")
NO_REPORT = Problem(404, "no-report", "No report", "Nothing was computed for this company yet. It is, once a month.")

WHY_NOT = {
    "too_few_persons": Texts(
        nb="Det er for få ansatte som har samtykket til at de telles med, så ingenting er vist.",
        en="Too few employees have consented to being counted, so nothing is shown.",
    ),
    "too_few_in_cell": Texts(
        nb="Det er for få på den ene siden av grensen, så tallet kunne ha sagt noe om enkeltpersoner.",
        en="There are too few on one side of the limit, so the number could have told of single persons.",
    ),
}

_IDENTIFIER = TypeAdapter(Identifier)


def person_subjects(call: Call) -> Sequence[Subject]:
    """Return the person of the path, with the companies the store knows of."""
    person_id = _named(call, "person_id")
    return (Subject(person_id, call.parts.store.companies_of(person_id, call.today)),)


def known_subjects(call: Call) -> Sequence[Subject]:
    """Return the person of the path, with the companies the store knows of, whatever she consents to.

    A withdrawal can be said again, and a person's log be read, when nothing is consented to any more. Of whom the store
    knows nothing only a caller for all companies is answered: another must not learn who is known elsewhere.
    """
    person_id = _named(call, "person_id")
    return (Subject(person_id, call.parts.store.memberships_of(person_id)),)


def company_subjects(call: Call) -> Sequence[Subject]:
    """Return the company of the path."""
    return (Subject(None, frozenset({_named(call, "company_id")})),)


def worklist_subjects(call: Call) -> Sequence[Subject]:
    """Return everybody on the list: each of them is an event in the audit log."""
    return [Subject(entry.person_id, entry.companies) for entry in _worklist(call).entries]


def nothing(call: Call) -> Basis:
    """Return no models and no data: what is written down is the caller's own word, and a body of few words has no hash."""
    return (), ""


def worklist_basis(call: Call) -> Basis:
    """Return the model that ranked the list, and from which data."""
    found = _worklist(call)
    return _night_basis(call, found.night, (found.outcome,))


def person_basis(call: Call) -> Basis:
    """Return the models of the night that the stored answer is of, and its data."""
    found = _latest(call)
    return ((), "") if found is None else _night_basis(call, found.night)


def _night_basis(call: Call, day: date, outcomes: Sequence[str] = tuple(OUTCOMES)) -> Basis:
    night = call.parts.store.night(day)
    if night is None:
        return (), ""
    models = {name: model for name, model in night.models.items() if name in outcomes}
    named = (f"{name}:{one['version']}:{one['artifact_sha256'][:12]}" for name, one in models.items())
    return tuple(named), night.data_version


def worklist(call: Call) -> WorklistResponse:
    """Whom to talk with first."""
    found = _worklist(call)
    return WorklistResponse(
        night=found.night,
        outcome=found.outcome,
        capacity=_capacity(call),
        persons=tuple(_person(entry, found.target == "event") for entry in found.entries),
        safety_flags_left_out=found.n_flagged_left_out,
    )


def person_risk(call: Call) -> Response:
    """Answer the newest night's answer about a person; its bytes are those that were computed."""
    found = _latest(call)
    if found is None:
        raise Refused(problems.NO_SCORE)
    about = f'{{"night":"{found.night}","score_id":"{found.score_id}","answer":'.encode()
    return Response(about + found.answer + b"}", media_type="application/json")


def decide(call: Call) -> DecisionRecorded:
    """Note what a clinician says about a stored score."""
    store, body = call.parts.store, call.body
    score = store.score(body.score_id, _named(call, "person_id"), call.today)
    if score is None:
        raise Refused(problems.NO_SCORE)
    noted = store.record_decision(call.caller.subject, score, body.outcome, body.verdict, body.reason)
    if noted is None:
        _refuse_field("/outcome", "outcome not in the score", "must be an outcome that the score tells of")
    return DecisionRecorded(
        decision_id=noted.decision_id,
        score_id=body.score_id,
        outcome=body.outcome,
        verdict=body.verdict,
        decided_at=noted.decided_at,
    )


def begin_care(call: Call) -> CareRelation:
    """Note that the person is in the caller's care."""
    person_id = _named(call, "person_id")
    until = call.parts.store.begin_care(call.caller.subject, person_id, call.body.reason, call.today)
    return CareRelation(person_id=person_id, until=until)


def withdraw(call: Call) -> Withdrawal:
    """Note that a person withdraws consent; it counts from now on."""
    person_id = _named(call, "person_id")
    sources = call.parts.store.withdraw(person_id, call.body.source, call.today)
    call.parts.withdrawals.note(person_id, sources, call.today)
    return Withdrawal(person_id=person_id, sources=sources, withdrawn_on=call.today)


def company_report(call: Call) -> CompanyReport:
    """Answer the newest month of a company."""
    found = call.parts.store.release(_named(call, "company_id"))
    if found is None:
        raise Refused(NO_REPORT)
    outcomes = {release.outcome: _report(release) for release in found.outcomes}
    return CompanyReport(company_id=found.company_id, month=found.month, outcomes=outcomes)


def accesses(call: Call) -> AccessLog:
    """Answer who has looked at a person, or tried to."""
    person_id = _named(call, "person_id")
    newest = deque(accesses_to(call.parts.settings.audit, person_id), MOST_ACCESSES + 1)
    events = [AccessEvent(**event | {"organisations": tuple(event["organisations"])}) for event in newest]
    return AccessLog(
        person_id=person_id, accesses=tuple(events[-MOST_ACCESSES:]), is_complete=len(events) <= MOST_ACCESSES
    )


def _named(call: Call, name: str) -> str:
    """Return an identifier of the path; one that cannot be one, or is a national identity number, is refused unseen."""
    text = call.path[name]
    try:
        found = _IDENTIFIER.validate_python(text)
    except ValidationError:
        found = ""
    if not found or contains(text):
        _refuse_field(f"/{name}", "identifier", "must be a pseudonym: letters, digits and _ . : - only, at most 64")
    return found


def _refuse_field(field: str, rule: str, reason: str) -> NoReturn:
    raise Refused(problems.unprocessable("invalid-request", "The request does not have the right form",
                                         [FieldError(field, rule, reason)]))  # fmt: skip


def _worklist(call: Call) -> Worklist:
    """Return the list, read once a request: whom the answer names is whom the audit log names."""
    kept: dict[str, Any] = vars(call)
    if "_worklist" not in kept:
        # Only an app or an auditor may act for all companies, and neither has a worklist.
        companies = call.caller.organisations - {ANY}
        found = call.parts.store.worklist(
            call.caller.subject, companies, _outcome(call), _capacity(call), call.today, _night(call)
        )
        if found is None:
            raise Refused(NO_NIGHT)
        kept["_worklist"] = found
    listed: Worklist = kept["_worklist"]
    return listed


def _latest(call: Call) -> StoredScore | None:
    """Return the newest score, read once a request: what the audit log names is what is answered."""
    kept: dict[str, Any] = vars(call)
    if "_latest" not in kept:
        kept["_latest"] = call.parts.store.latest_score(_named(call, "person_id"), call.today)
    found: StoredScore | None = kept["_latest"]
    return found


def _asked(call: Call, name: str) -> str | None:
    given = call.query.getlist(name)
    if len(given) > 1:
        raise Refused(problems.invalid_query(f"{name} stands more than once"))
    return given[0] if given else None


def _outcome(call: Call) -> str:
    name = _asked(call, "outcome") or WORKLIST_QUERY["outcome"]["default"]
    if name not in OUTCOMES:
        raise Refused(problems.invalid_query(f"outcome must be one of: {', '.join(OUTCOMES)}"))
    return str(name)


def _capacity(call: Call) -> int:
    text = _asked(call, "capacity")
    if text is None:
        return DEFAULT_CAPACITY
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MOST_CAPACITY):
        raise Refused(problems.invalid_query(f"capacity must be a number from 1 to {MOST_CAPACITY}"))
    return int(text)


def _night(call: Call) -> date | None:
    text = _asked(call, "night")
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
        has_safety_flag=entry.is_flagged,
        last_decision=None if last is None else DecisionShown(verdict=last.verdict, decided_at=last.decided_at),
        has_care_relation=entry.has_care_relation,
    )


def _report(release: OutcomeRelease) -> OutcomeReport:
    outcome = OUTCOMES[release.outcome]
    return OutcomeReport(
        label=Texts(nb=outcome.label_nb, en=outcome.label_en),
        group_size=release.persons,
        share_above_percent=release.share_percent,
        why_not=WHY_NOT[release.why_not] if release.why_not else None,
    )
