"""Alerts over the API and on the page: who reads them, who is named to the audit log, and that somebody has seen one."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from html import unescape

import pytest

from data_contracts.time_windows import today
from serving import metrics
from serving.app import COUNTED_FOR_SECONDS
from serving.handlers import alerts as handlers_alerts
from serving.store import alerts as store_alerts
from serving.store.alert_rules import FLAG
from tests.lib.in_process import running
from tests.lib.stores import OUTCOME, write
from tests.lib.teams import at_risk, rule

ALERTS, PAGE = "/v1/alerts", "/ui/worklist"


@pytest.fixture
def service(tmp_path):
    with running(tmp_path) as found:
        store = found.parts.store
        persons = [at_risk("p", 0.5), at_risk("q", 0.4), at_risk("f", None, is_flagged=True),
                   at_risk("elsewhere", 0.9, companies=("d",))]  # fmt: skip
        write(store, *persons, night=today())
        store.raise_alerts(today(), [rule(per_week=2), rule(name="south", companies=frozenset({"c", "d"}))])
        yield found


def asked(service, method: str = "GET", url: str = ALERTS, companies=("c",), role="clinician", **claims):
    headers = service.headers(role, organisations=list(companies), **claims)
    (answer,) = service.call({"method": method, "url": url, "headers": headers})
    return answer


def test_a_clinician_reads_the_alerts_about_persons_of_her_companies_flags_first(service):
    told = asked(service).json()
    assert sorted((one["team"], one["person_id"]) for one in told["alerts"]) == [
        ("north", "f"), ("north", "p"), ("south", "f"), ("south", "p"), ("south", "q"),
    ]  # fmt: skip
    assert [one["kind"] for one in told["alerts"]] == ["safety_flag"] * 2 + ["new"] * 3
    assert {one["outcome"] for one in told["alerts"]} == {None, OUTCOME}
    assert {one["team"] for one in told["teams"]} == {"north"}, "of the other team she speaks for one company only"
    (about,) = [one for one in told["teams"] if one["outcome"]]
    assert (about["raised"], about["more_above"], about["left_out"], about["threshold"]) == (1, 1, 1, 0.2)
    assert {one["team"] for one in asked(service, companies=("c", "d")).json()["teams"]} == {"north", "south"}


def test_everybody_who_is_named_is_an_event(service):
    begun = len(service.events())
    asked(service)
    events = service.events()[begun:]
    assert sorted(event["person_id"] for event in events) == ["f", "p", "q"]
    assert {(event["action"], event["decision"]) for event in events} == {("read_alerts", "allowed")}


@pytest.mark.parametrize("role", ["app", "employer", "auditor"])
def test_no_other_role_reads_or_acknowledges(service, role):
    (alert, *_) = service.parts.store.open_alerts(["c"], today())
    for method, url in (("GET", ALERTS), ("POST", f"{ALERTS}/{alert.alert_id}/acknowledgement")):
        answer = asked(service, method, url, role=role)
        assert answer.status_code == 403
        assert alert.person_id not in answer.json().values()
    assert len(service.parts.store.open_alerts(["c"], today())) == 5


def test_an_alert_is_acknowledged_once_and_is_gone_from_the_list_and_logged(service):
    (alert, *_) = [one for one in service.parts.store.open_alerts(["c"], today()) if one.person_id == "p"]
    url = f"{ALERTS}/{alert.alert_id}/acknowledgement"
    begun = len(service.events())
    first = asked(service, "POST", url)
    assert (first.status_code, first.json()["alert_id"]) == (200, alert.alert_id)
    (event,) = service.events()[begun:]
    assert (event["person_id"], event["action"], event["decision"]) == ("p", "acknowledge_alert", "allowed")
    assert asked(service, "POST", url).json() == first.json()
    assert alert.alert_id not in asked(service).text


def test_an_alert_of_another_company_is_refused_and_one_that_is_none_is_not_found(service):
    (alert,) = service.parts.store.open_alerts(["d"], today())
    assert asked(service, "POST", f"{ALERTS}/{alert.alert_id}/acknowledgement").status_code == 403
    answer = asked(service, "POST", f"{ALERTS}/{'0' * 32}/acknowledgement")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, "no-alert")
    assert len(service.parts.store.open_alerts(["d"], today())) == 1


def page(service, language: str = "nb"):
    token = service.issuer.token("clinician", organisations=["c"])
    cookie = f"__Secure-balance_risk_token={token}; balance_risk_language={language}"
    told = {"cookie": cookie, "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    return told


def shown(service, language: str = "nb") -> str:
    (answer,) = service.call({"method": "GET", "url": PAGE, "headers": page(service, language)})
    assert answer.status_code == 200
    return unescape(answer.text).partition('id="alerts"')[2].partition("</section>")[0]


def test_the_page_shows_them_on_top_with_a_button_that_takes_one_away(service):
    before = shown(service)
    assert re.findall(r'href="/ui/persons/(\w+)', before)[:2] == ["f", "f"]
    assert "én til er over terskelen" in before
    (action,) = re.findall(r'persons/q.*?action="([^"]+)"', before, re.S)
    (answer,) = service.call({"method": "POST", "url": action, "headers": page(service), "content": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert "persons/q" not in shown(service)


def test_the_page_is_in_english_too(service):
    text = shown(service, "en")
    assert "alerts" in text
    assert "Varsler" not in text
    assert "one more is above the threshold" in text


def test_the_page_logs_whom_its_alerts_name(service):
    begun = len(service.events())
    (answer,) = service.call({"method": "GET", "url": f"{PAGE}?capacity=1", "headers": page(service)})
    named = set(re.findall(r'href="/ui/persons/(\w+)', answer.text))
    assert named == {"f", "p", "q"} == {event["person_id"] for event in service.events()[begun:]}


def test_why_a_team_is_silent_is_said_on_the_page(service):
    team = rule(unproven={OUTCOME: "no_net_benefit"})
    service.parts.store.raise_alerts(today(), [team])
    assert "det er ikke vist at modellen hjelper ved terskelen til teamet" in shown(service)


def test_flags_are_never_cut_and_how_many_risks_are_is_said(service, monkeypatch):
    monkeypatch.setattr(store_alerts, "MOST_SHOWN", 1)
    monkeypatch.setattr(handlers_alerts, "MOST_SHOWN", 1)
    told = asked(service).json()
    assert [one["kind"] for one in told["alerts"]] == ["safety_flag"] * 2, "both, though there is room for one"
    assert told["not_shown"] == 3
    assert "3 eldre varsler til venter" in shown(service)
    monkeypatch.setattr(store_alerts, "MOST_SHOWN", 4)
    monkeypatch.setattr(handlers_alerts, "MOST_SHOWN", 4)
    assert len(asked(service).json()["alerts"]) == 4
    assert "Ett eldre varsel til venter" in shown(service)
    monkeypatch.undo()
    assert (len(asked(service).json()["alerts"]), asked(service).json()["not_shown"]) == (5, 0)
    assert "eldre varsel" not in shown(service)


def test_metrics_count_messages_of_all_teams_together_and_name_none():
    metrics.describe_messages({"north": {"waiting": 2, "given_up": 1}, "south": {"waiting": 3, "given_up": 0}})
    text = metrics.exposition().decode()
    lines = sorted(line for line in text.splitlines() if line.startswith("balance_risk_alert_messages"))
    assert lines == [
        'balance_risk_alert_messages{state="delivered"} 0.0', 'balance_risk_alert_messages{state="given_up"} 1.0',
        'balance_risk_alert_messages{state="waiting"} 5.0',
    ]  # fmt: skip
    assert FLAG not in text


def test_metrics_ask_the_store_once_however_often_they_are_asked(service, monkeypatch, tmp_path):
    counted = []
    monkeypatch.setattr(type(service.parts.store), "deliveries", lambda self: counted.append(1) or {})
    service.parts.settings = replace(service.parts.settings, teams=tmp_path / "teams.yaml")
    for _ in range(3):
        assert service.call({"method": "GET", "url": "/metrics"})[0].status_code == 200
    assert len(counted) == 1
    monkeypatch.setattr(time, "monotonic", lambda then=time.monotonic: then() + COUNTED_FOR_SECONDS)
    service.call({"method": "GET", "url": "/metrics"})
    assert len(counted) == 2
