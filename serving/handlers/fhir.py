"""POST /v1/fhir/risk: a FHIR Bundle in, RiskAssessments out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import orjson
from starlette.responses import Response

from data_contracts.time_windows import latest_index_date
from models.outcomes import OUTCOMES
from serving import problems
from serving.access.policy import Subject
from serving.call import Basis, Call
from serving.fhir.reading import FhirRecord
from serving.fhir.risk_assessments import answer_resource
from serving.handlers.fhir_bodies import MAY_BE_COMPLETE
from serving.handlers.risk import named
from serving.predictor import case_of
from serving.problems import Problem, Refused

MEDIA_TYPE = "application/fhir+json"
_FIRST_DAY = "1900-01-01"


def risk(call: Call) -> Response:
    """Risk of each outcome from the Bundle."""
    record = _record(call)
    index_date, outcomes = _asked(call, record)
    if record.problem is not None:
        raise Refused(record.problem)
    if call.predictor is None:
        raise _refused(problems.not_ready(call.parts.watch.not_ready_because()), record)
    withdrawn = call.parts.withdrawals.of(next(iter(record.person_ids), None))
    case = case_of(record.tables, index_date, call.today, withdrawn)
    response = call.predictor.predict_case(case, index_date, outcomes or tuple(call.predictor.models))
    # The flags of the whole Bundle: those of the case do not know of what could not become a row.
    response = response.model_copy(update={"safety_flags": record.safety_flags})
    (person_id,) = record.person_ids
    resource = answer_resource(response, person_id, record.basis(case), call.request_id)
    return Response(orjson.dumps(resource), media_type=MEDIA_TYPE)


def subject(call: Call) -> Sequence[Subject]:
    """Return whom the Bundle is about."""
    return (_read(call).subject(call.today),)


def basis(call: Call) -> Basis:
    """Return the models of the outcomes asked for (all that are in service, if none is named), and the Bundle."""
    return named(call.predictor, call.query.getlist("outcome") or tuple(OUTCOMES)), call.sent


def _read(call: Call) -> FhirRecord:
    record: FhirRecord = call.body.read(call.today, frozenset(call.query.getlist("complete")))
    return record


def _record(call: Call) -> FhirRecord:
    record = _read(call)
    unknown = record.complete - set(MAY_BE_COMPLETE)
    if unknown:
        raise _refused(problems.invalid_query(f"complete must be one of: {', '.join(MAY_BE_COMPLETE)}"), record)
    return record


def _asked(call: Call, record: FhirRecord) -> tuple[date, tuple[str, ...]]:
    """Return index date and outcomes of the query; no outcome stands for all that are in service."""
    days, outcomes = call.query.getlist("index_date"), tuple(call.query.getlist("outcome"))
    index_date = call.today if not days else _day(days)
    if index_date is None:
        raise _refused(problems.invalid_query("index_date must be one ISO date such as 2026-03-01"), record)
    if index_date > latest_index_date():
        raise _refused(problems.invalid_query(f"index_date must not be after {latest_index_date()}"), record)
    if len(set(outcomes)) < len(outcomes) or not set(outcomes) <= set(OUTCOMES):
        raise _refused(
            problems.invalid_query(f"outcome must name each outcome once, of: {', '.join(OUTCOMES)}"), record
        )
    return index_date, outcomes


def _day(days: Sequence[str]) -> date | None:
    """Return the one day that a parameter gives, None if it does not give one that the contract has room for."""
    try:
        (text,) = days
        return date.fromisoformat(text) if len(text) == len("2026-03-01") and text >= _FIRST_DAY else None
    except ValueError:
        return None


def _refused(problem: Problem, record: FhirRecord) -> Refused:
    return Refused(problems.flagged_notices(problem, record.safety_flags))
