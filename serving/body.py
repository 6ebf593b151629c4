"""The body of a request: counted while it streams, JSON only, parsed once."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope

from serving import problems
from serving.call import Endpoint
from serving.json_limits import JsonRefused, read_json
from serving.problems import Problem, Refused
from serving.request_head import header

BODY_SECONDS = 10.0


class WrongForm(Refused):
    """The body is JSON but no request; ``record`` is the raw record in it, if there is one.

    The problem carries its safety flags, for those who may ask about the person: that has not been decided yet.
    """

    def __init__(self, problem: Problem, record: Any) -> None:
        super().__init__(problem)
        self.record = record


class ClientGone(Exception):
    """The client has closed the connection; there is nobody to answer."""


def media_types(endpoint: Endpoint) -> tuple[str, ...]:
    """Return what the body of a request may call itself."""
    return tuple(dict.fromkeys(("application/json", endpoint.media_type)))


async def read_body(scope: Scope, receive: Receive, endpoint: Endpoint) -> bytes:
    """Return the body.

    Raises
    ------
    Refused
        If it does not call itself JSON, is compressed, is too large, or does not arrive in time.
    ClientGone
        If the client goes away.
    """
    told = (header(scope, b"content-type") or b"").decode("latin-1").split(";")[0].strip().lower()
    if told not in media_types(endpoint):
        raise Refused(problems.NOT_JSON)
    # A few bytes may unpack to gigabytes, and a limit on what they unpack to would have to unpack them.
    if any(name == b"content-encoding" and value.lower() != b"identity" for name, value in scope["headers"]):
        raise Refused(problems.COMPRESSED)
    announced = header(scope, b"content-length") or b""
    if announced.isdigit() and (len(announced) > 15 or int(announced) > endpoint.most_bytes):
        raise Refused(problems.too_large(endpoint.most_bytes))
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _receive_all(receive, endpoint.most_bytes)
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
    """Return the body as what the endpoint takes; raises Refused if it is not JSON, WrongForm if it is no request."""
    try:
        document = read_json(body)
    except JsonRefused as error:
        raise Refused(problems.invalid_json(str(error))) from None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        record = document.get("record") if isinstance(document, dict) else None
        raise WrongForm(_flagged(problems.invalid_request(error), record), record) from None


def _flagged(problem: Problem, record: Any) -> Problem:
    return problem if record is None else problems.flagged(problem, record)
