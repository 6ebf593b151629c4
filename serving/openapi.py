"""OpenAPI 3.1 of the service, from the endpoints; BentoML's own would contradict what is really answered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Literal

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.access.policy import RULES, Action, Purpose
from serving.body import media_types
from serving.call import Endpoint
from serving.openapi_links import links
from serving.openapi_pages import PAGES
from serving.problems import KINDS, MEDIA_TYPE, TYPE

REF = "#/components/schemas/{model}"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
"""Pseudonyms and companies in addresses."""

_ANSWERS_ANYWHERE = (414, 429, 500, 503)
_WITH_TOKEN = (401, 403, 422)
_WITH_BODY = (400, 408, 413, 415)
_IN_PATH = re.compile(r"\{(\w+)\}")

_TEXT = {"type": "string"}
_FIELD = {"field": _TEXT, "rule": _TEXT, "reason": _TEXT}
_HEADERS = {
    "X-Request-Id": {"schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "description": "As in the audit log."}
}
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}}
_CHALLENGE = {"WWW-Authenticate": {"schema": _TEXT, "required": True}}


def document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the OpenAPI document as JSON."""
    listed = tuple(endpoints)
    paths: dict[str, Any] = {}
    for endpoint in listed:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    links(paths)
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "balance-risk",
                "version": "1",
                "description": "Explained, calibrated risks of burnout and sick leave. A risk suggests a conversation; it is "
                "no diagnosis, and no employer may see a person's.",
            },
            "paths": paths | PAGES,
            "components": {
                "schemas": _schemas(listed) | {"Problem": _problem_schema()},
                "responses": {_response_name(status): _problem(status) for status in _all_statuses(listed)},
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            },
        }
    )


def purposes(action: Action) -> dict[Purpose, list[str]]:
    """Return the purposes for which an action is allowed at all, each with the roles that may declare it."""
    found: dict[Purpose, list[str]] = {}
    for role, purpose, allowed in RULES:
        if allowed == action:
            found.setdefault(purpose, []).append(role)
    return found


def statuses(endpoint: Endpoint) -> list[int]:
    """Return every status but 200 that an endpoint may answer with."""
    found = set(_ANSWERS_ANYWHERE)
    if not endpoint.is_public:
        found |= set(_WITH_TOKEN)
    if endpoint.body is not None:
        found |= set(_WITH_BODY)
    if endpoint.path.startswith(("/v1/persons", "/v1/companies", "/v1/alerts/")) or endpoint.query:
        found |= {404}
    return sorted(found)


def _all_statuses(endpoints: Iterable[Endpoint]) -> list[int]:
    return sorted({status for endpoint in endpoints for status in statuses(endpoint)})


def _schemas(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    for endpoint in endpoints:
        if endpoint.body is not None:
            models.append((endpoint.body, "validation"))
        if isinstance(endpoint.answer, type):
            models.append((endpoint.answer, "serialization"))
    _, found = models_json_schema(list(dict.fromkeys(models)), ref_template=REF)
    return dict(found["$defs"])


def _problem_schema() -> dict[str, Any]:
    field = {"type": "object", "required": list(_FIELD), "properties": _FIELD, "additionalProperties": False}
    return {
        "type": "object",
        "description": "RFC 9457. Fields are named, their values never repeated. docs/api.md says what each type means.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "enum": [TYPE + kind for kind in KINDS]},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "errors": {"type": "array", "items": field},
            "safety_flags": {
                "type": "array", "description": "As in the answer of /v1/risk.", "items": {"type": "object"},
            },
        },
        "additionalProperties": False,
    }  # fmt: skip


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    answers = {
        str(status): {"$ref": f"#/components/responses/{_response_name(status)}"} for status in statuses(endpoint)
    }
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": {"200": _success(endpoint)} | answers,
    }
    if not endpoint.is_public:
        operation["security"] = [{"bearer": []}]
        operation["parameters"].append(_purpose(endpoint.action))
    if endpoint.body is not None:
        schema = {"schema": _reference(endpoint.body)}
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(media_types(endpoint), schema)}
    return operation


def operation_id(endpoint: Endpoint) -> str:
    """Return the name of an operation, such as ``post_v1_risk``."""
    return f"{endpoint.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', endpoint.path.strip('/'))}".strip("_")


def _purpose(action: Action) -> dict[str, Any]:
    allowed = purposes(action)
    by_role = "; ".join(f"{purpose}: {', '.join(roles)}" for purpose, roles in allowed.items())
    return {
        "name": "X-Purpose-Of-Use",
        "in": "header",
        "required": True,
        "description": f"What the answer is for; by role: {by_role}. docs/access.md says what else must hold.",
        "schema": {"type": "string", "enum": [str(purpose) for purpose in allowed]},
    }


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": NAME}}
        for name in _IN_PATH.findall(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "schema": dict(schema)}
        for name, schema in (endpoint.query or {}).items()
    ]


def _success(endpoint: Endpoint) -> dict[str, Any]:
    schema = _reference(endpoint.answer) if isinstance(endpoint.answer, type) else dict(endpoint.answer)
    return {
        "description": endpoint.summary,
        "content": {endpoint.media_type: {"schema": schema}},
        "headers": _HEADERS,
    }


def _response_name(status: int) -> str:
    return re.sub(r"[^A-Za-z]", "", HTTPStatus(status).phrase.title())


def _problem(status: int) -> dict[str, Any]:
    kinds = [f"`{kind}`" for kind, (of_kind, _) in KINDS.items() if of_kind == status]
    headers = _HEADERS | (_RETRY_AFTER if status in (429, 503) else {}) | (_CHALLENGE if status == 401 else {})
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(kinds)}.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}},
        "headers": headers,
    }


def _reference(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": REF.format(model=model.__name__)}
