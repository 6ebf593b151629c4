"""Every address of the service, declared once: routes, policy, audit, OpenAPI and tests follow from it."""

from __future__ import annotations

from serving.access.policy import Action
from serving.call import Endpoint
from serving.handlers import models, risk
from serving.handlers.models import ModelsResponse
from serving.handlers.risk_bodies import BatchResponse
from serving.requests import BatchRequest, RiskRequest
from serving.responses import ExplanationResponse, RiskResponse

BATCH_BYTES = 16 * 2**20

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST", "/v1/risk", Action.SCORE, risk.risk, RiskResponse,
        "Risk of each outcome from one person's record, with the strongest reasons.",
        body=RiskRequest, subjects=risk.subject,
    ),
    Endpoint(
        "POST", "/v1/risk/batch", Action.SCORE, risk.batch, BatchResponse,
        "Risks of up to 1 000 persons: for each the answer of /v1/risk, or the problem.",
        body=BatchRequest, subjects=risk.batch_subjects, most_bytes=BATCH_BYTES,
    ),
    Endpoint(
        "POST", "/v1/explanation", Action.EXPLAIN, risk.explanation, ExplanationResponse,
        "Risk of each outcome, with every contribution.", body=RiskRequest, subjects=risk.subject,
    ),
    Endpoint(
        "GET", "/v1/models", Action.READ_MODELS, models.models, ModelsResponse,
        "The models in service.", needs_model=False,
    ),
)  # fmt: skip
