"""One request from socket to answer: token, policy, quota, body, subjects, audit beside the work, and only then the answer.

The audit event is queued before the work begins and committed while it runs; the answer waits for the commit. So no answer
leaves without its event, and an event that cannot be written costs the answer, never the other way round.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from data_contracts.national_identity_number import mask
from data_contracts.time_windows import today
from serving import problems
from serving.access.caller import Caller
from serving.access.policy import RULES, Decision, Purpose, Subject, permit, permit_subject
from serving.access.tokens import KeysUnavailable, TokenRefused
from serving.audit.errors import AuditUnavailable
from serving.audit.event import AuditEvent
from serving.body import ClientGone, parsed, read_body
from serving.call import Call, Endpoint
from serving.faults import problem_of
from serving.gate import Gate
from serving.metrics import observe
from serving.parts import Parts
from serving.problems import Problem, Refused
from serving.request_head import bearer, purpose, query

NOBODY = Caller(subject="", role="app", organisations=frozenset(), issuer="")
AUDIT_SECONDS = 6.0


class Exchange:
    """An endpoint as an ASGI application."""

    def __init__(self, endpoint: Endpoint, parts: Parts, gate: Gate) -> None:
        self.endpoint = endpoint
        self.parts = parts
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id, begun = uuid.uuid4().hex, time.perf_counter()
        try:
            response = await self._guarded(scope, receive, request_id)
        except ClientGone:
            return
        observe(self.endpoint.method, self.endpoint.path, response.status_code, time.perf_counter() - begun)
        response.headers["X-Request-Id"] = request_id
        await response(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        try:
            if self.endpoint.is_bulk:  # few at once, so that their large bodies are few, too
                with self.gate.place(is_bulk=True):
                    return await self._answer(scope, receive, request_id)
            return await self._answer(scope, receive, request_id)
        except ClientGone:
            raise
        except Exception as error:
            return problem_of(error).response()

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        if self.endpoint.is_public:
            with self.gate.place():
                return await self.gate.run(partial(self._public, scope))
        ticket = _Ticket(self.endpoint, self.parts, request_id)
        await ticket.admit(scope)
        body = b""
        if self.endpoint.body:
            with self.gate.receiving(ticket.caller.subject):
                body = await read_body(scope, receive, self.endpoint)
        return await self._worked(ticket, scope, body)

    async def _worked(self, ticket: _Ticket, scope: Scope, body: bytes) -> Response:
        with nullcontext() if self.endpoint.is_bulk else self.gate.place():
            response, committed = await self.gate.run(partial(ticket.work, scope, body), self.endpoint.is_bulk)
            await _wait(committed)
            return response

    def _public(self, scope: Scope) -> Response:
        return _response(self.endpoint, self.endpoint.handle(_public_call(scope, self.parts)))


class _Ticket:
    """One request on its way: who asks, for what, and the events it leaves behind."""

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
        self.names_nobody = False

    async def admit(self, scope: Scope) -> None:
        """Find out who asks and whether such a caller may ask such a thing at all; raises Refused."""
        try:
            self.caller = self.tokens.verify(bearer(scope))
        except TokenRefused as refused:
            await self._refuse_anonymous(refused.reason)
        except KeysUnavailable:
            raise Refused(problems.KEYS_UNAVAILABLE) from None
        declared = purpose(scope)
        if declared is None:
            await self._deny(Decision(False, f"send_X-Purpose-Of-Use,_one_of_{',_'.join(Purpose)}"))
        else:
            self.purpose = declared
            await self._admit_for(declared)

    async def _admit_for(self, declared: Purpose) -> None:
        decision = permit(self.caller, declared, self.endpoint.action)
        if not decision.allowed:
            await self._deny(decision)
        wait = self.parts.quotas.take(self.caller.subject, self.endpoint.action)
        if wait is not None:
            raise Refused(problems.quota_spent(wait))

    def work(self, scope: Scope, body: bytes) -> tuple[Response, Sequence[Future[int]]]:
        """Return the answer and what must be committed before it leaves; runs in a thread, never raises."""
        committed: list[Future[int]] = []
        try:
            call = self._call(scope, body)
            self._audit_subjects(call, body, committed)
            answer = self.endpoint.handle(call)
            self._must_name(call)
            return _response(self.endpoint, answer), committed
        except Exception as error:
            return self._with_safety(problem_of(error)).response(), committed

    def _must_name(self, call: Call) -> None:
        """Raise if an answer that the policy ties to an organisation is about nobody whom it was asked about."""
        condition = RULES[self.caller.role, call.purpose, self.endpoint.action]
        # Of a list from the store nobody may be on it; of a batch each record is asked about by its handler.
        is_record = self.endpoint.body is not None and not self.endpoint.is_bulk
        if self.names_nobody and condition.organisation and is_record:
            raise RuntimeError("an answer about nobody")

    def _with_safety(self, problem: Problem) -> Problem:
        """Return a fault of ours with the safety flags of the record, which no fault may hide."""
        return _flagged(problem, self.record) if problem.status >= 500 and not problem.safety_flags else problem

    def _call(self, scope: Scope, body: bytes) -> Call:
        predictor = self.parts.watch.predictor
        asked = parsed(body, self.endpoint.body) if self.endpoint.body else None
        self.record = getattr(asked, "record", None)
        if predictor is None and self.endpoint.needs_model:
            raise Refused(problems.not_ready(self.parts.watch.not_ready_because()))
        return Call(
            caller=self.caller,
            purpose=Purpose(self.purpose or ""),
            predictor=predictor,
            body=asked,
            path=scope.get("path_params", {}),
            query=query(self.endpoint, scope),
            today=today(),
            request_id=self.request_id,
            parts=self.parts,
        )

    def _audit_subjects(self, call: Call, body: bytes, committed: list[Future[int]]) -> None:
        subjects = self.endpoint.subjects(call) or (Subject(None, frozenset()),)
        decisions = [self._decision(call, subject) for subject in subjects]
        models = () if call.predictor is None else call.predictor.named
        data = f"sha256:{hashlib.sha256(body).hexdigest()[:16]}" if body else ""
        events = [
            self._event(decision, subject.person_id, models, data)
            for subject, decision in zip(subjects, decisions, strict=True)
        ]
        committed.append(self.journal.append(events))
        denied = [decision for decision in decisions if not decision.allowed]
        if denied:
            raise Refused(problems.forbidden(denied[0].reason))

    def _decision(self, call: Call, subject: Subject) -> Decision:
        if subject.person_id is None and not subject.companies:
            # What is about nobody (the list of models), or a record that its check will refuse: see _must_name.
            self.names_nobody = True
            return Decision(True, "nobody_is_named")
        has_care = partial(_has_care_relation, call, subject)
        return permit_subject(self.caller, call.purpose, self.endpoint.action, subject, has_care)

    async def _refuse_anonymous(self, reason: str) -> None:
        wait = self.parts.quotas.take_denied("")
        if wait is not None:
            raise Refused(problems.quota_spent(wait))
        await self._log(Decision(False, reason))
        raise Refused(problems.unauthenticated(reason))

    async def _deny(self, decision: Decision) -> None:
        wait = self.parts.quotas.take_denied(self.caller.subject)
        if wait is not None:
            raise Refused(problems.quota_spent(wait))
        await self._log(decision)
        raise Refused(problems.forbidden(decision.reason))

    async def _log(self, decision: Decision) -> None:
        await _wait([self.journal.append([self._event(decision, None, (), "")])])

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


async def _wait(committed: Sequence[Future[int]]) -> None:
    try:
        async with asyncio.timeout(AUDIT_SECONDS):
            for future in committed:
                await asyncio.wrap_future(future)
    except (AuditUnavailable, TimeoutError):
        raise Refused(problems.AUDIT_UNAVAILABLE) from None


def _response(endpoint: Endpoint, answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    content = answer.__pydantic_serializer__.to_json(answer) if isinstance(answer, BaseModel) else answer
    return Response(content, media_type=endpoint.media_type)


def _has_care_relation(call: Call, subject: Subject) -> bool:
    if subject.person_id is None:
        return False
    return call.parts.store.has_care_relation(call.caller.subject, subject.person_id, call.today)


def _flagged(problem: Problem, record: Any) -> Problem:
    return problem if record is None else problems.flagged(problem, record)


def _public_call(scope: Scope, parts: Parts) -> Call:
    return Call(
        NOBODY,
        Purpose.QUALITY,
        parts.watch.predictor,
        None,
        scope.get("path_params", {}),
        QueryParams(),
        today(),
        "",
        parts,
    )
