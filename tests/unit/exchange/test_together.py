"""Requests that wait at the same moment are worked on in one pass: each is answered as it is alone, whoever is beside it."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from serving import together
from serving.call import Call
from serving.gate import Gate
from serving.predictor import Predictor
from serving.problems import Refused
from serving.store import StoreUnavailable
from serving.together import Together
from serving.withdrawals import Withdrawals
from tests.lib.deployment import COMPANY, REQUEST
from tests.lib.odd_records import N, record

WITHDRAWN = {"SYNTHETIC-21": {"survey": date(2025, 1, 1)}}
UNKNOWN = "SYNTHETIC-22"
"""Of whom the store cannot say whether she has withdrawn."""


def _withdrawals_of(self: Any, person_id: str | None) -> Any:
    if person_id == UNKNOWN:
        raise StoreUnavailable("away")
    return WITHDRAWN.get(person_id or "", {})


def requests(service: Any) -> list[dict[str, Any]]:
    """One request each of forty persons; some ask otherwise than the rest, or may not ask."""
    too_late = (date.today() + timedelta(days=9)).isoformat()
    otherwise = {23: {"index_date": "2025-09-01"}, 24: {"outcomes": ["long_sick_leave"]}, 25: {"outcomes": ["absence_days"]},
                 26: {"index_date": too_late}, 27: {"note": "not a field"}}  # fmt: skip
    stranger = service.headers(organisations=["elsewhere"])
    return [
        {"method": "POST", "url": "/v1/risk", "headers": stranger if number == 28 else service.headers(),
         "json": REQUEST | {"record": record(number)} | otherwise.get(number, {})}
        for number in range(N)
    ]  # fmt: skip


@pytest.fixture
def passes(monkeypatch) -> list[int]:
    """How many records each pass was asked about; withdrawals are those of this file."""
    met: list[int] = []
    whole = Predictor.predict_json_all

    def counted(self: Predictor, records: Sequence[Any], *asked: Any) -> dict[int, bytes]:
        met.append(len(records))
        return whole(self, records, *asked)

    monkeypatch.setattr(Predictor, "predict_json_all", counted)
    monkeypatch.setattr(Withdrawals, "of", _withdrawals_of)
    monkeypatch.setattr(Withdrawals, "is_known", lambda self: True)
    return met


def test_each_is_answered_as_alone(service, passes):
    asked = requests(service)
    alone = [service.call(one)[0] for one in asked]
    assert passes == [], "one request needs no company"
    beside = service.call(*asked)
    assert max(passes) > 5
    assert [(one.status_code, one.content) for one in beside] == [(one.status_code, one.content) for one in alone]
    statuses = [one.status_code for one in alone]
    assert {statuses[number] for number in (0, 1, 21, 23, 24, 30)} == {200}
    assert [statuses[number] for number in (2, 22, 25, 26, 27, 28)] == [422, 503, 503, 422, 422, 403]


def test_each_has_its_own_event(alone, passes):
    answers = alone.call(*requests(alone))
    events = {event["request_id"]: event for event in alone.events()}
    assert len(events) == N
    for number, answer in enumerate(answers):
        event = events[answer.headers["x-request-id"]]
        assert event["person_id"] in (f"SYNTHETIC-{number}", None)
        assert (answer.status_code == 200) <= (event["decision"] == "allowed")
    assert max(passes) > 5


def test_a_model_that_is_changed_meanwhile_answers_for_itself(service, passes, monkeypatch):
    """Each request holds the models that were in service when it was read; two of them are not mixed."""
    other = Predictor({"long_sick_leave": service.parts.watch.predictor.models["long_sick_leave"]})
    both = [other, service.parts.watch.predictor] * N
    monkeypatch.setattr(type(service.parts.watch), "predictor", property(lambda self: both.pop()), raising=False)
    asked = [one | {"json": REQUEST | {"record": record(30 + turn)}} for turn, one in enumerate(requests(service)[30:])]
    answers = service.call(*asked)
    assert [one.status_code for one in answers] == [200, 503] * 5, "the other has no model of burnout"
    assert passes


def test_a_fault_of_the_pass_costs_nobody_an_answer(service, passes, monkeypatch):
    def fails(*_: Any) -> Any:
        raise RuntimeError("of no single request")

    monkeypatch.setattr("serving.handlers.risk._in_one_pass", fails)
    answers = service.call(*requests(service)[30:])
    assert {one.status_code for one in answers} == {200}


def test_a_request_that_was_refused_is_not_kept_in_memory_until_it_is_collected(service):
    broken = {
        "method": "POST",
        "url": "/v1/risk",
        "headers": service.headers(),
        "json": REQUEST | {"record": record(2)},
    }
    assert [one.status_code for one in service.call(*[broken] * 3)] == [422] * 3
    gc.collect()
    gc.disable()
    try:
        service.call(*[broken] * 3)
        assert not [one for one in gc.get_objects() if isinstance(one, Call)]
    finally:
        gc.enable()


@pytest.mark.parametrize("who", ["clinician", "large"])
def test_who_would_keep_the_others_waiting_goes_alone(service, monkeypatch, who):
    """A clinician's request asks the store, which may take seconds; a large record takes long itself."""
    monkeypatch.setattr(together, "MOST_BYTES_SHARED", 100 if who == "large" else 10**6)
    monkeypatch.setattr(Together, "run", None)
    role = service.headers("clinician", organisations=[COMPANY]) if who == "clinician" else service.headers()
    (answer,) = service.call({"method": "POST", "url": "/v1/risk", "headers": role, "json": REQUEST})
    assert answer.status_code in (200, 403)


