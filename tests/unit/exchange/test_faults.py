"""Whoever goes away, takes long or floods costs the others nothing; what the service lacks is said."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
from bentoml._internal.server.http.traffic import TimeoutMiddleware

from serving import body as body_module
from serving import parts as parts_module
from serving.access.key_sets import KeySet
from serving.access.key_sources import FileSource
from serving.access.tokens import KeysUnavailable
from serving.endpoints import ENDPOINTS
from serving.exchange import Exchange
from serving.gate import Gate
from serving.handlers.models import ModelsResponse
from serving.handlers.risk_bodies import BatchResponse
from serving.predictor import Predictor
from serving.problems import Refused
from serving.settings import Settings
from serving.store import StoreUnavailable
from tests.lib.deployment import COMPANY, REQUEST
from tests.lib.exchanged import ASKED, SECRET, SLOW, kind
from tests.lib.in_process import InProcess, running

# Whoever goes away, and whoever takes long


def test_a_client_that_goes_away_frees_its_place(service):
    scope = {"type": "http", "path": "/v1/risk", "method": "POST", "query_string": b"", "path_params": {},
             "headers": [(name.encode(), value.encode()) for name, value in service.headers().items()]}  # fmt: skip
    sent: list[Any] = []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    framework = TimeoutMiddleware(Exchange(ENDPOINTS[0], service.parts, service.gate), 60)
    asyncio.run(asyncio.wait_for(framework(scope, gone, send), 10))  # or a stop would wait for it
    assert [one.get("body", b"") for one in sent] == [b"", b""]
    assert service.gate.in_flight == 0


def test_batches_take_turns_and_leave_the_threads_to_single_requests(service, monkeypatch):
    at_once, most = [0], [0]

    def slow(call: Any) -> Any:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        threading.Event().wait(0.3)
        at_once[0] -= 1
        return ModelsResponse(models=(), refused={})

    bulk = Exchange(replace(SLOW, handle=slow, is_bulk=True), service.parts, service.gate)

    async def ask() -> tuple[list[int], bool]:
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(bulk), base_url="http://test") as batches,
            httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://test") as singles,
        ):
            asked = [service.headers(sub=f"app-{n % 3}") for n in range(6)]
            running = [asyncio.create_task(batches.get("/x", headers=headers)) for headers in asked]
            await asyncio.sleep(0.05)
            single = await singles.post("/v1/risk", json=ASKED, headers=service.headers())
            first = sum(task.done() and task.result().status_code == 200 for task in running)
            return sorted([(await task).status_code for task in running]), single.status_code == 200 and first <= 1

    statuses, single_was_first = asyncio.run(ask())
    assert statuses == [200] * 2 + [429] * 4
    assert single_was_first
    assert most == [1]
    assert service.gate.bulk_in_flight == 0


def test_work_that_nobody_waits_for_any_more_is_not_begun(monkeypatch):
    monkeypatch.setattr("serving.gate.LONGEST_SECONDS", 0.05)
    gate, begun = Gate(threads=1), []

    async def ask() -> None:
        first = asyncio.create_task(gate.run(lambda: threading.Event().wait(0.3)))
        await asyncio.sleep(0.01)
        with pytest.raises(Refused):
            await gate.run(lambda: begun.append(1))
        with pytest.raises(Refused):
            await first

    asyncio.run(ask())
    gate.close()
    assert begun == []


def test_a_service_that_stops_says_so(tmp_path):
    with running(tmp_path) as stopping:
        stopping.gate.close()
        response = stopping.post("/v1/risk", REQUEST)
        assert (response.status_code, kind(response)) == (503, "stopping")


def of_persons(*names: str) -> list[dict[str, Any]]:
    return [ASKED["record"] | {"person": ASKED["record"]["person"] | {"person_id": name}} for name in names]


def test_a_record_that_breaks_the_code_costs_the_others_nothing(service, monkeypatch):
    """Neither those that are scored with it in one pass nor those that are scored after it."""
    whole, met = Predictor.predict_json, []

    def together(self: Predictor, cases: Any, *given: Any) -> Any:
        met.append(len(cases.values))
        raise RuntimeError(SECRET)

    def alone(self: Predictor, record: Any, *given: Any) -> Any:
        if record["person"]["person_id"] == "b":
            raise RuntimeError(SECRET)
        return whole(self, record, *given)

    monkeypatch.setattr(Predictor, "answers", together)
    monkeypatch.setattr(Predictor, "predict_json", alone)
    batch = {name: ASKED[name] for name in ("index_date", "outcomes")} | {"records": of_persons("a", "b", "c")}
    response = service.post("/v1/risk/batch", batch)
    assert [one["status"] for one in response.json()["results"]] == [200, 500, 200]
    assert met == [3]
    BatchResponse.model_validate_json(response.content)
    assert SECRET not in response.text


# The store, the keys


def test_without_a_store_or_a_score(service, monkeypatch):
    headers = service.headers("clinician")
    url = "/v1/persons/p-1/risk"
    monkeypatch.setattr("serving.store.Store.companies_of", lambda *args: frozenset({COMPANY}))
    monkeypatch.setattr("serving.store.Store.has_care_relation", lambda *args: True)
    (none,) = service.call({"method": "GET", "url": url, "headers": headers})
    assert (none.status_code, kind(none)) == (404, "no-score")
    (night,) = service.call({"method": "GET", "url": "/v1/worklist", "headers": headers})
    assert (night.status_code, kind(night)) == (404, "no-night")
    employer = service.headers("employer", "aggregate_reporting")
    (report,) = service.call({"method": "GET", "url": f"/v1/companies/{COMPANY}/report", "headers": employer})
    assert (report.status_code, kind(report)) == (404, "no-report")

    def gone(*args: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr("serving.store.Store.companies_of", gone)
    (response,) = service.call({"method": "GET", "url": url, "headers": headers})
    assert (response.status_code, kind(response)) == (503, "store-unavailable")


def test_without_the_keys_of_the_issuer(service, monkeypatch):
    def unknown(token: str) -> Any:
        raise KeysUnavailable("no keys")

    monkeypatch.setattr(service.parts.tokens, "verify", unknown)
    response = service.post("/v1/risk", REQUEST)
    assert (response.status_code, kind(response)) == (503, "keys-unavailable")


# Readiness and settings


def test_what_is_lacking_is_said_not_raised(tmp_path):
    from serving.parts import Parts

    parts = Parts.build(replace(Settings(), audit_key=tmp_path / "none", audit=f"sqlite:///{tmp_path / 'a.db'}"))
    told = parts.not_ready_because()
    assert "BALANCE_RISK_ISSUER" in told
    assert "balance-risk audit key" in told


def test_who_takes_requests_has_looked_at_everything_first(tmp_path, monkeypatch):
    """Of two workers the second once took a request a moment before it had found the store, and said it was not ready."""
    real_store, real_read = parts_module.open_store, FileSource.read

    def slowly(real):
        return lambda *given: [time.sleep(0.3), real(*given)][1]

    service = InProcess(tmp_path)
    monkeypatch.setattr(parts_module, "open_store", slowly(real_store))
    monkeypatch.setattr(FileSource, "read", slowly(real_read))
    monkeypatch.setattr(parts_module, "FIRST_LOOK_SECONDS", 60.0)  # a first opening makes all tables
    service.parts.keys = KeySet(FileSource(service.issuer.jwks))  # not read yet, as one from an address
    assert service.parts.not_ready_because()
    service.parts.start()
    try:
        assert service.parts.not_ready_because() == ""
    finally:
        service.gate.close()
        service.parts.close()


def test_settings_come_from_the_environment():
    assert Settings.from_environment({}) == Settings()
    found = Settings.from_environment({"BALANCE_RISK_BUNDLES": "/b", "BALANCE_RISK_VERIFY_KEY": ""})
    assert (str(found.bundles), found.verify_key) == ("/b", Settings().verify_key)


def test_slow_bodies_of_one_caller_take_no_place_from_those_who_work(alone, monkeypatch):
    monkeypatch.setattr("serving.gate.MOST_BODIES_OF_ONE", 3)
    monkeypatch.setattr(alone.gate, "most_at_once", 1)
    monkeypatch.setattr(body_module, "BODY_SECONDS", 1.0)

    async def slow():
        yield b"{"
        await asyncio.sleep(3)

    slowly = {"method": "POST", "url": "/v1/risk", "headers": alone.headers(sub="slow")}
    requests = [slowly | {"content": slow()} for _ in range(5)]
    requests.append({"method": "POST", "url": "/v1/risk", "headers": alone.headers(sub="quick"), "json": REQUEST})
    *slow_ones, quick = alone.call(*requests)
    assert sorted(response.status_code for response in slow_ones) == [408, 408, 408, 429, 429]
    assert quick.status_code == 200
    assert not alone.gate.bodies


def test_a_caller_has_one_place_for_bulk_and_leaves_the_other_to_others():
    gate = Gate()
    with gate.bulk_place("one"):
        with pytest.raises(Refused), gate.bulk_place("one"):
            pass
        with gate.bulk_place("other"):
            assert gate.bulk_in_flight == 2
    with gate.bulk_place("one"):
        assert (gate.bulk_in_flight, gate.in_flight) == (1, 1)
    gate.close()
