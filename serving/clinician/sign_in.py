"""Signing in with the token that every caller has: it is checked, and kept in a cookie that scripts cannot read.

Who comes in, and whoever tries and may not, leaves an event in the audit log, as with every other request.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from serving import problems
from serving.access.caller import PEOPLE, Caller
from serving.access.key_sets import KeysUnavailable
from serving.access.policy import ALLOWED, Decision
from serving.access.tokens import TokenRefused
from serving.audit.event import AuditEvent
from serving.body import FORM, ClientGone, fields, read_limited
from serving.call import LANGUAGES
from serving.clinician.addresses import HOME, HOMES, SIGN_IN, ours, sign_in_address
from serving.clinician.language import words
from serving.clinician.messages import N_
from serving.clinician.refusals import refusal
from serving.clinician.rendering import rendered, seconds_left
from serving.faults import problem_of
from serving.gate import Gate
from serving.json_limits import JsonRefused
from serving.parts import Parts
from serving.problems import Problem, Refused
from serving.request_head import LANGUAGE_COOKIE, bearer, is_same_origin, language, token_cookie
from serving.ticket import CROSS_SITE, NOBODY, NOT_LOGGED, wait_for

MOST_BYTES = 16 * 1024
LONGEST_TOKEN = 3800
"""Browsers throw away a cookie of more than 4 096 bytes, without a word."""
YEAR_SECONDS = 365 * 24 * 3600

_ELSE = N_("Adgangstegnet gjelder ikke her. Hent et nytt.")
_WHY: Mapping[str, str] = MappingProxyType(
    {
        "no_token": N_("Logg inn for å se siden."),
        "expired": N_("Innloggingen er gått ut. Logg inn på nytt."),
        "signed_out": N_("Du er logget ut."),
        "role_not_allowed": N_("Sidene er for behandlere og ledere. Denne rollen har ingen side."),
        "too_large": N_("Adgangstegnet er for langt for en nettleser. Be den som utsteder det, om et kortere."),
    }
)
Handler = Callable[[Request], Awaitable[Response]]


def routes(parts: Parts, gate: Gate) -> list[Route]:
    """Return the addresses that need no token: signing in and out, and the choice of language."""

    async def home(request: Request) -> Response:
        return _home(parts, request)

    async def sign_in(request: Request) -> Response:
        return await _sign_in(parts, gate, request) if request.method == "POST" else _ask(request)

    async def sign_out(request: Request) -> Response:
        return await _sign_out(parts, request)

    async def session(request: Request) -> Response:
        return _session(parts, request)

    async def choose_language(request: Request) -> Response:
        return await _choose_language(parts, gate, request)

    return [
        Route("/ui", _told(home)),
        Route(HOME, _told(home)),
        Route(SIGN_IN, _told(sign_in), methods=["GET", "POST"]),
        Route("/ui/sign-out", _told(sign_out), methods=["POST"]),
        Route("/ui/session", _told(session)),
        Route("/ui/language", _told(choose_language), methods=["POST"]),
    ]


def _told(handle: Handler) -> Handler:
    """Return a handler whose problems are pages."""

    async def answer(request: Request) -> Response:
        try:
            return await handle(request)
        except ClientGone:
            return Response(status_code=204)  # nobody reads it
        except Exception as error:
            return refusal(problem_of(error), request.scope)

    return answer


def _home(parts: Parts, request: Request) -> Response:
    try:
        caller = _signed_in(parts, request)
    except TokenRefused as refused:
        return RedirectResponse(sign_in_address(reason=refused.reason), 303)
    return RedirectResponse(HOMES.get(caller.role, SIGN_IN), 303)


def _ask(request: Request, status: int = 200, following: str = "", reason: str = "") -> Response:
    following = ours(following or request.query_params.get("next", ""))
    reason = reason or request.query_params.get("reason", "")
    say = words(language(request.scope))
    why = say(_WHY.get(reason, _ELSE)) if reason else ""
    # The language switch leads to another page load, on which nothing has been refused yet.
    address = sign_in_address(following)
    return rendered(say.language, "sign_in.html", None, status, next=following, why=why, address=address)


async def _sign_in(parts: Parts, gate: Gate, request: Request) -> Response:
    await _must_be_ours(parts, request)
    form = await _form(gate, request)
    token, following = form.get("token", "").strip(), ours(form.get("next", ""))
    try:
        caller = _caller(parts, token)
    except TokenRefused as refused:
        await _deny(parts, NOBODY, Decision(False, refused.reason))
        return _ask(request, 401, following, refused.reason)
    if caller.role not in PEOPLE:
        await _deny(parts, caller, Decision(False, "role_not_allowed"))
        return _ask(request, 403, following, "role_not_allowed")
    wait = parts.quotas.take_sign_in(caller.subject)
    if wait is not None:
        raise Refused(problems.quota_spent(wait))
    await _log(parts, caller, ALLOWED)
    response = RedirectResponse(following or HOMES[caller.role], 303)
    _keep(response, parts, token_cookie(parts.settings), token, seconds_left(caller))
    return response


async def _sign_out(parts: Parts, request: Request) -> Response:
    """Throw the cookie away, whatever else fails: whoever leaves a machine that others use must be able to."""
    await _must_be_ours(parts, request)
    with suppress(TokenRefused, KeysUnavailable, Refused):
        caller = _signed_in(parts, request)
        if parts.quotas.take_sign_in(caller.subject) is None:
            await _log(parts, caller, ALLOWED, "sign_out")
    response = RedirectResponse(sign_in_address(reason="signed_out"), 303)
    _keep(response, parts, token_cookie(parts.settings), "", 0)
    return response


def _session(parts: Parts, request: Request) -> Response:
    """Tell a page of ours, which has hidden itself when its session ended, who is signed in now; it is about nobody else."""
    try:
        caller = _signed_in(parts, request)
    except TokenRefused:
        return JSONResponse({"reader": "", "seconds_left": 0})
    return JSONResponse({"reader": caller.subject, "seconds_left": seconds_left(caller)})


def _signed_in(parts: Parts, request: Request) -> Caller:
    if parts.tokens is None:
        raise Refused(problems.not_ready(parts.not_ready_because()))
    return parts.tokens.verify(bearer(request.scope, parts.settings, is_page=True))


def _caller(parts: Parts, token: str) -> Caller:
    """Return whose token it is; raises TokenRefused, KeysUnavailable, or Refused while there is nothing to check it with."""
    if parts.tokens is None:
        raise Refused(problems.not_ready(parts.not_ready_because()))
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("too_large")
    if not token:
        raise TokenRefused("no_token")
    return parts.tokens.verify(token)


async def _choose_language(parts: Parts, gate: Gate, request: Request) -> Response:
    await _must_be_ours(parts, request)
    form = await _form(gate, request)
    if form.get("language") not in LANGUAGES:
        raise Refused(_wrong_form())
    response = RedirectResponse(ours(form.get("next", "")) or HOME, 303)
    _keep(response, parts, LANGUAGE_COOKIE, form["language"], YEAR_SECONDS)
    return response


def _keep(response: Response, parts: Parts, name: str, value: str, seconds: int) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send with a form; in production it needs TLS."""
    is_secure = parts.settings.mode == "production"
    response.set_cookie(name, value, max_age=seconds, path="/ui", httponly=True, samesite="lax", secure=is_secure)


