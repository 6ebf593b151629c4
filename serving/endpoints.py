"""Every address of the service, declared once: routes, policy, audit, OpenAPI and tests follow from it."""

from __future__ import annotations

from models.outcomes import OUTCOMES
from serving.access.policy import Action
from serving.call import Endpoint
from serving.handlers import cds_hooks, fhir, models, profile, risk, what_if
from serving.handlers.cds_bodies import CdsRequest
from serving.handlers.fhir_bodies import MAY_BE_COMPLETE, FhirBundle
from serving.handlers.models import ModelsResponse
from serving.handlers.profile_bodies import ProfileRequest, ProfileResponse
from serving.handlers.risk_bodies import BatchResponse
from serving.handlers.what_if_bodies import WhatIfRequest, WhatIfResponse
from serving.requests import BatchRequest, RiskRequest
from serving.responses import ExplanationResponse, RiskResponse

BATCH_BYTES = 16 * 2**20

_RESOURCE_TYPE = {"type": "string", "enum": ["RiskAssessment", "Bundle"]}
FHIR_RESOURCE = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": _RESOURCE_TYPE}}
FHIR_QUERY = {
    "index_date": {"type": "string", "format": "date", "description": "Default: today."},
    "outcome": {"type": "array", "items": {"type": "string", "enum": list(OUTCOMES)}, "description": "Default: all."},
    "complete": {"type": "array", "items": {"type": "string", "enum": list(MAY_BE_COMPLETE)},
                 "description": "Tables of which the Bundle holds all there is, though it holds no row."},
}  # fmt: skip
CDS_SERVICES = {"type": "object", "required": ["services"], "properties": {"services": {"type": "array"}}}
CDS_CARDS = {"type": "object", "required": ["cards"], "properties": {"cards": {"type": "array", "maxItems": 1}}}

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
        "POST", "/v1/what-if", Action.WHAT_IF, what_if.what_if, WhatIfResponse,
        "The model's answer to changed answers, of modifiable inputs only; no promise that a change would do it.",
        body=WhatIfRequest, subjects=risk.subject,
    ),
    Endpoint(
        "POST", "/v1/profile", Action.PROFILE, profile.profile, ProfileResponse,
        "Scales and measurements of one person's record by domain; no risk.",
        body=ProfileRequest, subjects=risk.subject, needs_model=False,
    ),
    Endpoint(
        "POST", "/v1/fhir/risk", Action.SCORE, fhir.risk, FHIR_RESOURCE,
        "A FHIR R4 Bundle in, a RiskAssessment (or a Bundle of them) out.",
        body=FhirBundle, subjects=fhir.subject, query=FHIR_QUERY, media_type=fhir.MEDIA_TYPE, needs_model=False,
    ),
    Endpoint(
        "GET", "/cds-services", Action.READ_MODELS, cds_hooks.services, CDS_SERVICES,
        "The CDS Hooks services that there are.", is_public=True, needs_model=False,
    ),
    Endpoint(
        "POST", "/cds-services/balance-risk", Action.SCORE, cds_hooks.cards, CDS_CARDS,
        "CDS Hooks patient-view: at most one card.",
        body=CdsRequest, subjects=cds_hooks.subject, needs_model=False,
    ),
    Endpoint(
        "GET", "/v1/models", Action.READ_MODELS, models.models, ModelsResponse,
        "The models in service.", needs_model=False,
    ),
)  # fmt: skip
