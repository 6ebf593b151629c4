"""What the routes over the store answer and refuse, and whom they name to the audit log."""

from __future__ import annotations

import json
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from serving.access.caller import Caller
from serving.access.policy import Purpose
from serving.call import Call
from serving.handlers import stored, stored_worklist
from serving.handlers.company_report import company_report
from serving.handlers.stored_bodies import CareRelationRequest, DecisionRequest, WithdrawalRequest
from serving.problems import NO_SCORE, Refused
from tests.lib.stores import NIGHT, OUTCOME, consents, opened, scored, write

FNR = "01018000055"


@pytest.fixture
def store(tmp_path):
    with opened(f"sqlite:///{tmp_path}/store.db") as found:
        write(found, scored("p", 0.4), scored("q", 0.2), scored("else", 0.9, companies=("other",)))
        yield found


def call(store, body: Any = None, query: str = "", organisations=("c",), role="clinician", **path: str) -> Call:
    parts: Any = SimpleNamespace(store=store, withdrawals=SimpleNamespace(note=lambda *withdrawn: None))
    caller = Caller("dr-1", role, frozenset(organisations), "test")
    return Call(caller, Purpose.HEALTHCARE, None, body, path, QueryParams(query), NIGHT, "request-1", parts)


def refused(handler, asked: Call) -> Any:
    with pytest.raises(Refused) as error:
        handler(asked)
    return error.value.problem


def decision(store, person_id="p", **changes: Any) -> DecisionRequest:
    score = store.latest_score(person_id, NIGHT)
    fields = {"score_id": score.score_id, "outcome": OUTCOME, "verdict": "agree", "reason": "fits what she told"}
    return DecisionRequest(**fields | changes)


def test_the_worklist_names_to_the_audit_log_whom_it_shows_even_if_the_store_changes_in_between(store):
    asked = call(store)
    subjects = stored_worklist.worklist_subjects(asked)
    write(store, scored("new", 0.99), data_version="e" * 64)
    answer = stored_worklist.worklist(asked)
    assert [one.person_id for one in answer.persons] == [one.person_id for one in subjects] == ["p", "q"]
    assert [one.companies for one in subjects] == [{"c"}, {"c"}]
    assert answer.persons[0].risk == 0.4
    assert answer.persons[0].expected_days is None


def test_an_organisation_called_any_opens_nothing_to_a_clinician(store):
    assert stored_worklist.worklist(call(store, organisations=("*",))).persons == ()


@pytest.mark.parametrize(
    "query",
    ["outcome=x", "capacity=0", "capacity=201", "capacity=-1", "capacity=1e2", "capacity=²", "night=today", "night=20260301",
     "night=2026-02-30", "capacity=1&capacity=2", "order=name", "domain=luck", "company=a/b", f"company={FNR}", "company=*"],
)  # fmt: skip
def test_a_wrong_query_is_refused_without_being_quoted(store, query):
    problem = refused(stored_worklist.worklist_subjects, call(store, query=query))
    assert problem.status == 422
    assert query.partition("=")[2] not in (problem.detail if len(query) > 12 else "")


@pytest.mark.parametrize("name", ["outcome", "capacity", "night", "order", "company", "domain"])
def test_an_empty_parameter_is_refused_like_any_other_that_is_none(store, name):
    with pytest.raises(Refused):
        stored_worklist.worklist(call(store, query=f"{name}="))


def test_everybody_who_is_named_is_an_event_also_those_set_aside(store):
    stored.decide(call(store, decision(store, next_step="conversation"), person_id="p"))
    asked = call(store, query="capacity=1")
    assert [one.person_id for one in stored_worklist.worklist_subjects(asked)] == ["q", "p"]
    answer = stored_worklist.worklist(asked)
    assert [one.person_id for one in answer.persons] == ["q"]
    assert [(one.person_id, one.last_decision.next_step) for one in answer.set_aside] == [("p", "conversation")]
    assert answer.above_capacity == 0


def test_a_company_of_others_is_for_the_policy_to_refuse_before_anybody_is_named(store):
    asked = call(store, query="company=other")
    assert [(one.person_id, one.companies) for one in stored_worklist.worklist_subjects(asked)] == [(None, {"other"})]
    assert asked.kept == {}
    both = call(store, query="company=other", organisations=("c", "other"))
    assert [one.person_id for one in stored_worklist.worklist_subjects(both)] == ["else"]


def test_a_night_that_was_not_scored_is_not_found(store):
    assert refused(stored_worklist.worklist, call(store, query="night=2020-01-01")).kind == "no-night"
    assert stored_worklist.worklist(call(store, query="night=2026-03-01&capacity=1")).capacity == 1


