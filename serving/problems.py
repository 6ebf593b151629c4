"""Everything that can go wrong with a request, as RFC 9457 problem documents that name the field, never its value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from data_contracts.national_identity_number import mask
from data_contracts.record_safety import record_safety_flags
from data_contracts.safety import SafetyFlag
from data_contracts.time_windows import today
from data_contracts.validation import MOST_VIOLATIONS
from data_contracts.violations import Violation
from serving.notices import SafetyNotice, safety_notice

MEDIA_TYPE = "application/problem+json"
_FLAGS = TypeAdapter(list[SafetyNotice])
MOST_ERRORS = 100
"""A body with ten thousand faults gets the first hundred; ``detail`` says how many there are."""


TYPE = "urn:problem-type:balance-risk:"
KINDS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "invalid-json": (400, "The body is not JSON, or deeper or fuller than any record is. Mend it."),
        "unauthenticated": (401, "No token, or none that counts. Get a new one."),
        "forbidden": (403, "Not this role, purpose, company or care relation. Do not try again."),
        "not-found": (404, "There is nothing at this address."),
        "no-score": (404, "No stored score of such a person that the caller may see."),
        "no-alert": (404, "No such alert waits: it has ended, or there never was one."),
        "no-night": (404, "That night was not scored. Leave `night` out for the newest."),
        "no-report": (404, "Nothing was computed for this company yet; it is, once a month."),
        "method-not-allowed": (405, "The address takes another method; the header `Allow` says which."),
        "body-too-slow": (408, "The body did not arrive within ten seconds. Send it again."),
        "too-large": (413, "The body is larger than is read. Send fewer rows, or smaller batches."),
        "uri-too-long": (414, "Address and query together are too long."),
        "not-json": (415, "The body does not call itself JSON, or is compressed."),
        "invalid-request": (422, "The body is JSON but no request, or the query is none: `errors` names the fields."),
        "contract-violation": (422, "The record breaks the data contract: `errors` names row, column and rule."),
        "change-refused": (422, "What-if: an answer cannot be changed so."),
        "overloaded": (429, "Too many requests at once. Wait as long as `Retry-After` says."),
        "quota-spent": (429, "The caller has asked too often. Wait as long as `Retry-After` says."),
        "unexpected": (500, "A fault of the service; its log says where, by `X-Request-Id`'s time."),
        "not-ready": (503, "No model, or none of the outcome asked for, or a part of the service is missing."),
        "audit-unavailable": (503, "The access could not be logged, so there is no answer."),
        "store-unavailable": (503, "Stored scores cannot be read or written now."),
        "keys-unavailable": (503, "The issuer's keys are not known now, so no token can be checked."),
        "timed-out": (503, "The service was too busy to answer in time."),
        "stopping": (503, "The service is being stopped. Send the request again."),
        "not-answered": (503, "The server around the service gave up; the status may be another."),
    }
)
"""What a client can be told: the end of ``type``, its status, and what it means."""


@dataclass(frozen=True)
class FieldError:
    """One fault: a JSON pointer into the body that was sent, the rule that is broken, and what the rule demands."""

    field: str
    rule: str
    reason: str


@dataclass(frozen=True)
class Problem:
    """A problem document; ``kind`` ends its ``type``."""

    status: int
    kind: str
    title: str
    detail: str
    errors: Sequence[FieldError] = ()
    headers: tuple[tuple[str, str], ...] = ()
    safety_flags: Sequence[SafetyNotice] = ()
    reason: str = ""
    """Fixed word for why somebody may not."""

    def document(self) -> dict[str, Any]:
        """Return the JSON members."""
        members = {
            "type": TYPE + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        flags = _FLAGS.dump_python(list(self.safety_flags), mode="json")
        extras = {"errors": [vars(error) for error in self.errors], "safety_flags": flags}
        return members | {name: listed for name, listed in extras.items() if listed}

    def response(self) -> Response:
        """Return the HTTP response."""
        body = json.dumps(self.document(), ensure_ascii=False)
        return Response(body, self.status, headers=dict(self.headers), media_type=MEDIA_TYPE)


NOT_JSON = Problem(
    415, "not-json", "Send JSON", "The body must be JSON, with the header Content-Type: application/json."
)
COMPRESSED = Problem(
    415, "not-json", "Send the body as it is", "The body must not be compressed: leave out Content-Encoding."
)
TOO_SLOW = Problem(408, "body-too-slow", "The body took too long", "The body did not arrive in time. Send it again.")
OVERLOADED = Problem(
    429,
    "overloaded",
    "Too many requests at once",
    "The service is busy. Wait a second and send the request again.",
    headers=(("Retry-After", "1"),),
)
BEARER = (("WWW-Authenticate", 'Bearer realm="balance-risk"'),)
AUDIT_UNAVAILABLE = Problem(
    503, "audit-unavailable", "The access could not be logged", "Without an entry in the audit log there is no answer.",
    headers=(("Retry-After", "5"),),
)  # fmt: skip
STORE_UNAVAILABLE = Problem(
    503, "store-unavailable", "The store cannot be reached", "Stored scores cannot be read or written now.",
    headers=(("Retry-After", "5"),),
)  # fmt: skip
KEYS_UNAVAILABLE = Problem(
    503, "keys-unavailable", "Tokens cannot be verified", "The issuer's public keys are not known now.",
    headers=(("Retry-After", "5"),),
)  # fmt: skip
TIMED_OUT = Problem(
    503, "timed-out", "The answer took too long", "The service is overloaded. Send the request again later.",
    headers=(("Retry-After", "5"),),
)  # fmt: skip
STOPPING = Problem(
    503, "stopping", "The service is being stopped", "Another one answers soon. Send the request again.",
    headers=(("Retry-After", "1"),),
)  # fmt: skip
NO_SCORE = Problem(404, "no-score", "No score", "There is no stored score of such a person that you may see.")
NO_ALERT = Problem(404, "no-alert", "No such alert", "No such alert waits for anybody: it has ended, or never was.")
UNEXPECTED = Problem(
    500, "unexpected", "Something went wrong here", "The fault is on this side; nothing about the request was stored."
)


class Refused(Exception):
    """A handler will not answer; the exchange sends the problem instead."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.kind)
        self.problem = problem


