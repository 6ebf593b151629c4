"""The body of a request: counted while it streams, JSON only, parsed once."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.types import Receive, Scope

from serving import problems
from serving.problems import Problem, Refused

MOST_BYTES = 2**20
BODY_SECONDS = 10.0
JSON_TYPES = (b"application/json", b"application/fhir+json")


class ClientGone(Exception):
    """The client has closed the connection; there is nobody to answer."""


async def read_body(scope: Scope, receive: Receive, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the body.

    Raises
    ------
    Refused
        If it does not call itself JSON, is too large, or does not arrive in time.
    ClientGone
        If the client goes away.
    """
    headers = dict(scope["headers"])
    if headers.get(b"content-type", b"").split(b";")[0].strip().lower() not in JSON_TYPES:
        raise Refused(problems.NOT_JSON)
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > most_bytes:
        raise Refused(problems.too_large(most_bytes))
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _receive_all(receive, most_bytes)
    except TimeoutError:
        raise Refused(problems.TOO_SLOW) from None


async def _receive_all(receive: Receive, most_bytes: int) -> bytes:
    # Counted as it comes: a chunked body announces no length.
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > most_bytes:
            raise Refused(problems.too_large(most_bytes))
        if not message.get("more_body", False):
            return bytes(body)


def parsed(body: bytes, model: type[BaseModel]) -> Any:
    """Return the body as what the endpoint takes; raises Refused if it is not JSON or not of that form."""
    try:
        document = from_json(body, allow_inf_nan=False)  # quotes nothing of what it cannot read
    except ValueError as error:
        raise Refused(problems.invalid_json(f"{error}.")) from None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        record = document.get("record") if isinstance(document, dict) else None
        raise Refused(_flagged(problems.invalid_request(error), record)) from None


def _flagged(problem: Problem, record: Any) -> Problem:
    return problem if record is None else problems.flagged(problem, record)