async def _form(gate: Gate, request: Request) -> dict[str, str]:
    with gate.receiving(NOBODY.subject):  # nobody's yet: all who send slowly share the places of one caller
        body = await read_limited(request.scope, request.receive, (FORM,), MOST_BYTES)
    try:
        return fields(body)
    except JsonRefused:
        raise Refused(_wrong_form()) from None


def _wrong_form() -> Problem:
    return problems.unprocessable("invalid-request", "The request does not have the right form", [])


async def _must_be_ours(parts: Parts, request: Request) -> None:
    """Raise Refused if another site has sent the form: it could sign a reader in as somebody else, or out."""
    if not is_same_origin(request.scope, parts.settings):
        await _deny(parts, NOBODY, CROSS_SITE)
        raise Refused(problems.forbidden(CROSS_SITE.reason))


async def _deny(parts: Parts, caller: Caller, decision: Decision) -> None:
    """Log who was not let in; raises Refused beyond the quota, which keeps the log from being flooded."""
    wait = parts.quotas.take_denied(caller.subject)
    if wait is None:
        await _log(parts, caller, decision)
        return
    if parts.quotas.take_note(caller.subject):
        await _log(parts, caller, NOT_LOGGED)
    raise Refused(problems.quota_spent(wait))


async def _log(parts: Parts, caller: Caller, decision: Decision, action: str = "sign_in") -> None:
    if parts.journal is None:
        raise Refused(problems.AUDIT_UNAVAILABLE)
    event = AuditEvent(
        at=datetime.now(UTC), caller=caller.subject, role="" if caller is NOBODY else caller.role,
        organisations=tuple(sorted(caller.organisations)), purpose="", action=action, person_id=None,
        decision="allowed" if decision.allowed else "denied", reason=decision.reason, models=(), data_version="",
        request_id=uuid.uuid4().hex,
    )  # fmt: skip
    await wait_for([parts.journal.append([event])])
