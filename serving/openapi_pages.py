"""The pages that are no endpoints: whether the service lives, whether it is ready, what it counts, and the document itself."""

from __future__ import annotations

from typing import Any

from serving.problems import MEDIA_TYPE


def _page(name: str, summary: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": summary, "content": {media_type: {"schema": schema}}}}
    problem: dict[str, Any] = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    answers |= {
        "414": problem | {"description": "Path and query are too long."},
        "500": problem | {"description": "A fault of the service."},
        "503": problem | {"description": "Not ready; `detail` says why."},
    }
    return {"get": {"summary": summary, "operationId": name, "responses": answers, "security": []}}


_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_READINESS = {
    "type": "object",
    "required": ["status", "models", "refused", "store"],
    "properties": {
        "status": {"type": "string", "enum": ["ready", "degraded"]},
        "models": _TEXTS,
        "refused": _TEXTS,
        "store": {"type": "string", "enum": ["there", "away"]},
    },
    "additionalProperties": False,
}
_TEXT = {"type": "string"}

PAGES: dict[str, Any] = {
    "/livez": _page("livez", "The process lives.", "text/plain", _TEXT),
    "/readyz": _page("readyz", "Records can be scored; degraded: a promoted model was refused, or the store is away.",
                     "application/json", _READINESS),
    "/metrics": _page("metrics", "Counts for Prometheus.", "text/plain", _TEXT),
    "/openapi.json": _page("openapi", "This document.", "application/json", {"type": "object"}),
}  # fmt: skip
"""By path, as OpenAPI has them."""
