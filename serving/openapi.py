"""OpenAPI 3.1 of the service, from the endpoints; BentoML's own would contradict what is really answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Literal

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.access.policy import Purpose
from serving.call import Endpoint
from serving.problems import MEDIA_TYPE

REF = "#/components/schemas/{model}"
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
"""Pseudonyms and companies in addresses."""

_ALWAYS = (401, 403, 429, 500, 503)
_WITH_BODY = (400, 408, 413, 415, 422)
_IN_PATH = re.compile(r"\{(\w+)\}")

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. Fields are named, their values never repeated.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule", "reason"],
                "properties": {"field": {"type": "string"}, "rule": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
        "safety_flags": {"type": "array", "description": "As in the answer of /v1/risk.", "items": {"type": "object"}},
    },
}
_PURPOSE = {
    "name": "X-Purpose-Of-Use",
    "in": "header",
    "required": True,
    "description": "What the answer is for; what a role may do depends on it (docs/access.md).",
    "schema": {"type": "string", "enum": [str(purpose) for purpose in Purpose]},
}


def document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the OpenAPI document as JSON."""
    listed = tuple(endpoints)
    schemas = _schemas(listed)
    paths: dict[str, Any] = {}
    for endpoint in listed:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "balance-risk",
                "version": "1",
                "description": "Explained, calibrated risks of burnout and sick leave. A risk suggests a conversation; it is "
                "no diagnosis, and no employer may see a person's.",
            },
            "paths": paths,
            "components": {
                "schemas": schemas | {"Problem": _PROBLEM},
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            },
        }
    )


def _schemas(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    for endpoint in endpoints:
        if endpoint.body is not None:
            models.append((endpoint.body, "validation"))
        if isinstance(endpoint.answer, type):
            models.append((endpoint.answer, "serialization"))
    _, found = models_json_schema(list(dict.fromkeys(models)), ref_template=REF)
    return dict(found["$defs"])


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": _operation_id(endpoint),
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": {"200": _success(endpoint)} | {str(status): _problem(status) for status in _statuses(endpoint)},
    }
    if not endpoint.is_public:
        operation["security"] = [{"bearer": []}]
        operation["parameters"].append(_PURPOSE)
    if endpoint.body is not None:
        content = {"application/json": {"schema": _reference(endpoint.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    return f"{endpoint.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', endpoint.path.strip('/'))}".strip("_")


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


def _statuses(endpoint: Endpoint) -> list[int]:
    statuses = {500, 503, 429} if endpoint.is_public else set(_ALWAYS)
    if endpoint.body is not None:
        statuses |= set(_WITH_BODY)
    if _IN_PATH.search(endpoint.path):
        statuses |= {404, 422}
    if endpoint.query:
        statuses |= {422}
    return sorted(statuses)


def _success(endpoint: Endpoint) -> dict[str, Any]:
    schema = _reference(endpoint.answer) if isinstance(endpoint.answer, type) else dict(endpoint.answer)
    return {"description": endpoint.summary, "content": {endpoint.media_type: {"schema": schema}}}


def _problem(status: int) -> dict[str, Any]:
    content: Mapping[str, Any] = {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}}
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": content}
    if status in (429, 503):
        described["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return described


def _reference(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": REF.format(model=model.__name__)}
