"""The body of a request: counted while it streams, JSON of programs and forms of pages only, parsed once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope

from serving import problems
from serving.call import Endpoint
from serving.json_limits import JsonRefused, read_json
from serving.problems import Problem, Refused
from serving.request_head import header

BODY_SECONDS = 10.0
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 200


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
    if endpoint.is_page:
        return (FORM,)
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
    return await read_limited(scope, receive, media_types(endpoint), endpoint.most_bytes)


async def read_limited(scope: Scope, receive: Receive, kinds: Sequence[str], most_bytes: int) -> bytes:
    """As ``read_body``, of so many bytes at most that call themselves one of ``kinds``."""
    told = (header(scope, b"content-type") or b"").decode("latin-1").split(";")[0].strip().lower()
    if told not in kinds:
        raise Refused(problems.NOT_JSON)
    # A few bytes may unpack to gigabytes, and a limit on what they unpack to would have to unpack them.
    if any(name == b"content-encoding" and value.lower() != b"identity" for name, value in scope["headers"]):
        raise Refused(problems.COMPRESSED)
    announced = header(scope, b"content-length") or b""
    if announced.isdigit() and (len(announced) > 15 or int(announced) > most_bytes):
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


def parsed(body: bytes, model: type[BaseModel], *, is_form: bool = False) -> Any:
    """Return the body as what the endpoint takes; raises Refused if it is not JSON, WrongForm if it is no request."""
    try:
        document = fields(body) if is_form else read_json(body)
    except JsonRefused as error:
        raise Refused(problems.invalid_json(str(error))) from None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        record = document.get("record") if isinstance(document, dict) else None
        raise WrongForm(_flagged(problems.invalid_request(error), record), record) from None


def fields(body: bytes) -> dict[str, str]:
    """Return the fields of a form; raises JsonRefused where they cannot be read, or one stands more than once."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise JsonRefused("The form cannot be read.") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise JsonRefused("A field of the form stands more than once.")
    return found


def _flagged(problem: Problem, record: Any) -> Problem:
    return problem if record is None else problems.flagged(problem, record)
