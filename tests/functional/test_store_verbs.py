"""The verbs that reach into the store through processes: erase, and decisions out of it."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from data_contracts.errors import MissingInputError
from pipeline import erase, feedback
from pipeline.erasure.stored import StoreNotErased
from pipeline.nightly import store_url
from pipeline.workspace import Workspace
from tests.lib.postgresql import postgresql_url
from tests.lib.stores import NIGHT, OUTCOME, opened, scored, write

HER, OTHER = "SYNTHETIC-person-1", "SYNTHETIC-person-2"


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "data").mkdir()
    return Workspace(tmp_path)


def fill(workspace) -> None:
    with opened(store_url(workspace)) as store:
        write(store, scored(HER), scored(OTHER))
        store.record_decision("dr-1", store.latest_score(HER, NIGHT), OUTCOME, "disagree", "=1+1", "wait")


def test_erase_takes_a_person_out_of_the_store_and_says_what_the_audit_log_keeps(workspace):
    fill(workspace)
    audit = workspace.root / "store" / "audit.db"
    audit.write_bytes(f"who has looked at {HER}".encode())
    found = erase.run(workspace, HER, reason="request", on=date(2026, 3, 2))
    assert found["store"] == {
        "consents": 4, "decisions": 1, "memberships": 1, "outcome_scores": 1, "records": 1, "scores": 1
    }  # fmt: skip
    assert found["places"]["store"] == {"before": 9, "after": 0}
    assert any("audit log (store/audit.db)" in place for place in found["not_searched"])
    assert HER.encode() in audit.read_bytes()
    assert not [
        path
        for path in workspace.root.rglob("*")
        if path.is_file() and path != audit and HER.encode() in path.read_bytes()
    ]
    with opened(store_url(workspace)) as store:
        assert store.latest_score(OTHER, NIGHT) is not None
    assert erase.run(workspace, HER)["certificate"] is None
    with pytest.raises(MissingInputError):
        erase.run(workspace, "SYNTHETIC-stranger")


def test_erase_finds_a_person_who_is_in_a_server_alone(workspace, monkeypatch):
    with postgresql_url() as url:
        monkeypatch.setenv("BALANCE_RISK_STORE", url)
        fill(workspace)
        found = erase.run(workspace, HER, reason="request", on=date(2026, 3, 2))
        assert found["files"]["database of the store"] == {"rows": 9, "sha256_after": None}
        with opened(url) as store:
            assert store.latest_score(HER, NIGHT) is None
            assert store.latest_score(OTHER, NIGHT) is not None


def test_without_the_store_an_erasure_is_not_certified(workspace, monkeypatch):
    monkeypatch.setenv("BALANCE_RISK_STORE", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StoreNotErased, match="could not be changed"):
        erase.run(workspace, HER)
    assert not list(workspace.root.glob("erasures/*.json"))


def test_decisions_come_out_as_a_table(workspace):
    fill(workspace)
    report = feedback.run(workspace)
    assert (report["decisions"], report["verdicts"]) == (1, {"disagree": 1})
    with open(report["path"], newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["person_id"], row["number"], row["model"], row["reason"]) == (HER, "0.2", "1-abcdef012345", "'=1+1")
    assert row["next_step"] == "wait"
    assert "dr-1" not in str(row)
