"""Records of the newest night, a person's past numbers, and what was decided about her; and stores of before there were any."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from serving.store.connection import database
from serving.store.nights import OutcomeScore
from serving.store.records import packed_record
from serving.store.schema import MIGRATIONS
from serving.store.scores import packed
from serving.store.worklist import WorklistQuestion
from tests.lib.stores import MODELS, NIGHT, OUTCOME, consents, opened, rows, scored, write

TODAY = NIGHT
LAST_WEEK = NIGHT - timedelta(days=7)


def with_record(person_id="p", said="æ", **changes):
    return scored(person_id, record=packed_record({"person": {"person_id": person_id, "said": said}}), **changes)


def test_the_record_of_the_newest_night_comes_back_as_it_was_scored(store):
    write(store, with_record(said="before"), with_record("gone"), night=LAST_WEEK)
    write(store, with_record(said="now"))
    found = store.record("p", TODAY)
    assert found.record == {"person": {"person_id": "p", "said": "now"}}
    assert (found.night, found.received_on) == (NIGHT, NIGHT)
    assert store.record("gone", TODAY) is None
    assert len(rows(store)["records"]) == 1


def test_a_night_that_is_scored_late_leaves_the_records_of_the_newest(store):
    write(store, with_record(said="now"))
    write(store, with_record(said="before"), night=LAST_WEEK)
    assert store.record("p", TODAY).record["person"]["said"] == "now"


def test_a_record_is_shown_as_long_as_its_score(store):
    write(store, with_record(), with_record("never", consents=()))
    assert store.record("never", TODAY) is None
    ends = tuple((*one[:3], "2026-03-02") for one in consents())
    write(store, with_record(consents=ends), data_version="e" * 64)
    assert store.record("p", TODAY) is not None
    assert store.record("p", TODAY + timedelta(days=1)) is None
    assert store.latest_score("p", TODAY + timedelta(days=1)) is None


def test_a_withdrawal_takes_the_record_away_at_once(store):
    write(store, with_record(), with_record("q"))
    store.withdraw("p", "lab", TODAY)
    assert [person for person, *_ in rows(store)["records"]] == ["q"]


def test_a_withdrawal_while_a_night_is_computed_leaves_no_record_of_before(store):
    about = replace(write(store, scored("q")), data_version="e" * 64)
    store.withdraw("p", "lab", TODAY)
    store.write_night(about, [with_record(), with_record("q")])
    assert [person for person, *_ in rows(store)["records"]] == ["q"]
    write(store, with_record(), with_record("q"), data_version="f" * 64)
    assert len(rows(store)["records"]) == 2, "this one knew of the withdrawal"


def test_what_is_deleted_is_overwritten_in_the_file(store):
    if store.database.is_sqlite:
        with store.database.reading() as connection:
            assert connection.execute(text("PRAGMA secure_delete")).scalar() == 1


def test_a_decision_about_a_score_that_may_not_be_shown_any_more_is_not_shown(store):
    write(store, scored("p"), night=LAST_WEEK)
    store.record_decision("dr-1", store.latest_score("p", LAST_WEEK), OUTCOME, "agree", "stays away a lot", "wait")
    write(store, scored("p"))
    store.record_decision("dr-1", store.latest_score("p", TODAY), OUTCOME, "agree", "seen", "conversation")
    assert len(store.decisions_about("p", TODAY)) == 2
    withdrawn = consents("survey", "lab", "employment") + consents("absence", withdrawn="2026-02-25")
    write(store, scored("p", consents=withdrawn), data_version="e" * 64)
    assert [one.reason for one in store.decisions_about("p", TODAY)] == ["seen"]
    store.withdraw("p", "survey", TODAY)
    assert store.decisions_about("p", TODAY) == ()
    assert len(rows(store)["decisions"]) == 2


def test_the_worklist_does_not_show_such_a_decision_either(store):
    write(store, scored("p"), night=LAST_WEEK)
    store.record_decision("dr-1", store.latest_score("p", LAST_WEEK), OUTCOME, "agree", "stays away a lot")
    asked = WorklistQuestion("dr-1", {"c"}, OUTCOME, 20, TODAY)
    write(store, scored("p"))
    assert store.worklist(asked).set_aside[0].last_decision.verdict == "agree"
    withdrawn = consents("survey", "lab", "employment") + consents("absence", withdrawn="2026-02-25")
    write(store, scored("p", consents=withdrawn), data_version="e" * 64)
    assert store.worklist(asked).set_aside[0].last_decision is None


def test_a_night_computed_anew_replaces_the_record(store):
    write(store, with_record(said="first"))
    write(store, with_record(said="second"), data_version="e" * 64)
    assert store.record("p", TODAY).record["person"]["said"] == "second"


def test_past_numbers_come_oldest_first_with_their_model_and_without_runs_that_were_replaced(store, monkeypatch):
    write(store, scored("p", 0.3))
    write(store, scored("p", 0.9), night=LAST_WEEK)
    monkeypatch.setitem(MODELS, OUTCOME, MODELS[OUTCOME] | {"version": "2", "artifact_sha256": "cd" * 32})
    write(store, scored("p", 0.1), scored("q", 0.5), night=LAST_WEEK, data_version="e" * 64)
    write(store, scored("p", None), night=NIGHT - timedelta(days=14))
    found = store.history("p", OUTCOME, TODAY)
    assert [(one.number, one.night) for one in found] == [
        (None, NIGHT - timedelta(days=14)), (0.1, LAST_WEEK), (0.3, NIGHT)
    ]  # fmt: skip
    assert [(one.version, one.artifact_sha256[:2]) for one in found] == [("2", "cd"), ("2", "cd"), ("1", "ab")]
    assert (found[2].low, found[2].high, found[2].band, found[2].target) == (0.15, 0.6, "above", "event")
    assert store.history("p", "burnout", TODAY) == ()


def test_a_past_number_that_rests_on_what_is_withdrawn_is_not_shown(store):
    write(store, scored(), night=LAST_WEEK)
    write(store, scored(consents=consents("absence") + consents("survey", withdrawn="2026-02-25")))
    assert [one.night for one in store.history("p", OUTCOME, TODAY)] == [NIGHT]


def test_decisions_about_a_person_come_newest_first_with_who_and_what_next(store):
    write(store, scored("p"), scored("q"))
    score = store.latest_score("p", TODAY)
    store.record_decision("dr-1", score, OUTCOME, "disagree", "on leave", "wait")
    store.record_decision("dr-2", score, OUTCOME, "agree", "seen")
    store.record_decision("dr-2", store.latest_score("q", TODAY), OUTCOME, "not_relevant", "moved")
    found = store.decisions_about("p", TODAY)
    told = [(one.caller, one.verdict, one.reason, one.next_step, one.outcome, one.night) for one in found]
    assert told == [
        ("dr-2", "agree", "seen", "none", OUTCOME, NIGHT), ("dr-1", "disagree", "on leave", "wait", OUTCOME, NIGHT)
    ]  # fmt: skip
    assert store.decisions_about("stranger", TODAY) == ()
    assert store.verdicts_of("dr-2") == ("not_relevant", "agree")
    assert store.verdicts_of("dr-2", 1) == ("not_relevant",)
    assert store.verdicts_of("dr-3") == ()


def test_benefit_and_domain_of_a_number_are_kept(store):
    outcome = OutcomeScore(OUTCOME, "event", 0.2, 0.1, 0.3, "around", 0.05, "sleep")
    write(store, scored(outcomes=(outcome,)))
    (row,) = rows(store)["outcome_scores"]
    assert row[-2:] == (0.05, "sleep")


FIRST = (
    "INSERT INTO nights VALUES ('r', '2026-03-01', TRUE, '2026-03-01', 'd', :models, 'x', 1, 0, 0, 'then')",
    "INSERT INTO scores VALUES ('s', 'r', 'p', TRUE, :answer)",
    "INSERT INTO outcome_scores VALUES ('s', 'long_sick_leave', 'r', 'event', 0.2, 0.1, 0.3, 'around')",
    "INSERT INTO memberships VALUES ('p', 'c')",
    "INSERT INTO consents VALUES ('p', 'survey', 'risk_scoring', '2020-01-01', NULL)",
    "INSERT INTO decisions VALUES (1, 's', 'p', 'long_sick_leave', 'agree', 'seen', 'dr-1', '2026-03-01T10:00:00+00:00')",
)
"""Rows of the first version, of a person with a safety flag."""


def write_first(url):
    """Make a store of the first version, by its own migration."""
    store = database(url, create=True)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with store.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in FIRST:
            known = {"models": json.dumps(MODELS), "answer": packed(b"{}")}
            connection.execute(text(row), {name: value for name, value in known.items() if f":{name}" in row})
    store.engine.dispose()


def test_a_store_of_before_is_brought_up_to_date_and_keeps_what_it_had(url):
    write_first(url)
    with opened(url) as store:
        assert store.latest_score("p", TODAY).answer == b"{}"
        assert store.record("p", TODAY) is None, "no record was kept then"
        (decision,) = store.decisions_about("p", TODAY)
        assert (decision.verdict, decision.next_step) == ("agree", "none")
        assert [one.number for one in store.history("p", OUTCOME, TODAY)] == [0.2]
        found = store.worklist(WorklistQuestion("dr-1", {"c"}, OUTCOME, 20, TODAY))
        assert [(one.number, one.benefit) for one in found.entries] == [(0.2, None)], (
            "nobody knows which flags were seen"
        )
        write(store, with_record(), data_version="e" * 64)
        assert store.record("p", TODAY) is not None
