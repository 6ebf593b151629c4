"""POST /v1/risk, /v1/risk/batch and /v1/explanation: a record in, risks out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import orjson

from data_contracts.batches import batched
from data_contracts.time_windows import latest_index_date
from serving import problems
from serving.access.policy import Subject
from serving.call import Basis, Call
from serving.faults import answer_or_problem, problem_of
from serving.handlers.subjects import person_of, subject_of
from serving.log import log_without_values
from serving.predictor import OutcomeNotServed, Predictor
from serving.problems import Refused
from serving.requests import BatchRequest, RiskRequest
from serving.store import StoreUnavailable

AT_ONCE = 100
"""Records of a batch that are scored in one pass."""


def risk(call: Call) -> bytes:
    """Risk of each outcome, with the strongest reasons: the JSON of a RiskResponse."""
    return _answer(call, call.body.record, Predictor.predict_json)


def risk_all(calls: Sequence[Call]) -> list[Any]:
    """Return of each call what :func:`risk` returns of it alone, or the problem; those that ask for the same go in one pass."""
    alike: dict[Any, dict[int, Any]] = {}
    for place, call in enumerate(calls):
        asked = id(call.predictor), call.body.index_date, tuple(call.body.outcomes), call.today
        alike.setdefault(asked, {})[place] = call.body.record
    found: dict[int, Any] = {}
    for records in alike.values():
        found |= _in_one_pass(calls[next(iter(records))], records)
    return [found[place] if place in found else answer_or_problem(risk, call) for place, call in enumerate(calls)]


def explanation(call: Call) -> bytes:
    """Risk of each outcome, with every contribution: the JSON of an ExplanationResponse."""
    return _answer(call, call.body.record, Predictor.explain_json)


def batch(call: Call) -> bytes:
    """Risks of up to a thousand persons, for each the answer of /v1/risk or the problem: the JSON of a BatchResponse."""
    records = call.body.records
    found: dict[int, bytes] = {}
    for places in batched(range(len(records)), AT_ONCE):
        found |= _in_one_pass(call, {place: records[place] for place in places})
    return b'{"results":[' + b",".join(_item(call, one, found.get(place)) for place, one in enumerate(records)) + b"]}"


def subject(call: Call) -> Sequence[Subject]:
    """Return whom a record is about."""
    return (subject_of(call.body.record, call.today),)


def batch_subjects(call: Call) -> Sequence[Subject]:
    """Return whom the records of a batch are about."""
    return [subject_of(record, call.today) for record in call.body.records]


def basis(call: Call) -> Basis:
    """Return the models of the outcomes asked for, and the record."""
    return named(call.predictor, call.body.outcomes), call.sent


def named(predictor: Predictor | None, outcomes: Collection[str]) -> tuple[str, ...]:
    """Return what the audit log says of the models of some outcomes."""
    models = () if predictor is None else predictor.named
    return tuple(model for model in models if model.partition(":")[0] in outcomes)


def _answer(call: Call, record: dict[str, Any], method: Callable[..., bytes]) -> bytes:
    request: RiskRequest | BatchRequest = call.body
    if request.index_date > latest_index_date():
        last = latest_index_date().isoformat()
        raise Refused(problems.flagged(problems.index_date_too_late(last), record))
    withdrawn = call.parts.withdrawals.of(person_of(record))
    return method(call.predictor, record, request.index_date, request.outcomes, call.today, withdrawn)


def _in_one_pass(call: Call, records: Mapping[int, Any]) -> dict[int, bytes]:
    """Return by place the answers about records, as a call asks for them, but for those that must be looked at alone."""
    if len(records) == 1 or call.predictor is None or call.body.index_date > latest_index_date():
        return {}
    places = [place for place, record in records.items() if _has_withdrawn_nothing(call, record)]
    asked = call.body.index_date, call.body.outcomes, call.today
    try:
        told = call.predictor.predict_json_all([records[place] for place in places], *asked)
    except OutcomeNotServed:  # which each is told, with her flags
        return {}
    except Exception as error:  # whose record it was, is found when each is answered alone
        log_without_values(error)
        return {}
    return {places[position]: answer for position, answer in told.items()}


def _has_withdrawn_nothing(call: Call, record: Any) -> bool:
    try:
        return not call.parts.withdrawals.of(person_of(record))
    except StoreUnavailable:  # which each is told
        return False


def _item(call: Call, record: dict[str, Any], answer: bytes | None) -> bytes:
    try:
        answer = answer or _answer(call, record, Predictor.predict_json)
        if person_of(record) is None:
            raise RuntimeError("an answer about nobody")  # nobody was asked whether the caller may have it
        return b'{"status":200,"answer":' + answer + b',"problem":null}'
    except Exception as error:  # of one record, for which the others must not pay
        problem = problem_of(error)
    if problem.status >= 500 and not problem.safety_flags:
        problem = problems.flagged(problem, record)
    return orjson.dumps({"status": problem.status, "answer": None, "problem": problem.document()})
