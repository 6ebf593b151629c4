"""What a handler is given, and how an endpoint is declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Scope

from serving.access.caller import Caller
from serving.access.policy import Action, Purpose, Subject
from serving.parts import Parts
from serving.predictor import Predictor
from serving.problems import Problem

MOST_BYTES = 2**20
Language = Literal["nb", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True)
class Call:
    """One request of a known caller. ``predictor`` was read once: an answer never mixes versions."""

    caller: Caller
    purpose: Purpose
    predictor: Predictor | None
    body: Any
    path: Mapping[str, str]
    query: QueryParams
    today: date
    request_id: str
    parts: Parts
    sent: str = ""
    """SHA-256 of the body, its first digits: what an answer from a record was made of."""
    language: Language = "nb"
    """In which a page is written."""
    address: str = ""
    """Path and query as asked."""
    kept: dict[str, Any] = field(default_factory=dict)
    """What is read once a request: whom the audit log names is whom the answer shows."""


def _document(problem: Problem, scope: Scope) -> Response:
    return problem.response()


Basis = tuple[tuple[str, ...], str]
"""What an answer is made of, for the audit log: the models, and the state of the data."""


def made_of_record(call: Call) -> Basis:
    """No model, and the record that was sent (of what is stored: nothing)."""
    return (), call.sent


@dataclass(frozen=True)
class Endpoint:
    """One address of the service: the declaration from which route, policy, audit, OpenAPI and tests follow.

    ``subjects`` names the persons or companies that an answer would be about; the policy is asked about each, and each is an
    event in the audit log, which names the models and data of ``basis``. ``handle`` runs in a worker thread. ``query``
    describes the query parameters as JSON schemas.
    """

    method: Literal["GET", "POST"]
    path: str
    action: Action
    handle: Callable[[Call], Any]
    answer: type[BaseModel] | Mapping[str, Any]
    summary: str
    body: type[BaseModel] | None = None
    subjects: Callable[[Call], Sequence[Subject]] = lambda call: ()
    query: Mapping[str, Mapping[str, Any]] | None = None
    needs_model: bool = True
    most_bytes: int = MOST_BYTES
    media_type: str = "application/json"
    """Of the answer; a body may call itself that, or application/json."""
    is_bulk: bool = False
    """Takes seconds: worked on one at a time, beside all others."""
    basis: Callable[[Call], Basis] = made_of_record
    writes: bool = False
    """Changes the store: its event is committed before that, not only before the answer."""
    is_public: bool = False
    """Without a token: it says nothing about anybody."""
    purpose: Purpose | None = None
    """Of a page for people: what it is for, as a browser declares nothing. Its token may stand in the cookie, its bodies
    are forms, and ``refuse`` writes problems as pages. None: for programs, who declare it themselves."""
    refuse: Callable[[Problem, Scope], Response] = _document
    """How a problem is told."""
    is_explained: bool = False
    """A page on which the model explains a number: such pages have a quota of their own."""
    is_wrong: Callable[[Call], bool] = lambda call: False
    """True of a form that cannot be kept as it was filled in: it is logged as refused, and ``handle`` shows it again."""
    handle_all: Callable[[Sequence[Call]], Sequence[Any]] | None = None
    """Answers the calls that wait at the same moment, each as ``handle`` does alone, or with the problem that is its own."""
    shows: Action | None = None
    """What a form shows of a person when it is shown again: an event of its own."""

    @property
    def is_page(self) -> bool:
        """True if a person at a browser asks, not a program."""
        return self.purpose is not None


def response_of(endpoint: Endpoint, answer: Any) -> Response:
    """Return what a handler answered as a response."""
    if isinstance(answer, Response):
        return answer
    content = answer.__pydantic_serializer__.to_json(answer) if isinstance(answer, BaseModel) else answer
    return Response(content, media_type=endpoint.media_type)
