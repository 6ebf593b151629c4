"""The web application that BentoML mounts: every endpoint, and problem documents for what is none."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving import metrics, problems
from serving.call import Endpoint
from serving.clinician import sign_in, static_files
from serving.clinician.addresses import HOME
from serving.clinician.pages import PAGES
from serving.clinician.refusals import refusal
from serving.endpoints import ENDPOINTS
from serving.exchange import Exchange
from serving.gate import Gate
from serving.log import log_without_values
from serving.openapi import document
from serving.parts import Parts
from serving.problems import Problem
from serving.store import StoreUnavailable

COUNTED_FOR_SECONDS = 30.0
"""Whoever scrapes, and however often: the store counts its messages no more often than this."""


def create_app(parts: Parts, gate: Gate, endpoints: Sequence[Endpoint] = ENDPOINTS) -> Starlette:
    """Return the application with all routes of the endpoints, ``/openapi.json`` and the pages."""
    openapi = document(endpoints)

    async def show_openapi(request: Request) -> Response:
        return Response(openapi, media_type="application/json")

    routes = [_route(endpoint, parts, gate) for endpoint in (*endpoints, *PAGES)]
    routes += [*sign_in.routes(parts, gate), static_files.route(), Route("/ui/{path:path}", _no_page)]
    routes += [Route("/openapi.json", show_openapi), Route("/metrics", _metrics_of(parts))]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _http_problem, Exception: _unexpected})
    # A redirect would repeat whatever host the request named, and lose the body; an address is right or wrong.
    app.router.redirect_slashes = False
    return app


def readiness(parts: Parts) -> Response:
    """Answer /readyz: 200 while records can be scored, though a model was refused or the store is away; else 503 and why.

    Nothing is asked here: the threads that look after models, keys, log and store have found out before.
    """
    reason = parts.not_ready_because()
    if reason:
        return problems.not_ready(reason).response()
    refused, store = parts.watch.refused(), "there" if parts.withdrawals.is_store_there() else "away"
    status = "degraded" if refused or store == "away" else "ready"
    told = {"status": status, "models": parts.watch.versions(), "refused": refused, "store": store}
    return Response(orjson.dumps(told), media_type="application/json")


def _metrics_of(parts: Parts) -> Callable[[Request], Awaitable[Response]]:
    count_again = -math.inf

    async def show(request: Request) -> Response:
        nonlocal count_again
        metrics.describe_models(parts.watch, not parts.not_ready_because())
        metrics.describe_store(parts.withdrawals.is_store_there())
        if parts.settings.teams is not None and time.monotonic() >= count_again:
            count_again = time.monotonic() + COUNTED_FOR_SECONDS
            await run_in_threadpool(_count_messages, parts)
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE_LATEST)

    return show


def _count_messages(parts: Parts) -> None:
    with suppress(StoreUnavailable):  # the counts of before stay; readiness and requests say that the store is away
        metrics.describe_messages(parts.store.deliveries())


def _route(endpoint: Endpoint, parts: Parts, gate: Gate) -> Route:
    return Route(endpoint.path, Exchange(endpoint, parts, gate), methods=[endpoint.method])


async def _no_page(request: Request) -> Response:
    # BentoML answers itself what no route of ours takes.
    return refusal(problems.of_status(404), request.scope)


async def _http_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    response = _told(problems.of_status(status), request)
    response.headers.update(headers or {})
    return response


async def _unexpected(request: Request, error: Exception) -> Response:
    log_without_values(error)
    return _told(problems.UNEXPECTED, request)


def _told(problem: Problem, request: Request) -> Response:
    is_page = request.url.path.startswith(HOME)
    return refusal(problem, request.scope) if is_page else problem.response()
