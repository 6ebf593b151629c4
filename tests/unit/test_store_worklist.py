"""Whom to contact: order, marks, who is set aside and who is counted, against a slow reference and by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from serving.store.decisions import NEXT_STEPS
from serving.store.nights import OutcomeScore
from serving.store.tables import DECISIONS
from serving.store.worklist import WorklistQuestion
from tests.lib.stores import MODELS, NIGHT, OUTCOME, consents, fresh_url, opened, scored, write

CALLER = "dr-1"
TODAY = NIGHT
LAST_WEEK = NIGHT - timedelta(days=7)


def listed(store, **changes):
    """The worklist of everybody at company c."""
    fields = {"companies": {"c"}, "outcome": OUTCOME, "capacity": 20, "day": TODAY}
    return store.worklist(WorklistQuestion(CALLER, **fields | changes))


def names(entries):
    return [one.person_id for one in entries]


def one(person_id="p", number=0.2, benefit=None, domain=None, band="around", high=None, **changes):
    """A person whose number, benefit and band are chosen freely."""
    outcome = OutcomeScore(OUTCOME, "event", number, number, high or number, band, benefit, domain)
    return scored(person_id, number, outcomes=(outcome,), **changes)


def decide(store, person_id, days_ago=0, next_step="wait", outcome=OUTCOME):
    """Somebody decides about the newest score, some days before today."""
    noted = store.record_decision("dr-2", store.latest_score(person_id, TODAY), outcome, "agree", "seen", next_step)
    at = f"{TODAY - timedelta(days=days_ago)}T10:00:00+00:00"
    with store.database.writing() as connection:
        of_noted = DECISIONS.c.decision_id == noted.decision_id
        connection.execute(update(DECISIONS).where(of_noted).values(decided_at=at))


# --- order and filters ------------------------------------------------------------------------------------------------


def test_what_can_be_worked_with_ranks_or_the_risk_and_a_flag_is_first_in_both(store):
    write(store, one("high", 0.6, 0.01), one("workable", 0.3, 0.2), one("old", 0.5, None), one("flag", 0.1, 0.0,
          is_flagged=True), one("flag-only", None, is_flagged=True))  # fmt: skip
    assert names(listed(store).entries) == ["flag", "flag-only", "workable", "high", "old"]
    assert names(listed(store, order="risk").entries) == ["flag", "flag-only", "high", "old", "workable"]


def test_one_company_or_one_domain_can_be_looked_at_but_no_flag_is_filtered_away(store):
    write(store, one("sleeps", 0.4, 0.1, "sleep"), one("hurts", 0.5, 0.1, "pain_and_body", companies=("c", "b")),
          one("flag", 0.1, 0.0, "diet_and_cardiometabolic", is_flagged=True))  # fmt: skip
    assert names(listed(store, domain="sleep").entries) == ["flag", "sleeps"]
    assert names(listed(store, companies={"b", "c"}, company="b").entries) == ["hurts"]
    assert names(listed(store, companies={"c"}, company="b").entries) == []
    found = listed(store, order="risk").entries
    assert [(one.domain, one.benefit) for one in found[1:]] == [("pain_and_body", 0.1), ("sleep", 0.1)]


def test_those_above_the_capacity_are_counted_and_not_named(store):
    write(store, *(one(f"p{i}", 0.1 * i, 0.01 * i) for i in range(1, 6)), one("none", None), one("flag", None,
          is_flagged=True), one("flag-too", 0.1, is_flagged=True))  # fmt: skip
    found = listed(store, capacity=3)
    assert names(found.entries) == ["flag-too", "flag", "p5"]
    assert (found.n_above_capacity, found.n_flagged_left_out) == (4, 0)
    assert (listed(store, capacity=1).n_above_capacity, listed(store, capacity=1).n_flagged_left_out) == (5, 1)
    assert listed(store).n_above_capacity == 0


# --- set aside --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days_ago", "is_aside"), [(0, True), (28, True), (29, False)])
def test_who_was_decided_about_in_four_weeks_is_set_aside_and_takes_no_place(store, days_ago, is_aside):
    write(store, one("p", 0.5, 0.2), one("q", 0.4, 0.1), one("r", 0.3, 0.05))
    decide(store, "p", days_ago)
    found = listed(store, capacity=1)
    assert names(found.entries) == (["q"] if is_aside else ["p"])
    assert names(found.set_aside) == (["p"] if is_aside else [])
    assert found.n_above_capacity == (1 if is_aside else 2)
    shown = found.set_aside[0] if is_aside else found.entries[0]
    assert (shown.last_decision.verdict, shown.last_decision.next_step) == ("agree", "wait")


@pytest.mark.parametrize(("next_step", "days_ago", "is_aside"), [
    ("none", 0, False), ("wait", 0, False), ("conversation", 0, True), ("general_practitioner", 28, True),
    ("programme_offer", 0, True), ("workplace_measure", 0, True), ("conversation", 29, False),
])  # fmt: skip
def test_a_decision_about_another_outcome_sets_aside_only_who_is_followed_up(store, next_step, days_ago, is_aside):
    both = (*one().outcomes, OutcomeScore("burnout", "event", 0.2, 0.2, 0.2, "around"))
    write(store, replace(one(), outcomes=both))
    decide(store, "p", days_ago, next_step, outcome="burnout")
    found = listed(store)
    assert (names(found.entries), names(found.set_aside)) == (([], ["p"]) if is_aside else (["p"], []))
    last = (found.entries or found.set_aside)[0].last_decision
    is_told = next_step not in ("none", "wait")
    assert (last and (last.outcome, last.next_step)) == (("burnout", next_step) if is_told else None)


FLAGGED = {"is_flagged": True, "flags_digest": "first"}


def test_a_flag_is_set_aside_by_a_decision_that_saw_it_and_comes_back_with_a_new_one(store):
    write(store, one("p", 0.1), night=LAST_WEEK)
    decide(store, "p", 7, "conversation")
    write(store, one("p", 0.1, **FLAGGED), night=NIGHT - timedelta(days=1))
    assert names(listed(store).entries) == ["p"], "the decision was made before the flag was there"
    decide(store, "p", 1, "conversation")
    assert (names(listed(store).entries), names(listed(store).set_aside)) == ([], ["p"])
    write(store, one("p", 0.1, **FLAGGED | {"flags_digest": "first and second"}))
    assert names(listed(store).entries) == ["p"], "another answer was flagged since"


@pytest.mark.parametrize("next_step", NEXT_STEPS)
def test_a_flag_is_set_aside_only_where_somebody_means_to_talk_with_the_person(store, next_step):
    write(store, one("p", 0.1, **FLAGGED), one("q", 0.1))
    decide(store, "p", next_step=next_step)
    decide(store, "q", next_step=next_step)
    is_aside = next_step in ("conversation", "general_practitioner")
    assert names(listed(store).set_aside) == (["p", "q"] if is_aside else ["q"]), "a flag first, whoever came last"
    assert names(listed(store).entries) == ([] if is_aside else ["p"])


def test_who_is_set_aside_is_listed_by_the_newest_decision_and_only_where_it_may_be_shown(store):
    write(store, *(one(name, 0.2) for name in "abc"), one("else", companies=("other",)))
    for name in ("b", "c", "a", "else"):
        decide(store, name)
    assert names(listed(store).set_aside) == ["a", "c", "b"]
    store.withdraw("c", None, TODAY)
    assert names(listed(store).set_aside) == ["a", "b"]


# --- new and rising ---------------------------------------------------------------------------------------------------


def mark(store, **changes):
    return {one.person_id: one.mark for one in listed(store, **changes).entries}


def test_new_is_who_was_known_not_to_be_above_or_not_scored_and_rising_whose_number_left_the_interval(store):
    write(store, one("was-around", 0.2, high=0.9), one("was-above", 0.4, band="above", high=0.5),
          one("no-interval", 0.4, band="above"), one("within", 0.2, high=0.25), one("beyond", 0.2, high=0.25),
          one("no-number", None, band=None), replace(one("unknown"), outcomes=()), night=LAST_WEEK)  # fmt: skip
    write(store, one("was-around", 0.4, band="above"), one("was-above", 0.45, band="well_above"),
          one("no-interval", 0.4, band="above"), one("within", 0.25), one("beyond", 0.2501),
          one("no-number", 0.6, band="well_above"), one("unknown", 0.6, band="above"),
          one("stranger", 0.6, band="above"), one("calm", 0.1))  # fmt: skip
    assert mark(store) == {
        "was-around": "new", "was-above": None, "no-interval": None, "within": None, "beyond": "rising",
        "no-number": None, "unknown": None, "stranger": "new", "calm": None,
    }  # fmt: skip


@pytest.mark.parametrize(("days", "expected"), [(4, None), (5, "new"), (35, "new"), (36, None)])
def test_the_earlier_night_is_five_to_35_days_older(store, days, expected):
    write(store, one(), night=NIGHT - timedelta(days=days))
    write(store, one(number=0.4, band="above"))
    assert mark(store) == {"p": expected}


def test_the_newest_of_the_earlier_nights_counts(store):
    write(store, one(), night=NIGHT - timedelta(days=30))
    write(store, one(number=0.4, band="above", high=0.6), night=LAST_WEEK)
    write(store, one(number=0.4, band="above"))
    assert mark(store) == {"p": None}
    assert mark(store, night=LAST_WEEK) == {"p": "new"}


def test_nothing_is_marked_across_models(store, monkeypatch):
    write(store, one("p", 0.2, high=0.25), one("q", 0.2), night=LAST_WEEK)
    monkeypatch.setitem(MODELS, OUTCOME, MODELS[OUTCOME] | {"artifact_sha256": "cd" * 32})
    write(store, one("p", 0.3), one("q", 0.4, band="above"), one("stranger", 0.4, band="above"))
    assert mark(store) == {"p": None, "q": None, "stranger": None}


def test_an_earlier_score_that_may_not_be_shown_any_more_is_not_compared_with(store):
    write(store, one(number=0.2, high=0.25), one("q"), night=LAST_WEEK)
    without = consents("absence") + consents("survey", withdrawn="2026-02-25")
    write(store, one(number=0.3, consents=without), one("q", number=0.4, band="above", consents=without))
    assert mark(store) == {"p": None, "q": None}


# --- against a slow reference -----------------------------------------------------------------------------------------

PERSONS = tuple("abcdef")
_NUMBERS = st.sampled_from([None, 0.1, 0.2, 0.3, 0.4])
_OUTCOMES = st.tuples(_NUMBERS, st.sampled_from([None, 0.0, 0.1, 0.2]), st.sampled_from(["sleep", "mental_health"]))


@dataclass(frozen=True)
class Drawn:
    """One person as drawn: today's number, last week's, and what else decides where she stands."""

    now: tuple[float | None, float | None, str]
    before: float | None
    is_known_before: bool
    is_flagged: bool
    companies: tuple[str, ...]
    withdrawn: str | None
    decided: tuple[int, str] | None

    @property
    def band(self):
        return _band(self.now[0])


def _band(number):
    return None if number is None else "above" if number >= 0.3 else "around"


_PERSON = st.builds(
    Drawn, _OUTCOMES, _NUMBERS, st.booleans(), st.booleans(),
    st.sampled_from([("c",), ("b",), ("b", "c"), ()]), st.sampled_from([None, None, "survey"]),
    st.sampled_from([None, None, (3, "wait"), (3, "conversation"), (40, "conversation")]),
)  # fmt: skip


def fill(store, persons):
    before = [one(name, drawn.before, band=_band(drawn.before), high=drawn.before and drawn.before + 0.05)
              for name, drawn in persons.items() if drawn.is_known_before]  # fmt: skip
    write(store, *before, night=LAST_WEEK)
    write(store, *(
        one(name, *drawn.now, band=drawn.band, is_flagged=drawn.is_flagged, companies=drawn.companies,
            flags_digest="f" if drawn.is_flagged else None)
        for name, drawn in persons.items()
    ))  # fmt: skip
    for name, drawn in persons.items():
        if drawn.decided is not None:
            decide(store, name, *drawn.decided)
        if drawn.withdrawn:
            store.withdraw(name, drawn.withdrawn, TODAY)


def reference(persons, companies, capacity, order, domain):
    """Entries with marks, names set aside, and both counts, the slow way."""
    groups = defaultdict(list)
    for name, drawn in persons.items():
        number, benefit, leading = drawn.now
        is_asked = number is not None and domain in (None, leading)
        if drawn.withdrawn or not set(companies) & set(drawn.companies) or not (drawn.is_flagged or is_asked):
            continue
        ranked = (benefit, number) if order == "benefit" else (number,)
        key = (not drawn.is_flagged, *((value is None, -(value or 0)) for value in ranked), name)
        was_withheld = drawn.is_known_before and drawn.before is None
        was_above = drawn.is_known_before and _band(drawn.before) == "above"
        is_rising = number is not None and drawn.is_known_before and drawn.before and number > drawn.before + 0.05
        is_new = drawn.band == "above" and not was_above and not was_withheld
        is_aside = drawn.decided == (3, "conversation") or (drawn.decided == (3, "wait") and not drawn.is_flagged)
        mark = "new" if is_new else "rising" if is_rising else None
        groups[is_aside].append((key, name, mark, drawn.is_flagged, number is not None))
    ranked = sorted(groups[False])
    left = ranked[capacity:]
    return (
        [(name, mark) for _, name, mark, *_ in ranked[:capacity]],
        sorted(name for _, name, *_ in groups[True]),
        sum(is_flagged for *_, is_flagged, _ in left),
        sum(has_number for *_, has_number in left),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=st.lists(_PERSON, min_size=1, max_size=len(PERSONS)), companies=st.sampled_from([("c",), ("b",), ("b", "c")]),
    capacity=st.integers(1, 4), order=st.sampled_from(["benefit", "risk"]), domain=st.sampled_from([None, "sleep"]),
)  # fmt: skip
def test_the_list_is_that_of_the_slow_reference(tmp_path, drawn, companies, capacity, order, domain):
    persons = dict(zip(PERSONS, drawn, strict=False))
    with opened(fresh_url(None, tmp_path)) as store:
        fill(store, persons)
        found = listed(store, companies=companies, capacity=capacity, order=order, domain=domain)
    told = (
        [(one.person_id, one.mark) for one in found.entries], sorted(names(found.set_aside)),
        found.n_flagged_left_out, found.n_above_capacity,
    )  # fmt: skip
    assert told == reference(persons, companies, capacity, order, domain)
