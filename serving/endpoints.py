"""Every address of the service, declared once: routes, policy, audit, OpenAPI and tests follow from it."""

from __future__ import annotations

from serving.access.policy import Action
from serving.call import Endpoint
from serving.handlers import (
    alerts,
    cds_hooks,
    fhir,
    fhir_bodies,
    models,
    profile,
    risk,
    stored,
    stored_worklist,
    what_if,
)
from serving.handlers.alert_bodies import Acknowledged, AlertsResponse
from serving.handlers.cds_bodies import CARDS_ANSWER, DISCOVERY_ANSWER, CdsRequest
from serving.handlers.company_report import company_report
from serving.handlers.company_report_bodies import CompanyReport
from serving.handlers.fhir_bodies import FhirBundle
from serving.handlers.models import ModelsResponse
from serving.handlers.profile_bodies import ProfileRequest, ProfileResponse
from serving.handlers.risk_bodies import BatchResponse
from serving.handlers.stored_bodies import (
    WORKLIST_QUERY,
    AccessLog,
    CareRelation,
    CareRelationRequest,
    DecisionRecorded,
    DecisionRequest,
    StoredRisk,
    Withdrawal,
    WithdrawalRequest,
    WorklistResponse,
)
from serving.handlers.what_if_bodies import WhatIfRequest, WhatIfResponse
from serving.requests import BatchRequest, RiskRequest
from serving.responses import ExplanationResponse, RiskResponse

BATCH_BYTES = 16 * 2**20

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST", "/v1/risk", Action.SCORE, risk.risk, RiskResponse,
        "Risk of each outcome from one person's record, with the strongest reasons.",
        body=RiskRequest, subjects=risk.subject, basis=risk.basis, handle_all=risk.risk_all,
    ),
    Endpoint(
        "POST", "/v1/risk/batch", Action.SCORE, risk.batch, BatchResponse,
        "Risks of up to 1 000 persons: for each the answer of /v1/risk, or the problem.",
        body=BatchRequest, subjects=risk.batch_subjects, basis=risk.basis, most_bytes=BATCH_BYTES, is_bulk=True,
    ),
    Endpoint(
        "POST", "/v1/explanation", Action.EXPLAIN, risk.explanation, ExplanationResponse,
        "Risk of each outcome, with every contribution.", body=RiskRequest, subjects=risk.subject, basis=risk.basis,
    ),
    Endpoint(
        "POST", "/v1/what-if", Action.WHAT_IF, what_if.what_if, WhatIfResponse,
        "The model's answer to changed answers, of modifiable inputs only; no promise that a change would do it.",
        body=WhatIfRequest, subjects=risk.subject, basis=risk.basis,
    ),
    Endpoint(
        "POST", "/v1/profile", Action.PROFILE, profile.profile, ProfileResponse,
        "Scales and measurements of one person's record by domain; no risk.",
        body=ProfileRequest, subjects=risk.subject, basis=profile.basis, needs_model=False,
    ),
    Endpoint(
        "POST", "/v1/fhir/risk", Action.SCORE, fhir.risk, fhir_bodies.ANSWER,
        "A FHIR R4 Bundle in, a RiskAssessment (or a Bundle of them) out.",
        body=FhirBundle, subjects=fhir.subject, basis=fhir.basis, query=fhir_bodies.QUERY, media_type=fhir.MEDIA_TYPE,
        needs_model=False,
    ),
    Endpoint(
        "GET", "/cds-services", Action.READ_MODELS, cds_hooks.services, DISCOVERY_ANSWER,
        "The CDS Hooks services that there are.", is_public=True, needs_model=False,
    ),
    Endpoint(
        "POST", "/cds-services/balance-risk", Action.SCORE, cds_hooks.cards, CARDS_ANSWER,
        "CDS Hooks patient-view: at most one card.",
        body=CdsRequest, subjects=cds_hooks.subject, basis=cds_hooks.basis, needs_model=False,
    ),
    Endpoint(
        "GET", "/v1/worklist", Action.READ_WORKLIST, stored_worklist.worklist, WorklistResponse,
        "Whom to talk with first, of last night's scores: at most as many as there is time for.",
        subjects=stored_worklist.worklist_subjects, basis=stored_worklist.worklist_basis, query=WORKLIST_QUERY,
        needs_model=False,
    ),
    Endpoint(
        "GET", "/v1/alerts", Action.READ_ALERTS, alerts.alerts, AlertsResponse,
        "Alerts that wait for somebody, safety flags first, and what each team was told last.",
        subjects=alerts.alerts_subjects, basis=stored.nothing, needs_model=False,
    ),
    Endpoint(
        "POST", "/v1/alerts/{alert_id}/acknowledgement", Action.ACKNOWLEDGE_ALERT, alerts.acknowledge, Acknowledged,
        "Say that an alert was seen.", subjects=alerts.alert_subjects, basis=stored.nothing, needs_model=False, writes=True,
    ),
    Endpoint(
        "GET", "/v1/persons/{person_id}/risk", Action.READ_PERSON, stored.person_risk, StoredRisk,
        "The newest stored answer about a person.", subjects=stored.person_subjects, basis=stored.person_basis,
        needs_model=False,
    ),
    Endpoint(
        "POST", "/v1/persons/{person_id}/decisions", Action.RECORD_DECISION, stored.decide, DecisionRecorded,
        "Agree, disagree or not relevant: what a clinician says about one stored score, and why.",
        body=DecisionRequest, subjects=stored.person_subjects, basis=stored.nothing, needs_model=False, writes=True,
    ),
    Endpoint(
        "POST", "/v1/persons/{person_id}/care-relation", Action.BEGIN_CARE, stored.begin_care, CareRelation,
        "Take a person into care, for 90 days.",
        body=CareRelationRequest, subjects=stored.person_subjects, basis=stored.nothing, needs_model=False, writes=True,
    ),
    Endpoint(
        "POST", "/v1/persons/{person_id}/withdrawals", Action.WITHDRAW, stored.withdraw, Withdrawal,
        "Withdraw a person's consent to one source, or to all; it counts at once.",
        body=WithdrawalRequest, subjects=stored.known_subjects, basis=stored.nothing, needs_model=False, writes=True,
    ),
    Endpoint(
        "GET", "/v1/persons/{person_id}/accesses", Action.READ_ACCESSES, stored.accesses, AccessLog,
        "Who has looked at a person, or tried to.", subjects=stored.known_subjects, needs_model=False,
    ),
    Endpoint(
        "GET", "/v1/companies/{company_id}/report", Action.READ_REPORT, company_report, CompanyReport,
        "The month's report of a company: rounded shares of large enough groups, no person.",
        subjects=stored.company_subjects, needs_model=False,
    ),
    Endpoint(
        "GET", "/v1/models", Action.READ_MODELS, models.models, ModelsResponse,
        "The models in service.", basis=models.basis, needs_model=False,
    ),
)  # fmt: skip