def test_a_stored_risk_is_the_very_answer_of_that_night(store):
    answer = stored.person_risk(call(store, person_id="p"))
    document = json.loads(answer.body)
    assert document["night"] == "2026-03-01"
    score = store.latest_score("p", NIGHT)
    assert document["score_id"] == score.score_id
    assert score.answer in answer.body


def test_a_stranger_and_one_who_has_withdrawn_are_answered_alike(store):
    body = decision(store)
    store.withdraw("p", "survey", NIGHT)
    for person_id in ("p", "stranger"):
        assert refused(stored.person_risk, call(store, person_id=person_id)) == NO_SCORE
        assert refused(stored.decide, call(store, body, person_id=person_id)) == NO_SCORE
    store.withdraw("p", None, NIGHT)
    found = [stored.person_subjects(call(store, person_id=one))[0].companies for one in ("p", "stranger")]
    assert found == [frozenset(), frozenset()]


@pytest.mark.parametrize("identifier", [FNR, "a/b", "", "x" * 65, "'; --", "æ", f"person-{FNR}"])
@pytest.mark.parametrize("subjects", [stored.person_subjects, stored.known_subjects, stored.company_subjects])
def test_a_path_that_can_name_nobody_is_refused_unseen(store, subjects, identifier):
    problem = refused(subjects, call(store, person_id=identifier, company_id=identifier))
    assert problem.status == 422
    assert not identifier or identifier not in json.dumps(problem.document())


def test_a_decision_is_about_one_stored_score_of_that_person(store):
    noted = stored.decide(call(store, decision(store), person_id="p"))
    assert (noted.verdict, noted.outcome) == ("agree", OUTCOME)
    assert len(store.decisions()) == 1
    assert refused(stored.decide, call(store, decision(store, "q"), person_id="p")) == NO_SCORE
    problem = refused(stored.decide, call(store, decision(store, outcome="burnout"), person_id="p"))
    assert problem.errors[0].field == "/outcome"


@pytest.mark.parametrize("reason", ["", " \n", "x" * 1001, f"she is {FNR}", "010180 00055", "a\x00b", "a\x1bb"])
def test_free_text_holds_no_identity_number_and_no_control_characters(store, reason):
    for make in (lambda: decision(store, reason=reason), lambda: CareRelationRequest(reason=reason)):
        with pytest.raises(ValidationError) as error:
            make()
        assert len(reason.strip()) < 3 or reason not in str(error.value)


def test_care_begins_and_ends(store):
    answer = stored.begin_care(call(store, CareRelationRequest(reason="referred"), person_id="q"))
    assert answer.until == NIGHT + timedelta(days=90)
    assert store.has_care_relation("dr-1", "q", NIGHT)


def test_a_withdrawal_counts_at_once(store):
    asked = call(store, WithdrawalRequest(source=None), person_id="q", role="app")
    assert len(stored.withdraw(asked).sources) == 4
    assert [one.person_id for one in stored_worklist.worklist(call(store)).persons] == ["p"]


def test_who_has_withdrawn_everything_can_still_be_asked_about_by_her_auditor_and_withdraw_again(store):
    store.withdraw("p", None, NIGHT)
    assert stored.person_subjects(call(store, person_id="p"))[0].companies == frozenset()
    assert stored.known_subjects(call(store, person_id="p"))[0].companies == {"c"}
    assert stored.known_subjects(call(store, person_id="stranger"))[0].companies == frozenset()


def test_the_audit_log_names_the_models_and_data_of_the_night_that_is_answered(store):
    night = store.night(NIGHT)
    assert night.models
    for asked, basis in (
        (call(store), stored_worklist.worklist_basis),
        (call(store, person_id="p"), stored.person_basis),
    ):
        models, data_version = basis(asked)
        assert data_version == night.data_version
        assert [name.split(":")[0] for name in models] == [OUTCOME]
    assert stored.person_basis(call(store, person_id="stranger")) == ((), "")


def test_a_report_tells_of_the_company_in_sentences(store):
    assert refused(company_report, call(store, company_id="unheard")).kind == "no-report"
    counted = consents() + consents(purpose="aggregate_reporting")
    write(
        store, *(scored(f"p{i}", 0.5 if i < 10 else 0.1, consents=counted) for i in range(20)), night=date(2026, 4, 1)
    )
    answer = company_report(call(store, company_id="c"))
    told = answer.measures[OUTCOME]
    assert (answer.month, told.group_size, told.why_not) == ("2026-04", "20 to 49", None)
    assert [(one.name, one.percent) for one in told.categories] == [("not_above", 50), ("above", 50)]


def test_a_report_without_a_number_says_why(store):
    counted = consents() + consents(purpose="aggregate_reporting")
    write(store, scored("only", 0.5, consents=counted), night=date(2026, 4, 1))
    told = company_report(call(store, company_id="c")).measures[OUTCOME]
    assert (told.categories, told.group_size) == (None, None)
    assert "Too few" in told.why_not.en
