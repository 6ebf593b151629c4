"""POST /v1/risk, /v1/risk/batch and /v1/explanation: a record in, risks out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import orjson

from data_contracts.time_windows import latest_index_date
from serving import problems
from serving.access.policy import Subject
from serving.call import Call
from serving.faults import problem_of
from serving.predictor import Predictor
from serving.problems import Refused
from serving.requests import BatchRequest, RiskRequest


def risk(call: Call) -> bytes:
    """Risk of each outcome, with the strongest reasons: the JSON of a RiskResponse."""
    return _answer(call, call.body.record, Predictor.predict_json)


def explanation(call: Call) -> bytes:
    """Risk of each outcome, with every contribution: the JSON of an ExplanationResponse."""
    return _answer(call, call.body.record, Predictor.explain_json)


def batch(call: Call) -> bytes:
    """Risks of up to a thousand persons, for each the answer of /v1/risk or the problem: the JSON of a BatchResponse."""
    return b'{"results":[' + b",".join(_item(call, record) for record in call.body.records) + b"]}"


def subject(call: Call) -> Sequence[Subject]:
    """Return whom a record is about."""
    return (subject_of(call.body.record, call.body.index_date),)


def batch_subjects(call: Call) -> Sequence[Subject]:
    """Return whom the records of a batch are about."""
    return [subject_of(record, call.body.index_date) for record in call.body.records]


def subject_of(record: Any, index_date: date) -> Subject:
    """Return the person of a raw record and the companies that employ her on the index date, as far as they can be read.

    A record that is not sound gives a subject without a person; it is never answered, because its check refuses it.
    """
    person = record.get("person") if isinstance(record, dict) else None
    person_id = person.get("person_id") if isinstance(person, dict) else None
    rows = record.get("employments") if isinstance(record, dict) else None
    employments = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    companies = [row.get("company_id") for row in employments if _is_current(row, index_date.isoformat())]
    return Subject(
        person_id if isinstance(person_id, str) else None, frozenset(c for c in companies if isinstance(c, str))
    )


def _is_current(row: dict[str, Any], day: str) -> bool:
    # ISO dates sort as text; what is no text is refused by the check of the record.
    end = row.get("end_date")
    return row.get("is_deleted") is not True and not (isinstance(end, str) and end < day)


def _answer(call: Call, record: dict[str, Any], method: Callable[..., bytes]) -> bytes:
    request: RiskRequest | BatchRequest = call.body
    if request.index_date > latest_index_date():
        last = latest_index_date().isoformat()
        raise Refused(problems.flagged(problems.index_date_too_late(last), record))
    withdrawn = call.parts.withdrawals.of(subject_of(record, request.index_date).person_id)
    return method(call.predictor, record, request.index_date, request.outcomes, call.today, withdrawn)


def _item(call: Call, record: dict[str, Any]) -> bytes:
    try:
        answer = _answer(call, record, Predictor.predict_json)
        if subject_of(record, call.body.index_date).person_id is None:
            raise RuntimeError("an answer about nobody")  # nobody was asked whether the caller may have it
        return b'{"status":200,"answer":' + answer + b',"problem":null}'
    except Exception as error:  # of one record, for which the others must not pay
        problem = problem_of(error)
    if problem.status >= 500 and not problem.safety_flags:
        problem = problems.flagged(problem, record)
    return orjson.dumps({"status": problem.status, "answer": None, "problem": problem.document()})
