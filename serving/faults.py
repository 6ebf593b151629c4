"""What a client is told of an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from data_contracts.errors import ArtifactError
from features.record import RecordViolation
from serving import problems
from serving.access.key_sets import KeysUnavailable
from serving.audit.errors import AuditUnavailable
from serving.call import Call
from serving.log import log_without_values
from serving.problems import Problem, Refused
from serving.store import StoreUnavailable


def problem_of(error: Exception) -> Problem:
    """Return the problem that an exception stands for; an unexpected one is logged, without its text."""
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, RecordViolation):
        return problems.contract_violation(error.violations, error.safety_flags)
    if isinstance(error, StoreUnavailable):
        return problems.STORE_UNAVAILABLE
    if isinstance(error, KeysUnavailable):
        return problems.KEYS_UNAVAILABLE
    if isinstance(error, AuditUnavailable):
        return problems.AUDIT_UNAVAILABLE
    if isinstance(error, ArtifactError):
        return problems.flagged_notices(problems.not_ready(str(error)), getattr(error, "safety_flags", ()))
    log_without_values(error)
    return problems.UNEXPECTED


def answer_or_problem(handle: Callable[[Call], Any], call: Call) -> Any:
    """Return what a handler answers to a call, or the problem.

    Not the error: it holds the frames that it went through, and with them a record, until the collector comes.
    """
    try:
        return handle(call)
    except Exception as error:
        return problem_of(error)
