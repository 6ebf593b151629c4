"""A service that gives back what it gets, mounted as ours is: what the framework and the network take for themselves."""

from __future__ import annotations

import os

os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def echo(request: Request) -> Response:
    """Return the body."""
    return Response(await request.body(), media_type="application/json")


@bentoml.service(
    workers=1,
    traffic={"timeout": 75},
    tracing={"excluded_urls": ".*"},
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
)
@bentoml.asgi_app(Starlette(routes=[Route("/v1/risk", echo, methods=["POST"])]), path="/")
class Echo:
    """The same layout of processes, and nothing in it."""