# Who waits for whom


class Work:
    """Notes what it was given together; the first lot takes until it is let go."""

    def __init__(self) -> None:
        self.lots: list[list[Any]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, asked: Sequence[Any]) -> list[Any]:
        self.lots.append([*asked])
        if len(self.lots) == 1:
            self.begun.set()
            self.go_on.wait(10)
        if "bad" in asked:
            raise RuntimeError("of no single request")
        return [f"answer to {one}" for one in asked]


def asked_while_the_first_is_worked_on(work: Work, *later: Any, seconds: float = 10.0) -> list[Any]:
    """Return what became of a first request and of those that came while it was worked on."""
    gate = Gate(threads=1)

    async def ask() -> list[Any]:
        waiting = Together(gate, work)
        first = asyncio.create_task(waiting.run("first"))
        while not work.begun.is_set():
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(waiting.run(one)) for one in later]
        asyncio.get_running_loop().call_later(seconds if seconds < 1 else 0.05, work.go_on.set)
        found = await asyncio.gather(first, *others, return_exceptions=True)
        assert waiting._worker is not None
        await waiting._worker
        return found

    try:
        return asyncio.run(ask())
    finally:
        gate.close()


def test_nobody_waits_for_company_and_who_waits_goes_together():
    work = Work()
    found = asked_while_the_first_is_worked_on(work, "a", "b", "c")
    assert work.lots == [["first"], ["a", "b", "c"]]
    assert found == [f"answer to {one}" for one in ("first", "a", "b", "c")]


def test_a_lot_has_an_end(monkeypatch):
    monkeypatch.setattr(together, "MOST_TOGETHER", 2)
    work = Work()
    assert len(asked_while_the_first_is_worked_on(work, *"abcde")) == 6
    assert [len(lot) for lot in work.lots] == [1, 2, 2, 1]


def test_work_that_fails_as_a_whole_is_told_to_each_and_the_next_go_on(monkeypatch):
    monkeypatch.setattr(together, "MOST_TOGETHER", 2)
    first, a, bad, c = asked_while_the_first_is_worked_on(Work(), "a", "bad", "c")
    assert (first, c) == ("answer to first", "answer to c")
    assert isinstance(a, RuntimeError)
    assert isinstance(bad, RuntimeError)


def test_who_has_waited_too_long_is_told_so_and_never_begun(monkeypatch):
    monkeypatch.setattr("serving.gate.LONGEST_SECONDS", 0.4)
    monkeypatch.setattr(together, "MOST_TOGETHER", 1)
    work = Work()
    found = asked_while_the_first_is_worked_on(work, "a", "b", seconds=0.6)
    assert [one.problem.kind for one in found if isinstance(one, Refused)] == ["timed-out"] * 3
    assert ["b"] not in work.lots, "when its turn comes, nobody waits for it any more"


def test_a_service_that_stops_tells_who_waits():
    gate = Gate()
    gate.close()

    async def ask() -> None:
        with pytest.raises(Refused, match="stopping"):
            await Together(gate, Work()).run("first")

    asyncio.run(ask())
