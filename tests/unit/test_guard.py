"""Between network and framework: one way to say no, no page of the framework, no exception that leaves clients waiting."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response

from serving.guard import HEADERS, LONGEST_ADDRESS, TLS_ONLY, Guard

SECRET = "01818010008"  # a synthetic identity number: the month is raised by 80


def asked(app: Any, path: str = "/x", method: str = "GET", **mode: bool) -> httpx.Response:
    guard = Guard(app, lambda: PlainTextResponse("ready"), **mode)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(guard, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


def kind(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["content-length"]) == len(response.content)
    document = json.loads(response.content)
    assert document["status"] == response.status_code
    return document["type"].rsplit(":", 1)[1]


async def never(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the framework must not be asked")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, "not-found"), (405, "method-not-allowed"), (429, "not-answered"), (500, "unexpected"), (503, "not-answered"),
     (504, "not-answered")],
)  # fmt: skip
def test_errors_of_the_framework_become_problems_and_lose_their_text(status, expected):
    framework = PlainTextResponse(f"cannot {SECRET}", status, {"retry-after": "7", "allow": "GET", "x-secret": SECRET})
    response = asked(framework)
    assert (response.status_code, kind(response)) == (status, expected)
    assert (response.headers["retry-after"], response.headers["allow"]) == ("7", "GET")
    assert SECRET not in response.text + str(response.headers)


def test_problems_of_ours_pass_as_they_are():
    response = asked(Response(b'{"detail": "ours"}', 422, media_type="application/problem+json"))
    assert (response.status_code, response.json()) == (422, {"detail": "ours"})


@pytest.mark.parametrize("status", [200, 404, 500])
def test_every_answer_has_the_headers_that_keep_it_to_itself(status):
    response = asked(PlainTextResponse("x", status))
    assert {name: response.headers[name.decode()].encode() for name, _ in HEADERS} == dict(HEADERS)


@pytest.mark.parametrize("status", [200, 500])
def test_in_production_browsers_are_told_to_come_by_tls(status):
    name, value = (one.decode() for one in TLS_ONLY)
    assert asked(PlainTextResponse("x", status), is_production=True).headers[name] == value
    assert name not in asked(PlainTextResponse("x", status)).headers


@pytest.mark.parametrize(
    "path", ["/", "/docs.json", "/schema.json", "/static_content/a.js", "/assets/a.css", "/is_alive"]
)
def test_pages_of_the_framework_are_shut(path):
    response = asked(never, path)
    assert (response.status_code, kind(response)) == (404, "not-found")


def test_an_exception_is_answered_at_once_and_quotes_nothing(caplog):
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError(SECRET)

    response = asked(fails)
    assert (response.status_code, kind(response)) == (500, "unexpected")
    assert SECRET not in response.text + caplog.text


def test_an_exception_after_the_answer_began_leaves_no_second_answer():
    sent: list[str] = []

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError(SECRET)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "path": "/x", "method": "GET"}
    asyncio.run(Guard(fails, lambda: PlainTextResponse(""))(scope, never, send))
    assert sent == ["http.response.start"]


@pytest.mark.parametrize("address", ["/" + "a" * LONGEST_ADDRESS, "/v1/models?x=" + "a" * LONGEST_ADDRESS])
def test_an_address_without_end(address):
    response = asked(never, address)
    assert (response.status_code, kind(response)) == (414, "uri-too-long")


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 405), ("TRACE", 405)])
def test_readiness_is_only_read(method, status):
    response = asked(never, "/readyz", method)
    assert response.status_code == status
    assert status == 200 or response.headers["allow"] == "GET, HEAD"
