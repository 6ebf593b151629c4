"""One request of a caller: whom it is about, whether the caller may, and the events that it leaves behind.

The event is queued before the work begins and committed while it runs; the answer waits for the commit. What writes waits
for it before the first row: a change that nobody is said to have made would be worse than an answer. Whatever becomes of a
request with a valid token, it leaves an event; flags of safety go to nobody who may not ask about the person.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.types import Scope

from data_contracts.national_identity_number import mask
from data_contracts.records import Identifier
from data_contracts.time_windows import today
from serving import problems
from serving.access.caller import PEOPLE, Caller
from serving.access.policy import ROLE, RULES, Action, Decision, Purpose, Subject, permit, permit_subject
from serving.access.tokens import TokenRefused
from serving.audit.errors import AuditUnavailable
from serving.audit.event import AuditEvent
from serving.body import WrongForm, parsed
from serving.call import Call, Endpoint, response_of
from serving.faults import problem_of
from serving.handlers.subjects import subject_of
from serving.parts import Parts
from serving.problems import Problem, Refused
from serving.request_head import bearer, has_no_token, is_same_origin, language, purpose, query, query_of

NOBODY = Caller(subject="", role="app", organisations=frozenset(), issuer="")
AUDIT_SECONDS = 6.0
FROM_RECORD = frozenset({Action.SCORE, Action.EXPLAIN, Action.WHAT_IF, Action.PROFILE})
"""What is answered from a record that the caller has sent, its employments included."""
CROSS_SITE = Decision(False, "sent_by_another_site")
INVALID = Decision(False, "invalid_request")
NOT_LOGGED = Decision(False, "further_tries_not_logged")

_IDENTIFIER = TypeAdapter(Identifier)


class Ticket:
    """One request on its way."""

    def __init__(self, endpoint: Endpoint, parts: Parts, request_id: str) -> None:
        if parts.tokens is None or parts.journal is None:
            raise Refused(problems.not_ready(parts.not_ready_because()))
        self.endpoint = endpoint
        self.parts = parts
        self.tokens = parts.tokens
        self.journal = parts.journal
        self.request_id = request_id
        self.caller = NOBODY
        self.purpose: Purpose | None = None
        self.record: Any = None
        self.person_id: str | None = None
        """Whom the address names, for the events of what is refused before anybody is read about."""
        self.committed: list[Future[int]] = []
        """Events of the log without which no answer leaves."""
        self.names_nobody = False
        self.is_allowed = False

    async def admit(self, scope: Scope) -> None:
        """Find out who asks and whether such a caller may ask such a thing at all; raises Refused."""
        self.person_id = _person_of(scope)
        settings = self.parts.settings
        if self.endpoint.is_page and self.endpoint.method == "GET" and has_no_token(scope, settings):
            # Neither counted nor logged: it is shown the way in, as whoever opens a bookmark, and told of nobody. Counted,
            # a flood of these would keep all others from that way.
            raise Refused(problems.unauthenticated("no_token"))
        try:
            self.caller = self.tokens.verify(bearer(scope, settings, is_page=self.endpoint.is_page))
        except TokenRefused as refused:
            await self._deny(Decision(False, refused.reason), problems.unauthenticated(refused.reason))
        scope["caller"] = self.caller  # for the page of a refusal, which is written without the ticket
        declared = purpose(scope, self.endpoint)
        if self.endpoint.is_page and self.endpoint.method == "POST" and not is_same_origin(scope, settings):
            await self._deny(CROSS_SITE, problems.forbidden(CROSS_SITE.reason))
        elif declared is None:
            reason = f"send_X-Purpose-Of-Use,_one_of_{',_'.join(Purpose)}"
            await self._deny(Decision(False, reason), problems.forbidden(reason))
        else:
            self.purpose = declared
            await self._admit_for(declared)

    async def _admit_for(self, declared: Purpose) -> None:
        is_for_others = self.endpoint.is_page and self.caller.role not in PEOPLE
        decision = ROLE if is_for_others else permit(self.caller, declared, self.endpoint.action)
        if not decision.allowed:
            await self._deny(decision, problems.forbidden(decision.reason))
        wait = self._wait()
        if wait is not None:
            raise Refused(problems.quota_spent(wait))

    def _wait(self) -> float | None:
        quotas, subject = self.parts.quotas, self.caller.subject
        if self.endpoint.is_explained:
            return quotas.take_explained_page(subject)
        return quotas.take(subject, self.endpoint.action)

    def begin(self, scope: Scope, body: bytes) -> Call | Problem:
        """Return what the handler is given, its event handed over, or why the request is refused."""
        try:
            return self._begun(scope, body)
        except Exception as error:
            return problem_of(error)

    def end(self, scope: Scope, call: Call | Problem, answer: Any) -> tuple[Response, Sequence[Future[int]]]:
        """Return the answer, or what became of it, and what must be committed before it leaves; never raises."""
        problem = call if isinstance(call, Problem) else answer
        try:
            if isinstance(call, Call) and not isinstance(answer, Problem):
                self._must_name(call)
                return response_of(self.endpoint, answer), self.committed
        except Exception as error:
            problem = problem_of(error)
        if not self.committed:
            self.committed.append(self._noted(problem))
        try:
            return self.endpoint.refuse(self._with_safety(problem), scope), self.committed
        except Exception as error:  # a fault of ours in the record that a refusal is about
            return self.endpoint.refuse(problem_of(error), scope), self.committed

    async def note(self, problem: Problem) -> None:
        """Log that a known caller was refused before anything was read that could name somebody."""
        await wait_for([self._noted(problem)])

    def _begun(self, scope: Scope, body: bytes) -> Call:
        call = self._call(scope, body)
        if self.endpoint.body is None:
            query(self.endpoint, scope)  # before the store is asked whom the answer would be about
        else:
            call = replace(call, body=self._parsed(self.endpoint.body, call, body))
        self._audit(call, self.endpoint.subjects(call) or (Subject(None, frozenset()),))
        query(self.endpoint, scope)
        if call.predictor is None and self.endpoint.needs_model:
            raise Refused(problems.not_ready(self.parts.watch.not_ready_because()))
        return call

    def _must_name(self, call: Call) -> None:
        """Raise if an answer that the policy ties to an organisation is about nobody whom it was asked about."""
        condition = RULES[self.caller.role, call.purpose, self.endpoint.action]
        # Of a list from the store nobody may be on it; of a batch each record is asked about by its handler.
        is_record = self.endpoint.body is not None and not self.endpoint.is_bulk
        if self.names_nobody and condition.organisation and is_record:
            raise RuntimeError("an answer about nobody")

    def _with_safety(self, problem: Problem) -> Problem:
        """Return a problem with the safety flags of the record, which no problem may hide from those who may ask."""
        if not self.is_allowed:
            return replace(problem, safety_flags=())
        return problem if problem.safety_flags or self.record is None else problems.flagged(problem, self.record)

    def _call(self, scope: Scope, body: bytes) -> Call:
        return Call(
            caller=self.caller,
            purpose=Purpose(self.purpose or ""),
            predictor=self.parts.watch.predictor,
            body=None,
            path=scope.get("path_params", {}),
            query=query_of(scope, self.endpoint),
            today=today(),
            request_id=self.request_id,
            parts=self.parts,
            language=language(scope),
            address=f"{scope['path']}?{scope.get('query_string', b'').decode('latin-1')}".rstrip("?"),
            sent=f"sha256:{hashlib.sha256(body).hexdigest()[:16]}" if body else "",
        )

    def _parsed(self, model: type[BaseModel], call: Call, body: bytes) -> Any:
        try:
            asked = parsed(body, model, is_form=self.endpoint.is_page)
        except WrongForm as wrong:
            if isinstance(wrong.record, dict) and self.endpoint.action in FROM_RECORD:
                self.record = wrong.record  # about somebody all the same, whose flags the refusal may carry
                self._audit(call, [subject_of(wrong.record, call.today)], is_answered=False)
            raise
        self.record = getattr(asked, "record", None)
        return asked

    def _audit(self, call: Call, subjects: Sequence[Subject], is_answered: bool = True) -> None:
        """Decide about each subject and hand over an event of each; raises Refused if one of them is denied."""
        decisions = [self._decision(call, self._believed(subject)) for subject in subjects]
        denied = [decision for decision in decisions if not decision.allowed]
        is_record = self.endpoint.action in FROM_RECORD
        unused = (), call.sent if is_record else ""
        models, data = self.endpoint.basis(call) if is_answered and not denied else unused
        is_wrong = not denied and self.endpoint.is_wrong(call)
        events = [
            self._event(INVALID if is_wrong else decision, subject.person_id, models, data)
            for subject, decision in zip(subjects, decisions, strict=True)
        ]
        if is_wrong and self.endpoint.shows:
            seen = decisions[0].reason
            events += [replace(one, action=self.endpoint.shows, decision="allowed", reason=seen) for one in events]
        self.committed.append(self.journal.append(events))
        if denied:
            raise Refused(problems.forbidden(denied[0].reason))
        if self.endpoint.writes and not is_wrong:
            _committed(self.committed[-1])
        self.is_allowed = True

    def _believed(self, subject: Subject) -> Subject:
        """Return a subject with the companies that count.

        An app has the record from the person or her employer, and gets nothing but what follows from it. A clinician's
        mandate is what the store says of the person: no employment that is written into a record widens it.
        """
        if self.caller.role != "clinician" or self.endpoint.action not in FROM_RECORD or subject.person_id is None:
            return subject
        return Subject(subject.person_id, self.parts.store.memberships_of(subject.person_id))

    def _decision(self, call: Call, subject: Subject) -> Decision:
        if subject.person_id is None and not subject.companies:
            # What is about nobody (the list of models), or a record that its check will refuse: see _must_name.
            self.names_nobody = True
            return Decision(True, "nobody_is_named")
        has_care = partial(_has_care_relation, call, subject)
        return permit_subject(self.caller, call.purpose, self.endpoint.action, subject, has_care)

    async def _deny(self, decision: Decision, problem: Problem) -> None:
        wait = self.parts.quotas.take_denied(self.caller.subject)
        if wait is None:
            await self._log(decision)
            raise Refused(problem)
        if self.parts.quotas.take_note(self.caller.subject):  # the log must say that it does not say all
            await self._log(NOT_LOGGED)
        raise Refused(problems.quota_spent(wait))

    async def _log(self, decision: Decision) -> None:
        await wait_for([self.journal.append([self._event(decision, self.person_id, (), "")])])

    def _noted(self, problem: Problem) -> Future[int]:
        decision = Decision(False, problem.kind.replace("-", "_"))
        return self.journal.append([self._event(decision, self.person_id, (), "")])

    def _event(self, decision: Decision, person_id: str | None, models: tuple[str, ...], data: str) -> AuditEvent:
        return AuditEvent(
            at=datetime.now(UTC),
            caller=self.caller.subject,
            role=self.caller.role if self.caller is not NOBODY else "",
            organisations=tuple(sorted(self.caller.organisations)),
            purpose=self.purpose or "",
            action=self.endpoint.action,
            person_id=None if person_id is None else mask(person_id),
            decision="allowed" if decision.allowed else "denied",
            reason=decision.reason,
            models=models,
            data_version=data,
            request_id=self.request_id,
        )


async def wait_for(committed: Sequence[Future[int]]) -> None:
    """Return when events are committed; raises Refused where they cannot be, or not in time."""
    try:
        async with asyncio.timeout(AUDIT_SECONDS):
            for future in committed:
                await asyncio.wrap_future(future)
    except (AuditUnavailable, TimeoutError):
        raise Refused(problems.AUDIT_UNAVAILABLE) from None


def _committed(future: Future[int]) -> None:
    """As ``wait_for``, in a thread."""
    try:
        future.result(AUDIT_SECONDS)
    except (AuditUnavailable, TimeoutError):
        raise Refused(problems.AUDIT_UNAVAILABLE) from None


def _person_of(scope: Scope) -> str | None:
    """Return the person that the path names, if that can be one."""
    try:
        return _IDENTIFIER.validate_python(scope.get("path_params", {}).get("person_id"))
    except ValidationError:
        return None


def _has_care_relation(call: Call, subject: Subject) -> bool:
    if subject.person_id is None:
        return False
    return call.parts.store.has_care_relation(call.caller.subject, subject.person_id, call.today)
