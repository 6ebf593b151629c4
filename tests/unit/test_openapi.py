"""The document says what is answered, no more and no less; the page about it says what the code says."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from serving import documentation
from serving.access.policy import RULES
from serving.app import create_app
from serving.endpoints import ENDPOINTS
from serving.openapi import document, operation_id
from serving.problems import KINDS, TYPE
from tests.lib.deployment import REQUEST
from tests.lib.in_process import running

PROJECT = Path(__file__).parents[2]
DOCUMENT = json.loads(document(ENDPOINTS))
PAGES = {"/livez", "/readyz", "/metrics", "/openapi.json"}


def test_the_document_is_openapi_3_1():
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere():
    def references(node: Any) -> Any:
        if isinstance(node, dict):
            yield from (value for key, value in node.items() if key == "$ref")
            node = list(node.values())
        if isinstance(node, list):
            for one in node:
                yield from references(one)

    for reference in set(references(DOCUMENT)):
        found = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
    names = {link["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()
             for link in operation["responses"]["200"].get("links", {}).values()}  # fmt: skip
    assert len(names) == 3
    assert names <= {operation_id(endpoint) for endpoint in ENDPOINTS}


def test_every_address_is_declared_once_and_nothing_else():
    declared = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert declared == {(one.method, one.path) for one in ENDPOINTS} | {("GET", path) for path in PAGES}
    assert len({operation_id(endpoint) for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    routes = {route.path for route in create_app(None, None).routes}  # type: ignore[arg-type]
    for_programs = {path for path in routes if path != "/ui" and not path.startswith("/ui/")}
    assert for_programs | {"/livez", "/readyz"} == set(DOCUMENT["paths"])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.path)
def test_an_address_demands_a_token_and_names_the_purposes_that_open_it(endpoint):
    operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    assert operation.get("security", []) == ([] if endpoint.is_public else [{"bearer": []}])
    purposes = [one["schema"]["enum"] for one in operation["parameters"] if one["name"] == "X-Purpose-Of-Use"]
    allowed = {str(purpose) for _, purpose, action in RULES if action == endpoint.action}
    assert endpoint.is_public or [set(purposes[0])] == [allowed]


def test_a_row_is_described_by_the_contract():
    record = DOCUMENT["components"]["schemas"]["RiskRequest"]["properties"]["record"]
    spells = record["properties"]["absence_spells"]["items"]
    assert spells["properties"]["kind"]["enum"] == ["self_certified", "doctor_certified"]
    assert (spells["properties"]["grade_percent"]["minimum"], spells["properties"]["grade_percent"]["maximum"]) == (
        1,
        100,
    )
    assert spells["properties"]["first_day"]["format"] == "date"
    assert {"const": ""} in spells["properties"]["last_day"]["anyOf"]
    assert "person_id" not in spells["required"]
    assert spells["additionalProperties"] is False


# What really occurs

PLACES = {"person_id": "p1", "company_id": "c1", "alert_id": "0" * 32}


def asked(service: Any) -> list[dict[str, Any]]:
    app, doctor = service.headers(), service.headers("clinician")
    nobody = {name: value for name, value in app.items() if name != "authorization"}
    posts = [endpoint.path.format(**PLACES) for endpoint in ENDPOINTS if endpoint.method == "POST"]
    gets = [endpoint.path.format(**PLACES) for endpoint in ENDPOINTS if endpoint.method == "GET"]
    bodies = [b"{", b"{}", json.dumps(REQUEST).encode(), b" " * (2**20 + 1)]
    headers = [app, doctor, nobody, app | {"content-type": "text/plain"}]
    requests = [{"method": "POST", "url": url, "content": body, "headers": head}
                for url in posts for body in bodies for head in headers]  # fmt: skip
    roles = [service.headers(role, purpose) for role, purpose, _ in RULES]
    requests += [{"method": "GET", "url": url + query, "headers": head}
                 for url in gets for query in ("", "?x=1") for head in [*roles, nobody]]  # fmt: skip
    return [*requests, *({"method": "GET", "url": url} for url in ("/metrics", "/openapi.json"))]


def test_every_status_media_type_and_header_that_occurs_is_declared(tmp_path):
    with running(tmp_path) as service:
        service.gate.most_at_once = service.gate.most_bulk = 10**6
        requests = asked(service)
        answers = [
            answer for start in range(0, len(requests), 50) for answer in service.call(*requests[start : start + 50])
        ]
    declared = {(one.method, one.path.format(**PLACES)): one.path for one in ENDPOINTS}
    seen = set()
    for answer in answers:
        path = declared.get((answer.request.method, answer.request.url.path), answer.request.url.path)
        operation = DOCUMENT["paths"][path][answer.request.method.lower()]
        response = operation["responses"][str(answer.status_code)]
        response = (
            DOCUMENT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]] if "$ref" in response else response
        )
        assert answer.headers["content-type"].split(";")[0] in response["content"], path
        for name in response.get("headers", {}):
            assert name in answer.headers, (path, answer.status_code, name)
        if answer.status_code >= 400:
            kind = answer.json()["type"].removeprefix(TYPE)
            assert KINDS[kind][0] == answer.status_code
        seen.add((path, answer.status_code))
    assert {path for path, status in seen if status == 401} == {one.path for one in ENDPOINTS if not one.is_public}
    assert {400, 413, 415, 422} <= {status for _, status in seen}
    assert not [one for one in seen if one[1] == 500]


# Problem kinds


def literals() -> set[str]:
    """The kinds that stand in the code as the second argument of Problem(...), or the first of unprocessable(...)."""
    found = set()
    for file in (PROJECT / "serving").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            place = {"Problem": 1, "unprocessable": 0}.get(name)
            if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                found.add(node.args[place].value)
    return found


OF_A_STATUS = {"not-found", "method-not-allowed", "uri-too-long", "not-answered"}


def test_every_kind_of_problem_is_declared_and_none_that_does_not_exist():
    assert literals() | OF_A_STATUS == set(KINDS)
    assert [
        one.removeprefix(TYPE) for one in DOCUMENT["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    ] == [*KINDS]


def test_every_kind_of_problem_occurs_in_a_test():
    texts = "".join(file.read_text() for file in (PROJECT / "tests").rglob("test_*.py"))
    assert [kind for kind in KINDS if f'"{kind}"' not in texts] == []


def test_the_page_is_current():
    text = documentation.PAGE.read_text()
    assert documentation.page(text) == text, "run: python -m serving.documentation"
