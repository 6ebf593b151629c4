"""Everything that can go wrong with a request, as RFC 9457 problem documents that name the field, never its value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.responses import Response

from data_contracts.national_identity_number import mask
from data_contracts.record_safety import record_safety_flags
from data_contracts.safety import SafetyFlag
from data_contracts.time_windows import today
from data_contracts.violations import Violation
from serving.notices import SafetyNotice, safety_notice

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 100
"""A body with ten thousand faults gets the first hundred; ``detail`` says how many there are."""


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

    def document(self) -> dict[str, Any]:
        """Return the JSON members."""
        members = {
            "type": f"urn:problem-type:balance-risk:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        flags = TypeAdapter(list[SafetyNotice]).dump_python(list(self.safety_flags), mode="json")
        extras = {"errors": [vars(error) for error in self.errors], "safety_flags": flags}
        return members | {name: listed for name, listed in extras.items() if listed}

    def response(self) -> Response:
        """Return the HTTP response."""
        body = json.dumps(self.document(), ensure_ascii=False)
        return Response(body, self.status, headers=dict(self.headers), media_type=MEDIA_TYPE)


NOT_JSON = Problem(
    415, "not-json", "Send JSON", "The body must be JSON, with the header Content-Type: application/json."
)
TOO_SLOW = Problem(408, "body-too-slow", "The body took too long", "The body did not arrive in time. Send it again.")
OVERLOADED = Problem(
    429,
    "overloaded",
    "Too many requests at once",
    "The service is busy. Wait a second and send the request again.",
    headers=(("Retry-After", "1"),),
)
UNEXPECTED = Problem(
    500, "unexpected", "Something went wrong here", "The fault is on this side; nothing about the request was stored."
)


def too_large(most_bytes: int) -> Problem:
    """The body is larger than the service reads."""
    return Problem(413, "too-large", "The body is too large", f"The body may have at most {most_bytes} bytes.")


def invalid_json(reason: str) -> Problem:
    """The body is not JSON."""
    return Problem(400, "invalid-json", "The body is not valid JSON", reason)


def not_ready(reason: str) -> Problem:
    """No verified model is loaded, or none for an outcome that was asked for."""
    return Problem(503, "not-ready", "No model is in service", reason, headers=(("Retry-After", "5"),))


def of_status(status: int) -> Problem:
    """A problem about which nothing is known but its status."""
    if status == UNEXPECTED.status:
        return UNEXPECTED
    title = _PHRASES.get(status, "Error")
    return Problem(
        status, title.lower().replace(" ", "-"), title, _DETAILS.get(status, "The request was not answered.")
    )


_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_DETAILS = {
    404: "There is nothing at this address. POST /v1/risk and /v1/explanation; GET /livez, /readyz and /docs.json.",
    405: "This address takes another method: POST for /v1/risk and /v1/explanation, GET for the rest.",
}


def invalid_request(error: ValidationError) -> Problem:
    """The body is JSON but not a request."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [FieldError(pointer(fault["loc"]), fault["type"], _reason(fault["msg"])) for fault in faults]
    return _unprocessable("invalid-request", "The request does not have the right form", errors)


def index_date_too_late(last: str) -> Problem:
    """The index date lies further ahead than the next morning."""
    reason = f"must not be after {last}: what is known today counts for tomorrow morning at the latest"
    return _unprocessable(
        "invalid-request",
        "The request does not have the right form",
        [FieldError("/index_date", "index_date in the future", reason)],
    )


def contract_violation(violations: Iterable[Violation], safety_flags: Iterable[SafetyFlag] = ()) -> Problem:
    """The record breaks the data contract; its sound rows may still say that a human must look."""
    errors = [FieldError(_record_pointer(one), one.rule, one.reason) for one in violations]
    problem = _unprocessable("contract-violation", "The record breaks the data contract", errors)
    return replace(problem, safety_flags=tuple(map(safety_notice, safety_flags)))


def flagged(problem: Problem, record: Any) -> Problem:
    """Return a problem that has nothing to do with the record, with the safety flags of the record all the same."""
    flags = record_safety_flags(record, today())
    return replace(problem, safety_flags=tuple(map(safety_notice, flags)))


def check_body(model: type[BaseModel], document: Any) -> Problem | None:
    """Return what is wrong with the form of a request body, None if nothing is."""
    try:
        model.model_validate(document)
    except ValidationError as error:
        record = document.get("record") if isinstance(document, dict) else None
        return flagged(invalid_request(error), record)
    return None


def pointer(parts: Iterable[Any]) -> str:
    """Return a JSON pointer (RFC 6901); identity numbers that someone has used as a name are masked."""
    return "".join("/" + mask(str(part)).replace("~", "~0").replace("/", "~1") for part in parts)


def _record_pointer(violation: Violation) -> str:
    # A violation has an origin such as record.lab_results; the person and the record itself are objects, not lists.
    table = violation.origin.split(".")
    row = [violation.row] if len(table) > 1 and table[1] != "person" else []
    return pointer([*table, *row, *([violation.column] if violation.column else [])])


def _unprocessable(kind: str, title: str, errors: list[FieldError]) -> Problem:
    shown = errors[:MOST_ERRORS]
    more = f" The first {MOST_ERRORS} are listed." if len(errors) > MOST_ERRORS else ""
    detail = f"{len(errors)} field(s) must be mended; see errors.{more}"
    return Problem(422, kind, title, detail, shown)


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
