"""The BentoML service: POST /v1/risk and /v1/explanation, /livez, /readyz, /metrics.

``bentoml serve serving.service:BalanceRisk --host 127.0.0.1 --port 3000``. It starts without a model and is then not
ready; it never fails to start, because the framework would start it again and again while clients hang.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

# Before bentoml is imported, which otherwise reports its use to its makers; other values than this word do not count.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml

from data_contracts.errors import ArtifactError
from data_contracts.time_windows import latest_index_date, today
from features.record import RecordViolation
from serving import problems
from serving.bundle_watch import BundleWatch
from serving.guard import Guard, log_without_values
from serving.predictor import Predictor
from serving.requests import RiskRequest
from serving.responses import ExplanationResponse, RiskResponse
from serving.settings import Settings

SETTINGS = Settings.from_environment()
WATCH = BundleWatch(SETTINGS.bundles, SETTINGS.verify_key)


def answer(request: RiskRequest, method: Callable[..., Any]) -> Any:
    """Return what a method of the predictor in service says to the request, or the response that says why it does not.

    Never raises: the framework would log a traceback, and with it what a person has sent.
    """
    predictor = WATCH.predictor
    if predictor is None:
        return _refused(problems.not_ready(WATCH.not_ready_because()), request)
    if request.index_date > latest_index_date():
        return _refused(problems.index_date_too_late(latest_index_date().isoformat()), request)
    try:
        return method(predictor, request.record, request.index_date, request.outcomes, received_on=today())
    except RecordViolation as error:
        return problems.contract_violation(error.violations, error.safety_flags).response()
    except ArtifactError as error:
        return _refused(problems.not_ready(str(error)), request)
    except Exception as error:
        log_without_values(error)
        return _refused(problems.UNEXPECTED, request)


def _refused(problem: problems.Problem, request: RiskRequest) -> Any:
    """Return the response to a problem with the safety flags of the record, which no problem may hide."""
    try:
        return problems.flagged(problem, request.record).response()
    except Exception as error:
        log_without_values(error)
        return problem.response()


@bentoml.service(
    workers=1,
    # The work is short and holds the interpreter lock; threads keep one large record from delaying the small ones.
    threads=4,
    traffic={"timeout": 60},
    # An access log would hold paths, and later paths name persons.
    logging={"access": {"enabled": False}},
)
class BalanceRisk:
    """Calibrated, explained risks of burnout and long sick leave from one person's record."""

    def __init__(self) -> None:
        WATCH.start()

    def __is_ready__(self) -> bool:
        return WATCH.predictor is not None

    @bentoml.on_shutdown
    def stop(self) -> None:
        """Stop looking for new models."""
        WATCH.stop()

    @bentoml.api(route="/v1/risk")
    def risk(self, request: RiskRequest, /) -> RiskResponse:
        """Risk of each outcome, with the strongest reasons."""
        return answer(request, Predictor.predict)

    @bentoml.api(route="/v1/explanation")
    def explanation(self, request: RiskRequest, /) -> ExplanationResponse:
        """Risk of each outcome, with every contribution."""
        return answer(request, Predictor.explain)


BalanceRisk.add_asgi_middleware(  # type: ignore[attr-defined]  # the decorator has made a Service of the class
    Guard,
    bodies={"/v1/risk": RiskRequest, "/v1/explanation": RiskRequest},
    not_ready_because=WATCH.not_ready_because,
)
