"""The verb monitor on a small workspace: what it calls out, what it keeps quiet about, and what it never does."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, update
from typer.testing import CliRunner

from data_contracts.errors import BalanceRiskError, MissingInputError, NotEnoughDataError
from pipeline import monitor
from pipeline.cli import app
from pipeline.nightly import store_url
from pipeline.settings import Settings
from serving.store.tables import DECISIONS
from tests.lib.monitored import ON, in_service, staff
from tests.lib.stores import OUTCOME, opened, scored, write

DAY = date.fromisoformat(ON)
N = 60


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    return in_service(tmp_path_factory.mktemp("steady"), staff(N, absent=range(0, N, 3)))


@pytest.fixture(scope="module")
def worse(tmp_path_factory):
    return in_service(tmp_path_factory.mktemp("worse"), staff(N, worse_now=3, absent=range(0, N, 3)))


def errors(kind):
    return [kind, *(one for below in kind.__subclasses__() for one in errors(below))]


def asked(workspace, **others):
    return monitor.run(workspace, Settings(), [OUTCOME], DAY, **others)


def test_where_nothing_has_changed_nothing_is_called_and_the_exit_code_is_0(steady):
    report = asked(steady)
    found = report["outcomes"][OUTCOME]
    assert (report["alarm"], found["alarms"], found["proposal"]["step"]) == (False, [], "nothing")
    assert found["reference_dates"] == ["2022-03-01", "2023-03-01"]
    assert found["persons"] == {"reference": N, "current": N}
    assert {"who5_wellbeing"} <= {one["name"] for one in found["shifts"] if one.get("p") is not None}
    (steady.root / "params.yaml").write_text("")
    done = CliRunner().invoke(
        app,
        ["monitor", "-w", str(steady.root), "--params", str(steady.root / "params.yaml"), "--index-date", ON, "--json"],
    )
    assert (done.exit_code, json.loads(done.stdout)["alarm"]) == (0, False)


def test_a_scale_that_moved_is_an_alarm_of_its_domain_with_exit_code_10(worse):
    found = asked(worse)["outcomes"][OUTCOME]
    assert found["sections"]["inputs"] == "alarm"
    (domain,) = [one for one in found["inputs"] if one["leading"]]
    assert (domain["domain"], domain["leading"][0]["name"]) == ("mental_health", "who5_wellbeing")
    assert domain["leading"][0]["difference"] < -0.2
    (worse.root / "params.yaml").write_text("")
    words = ["monitor", "-w", str(worse.root), "--params", str(worse.root / "params.yaml"), "--index-date", ON]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert (done.exit_code, json.loads(done.stdout)["alarm"]) == (10, True)  # one document, alarm or not
    others = [kind for kind in errors(BalanceRiskError) if kind.exit_code == done.exit_code]
    assert others == []


def test_fewer_answers_are_an_alarm_of_response_and_speak_for_a_look_at_the_source(tmp_path):
    found = asked(in_service(tmp_path, staff(N, answering=50, answering_now=25)))["outcomes"][OUTCOME]
    assert found["sections"]["response"] == "alarm"
    assert found["proposal"]["step"] == "look at the source"
    everybody = next(one for one in found["response"] if one["attribute"] == "all")
    # Hundredths: 50 of 60 and 25 of 60 are not to be worked out.
    assert (everybody["reference"], everybody["current"], everybody["difference"]) == (0.83, 0.42, -0.41)
    (test,) = [one for one in found["shifts"] if one["group"] == "response" and one["name"] == "all: everybody"]
    assert test["difference"] == 0.42


def test_matured_labels_are_counted_and_judged(steady):
    found = asked(steady)["outcomes"][OUTCOME]
    dates = found["maturity"]["index_dates"]
    assert [one["index_date"] for one in dates] == [
        "2025-01-01",
        "2025-04-01",
        "2025-07-01",
        "2025-10-01",
        "2026-01-01",
    ]
    assert dates[0]["labels_known"] == N
    assert dates[1]["labels_known"] == 0
    assert (found["maturity"]["mature_dates"], found["maturity"]["next_matures_on"]) == (1, "2026-05-02")
    assert (found["performance"]["events"], found["performance"]["persons"]) == (N // 3, N)
    assert found["calibration"]["observed"] == N // 3
    # Nothing was sealed: that the ranking holds has not been found.
    assert found["sections"]["performance"] == "not compared"
    assert found["same_season"] is True
    page = (steady.root / "data" / "monitoring" / ON / "report.html").read_text()
    assert "No sealed evaluation of an AUROC" in page
    first = found["series"][0]
    assert first["observed"] == pytest.approx(1 / 3)


def test_the_same_run_again_leaves_the_same_files_and_changes_nothing_else(steady):
    kept = [path for path in steady.root.rglob("*") if path.is_file() and "monitoring" not in path.parts]
    before = {path: path.read_bytes() for path in kept}
    asked(steady)
    home = steady.root / "data" / "monitoring" / ON
    first = {path.name: path.read_bytes() for path in home.iterdir()}
    asked(steady)
    assert {path.name: path.read_bytes() for path in home.iterdir()} == first
    assert set(first) == set(monitor.FILES)
    assert {path: path.read_bytes() for path in before} == before


def test_the_files_name_nobody_load_nothing_and_say_that_the_data_are_synthetic(worse):
    asked(worse)
    home = worse.root / "data" / "monitoring" / ON
    page = (home / "report.html").read_text()
    assert "SYNTHETIC-" not in page + (home / "report.json").read_text() + (home / "metrics.prom").read_text()
    assert '<span class="stamp">SYNTHETIC</span>' in page
    assert page.index("Alarm: somebody must look") < page.index("<main>")
    assert not [word for word in ("<script", "http://", "https://", "<img", "<link") if word in page]
    families = {one.name: one for one in text_string_to_metric_families((home / "metrics.prom").read_text())}
    assert families["balance_risk_monitor_alarm"].samples[0].value == 1
    calls = {
        sample.labels["section"]: sample.value for sample in families["balance_risk_monitor_section_alarm"].samples
    }
    assert calls["inputs"] == 1
    assert not {"after contact", "performance"} & set(calls)  # too few, and nothing to compare with, are absent, not 0
    (highest,) = families["balance_risk_monitor_calibration_e_value_highest"].samples
    (now,) = families["balance_risk_monitor_calibration_e_value"].samples
    assert highest.value >= now.value > 0


def test_contacts_in_the_store_are_told_of_when_there_are_enough(tmp_path, steady):
    workspace = in_service(tmp_path, staff(N, absent=range(0, N, 3)))
    persons = [f"SYNTHETIC-{i}" for i in range(12)]
    with opened(store_url(workspace)) as store:
        write(store, *(scored(one) for one in persons), night=date(2026, 2, 1))
        for one in persons[:11]:
            store.record_decision(
                "dr-1", store.latest_score(one, date(2026, 2, 1)), OUTCOME, "agree", "", "conversation"
            )
        store.record_decision("dr-1", store.latest_score(persons[11], date(2026, 2, 1)), OUTCOME, "agree", "", "wait")
    # The decisions are of today, long after the index date: then nobody had been contacted.
    assert asked(workspace)["outcomes"][OUTCOME]["acted_upon"] == {"why_not": "nobody was contacted"}
    assert asked(steady)["outcomes"][OUTCOME]["acted_upon"] == {"why_not": "there is no store of decisions"}


CONTACTED = [i for i in range(300) if i // 6 % 2 == 0]
"""In sixes, which have all six answers and two persons away: as many of every risk were contacted as were not."""


def contacted_in_january(root, away):
    """300 persons, a third of them away each April, in 2025 ``away`` of these; half were contacted that January."""
    rows = staff(300, absent=range(0, 300, 3), diagnosis="P02")
    rows["absence_spells"] = [
        one for one in rows["absence_spells"]
        if not one["first_day"].startswith("2025") or int(one["person_id"].removeprefix("SYNTHETIC-")) in away
    ]  # fmt: skip
    workspace = in_service(root, rows)
    persons = [f"SYNTHETIC-{i}" for i in CONTACTED]
    with opened(store_url(workspace)) as store:
        write(store, *(scored(one) for one in persons), night=date(2025, 1, 9))
        for one in persons:
            store.record_decision(
                "dr-1", store.latest_score(one, date(2025, 1, 9)), OUTCOME, "agree", "", "conversation"
            )
    engine = create_engine(store_url(workspace))
    with engine.begin() as connection:
        connection.execute(update(DECISIONS).values(decided_at="2025-01-10T12:00:00+00:00"))
    engine.dispose()
    return workspace


def test_contacts_that_did_nothing_are_told_by_every_part_of_the_report(tmp_path):
    found = asked(contacted_in_january(tmp_path, range(0, 300, 3)))["outcomes"][OUTCOME]
    acted = found["acted_upon"]
    assert (acted["contacted"]["persons"], acted["overlap"]) == (150, 1.0)
    # The same number stands under performance.
    assert acted["everybody"]["observed_to_expected"] == found["performance"]["metrics"]["observed_to_expected"]
    ratios = [acted[name]["observed_to_expected"]["value"] for name in ("everybody_from_landmark", "not_contacted")]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.1)
    # 50 of each side were away from 1 April on, the first day after contact.
    harm = found["after_contact"]["absence_chapter_p_ratio"]
    assert (harm["contacted"], harm["others"]) == (150, 150)
    assert harm["low"] < 1 < harm["high"]
    assert found["proposal"] == {"step": "nothing", "evidence": []}


def test_contacts_that_work_are_no_reason_to_recalibrate(tmp_path):
    """Of those not contacted a third had the event, as expected; of those contacted nobody."""
    workspace = contacted_in_january(tmp_path, [i for i in range(0, 300, 3) if i not in CONTACTED])
    found = asked(workspace)["outcomes"][OUTCOME]
    assert found["calibration"]["is_alarm"]
    assert found["sections"]["calibration"] == "contacts may explain it"
    by_step = dict(found["proposal"]["evidence"])
    assert "150 persons were contacted after a score" in by_step["nothing"]
    # The absence that did not come is a true shift of the inputs; of the calibration nothing is proposed.
    assert set(by_step) == {"nothing", "retrain"}
    assert by_step["retrain"].endswith("have moved: absence_history.")
    assert (
        "150 persons were contacted after a score" in (workspace.root / f"data/monitoring/{ON}/report.html").read_text()
    )


def test_without_a_champion_it_says_what_to_do(tmp_path, steady):
    shutil.copytree(steady.tables, tmp_path / "data" / "tables")
    (tmp_path / "params.yaml").write_text("")
    words = ["monitor", "-w", str(tmp_path), "--params", str(tmp_path / "params.yaml")]
    with pytest.raises(MissingInputError, match="nothing in service to monitor"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_few_persons_are_no_news_but_too_few(tmp_path):
    with pytest.raises(NotEnoughDataError, match="fewer than 10 eligible persons"):
        asked(in_service(tmp_path, staff(8)))
    report = asked(in_service(tmp_path / "twelve", staff(12, absent=[1, 2])))
    found = report["outcomes"][OUTCOME]
    assert found["performance"]["why_not"].startswith("fewer than 10 persons with an event")
    assert found["calibration"]["observed"] is None
    assert {one["attribute"] for one in found["response"] if "why_not" in one} >= {"sex", "age"}
