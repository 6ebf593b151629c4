"""Every page about persons or companies, declared as the endpoints of the API are: same tokens, policy, quotas and audit."""

from __future__ import annotations

from functools import partial

from serving.access.policy import Action, Purpose
from serving.call import Endpoint
from serving.clinician import (
    alert_list,
    begin_care,
    company,
    contributions,
    decide,
    help_page,
    models_page,
    person,
    profile_page,
    timeline,
    what_if_page,
    worklist,
)
from serving.clinician.person_frame import OUTCOME_QUERY
from serving.clinician.refusals import refusal
from serving.handlers import alerts, models, stored, stored_worklist
from serving.handlers.stored_bodies import WORKLIST_QUERY

_page = partial(Endpoint, answer={}, needs_model=False, media_type="text/html", refuse=refusal)
clinical = partial(_page, purpose=Purpose.HEALTHCARE)
aggregate = partial(_page, purpose=Purpose.AGGREGATE_REPORTING)

PAGES: tuple[Endpoint, ...] = (
    clinical(
        "GET", "/ui/worklist", Action.READ_WORKLIST, worklist.worklist_page, summary="Whom to contact this week.",
        subjects=alert_list.subjects, basis=stored_worklist.worklist_basis, query=WORKLIST_QUERY,
    ),
    clinical(
        "POST", "/ui/alerts/{alert_id}/acknowledgement", Action.ACKNOWLEDGE_ALERT, alert_list.acknowledge,
        summary="Say that an alert was seen.", subjects=alerts.alert_subjects, basis=stored.nothing, writes=True,
    ),
    aggregate(
        "GET", "/ui/companies", Action.READ_REPORT, company.companies_page, summary="The reader's own companies.",
        basis=stored.nothing,
    ),
    aggregate(
        "GET", "/ui/companies/{company_id}", Action.READ_REPORT, company.company_page,
        summary="What is told of a workplace, and what it can do.", subjects=stored.company_subjects, basis=stored.nothing,
    ),
    aggregate(
        "GET", "/ui/companies-help", Action.READ_REPORT, company.company_help_page,
        summary="How a leader reads the workplace report.", basis=stored.nothing,
    ),
    clinical("GET", "/ui/help", Action.READ_MODELS, help_page.help_page, summary="How to read the pages."),
    clinical(
        "GET", "/ui/persons/{person_id}/profile", Action.READ_PERSON, profile_page.show,
        summary="What is known of a person by domain, and the health index.", subjects=stored.person_subjects,
        basis=stored.person_basis,
    ),
    clinical(
        "GET", "/ui/persons/{person_id}/timeline", Action.READ_PERSON, timeline.show,
        summary="What happened, newest first.", subjects=stored.person_subjects, basis=stored.person_basis,
        query=timeline.TIMELINE_QUERY,
    ),
    clinical(
        "GET", "/ui/persons/{person_id}", Action.READ_PERSON, person.person, summary="One person: number, reasons, gaps.",
        subjects=stored.person_subjects, basis=stored.person_basis, query=OUTCOME_QUERY, is_explained=True,
    ),
    clinical(
        "GET", "/ui/persons/{person_id}/contributions", Action.READ_PERSON, contributions.contributions,
        summary="All contributions to a person's number.", subjects=stored.person_subjects, basis=stored.person_basis,
        query=OUTCOME_QUERY, is_explained=True,
    ),
    clinical(
        "GET", "/ui/persons/{person_id}/what-if", Action.READ_PERSON, what_if_page.what_if_page, needs_model=True,
        summary="The answers of a person that can be tried otherwise.", subjects=stored.person_subjects,
        basis=what_if_page.what_if_basis, query=OUTCOME_QUERY, is_explained=True,
    ),
    clinical(
        "POST", "/ui/persons/{person_id}/what-if", Action.WHAT_IF, what_if_page.try_answers, needs_model=True,
        summary="What the model says to other answers.", body=what_if_page.AnswersForm, subjects=stored.person_subjects,
        basis=what_if_page.what_if_basis, query=OUTCOME_QUERY,
    ),
    clinical(
        "GET", "/ui/persons/{person_id}/decisions", Action.READ_PERSON, decide.decide_page,
        summary="What was said about a person's scores, and the form to say more.", subjects=stored.person_subjects,
        basis=stored.person_basis, query=OUTCOME_QUERY,
    ),
    clinical(
        "POST", "/ui/persons/{person_id}/decisions", Action.RECORD_DECISION, decide.decide,
        summary="Agree, disagree or not relevant, why, and what comes next.", body=decide.DecisionForm,
        subjects=stored.person_subjects, basis=stored.person_basis, query=OUTCOME_QUERY, writes=True,
        is_wrong=decide.is_wrong, shows=Action.READ_PERSON,
    ),
    clinical(
        "POST", "/ui/persons/{person_id}/care", Action.BEGIN_CARE, begin_care.begin_care,
        summary="Take a person into care, for 90 days.", body=begin_care.CareForm, subjects=stored.person_subjects,
        basis=stored.nothing, writes=True, is_wrong=begin_care.is_wrong,
    ),
    clinical(
        "GET", "/ui/models", Action.READ_MODELS, models_page.models, summary="The models in service, in plain words.",
        basis=models.basis,
    ),
    clinical(
        "GET", "/ui/models/{outcome}", Action.READ_MODELS, models_page.model,
        summary="One model: what it rests on, how well it works for whom, what it is for.", basis=models.basis,
    ),
    clinical(
        "GET", "/ui/models/{outcome}/card", Action.READ_MODELS, models_page.card,
        summary="The model card, as it was signed.", basis=models.basis,
    ),
)  # fmt: skip
