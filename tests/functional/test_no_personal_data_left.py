"""Everything the service writes while it is asked, soundly and unsoundly: no value of a person is left in any of it.

Each field that a stranger can fill holds a word that exists nowhere else. Afterwards logs, metrics, answers that refuse,
files and databases are searched for these words. Only the audit log and the store may name a person, by the pseudonym.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lib.deployment import COMPANY, PERSON, PROJECT, REQUEST, Deployment, wait_for

IDENTITY_NUMBER = "01818010008"  # synthetic: the month is raised by 80
WORD = "zqxmarker"


class Told(Deployment):
    """A service, the words that were sent to it, and the answers that refused."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.words = 0
        self.refusals: list[str] = []
        self.tokens: list[str] = []

    def word(self) -> str:
        """Return a new marker; letters only at its end, so that no pattern takes it for a number or a digest."""
        self.words += 1
        return f"{WORD}{self.words}x"

    def ask(self, method: str, path: str, body: Any = None, role: str = "app", **headers: str) -> int:
        """Ask, and keep what a refusal says."""
        sent = self.headers(role) | headers
        self.tokens.append(sent.get("authorization", ""))
        content = body if isinstance(body, bytes | None) else json.dumps(body)
        response = self.client.request(method, path, content=content, headers=sent)
        if response.status_code >= 400:
            self.refusals.append(f"{response.text} {dict(response.headers)}")
        return response.status_code


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Iterator[Told]:
    """A service that has been told of markers in every way, and was then stopped."""
    service = Told(tmp_path_factory.mktemp("told"))
    try:
        service.promote_both()
        prepared = [sys.executable, "-m", "serving.prepare"]
        subprocess.run(prepared, cwd=PROJECT, env=service.environment, check=True, capture_output=True)
        service.start(until_ready=True)
        wait_for(lambda: service.version("burnout") == service.version("long_sick_leave") == "1")
        service.statuses = _tell(service)
        service.metrics = service.client.get("/metrics").text
        yield service
    finally:
        service.stop()


def _tell(service: Told) -> list[int]:
    statuses = [service.ask("POST", "/v1/risk", REQUEST), service.ask("POST", "/v1/explanation", REQUEST)]
    statuses += [service.ask("POST", "/v1/risk", body) for body in _spoilt(REQUEST, service)]
    statuses += [
        service.ask("POST", "/v1/risk", REQUEST | {"record": REQUEST["record"] | {service.word(): IDENTITY_NUMBER}})
    ]
    for broken in ('{"%s": ', '["%s" 1]', '{"a": "%s", "a": 2', '"%s', "%s"):
        statuses.append(service.ask("POST", "/v1/risk", (broken % service.word()).encode()))
    statuses.append(service.ask("POST", "/v1/risk", b"\xff" + service.word().encode()))
    statuses.append(service.ask("POST", "/v1/risk", json.dumps({"a": service.word() * 200_000}).encode()))
    for media_type in (
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        service.word(),
    ):
        statuses.append(service.ask("POST", "/v1/risk", service.word().encode(), **{"content-type": media_type}))
    statuses.append(service.ask("DELETE", f"/v1/risk?{service.word()}"))
    return [*statuses, *_tell_paths(service), *_tell_headers(service)]


def _tell_paths(service: Told) -> list[int]:
    paths = service.client.get("/openapi.json").json()["paths"]
    statuses = []
    for path, methods in paths.items():
        for method in methods:
            for role in ("app", "clinician", "employer", "auditor"):
                asked = re.sub(r"\{\w+\}", lambda _: service.word(), path)
                statuses.append(
                    service.ask(method, f"{asked}?{service.word()}={service.word()}", {"a": service.word()}, role)
                )
    for path in (
        f"/v1/persons/{IDENTITY_NUMBER}",
        f"/{service.word()}",
        f"/v1/risk/{service.word()}",
        f"/%ff{service.word()}",
    ):
        statuses += [service.ask(method, path) for method in ("GET", "POST", "DELETE", "PATCH")]
    return statuses


def _tell_headers(service: Told) -> list[int]:
    statuses = []
    for name in (
        "x-purpose-of-use",
        "authorization",
        "x-request-id",
        "traceparent",
        "user-agent",
        "referer",
        "cookie",
        "accept",
    ):
        statuses.append(service.ask("POST", "/v1/risk", REQUEST, **{name: service.word()}))
    for token in (
        f"Bearer {service.word()}",
        f"Bearer eyJhbGciOiJub25lIn0.{service.word()}.",
        f"Basic {service.word()}",
    ):
        statuses.append(service.ask("POST", "/v1/risk", REQUEST, authorization=token))
    foreign = service.issuer.token(service.word(), organisations=[service.word()])
    statuses.append(service.ask("POST", "/v1/risk", REQUEST, authorization=f"Bearer {foreign}"))
    return statuses


def _spoilt(body: dict[str, Any], service: Told) -> Iterator[dict[str, Any]]:
    """Yield the request with one value replaced by a marker, and one name, for every field there is."""
    seen = set()
    for path in _paths(body):
        kind = tuple(step for step in path if isinstance(step, str))
        if kind in seen:
            continue
        seen.add(kind)
        for value in (service.word(), [service.word()], {service.word(): service.word()}):
            copy = json.loads(json.dumps(body))
            *parents, last = path
            holder = copy
            for step in parents:
                holder = holder[step]
            holder[last] = value
            yield copy


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from _paths(inner, (*path, step))


def test_all_kinds_of_answers_were_given(told):
    """Else what is searched below would not hold much."""
    assert set(told.statuses) >= {200, 400, 401, 403, 404, 405, 413, 415, 422}
    assert [status for status in told.statuses if status >= 500] == []
    assert told.words > 150


def test_no_word_is_in_an_answer_that_refuses(told):
    for text in told.refusals:
        assert IDENTITY_NUMBER not in text
        # A name that was sent instead of a field's may be pointed at; what stood in a field may not.
        assert WORD not in re.sub(r'"field": ?"[^"]*"', "", text), text


def test_no_word_is_in_the_log(told):
    text = told.log.read_text()
    assert "goes into service" in text
    _finds_nothing(text, [PERSON, COMPANY])


def test_no_word_is_in_the_metrics(told):
    assert "balance_risk_requests" in told.metrics
    _finds_nothing(told.metrics, [PERSON, COMPANY])


def test_no_word_is_in_any_file_but_the_person_in_audit_and_store(told):
    """Whole files are searched, with pages that a database has freed and journals it has not yet folded in."""
    written = [path for path in told.root.rglob("*") if path.is_file() and "model" not in path.parts]
    assert {"audit.db", "store.db"} <= {path.name for path in written}
    for path in written:
        content = path.read_bytes()
        assert IDENTITY_NUMBER.encode() not in content, path
        assert not re.search(rb"eyJ[\w-]+\.eyJ[\w-]+\.", content), path
        if path.name.split("-")[0] not in ("audit.db", "store.db", "heads.jsonl"):
            assert PERSON.encode() not in content, path
            assert WORD.encode() not in content, path


def _finds_nothing(text: str, others: list[str]) -> None:
    for hidden in (WORD, IDENTITY_NUMBER, "Traceback", "input_value", "eyJ", *others):
        found = re.search(rf".*{re.escape(hidden)}.*", text)
        assert not found, found[0]
