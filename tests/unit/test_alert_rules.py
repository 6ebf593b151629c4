"""Whom a night alerts a team to: hand-counted cases, in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from data_contracts.time_windows import today
from tests.lib.stores import OUTCOME, consents, rows, write
from tests.lib.teams import at_risk, raised, rule, told

FIRST = today() - timedelta(days=40)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def decide(store, person_id: str, night: date, next_step: str = "none", verdict: str = "agree") -> None:
    score = store.latest_score(person_id, night)
    store.record_decision("dr-1", score, OUTCOME, verdict, "as she told", next_step)


def test_of_a_first_night_everybody_at_the_threshold_is_new_within_capacity_by_benefit(store):
    persons = [at_risk("a", 0.9), at_risk("b", 0.2, 0.01), at_risk("c", 0.3, 0.2), at_risk("low", 0.199, 0.19)]
    assert raised(store, FIRST, *persons, team=rule(per_week=2)) == [("b", "new"), ("c", "new")]
    assert told(store)["n_more"] == told(store)["n_left_out"] == 1
    assert told(store)["n_raised"] == 2


def test_who_was_there_a_week_ago_is_no_news_and_who_rises_above_her_interval_is(store):
    write(store, at_risk("same", 0.3), at_risk("rises", 0.3), at_risk("below", 0.1), night=FIRST)
    now = [at_risk("same", 0.35), at_risk("rises", 0.36), at_risk("below", 0.2), at_risk("joined", 0.4)]
    assert raised(store, FIRST + WEEK, *now) == [("below", "new"), ("joined", "new"), ("rises", "rising")]
    assert told(store)["n_more"] == 1, "the one who is above and no news"
    assert told(store)["n_left_out"] == 0


def test_another_model_moves_numbers_and_is_no_news(store, monkeypatch):
    write(store, at_risk("p", 0.1), night=FIRST)
    monkeypatch.setitem(__import__("tests.lib.stores", fromlist=["MODELS"]).MODELS, OUTCOME, {
        "directory": "2-abcdef012345", "version": "2", "artifact_sha256": "cd" * 32})  # fmt: skip
    assert raised(store, FIRST + WEEK, at_risk("p", 0.9)) == []
    assert (told(store)["n_more"], told(store)["n_left_out"]) == (1, 0)


def test_no_more_than_the_capacity_in_any_seven_days_and_who_had_no_place_may_come_later(store):
    persons = [at_risk(f"p{i}", 0.5 - i / 100) for i in range(6)]
    team = rule(per_week=2)
    found = [raised(store, FIRST + i * DAY, *persons, team=team) for i in range(8)]
    assert [len(some) for some in found] == [2, 0, 0, 0, 0, 0, 0, 0], (
        "after five days they are there in an earlier night"
    )
    persons += [at_risk(f"new{i}", 0.3) for i in range(3)]
    assert raised(store, FIRST + 8 * DAY, *persons, team=team) == [("new0", "new"), ("new1", "new")]
    assert told(store)["n_left_out"] == 1
    assert raised(store, FIRST + 14 * DAY, *persons, team=team) == []


def test_within_the_days_that_are_compared_a_place_that_becomes_free_is_given(store):
    raised(store, FIRST, at_risk("a", 0.5), team=rule(per_week=1))
    both = [at_risk("a", 0.5), at_risk("b", 0.4)]
    assert raised(store, FIRST + 6 * DAY, *both, team=rule(per_week=1)) == []
    assert told(store)["n_left_out"] == 1
    assert raised(store, FIRST + 7 * DAY, *both, team=rule(per_week=1)) == [("b", "new")]


def test_a_flag_comes_whatever_the_capacity_and_takes_its_place_of_it(store):
    persons = [at_risk("f", None, is_flagged=True, flags_digest="x"), at_risk("p", 0.5), at_risk("q", 0.4)]
    assert raised(store, FIRST, *persons, team=rule(per_week=0)) == [("f", "safety_flag")]
    assert told(store)["n_left_out"] == 2
    flagged_too = at_risk("p", 0.5, is_flagged=True, flags_digest="y")
    assert raised(store, FIRST + DAY, persons[0], flagged_too, persons[2], team=rule(per_week=3)) == [
        ("p", "new"), ("p", "safety_flag"),
    ]  # fmt: skip


def test_the_same_flag_comes_again_only_if_nobody_saw_it(store):
    def flag(digest="x"):
        return at_risk("f", None, is_flagged=True, flags_digest=digest)

    team = rule(valid_days=3)
    assert raised(store, FIRST, flag(), team=team) == [("f", "safety_flag")]
    assert raised(store, FIRST + DAY, flag(), team=team) == []
    assert raised(store, FIRST + 4 * DAY, flag(), team=team) == [("f", "safety_flag")], "the first has expired"
    (alert,) = store.open_alerts(["c"], FIRST + 4 * DAY)
    assert store.acknowledge_alert(alert.alert_id, "dr-1", FIRST + 4 * DAY) is not None
    assert raised(store, FIRST + 9 * DAY, flag(), team=team) == []
    assert raised(store, FIRST + 10 * DAY, flag("other answers"), team=team) == [("f", "safety_flag")]


def test_running_the_night_again_raises_nothing_again(store):
    persons = [at_risk("a", 0.5), at_risk("f", None, is_flagged=True, flags_digest="x")]
    raised(store, FIRST, *persons)
    before = rows(store)
    assert store.raise_alerts(FIRST, [rule()]) == {"north": 0}
    assert rows(store) == before
    write(store, *persons, night=FIRST, data_version="e" * 64)
    assert store.raise_alerts(FIRST, [rule()]) == {"north": 0}, "another run of the same night"
    assert (told(store)["n_raised"], told(store, "safety_flag")["n_raised"]) == (1, 1)


def test_of_a_night_that_is_not_the_newest_nothing_is_raised(store):
    write(store, at_risk("a", 0.5), night=FIRST + DAY)
    assert raised(store, FIRST, at_risk("a", 0.5)) == []
    assert store.team_nights() == ()


def test_nobody_is_alerted_about_twice_in_four_weeks_though_she_rises_again(store):
    for week, (number, expected) in enumerate([(0.3, ["new"]), (0.4, []), (0.5, []), (0.6, []), (0.7, ["rising"])]):
        found = raised(store, FIRST + week * WEEK, at_risk("p", number), team=rule(valid_days=3))
        assert [kind for _, kind in found] == expected, week


@pytest.mark.parametrize("next_step", ["none", "conversation"])
def test_who_was_decided_about_is_not_alerted_and_an_open_alert_about_her_ends_at_once(store, next_step):
    night = today() - DAY
    raised(store, night, at_risk("p", 0.5), at_risk("q", 0.5))
    decide(store, "p", night, next_step)
    assert [one.person_id for one in store.open_alerts(["c"], today())] == ["q"]
    store.raise_alerts(night, [rule()])
    states = {row["person_id"]: (row["state"], row["ended_why"]) for row in store.alerts(night)}
    assert states == {"p": ("expired", "decided"), "q": ("open", None)}
    write(store, at_risk("r", 0.5), night=today())
    decide(store, "r", today())
    assert raised(store, today(), at_risk("r", 0.5), at_risk("s", 0.5), team=rule(name="other")) == [("s", "new")]
    assert told_of(store, "other")["n_more"] == 0


def told_of(store, team):
    (found,) = [vars(one) for one in store.team_nights() if one.team == team and one.about == OUTCOME]
    return found


def test_a_flag_waits_until_somebody_means_to_talk_about_these_very_answers(store):
    night = today()
    raised(store, night, at_risk("f", 0.1, is_flagged=True, flags_digest="x"))
    decide(store, "f", night, "workplace_measure")
    assert len(store.open_alerts(["c"], night)) == 1
    decide(store, "f", night, "conversation")
    assert store.open_alerts(["c"], night) == ()
    flag = at_risk("f", 0.1, is_flagged=True, flags_digest="x")
    assert raised(store, night, flag, team=rule(name="other")) == []


def test_an_alert_expires_and_is_told_of_no_longer(store):
    raised(store, FIRST, at_risk("p", 0.5), team=rule(valid_days=14))
    assert len(store.open_alerts(["c"], FIRST + 14 * DAY)) == 1
    assert store.open_alerts(["c"], FIRST + 15 * DAY) == ()
    raised(store, FIRST + 15 * DAY, at_risk("p", 0.1))
    assert [(row["state"], row["ended_why"]) for row in store.alerts(today())] == [("expired", "expired")]


def test_a_withdrawal_takes_the_alerts_along_and_keeps_the_capacity_spent(store):
    raised(store, FIRST, at_risk("p", 0.5), at_risk("q", 0.4), team=rule(per_week=1))
    store.withdraw("p", "survey", FIRST + DAY)
    assert store.alerts(FIRST) == []
    assert raised(store, FIRST + DAY, at_risk("q", 0.4), team=rule(per_week=1)) == []


def test_consent_that_ends_in_the_tables_takes_them_along_in_the_next_night(store):
    raised(store, FIRST, at_risk("p", 0.5))
    ended = consents(withdrawn=(FIRST + DAY).isoformat())
    assert raised(store, FIRST + 2 * DAY, at_risk("p", 0.5, consents=ended)) == []
    assert store.alerts(FIRST) == []


def test_without_consent_nobody_is_alerted_about(store):
    gone = consents(withdrawn="2020-02-01")
    assert (
        raised(store, FIRST, at_risk("p", 0.5, consents=gone), at_risk("q", 0.5, is_flagged=True, consents=gone)) == []
    )


def test_an_outcome_that_is_not_shown_to_help_is_silent_and_says_so_but_flags_come(store):
    team = rule(unproven={OUTCOME: "no_net_benefit"})
    found = raised(store, FIRST, at_risk("p", 0.9), at_risk("f", 0.9, is_flagged=True), team=team)
    assert found == [("f", "safety_flag")]
    assert told(store)["why_not"] == "no_net_benefit"
    assert (told(store)["n_raised"], told(store)["n_more"]) == (0, 0)


def test_a_team_hears_of_its_own_companies_and_is_told_to_those_of_all_of_them(store):
    team = rule(companies=frozenset({"c", "d"}))
    persons = [at_risk("p", 0.5), at_risk("q", 0.5, companies=("d",)), at_risk("r", 0.5, companies=("e",))]
    assert raised(store, FIRST, *persons, team=team) == [("p", "new"), ("q", "new")]
    assert [one.person_id for one in store.open_alerts(["d"], FIRST)] == ["q"]
    assert store.team_nights(["d"]) == ()
    assert {one.about for one in store.team_nights(["c", "d", "e"])} == {OUTCOME, "safety_flag"}


def test_acknowledging_is_said_once_and_stays(store):
    raised(store, FIRST, at_risk("p", 0.5))
    (alert,) = store.open_alerts(["c"], FIRST)
    first = store.acknowledge_alert(alert.alert_id, "dr-1", FIRST)
    assert store.acknowledge_alert(alert.alert_id, "dr-2", FIRST) == first
    (row,) = store.alerts(FIRST)
    assert (row["state"], row["acknowledged_by"]) == ("acknowledged", "dr-1")
    assert store.open_alerts(["c"], FIRST) == ()
    assert store.open_alert(alert.alert_id, FIRST).person_id == "p"
    assert store.open_alert("0" * 32, FIRST) is store.acknowledge_alert("0" * 32, "dr-1", FIRST) is None
