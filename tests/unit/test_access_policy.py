"""Who may do what: every combination against an expectation written out by hand, not read from the table."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from serving.access.caller import ANY, ROLES, Caller
from serving.access.policy import RULES, Action, Condition, Decision, Purpose, Subject, permit, permit_subject

# Per role and purpose: each letter stands for one of ACTIONS. "." denied, "f" free, "o" own company, "c" own company and care.
ACTIONS = [
    Action.SCORE, Action.EXPLAIN, Action.WHAT_IF, Action.PROFILE, Action.READ_WORKLIST, Action.READ_PERSON,
    Action.RECORD_DECISION, Action.BEGIN_CARE, Action.WITHDRAW, Action.READ_REPORT, Action.READ_MODELS, Action.READ_ACCESSES,
    Action.READ_ALERTS, Action.ACKNOWLEDGE_ALERT,
]  # fmt: skip
EXPECTED = {
    # order:                        SEWP WPDC WRMA LK
    ("app", "healthcare"):          "oooo .... o.f. ..",
    ("app", "quality"):             ".... .... .... ..",
    ("app", "aggregate_reporting"): ".... .... .... ..",
    ("app", "audit"):               ".... .... .... ..",
    ("clinician", "healthcare"):    "cccc occo ..f. oo",
    ("clinician", "quality"):       ".... .... ..f. ..",
    ("clinician", "aggregate_reporting"): ".... .... .... ..",
    ("clinician", "audit"):         ".... .... .... ..",
    ("employer", "healthcare"):     ".... .... .... ..",
    ("employer", "quality"):        ".... .... .... ..",
    ("employer", "aggregate_reporting"): ".... .... .o.. ..",
    ("employer", "audit"):          ".... .... .... ..",
    ("auditor", "healthcare"):      ".... .... .... ..",
    ("auditor", "quality"):         ".... .... .... ..",
    ("auditor", "aggregate_reporting"): ".... .... .... ..",
    ("auditor", "audit"):           ".... .... ..fo ..",
}  # fmt: skip

ORGANISATIONS = {"own": {"c1"}, "own and another": {"c1", "c9"}, "another": {"c9"}, "none": set(), "any": {ANY}}
COMPANIES = {"one": {"c1"}, "two": {"c1", "c2"}, "left": set()}


def letter(role: str, purpose: str, action: Action) -> str:
    return EXPECTED[role, purpose].replace(" ", "")[ACTIONS.index(action)]


def caller_of(role: str, organisations: str) -> Caller:
    return Caller("ann", role, frozenset(ORGANISATIONS[organisations]), "https://issuer.example")


def is_theirs(role: str, organisations: str, companies: str) -> bool:
    if organisations == "any":
        return role in ("app", "auditor")
    return organisations in ("own", "own and another") and companies in ("one", "two")


def is_expected(role, purpose, action, organisations, companies, person, has_care) -> bool:
    kind = letter(role, purpose, action)
    if kind == "." or (role == "employer" and person):
        return False
    if kind == "f":
        return True
    if not is_theirs(role, organisations, companies):
        return False
    return kind == "o" or (has_care and person is not None)


def test_the_expectation_names_everything():
    assert set(EXPECTED) == set(product(ROLES, Purpose))
    assert sorted(ACTIONS) == sorted(Action)
    assert all(len(line.replace(" ", "")) == len(Action) for line in EXPECTED.values())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("purpose", Purpose)
def test_every_combination_is_decided_as_written_out(role, purpose):
    checked = 0
    cases = product(Action, ORGANISATIONS, COMPANIES, ("p1", None), (True, False))
    for action, organisations, companies, person, has_care in cases:
        caller = caller_of(role, organisations)
        subject = Subject(person, frozenset(COMPANIES[companies]))
        decision = permit_subject(caller, purpose, action, subject, lambda has_care=has_care: has_care)
        wanted = is_expected(role, purpose, action, organisations, companies, person, has_care)
        assert decision.allowed is wanted, (action, organisations, companies, person, has_care, decision.reason)
        assert (decision.reason == "allowed") is wanted
        checked += 1
    assert checked == 14 * 5 * 3 * 2 * 2


@pytest.mark.parametrize(("role", "purpose"), EXPECTED)
def test_before_the_body_is_read_only_what_could_be_allowed_passes(role, purpose):
    for action, organisations in product(Action, ORGANISATIONS):
        kind = letter(role, purpose, action)
        wanted = kind == "f" or (kind in "oc" and organisations != "none")
        assert permit(caller_of(role, organisations), Purpose(purpose), action).allowed is wanted


@pytest.mark.parametrize(
    ("role", "purpose", "action", "organisations", "has_care", "reason"),
    [
        ("employer", "aggregate_reporting", Action.SCORE, "own", True, "role_not_allowed"),
        ("app", "quality", Action.SCORE, "own", True, "purpose_not_allowed"),
        ("app", "healthcare", Action.SCORE, "another", True, "other_organisation"),
        ("app", "healthcare", Action.SCORE, "none", True, "other_organisation"),
        ("clinician", "healthcare", Action.READ_PERSON, "own", False, "no_care_relation"),
        ("clinician", "healthcare", Action.READ_PERSON, "own", True, "allowed"),
    ],
)
def test_a_refusal_says_why_in_a_fixed_word(role, purpose, action, organisations, has_care, reason):
    subject = Subject("p1", frozenset({"c1"}))
    decision = permit_subject(caller_of(role, organisations), Purpose(purpose), action, subject, lambda: has_care)
    assert decision == Decision(reason == "allowed", reason)


def test_an_employer_reads_reports_and_nothing_else_ever():
    assert {(purpose, action) for role, purpose, action in RULES if role == "employer"} == {
        (Purpose.AGGREGATE_REPORTING, Action.READ_REPORT)
    }


def test_an_employer_is_refused_a_person_even_if_the_table_were_wrong(monkeypatch):
    from serving.access import policy

    everything = {
        (role, purpose, action): Condition(False, False) for role in ROLES for purpose in Purpose for action in Action
    }
    monkeypatch.setattr(policy, "RULES", everything)
    for purpose, action in product(Purpose, Action):
        subject = Subject("p1", frozenset({"c1"}))
        assert not permit_subject(caller_of("employer", "own"), purpose, action, subject, lambda: True).allowed


def test_whoever_has_left_the_company_is_no_longer_its_clinicians_business():
    clinician = caller_of("clinician", "own")
    now_elsewhere = Subject("p1", frozenset({"c7"}))
    assert permit_subject(clinician, Purpose.HEALTHCARE, Action.READ_PERSON, now_elsewhere, lambda: True) == Decision(
        False, "other_organisation"
    )


def test_every_company_counts_for_no_clinician_and_no_employer():
    for role in ("clinician", "employer"):
        caller = Caller("ann", role, frozenset({ANY}), "https://issuer.example")
        assert not caller.acts_for(frozenset({"c1"}))
        assert not caller.acts_for(frozenset({ANY})), "a company of that name opens nothing"


def test_the_store_is_asked_for_care_only_if_all_else_holds():
    def fails() -> bool:
        raise AssertionError("asked")

    subject = Subject("p1", frozenset({"c1"}))
    for role, organisations in (("employer", "own"), ("clinician", "another"), ("app", "own")):
        permit_subject(caller_of(role, organisations), Purpose.HEALTHCARE, Action.SCORE, subject, fails)


def test_a_store_that_fails_is_no_permission():
    def fails() -> bool:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        permit_subject(
            caller_of("clinician", "own"), Purpose.HEALTHCARE, Action.SCORE, Subject("p1", frozenset({"c1"})), fails
        )


def test_nobody_changes_the_table_while_the_service_runs():
    with pytest.raises(TypeError):
        RULES["employer", Purpose.HEALTHCARE, Action.SCORE] = Condition(False, False)  # type: ignore[index]


def test_the_documentation_says_what_the_code_does():
    lines = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    rows = [row for row in rows if len(row) == 2 + len(ROLES)]
    conditions = {
        "anybody": Condition(organisation=False, care_relation=False),
        "own company": Condition(organisation=True, care_relation=False),
        "own company, care": Condition(organisation=True, care_relation=True),
    }
    said = {}
    for action, _, *cells in rows:
        for role, cell in zip(ROLES, cells, strict=True):
            for purpose, condition in re.findall(r"(\w+): (own company, care|own company|anybody)", cell):
                said[role, Purpose(purpose), Action(action.strip("`"))] = conditions[condition]
    assert len(rows) == len(Action)
    assert said == RULES
