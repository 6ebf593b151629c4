"""The governance pack: facts where there are some, the verb where there are none, and no answer in people's place."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import SettingsError
from models.promotion_policy import Policy
from pipeline import governance_pack, promote
from pipeline.approval import Approval
from pipeline.governance import facts as governance_facts
from pipeline.governance.incidents import FILE
from pipeline.governance.items import DOCUMENTS, answered
from pipeline.workspace import Workspace
from serving.audit.event import row_of
from serving.audit.writer import ChainWriter
from tests.lib.audit_writer import KEY, event
from tests.lib.promotions import OUTCOME, number, prepare, registered, sound_report

GROUP = {"label_en": "Women", "label_nb": "Kvinner", "name": "female", "persons": 900, "auroc": number(0.71),
         "observed_to_expected": number(1.01, 0.1), "suppressed": None}  # fmt: skip
SMALL = {"label_en": "Men", "label_nb": "Menn", "name": "male", "persons": 3, "suppressed": "fewer than 10 persons"}
SUBGROUPS = {"detectable": {"sex": 1.4, "age": 1.9, "education": 1.6},
             "attributes": [{"name": "sex", "label_en": "Sex", "label_nb": "Kjønn", "groups": [GROUP, SMALL]}]}  # fmt: skip
INGEST = {"synthetic": True, "received_on": "2026-01-02", "warnings": {},
          "tables": {"persons": {"rows": 21, "accepted": 20, "quarantined": 1, "duplicates": 0}}}  # fmt: skip


def write_log(url: str, heads: Path) -> None:
    writer = ChainWriter(url, KEY, heads)
    writer.open()
    told = [event("r1"), event("r2"), event("r3", decision="denied", person_id="person-9"), event("r4", role="leader")]
    writer.write([[row_of(one) for one in told]])
    writer.close()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """One version in service and a second that is only registered, a log of four events, a kept incident, an alarm."""
    root = tmp_path_factory.mktemp("governed")
    found = prepare(root)
    (found.tables / "ingest.json").write_text(json.dumps(INGEST))
    registered(found, sound_report(subgroups=SUBGROUPS))
    assert promote.run(found, [OUTCOME], None, Policy(), Approval("Kari Holm", "reviewed 12 March"))["outcomes"][
        OUTCOME
    ]["promoted"]
    registered(found, sound_report(subgroups=SUBGROUPS), seed=3)
    (root / "store").mkdir()
    (root / "keys" / "audit.key").write_text(KEY.hex())
    (root / "keys" / "audit.key").chmod(0o600)
    write_log(f"sqlite:///{root / 'store' / 'audit.db'}", root / "store" / "audit-heads.jsonl")
    (root / FILE).parent.mkdir(parents=True)
    (root / FILE).write_text('{"on": "2026-02-01", "what": "the service was down for a day", "by": "operations"}\n\n')
    for day, alarm in (("2026-03-01", True), ("2026-02-01", False)):
        (root / "data" / "monitoring" / day).mkdir(parents=True)
        (root / "data" / "monitoring" / day / "report.json").write_text(json.dumps({"alarm": alarm}))
    return found


@pytest.fixture(scope="module")
def pack(workspace) -> dict[str, Any]:
    governance_pack.run(workspace)
    return json.loads((workspace.root / "data" / "governance" / "pack.json").read_text())


def test_the_facts_are_those_of_the_workspace(pack):
    facts = pack["facts"]
    assert [(one["outcome"], one["version"], one["refused"]) for one in facts["in_service"]] == [(OUTCOME, "1", "")]
    assert (facts["data"]["rows"], facts["data"]["quarantined"]) == (20, 1)
    assert [one["approver"] for one in facts["promotions"]] == ["Kari Holm"]
    assert (facts["monitoring"]["runs"], facts["monitoring"]["alarms"]) == (2, 1)


def test_fairness_is_told_of_every_registered_version_without_small_groups(pack):
    told = [
        (one["version"], [group["group"] for group in one["groups"]], one["fault"]) for one in pack["facts"]["fairness"]
    ]
    assert told == [("1", ["Women"], None), ("2", ["Women"], None)]


def test_accesses_are_counted_and_nobody_is_named(pack, workspace):
    access = pack["facts"]["access"]
    assert (access["events"], access["denied"], access["chain_is_sound"]) == (4, 1, True)
    assert {(row["role"], row["decision"], row["events"]) for row in access["by_month"]} == {
        ("clinician", "allowed", 2), ("clinician", "denied", 1), ("leader", "allowed", 1)}  # fmt: skip
    for path in (workspace.root / "data" / "governance").glob("pack.*"):
        assert not [word for word in ("dr-hansen", "person-7", "person-9", "person-17") if word in path.read_text()]


def test_incidents_come_from_what_is_stored_and_from_people(pack):
    assert [(one["on"], one["told_by"]) for one in pack["facts"]["incidents"]] == [
        ("2026-02-01", "operations"), ("2026-03-01", "monitoring")]  # fmt: skip


def test_the_pages_say_synthetic_link_the_card_and_mark_what_people_must_answer(pack, workspace):
    home = workspace.root / "data" / "governance"
    page, markdown = (home / "pack.html").read_text(), (home / "pack.md").read_text()
    for text in (page, markdown):
        assert "SYNTHETIC" in text
        assert "Which legal basis" in text
    assert pack["cards"] == [f"cards/{OUTCOME}-1.html"]
    assert (home / pack["cards"][0]).read_text().startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert f'href="{pack["cards"][0]}"' in page


def test_writing_it_again_gives_the_same_bytes(pack, workspace):
    page = workspace.root / "data" / "governance" / "pack.html"
    before = page.read_bytes()
    report = governance_pack.run(workspace)
    assert page.read_bytes() == before
    assert report["documents"]["risk_file"]["for_people"] == 10


def test_an_altered_log_of_accesses_or_promotions_is_an_incident(workspace, tmp_path):
    log, history = workspace.root / "store" / "audit.db", workspace.bundles / OUTCOME / "history.jsonl"
    sound, written = log.read_bytes(), history.read_bytes()
    try:
        with sqlite3.connect(log) as database:
            database.execute("DROP TRIGGER audit_event_no_update")
            database.execute("UPDATE audit_event SET role = 'operator' WHERE n = 2")
        database.close()
        history.write_bytes(written.replace(b"Kari", b"Mari") + written)
        facts = governance_facts.gather(workspace, tmp_path)
    finally:
        log.write_bytes(sound)
        history.write_bytes(written)
    now = [one["what"] for one in facts["incidents"] if one["on"] == "now"]
    assert now == [f"the promotion log of {OUTCOME} was altered",
                   "the audit log is not as it was written: balance-risk audit verify"]  # fmt: skip


def test_a_card_that_was_changed_is_left_out_and_is_an_incident(workspace, tmp_path):
    card = workspace.bundles / OUTCOME / "model_card-1.html"
    written = card.read_bytes()
    try:
        card.write_bytes(written + b"better than it is")
        facts = governance_facts.gather(workspace, tmp_path)
        found, faults = governance_facts.cards(workspace)
    finally:
        card.write_bytes(written)
    assert (found, faults) == ({}, [OUTCOME])
    assert "model card" in facts["incidents"][0]["what"]


def test_an_empty_workspace_gives_a_pack_that_names_the_verbs(tmp_path):
    report = governance_pack.run(Workspace(tmp_path))
    text = (tmp_path / "data" / "governance" / "pack.md").read_text()
    assert all(
        verb in text
        for verb in ("balance-risk ingest", "balance-risk promote", "balance-risk serve", "balance-risk monitor")
    )
    assert report["documents"]["data_sheet"]["lack_facts"] == 4
    assert (tmp_path / FILE).read_text() == ""


@pytest.mark.parametrize("line", ['{"on": "yesterday", "what": "x"}', "not JSON", '{"on": "2026-01-01", "what": "x", "who": 1}',
                                  '{"on": "2026-01-01", "what": "13097248022 was seen"}'])  # fmt: skip
def test_a_wrong_line_of_peoples_list_is_named(tmp_path, line):
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(f'{{"on": "2026-01-01", "what": "fine"}}\n{line}\n')
    with pytest.raises(SettingsError, match="line 2") as found:
        governance_pack.run(Workspace(tmp_path))
    assert "13097248022" not in str(found.value)


def test_every_question_is_answered_by_facts_or_by_people():
    """Of an empty workspace each question has words of its own, a verb that would provide them, or a question to people."""
    always = {"study": {}, "promotions": [], "refused": [], "in_service": [], "fairness": [],
              "dictionary": {"columns": 1, "features": 1, "instruments": 1}}  # fmt: skip
    for name in DOCUMENTS:
        for item in answered(name, always):
            assert item.said or item.missing or item.people, item.number
            assert not item.missing or "balance-risk" in item.missing, item.number


def test_the_study_teams_words_answer_for_people():
    item = next(
        one for one in answered("questions", {"study": {"provider": "Skyetec AS, Tromsø"}}) if one.number == "AI Act 17"
    )
    assert (item.said, item.people) == (("Skyetec AS, Tromsø",), "")