def unauthenticated(reason: str) -> Problem:
    """There is no token, or none that counts; ``reason`` is a fixed word, never a part of the token."""
    detail = f"Send a valid token in the header Authorization: Bearer (refused: {reason.replace('_', ' ')})."
    return Problem(401, "unauthenticated", "Who are you?", detail, headers=BEARER, reason=reason)


def forbidden(reason: str) -> Problem:
    """The caller may not do this; ``reason`` is a fixed sentence or word, never a value."""
    return Problem(403, "forbidden", "This is not yours to see", f"Refused: {reason.replace('_', ' ')}.", reason=reason)


def quota_spent(seconds: float) -> Problem:
    """The caller has asked more often than is allowed."""
    wait = max(1, math.ceil(seconds))
    detail = f"The quota of this kind of request is spent. Send it again in {wait} second(s)."
    return Problem(429, "quota-spent", "Too many requests", detail, headers=(("Retry-After", str(wait)),))


def too_large(most_bytes: int) -> Problem:
    """The body is larger than the service reads."""
    return Problem(413, "too-large", "The body is too large", f"The body may have at most {most_bytes} bytes.")


def invalid_json(reason: str) -> Problem:
    """The body is not JSON."""
    return Problem(400, "invalid-json", "The body is not valid JSON", reason)


def not_ready(reason: str) -> Problem:
    """No verified model is loaded, or none for an outcome that was asked for."""
    return Problem(503, "not-ready", "The service is not ready", reason, headers=(("Retry-After", "5"),))


def of_status(status: int) -> Problem:
    """A problem about which nothing is known but its status."""
    if status == UNEXPECTED.status:
        return UNEXPECTED
    title = _PHRASES.get(status, "Error")
    kind = title.lower().replace(" ", "-")
    is_ours = KINDS.get(kind, (0, ""))[0] == status
    return Problem(
        status, kind if is_ours else "not-answered", title, _DETAILS.get(status, "The request was not answered.")
    )


_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {414: "URI Too Long"}
_DETAILS = {
    404: "There is nothing at this address. /openapi.json lists what there is.",
    405: "This address takes another method; /openapi.json lists what there is.",
    414: "Address and query together are too long.",
}


def invalid_request(error: ValidationError) -> Problem:
    """The body is JSON but not a request."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [FieldError(pointer(fault["loc"]), fault["type"], _reason(fault["msg"])) for fault in faults]
    return unprocessable("invalid-request", "The request does not have the right form", errors)


def index_date_too_late(last: str) -> Problem:
    """The index date lies further ahead than the next morning."""
    reason = f"must not be after {last}: what is known today counts for tomorrow morning at the latest"
    return unprocessable(
        "invalid-request",
        "The request does not have the right form",
        [FieldError("/index_date", "index_date in the future", reason)],
    )


def contract_violation(violations: Iterable[Violation], safety_flags: Iterable[SafetyFlag] = ()) -> Problem:
    """The record breaks the data contract; its sound rows may still say that a human must look."""
    errors = [FieldError(_record_pointer(one), one.rule, one.reason) for one in violations]
    problem = unprocessable("contract-violation", "The record breaks the data contract", errors)
    return replace(problem, safety_flags=tuple(map(safety_notice, safety_flags)))


def invalid_query(reason: str) -> Problem:
    """The query of the address is not one the endpoint takes."""
    return Problem(422, "invalid-request", "The request does not have the right form", f"In the query, {reason}.")


def flagged_notices(problem: Problem, notices: Iterable[SafetyNotice]) -> Problem:
    """Return a problem with safety notices that are known already."""
    return replace(problem, safety_flags=tuple(notices))


def flagged(problem: Problem, record: Any) -> Problem:
    """Return a problem that has nothing to do with the record, with the safety flags of the record all the same."""
    flags = record_safety_flags(record, today())
    return replace(problem, safety_flags=tuple(map(safety_notice, flags)))


def pointer(parts: Iterable[Any]) -> str:
    """Return a JSON pointer (RFC 6901); identity numbers that someone has used as a name are masked."""
    return "".join("/" + mask(str(part)).replace("~", "~0").replace("/", "~1") for part in parts)


def _record_pointer(violation: Violation) -> str:
    # A violation has an origin such as record.lab_results; the person and the record itself are objects, not lists.
    table = violation.origin.split(".")
    row = [violation.row] if len(table) > 1 and table[1] != "person" else []
    return pointer([*table, *row, *([violation.column] if violation.column else [])])


def unprocessable(kind: str, title: str, errors: list[FieldError]) -> Problem:
    """The request can be read but not be answered as it is; the first errors are listed."""
    shown = errors[:MOST_ERRORS]
    more = f" The first {MOST_ERRORS} are listed." if len(errors) > MOST_ERRORS else ""
    # A check stops collecting there, so there may be more.
    at_least = "At least " if len(errors) >= MOST_VIOLATIONS else ""
    detail = f"{at_least}{len(errors)} field(s) must be mended; see errors.{more}"
    return Problem(422, kind, title, detail, shown)


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
