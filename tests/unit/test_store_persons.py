"""What the store shows of a person, and to whom: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from serving.store import consents as consents_of_store
from serving.store.consents import as_seen, latest_versions, with_withdrawals
from serving.store.scoring import companies_on
from serving.store.worklist import WorklistQuestion
from tests.lib.records import consent, job
from tests.lib.stores import NIGHT, OUTCOME, consents, rows, scored, write

TODAY = NIGHT
CALLER = "dr-1"


def listed(store, subject=CALLER, **changes):
    """The worklist of everybody at company c."""
    fields = {"companies": {"c"}, "outcome": OUTCOME, "capacity": 20, "day": TODAY}
    return store.worklist(WorklistQuestion(subject, **fields | changes))


def shown(store, companies=("c",), today=TODAY, capacity=20, outcome=OUTCOME):
    """Who is on the worklist."""
    found = listed(store, companies=companies, outcome=outcome, capacity=capacity, day=today)
    return [] if found is None else [entry.person_id for entry in found.entries]


def in_force(store, person_id):
    """Of each source, whether consent to risk scoring holds today."""
    with store.database.reading() as connection:
        return consents_of_store.in_force(connection, person_id, TODAY)


def test_a_stored_answer_comes_back_byte_for_byte(store):
    one = scored(answer=b'{"risk": 0.10000000000000001, "text": "\xc3\xa5"}')
    write(store, one)
    found = store.latest_score("p", TODAY)
    assert (found.answer, found.night, found.person_id) == (one.answer, NIGHT, "p")
    assert store.score(found.score_id, "p", TODAY) == found
    assert store.score(found.score_id, "q", TODAY) is None


def test_the_newest_night_counts_and_not_the_one_that_was_written_last(store):
    write(store, scored(number=0.3), night=NIGHT)
    write(store, scored(number=0.1), night=NIGHT - timedelta(days=30))
    assert store.latest_score("p", TODAY).night == NIGHT
    assert listed(store).entries[0].number == 0.3
    earlier = listed(store, night=NIGHT - timedelta(days=30))
    assert earlier.entries[0].number == 0.1
    assert listed(store, night=date(2020, 1, 1)) is None


def test_an_old_night_that_is_scored_late_changes_nobodys_company_or_consent(store):
    write(store, scored())
    before = rows(store)
    write(store, scored(companies=("elsewhere",), consents=consents("lab")), night=NIGHT - timedelta(days=30))
    after = rows(store)
    assert (after["memberships"], after["consents"]) == (before["memberships"], before["consents"])


def test_the_same_night_again_changes_no_row(store):
    persons = [scored("p"), scored("q", 0.4)]
    write(store, *persons)
    before = rows(store)
    write(store, *persons)
    assert rows(store) == before


def test_other_data_replace_a_night_as_a_whole_and_the_old_scores_stay_for_decisions(store):
    write(store, scored("p", 0.2), scored("gone", 0.3))
    old = store.latest_score("p", TODAY)
    write(store, scored("p", 0.25), data_version="e" * 64)
    assert store.latest_score("p", TODAY).score_id != old.score_id
    assert store.latest_score("gone", TODAY) is None
    assert shown(store) == ["p"]
    assert store.score(old.score_id, "p", TODAY) == old
    assert store.data_version() == "e" * 64
    write(store, scored("p", 0.2), scored("gone", 0.3))
    assert store.latest_score("p", TODAY) == old


def test_a_night_that_fails_half_way_leaves_the_one_before_whole(store):
    write(store, scored("p", 0.2))
    before = rows(store)

    def broken():
        yield scored("p", 0.9)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write_night(replace(store.night(NIGHT), data_version="f" * 64), broken())
    assert rows(store) == before


# --- withdrawals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [None, "survey", "lab", "absence", "employment"])
def test_a_score_that_rests_on_a_withdrawn_source_is_not_shown_from_that_day_on(store, source):
    write(store, scored("p", 0.4), scored("q", 0.2))
    score = store.latest_score("p", TODAY)
    store.withdraw("p", source, TODAY)
    assert store.latest_score("p", TODAY) is None
    assert store.score(score.score_id, "p", TODAY) is None
    assert shown(store) == ["q"]


def test_who_has_withdrawn_everything_is_as_unknown_as_a_stranger(store):
    write(store, scored("p"))
    assert store.companies_of("p", TODAY) == {"c"}
    store.withdraw("p", None, TODAY)
    for method in (store.companies_of, store.latest_score):
        assert method("p", TODAY) == method("stranger", TODAY)
    assert in_force(store, "p") == in_force(store, "stranger")


def test_a_source_that_the_score_did_not_use_can_be_withdrawn_without_hiding_it(store):
    write(store, scored("p", consents=consents("absence", "employment")))
    store.withdraw("p", "survey", TODAY)
    assert store.latest_score("p", TODAY) is not None


def test_a_score_of_before_a_withdrawal_that_the_tables_tell_of_stays_hidden_when_the_night_is_asked_for(store):
    write(store, scored("p"), night=NIGHT - timedelta(days=30))
    ended = (NIGHT - timedelta(days=3)).isoformat()
    write(store, scored("p", consents=consents("absence") + consents("survey", withdrawn=ended)))
    assert store.latest_score("p", TODAY).night == NIGHT
    assert listed(store, night=NIGHT - timedelta(days=30)).entries == ()


def test_consent_that_is_given_after_a_withdrawal_counts_again(store):
    store.withdraw("p", None, NIGHT - timedelta(days=10))
    again = tuple((source, "risk_scoring", (NIGHT - timedelta(days=5)).isoformat(), None) for source, *_ in consents())
    write(store, scored("p", consents=again))
    assert store.latest_score("p", TODAY) is not None
    assert all(in_force(store, "p").values())


def test_withdrawing_twice_is_withdrawing_once(store):
    assert store.withdraw("p", "lab", TODAY) == store.withdraw("p", "lab", TODAY) == ("lab",)
    assert len(rows(store)["withdrawals"]) == 1
    assert len(store.withdraw("p", None, TODAY)) == 4
    assert len(rows(store)["withdrawals"]) == 4


def test_who_never_consented_is_not_shown_even_with_a_safety_flag(store):
    write(store, scored("p", None, is_flagged=True, consents=()))
    assert shown(store) == []


def test_a_withdrawal_ends_the_consent_of_the_record_that_is_scored_next():
    record = {"consents": [consent("survey"), consent("survey", purpose="model_training"), consent("lab")]}
    found = with_withdrawals(record, {"survey": date(2026, 2, 1)})["consents"]
    ended = {(row["source"], row["purpose"]): row.get("withdrawn_on") for row in latest_versions(found)}
    assert ended == {("survey", "risk_scoring"): "2026-02-01", ("survey", "model_training"): "2026-02-01",
                     ("lab", "risk_scoring"): None}  # fmt: skip
    assert record["consents"][0].get("withdrawn_on") is None, "the record itself is not changed"


def test_a_withdrawal_leaves_alone_what_ended_before_was_deleted_or_came_later():
    rows_of = [
        consent("survey", withdrawn_on="2025-01-01", known_from="2025-01-01"),
        consent("lab", is_deleted=True),
        consent("absence", given_on="2026-03-01", known_from="2026-03-01"),
    ]
    day = date(2026, 2, 1)
    found = with_withdrawals({"consents": rows_of}, dict.fromkeys(("survey", "lab", "absence"), day))
    assert found["consents"] == rows_of
    assert ("lab", "risk_scoring", rows_of[1]["given_on"], rows_of[1]["known_from"]) in as_seen({"consents": rows_of})


# --- worklist, care, decisions ----------------------------------------------------------------------------------------


def test_flagged_persons_come_first_then_the_highest_risk_and_without_number_nobody(store):
    write(store, scored("low", 0.1), scored("high", 0.5), scored("none", None), scored("flag", None, is_flagged=True),
          scored("flag-low", 0.05, is_flagged=True), scored("else", 0.9, companies=("other",)))  # fmt: skip
    assert shown(store) == ["flag-low", "flag", "high", "low"]
    assert shown(store, ("other",)) == ["else"]
    assert shown(store, ()) == shown(store, ("*",)) == []
    assert shown(store, capacity=3) == ["flag-low", "flag", "high"]
    assert listed(store, capacity=1).n_flagged_left_out == 1
    assert shown(store, outcome="burnout") == ["flag", "flag-low"]


def test_a_person_of_two_companies_stands_on_the_list_once(store):
    write(store, scored("p", companies=("c", "d")))
    assert shown(store, ("c", "d")) == ["p"]
    assert listed(store).entries[0].companies == {"c", "d"}


def test_care_holds_for_one_caller_and_ninety_days(store):
    write(store, scored("p"))
    until = store.begin_care(CALLER, "p", "referred by herself", TODAY)
    assert until == TODAY + timedelta(days=90)
    days = {-1: False, 0: True, 90: True, 91: False}
    assert {day: store.has_care_relation(CALLER, "p", TODAY + timedelta(days=day)) for day in days} == days
    assert not store.has_care_relation("dr-2", "p", TODAY)
    assert listed(store).entries[0].has_care_relation
    assert not listed(store, "dr-2").entries[0].has_care_relation


def test_decisions_come_back_with_exactly_the_score_they_were_about(store):
    about = write(store, scored("p", 0.2))
    score = store.latest_score("p", TODAY)
    store.record_decision(CALLER, score, OUTCOME, "disagree", "on leave already")
    write(store, scored("p", 0.9), data_version="e" * 64)
    (found,) = store.decisions()
    assert (found.score_id, found.number, found.verdict) == (score.score_id, 0.2, "disagree")
    assert (found.data_version, found.model, found.night) == (about.data_version, "1-abcdef012345", NIGHT)
    assert CALLER not in repr(found)
    assert listed(store).set_aside[0].last_decision.verdict == "disagree"
    store.record_decision(CALLER, score, OUTCOME, "agree", "seen")
    assert listed(store).set_aside[0].last_decision.verdict == "agree"


def test_a_decision_about_an_outcome_that_the_score_does_not_tell_of_is_none(store):
    write(store, scored("p"))
    assert store.record_decision(CALLER, store.latest_score("p", TODAY), "burnout", "agree", "x") is None
    assert store.decisions() == []


def test_an_empty_store_shows_nothing(store):
    assert store.data_version() == ""
    assert store.night(NIGHT) is None
    assert store.release("c") is None
    assert shown(store) == []
    assert store.is_healthy()


@pytest.mark.parametrize(
    ("jobs", "companies"),
    [
        ([job()], ["c"]),
        ([job(), job(company_id="a")], ["a", "c"]),
        ([job(end="2026-02-28")], []),
        ([job(end="2026-03-01")], ["c"]),
        ([job(start="2026-03-02")], []),
        ([job(known_from="2026-03-01")], []),
        ([job(), job(end="2026-01-01", known_from="2026-02-01")], []),
        ([job(end="2026-01-01"), job(known_from="2026-02-01")], ["c"]),
        ([job(), job(is_deleted=True, known_from="2026-02-01")], []),
        ([job(), job(is_deleted=True, known_from="2026-03-01")], ["c"]),
    ],
)
def test_who_employs_a_person_is_read_from_the_versions_known_then(jobs, companies):
    assert companies_on({"employments": jobs}, date(2026, 3, 1)) == companies
