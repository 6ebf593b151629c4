"""A night as it really runs: processes, a store on disk, and a kill in the middle."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pytest

from data_contracts.errors import EngineError, MissingInputError
from data_contracts.readers.parquet_files import read_tables, write_tables
from data_contracts.time_windows import today
from features.record import tables_of_record
from models.bundle import move_current
from pipeline import rebuild, score
from pipeline.nightly import END, NightFailed, asked_of, environment, night, store_url
from pipeline.person_record import person_record
from serving.predictor import Predictor, case_of
from serving.store import open_store
from serving.store.records import kept_record
from serving.store.worklist import WorklistQuestion
from tests.lib.nights import NIGHT, OUTCOME, prepare, promote, staff, steady_model
from tests.lib.records import consent, person, tables
from tests.lib.stores import rows

DAY = date.fromisoformat(NIGHT)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    workspace = prepare(tmp_path_factory.mktemp("night"))
    return workspace, score.run(workspace, DAY, [OUTCOME], None, 2)


@contextmanager
def store_of(workspace):
    store = open_store(store_url(workspace))
    try:
        yield store
    finally:
        store.close()


def listed(report) -> dict[str, dict[str, str]]:
    with Path(report["path"]).open(newline="") as file:
        return {row["person_id"]: row for row in csv.DictReader(file)}


def test_the_file_the_store_and_a_request_have_one_number_to_the_last_bit(scored):
    workspace, report = scored
    found = read_tables(workspace.tables)
    predictor = Predictor.from_bundles(workspace.bundles, workspace.keys / "verify.key")
    assert report["scored"][OUTCOME] > 6
    with store_of(workspace) as store:
        for person_id, row in listed(report).items():
            record = person_record(found, person_id, np.datetime64(DAY, "D"))
            asked = predictor.predict(record, DAY, [OUTCOME], today())
            stored = store.latest_score(person_id, DAY)
            assert stored.answer == asked.model_dump_json().encode()
            risk = asked.outcomes[OUTCOME].risk
            assert row["risk"] == ("" if risk is None else repr(risk))
        assert store.data_version() == report["night"]["data_version"]
        assert store.companies_of("SYNTHETIC-0", DAY) == {"c"}


def test_the_night_keeps_each_record_and_what_of_the_risk_can_be_worked_with(scored):
    workspace, _ = scored
    found = read_tables(workspace.tables)
    predictor = Predictor.from_bundles(workspace.bundles, workspace.keys / "verify.key")
    with store_of(workspace) as store:
        listed = store.worklist(WorklistQuestion("dr-1", {"c"}, OUTCOME, 20, DAY))
        assert len(listed.entries) > 6
        for entry in listed.entries:
            kept = store.record(entry.person_id, DAY)
            record = person_record(found, entry.person_id, np.datetime64(DAY, "D"))
            assert kept.record == kept_record(record, case_of(tables_of_record(record, today()), DAY, today()))
            explained = predictor.explain(kept.record, DAY, [OUTCOME], today()).outcomes[OUTCOME]
            workable = [one for one in explained.reasons if one.modifiable and not one.missing and one.contribution > 0]
            left = explained.log_odds - sum(one.contribution for one in workable)
            assert entry.number == explained.risk
            assert entry.benefit == pytest.approx(explained.risk - 1 / (1 + np.exp(-left)), abs=1e-12)
    benefits = [entry.benefit for entry in listed.entries]
    assert benefits == sorted(benefits, reverse=True)
    assert benefits[0] > 0


def test_the_same_night_again_changes_nothing_whatever_the_number_of_processes(scored):
    workspace, report = scored
    with store_of(workspace) as store:
        before, file = rows(store), Path(report["path"]).read_bytes()
        again = score.run(workspace, DAY, [OUTCOME], None, 1)
        assert again["night"]["is_new"] is False
        assert again["night"]["run_id"] == report["night"]["run_id"]
        assert rows(store) == before
        assert Path(report["path"]).read_bytes() == file


def test_one_person_is_explained_by_the_same_number(scored):
    workspace, report = scored
    row = next(row for row in listed(report).values() if row["risk"])
    found = score.run(workspace, DAY, [OUTCOME], row["person_id"])
    assert found["outcomes"][OUTCOME]["risk"] == float(row["risk"])
    assert len(found["outcomes"][OUTCOME]["reasons"]) > 100
    with pytest.raises(MissingInputError, match="no such person"):
        score.run(workspace, DAY, [OUTCOME], "SYNTHETIC-nobody")


def test_a_past_night_is_rebuilt_with_the_bundles_it_names_also_after_a_promotion(tmp_path):
    workspace = prepare(tmp_path)
    score.run(workspace, DAY, [OUTCOME], None, 1)
    promote(workspace, steady_model(seed=5), "2")
    found = rebuild.run(workspace, DAY, 1)
    assert (found["is_rebuilt"], found["same"], found["different"]) == (True, 12, 0)
    assert found["digest"] == found["digest_then"]
    rebuild.refuse_differences(found)


def test_a_rebuild_from_other_tables_says_how_many_answers_differ_and_why(tmp_path):
    workspace = prepare(tmp_path)
    score.run(workspace, DAY, [OUTCOME], None, 1)
    changed = staff(12)
    changed["survey_answers"] = changed["survey_answers"][5:]
    changed["persons"].append(person("SYNTHETIC-new"))
    write_tables(workspace.tables, tables(changed), 3)
    found = rebuild.run(workspace, DAY, 1)
    assert (found["different"], found["only_now"], found["only_then"]) == (1, 1, 0)
    assert "another data version" in found["summary"]
    with pytest.raises(rebuild.NotRebuilt) as error:
        rebuild.refuse_differences(found)
    assert error.value.exit_code != 0


def test_a_night_that_was_never_scored_or_whose_bundle_is_gone_is_not_rebuilt(tmp_path):
    workspace = prepare(tmp_path)
    with pytest.raises(NightFailed, match="No scores of 2026-03-01"):
        rebuild.run(workspace, DAY, 1)
    score.run(workspace, DAY, [OUTCOME], None, 1)
    old = next((workspace.bundles / OUTCOME).glob("1-*"))
    move_current(workspace.bundles, OUTCOME, promote(workspace, steady_model(seed=5), "2"))
    old.rename(tmp_path / "elsewhere")
    with pytest.raises(NightFailed, match="no such bundle") as error:
        rebuild.run(workspace, DAY, 2)
    assert error.value.exit_code == 5


def test_a_withdrawal_that_only_the_service_knows_of_counts_in_the_next_night_and_a_rebuild_stays_what_it_was(tmp_path):
    workspace = prepare(tmp_path)
    score.run(workspace, DAY, [OUTCOME], None, 1)
    with store_of(workspace) as store:
        store.withdraw("SYNTHETIC-3", None, DAY)
    assert rebuild.run(workspace, DAY, 1)["is_rebuilt"], "the night did not know of it"
    again = score.run(workspace, DAY, [OUTCOME], None, 1)
    assert again["night"]["is_new"]
    assert listed(again)["SYNTHETIC-3"]["not_scored_because"] == "no consent for any source"
    assert rebuild.run(workspace, DAY, 1)["is_rebuilt"]
    found = score.run(workspace, DAY, [OUTCOME], "SYNTHETIC-3")["outcomes"][OUTCOME]
    assert found["not_scored_because"] == "no consent for any source"


def test_who_cannot_be_scored_stands_in_the_list_with_the_reason(tmp_path):
    odd = staff(3)
    odd["persons"].append(person("SYNTHETIC-late", known_from="2026-03-01"))
    # Such a row never passes ingest; it stands for whatever the tables may hold that the contract of a record refuses.
    odd["consents"].append(consent("survey", "SYNTHETIC-1", given_on="2027-01-01", known_from="2020-06-01"))
    workspace = prepare(tmp_path, rows=odd)
    report = score.run(workspace, DAY, [OUTCOME], None, 1)
    found = listed(report)
    assert found["SYNTHETIC-late"]["not_scored_because"] == score.NOT_KNOWN
    assert found["SYNTHETIC-1"]["not_scored_because"].startswith("record refused: consents.given_on: event after")
    assert sum(report["refused"].values()) == 2
    assert (report["night"]["persons"], report["night"]["refused"]) == (2, 1)
    assert "2027" not in json.dumps(report)


# --- faults -----------------------------------------------------------------------------------------------------------


def process_of(workspace) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "serving.nightly"], env=environment(workspace), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def sent(workspace, n: int, asked: dict) -> bytes:
    found = read_tables(workspace.tables)
    records = ({"person_id": f"SYNTHETIC-{i}", "record": person_record(found, f"SYNTHETIC-{i}", np.datetime64(DAY, "D"))}
               for i in range(n))  # fmt: skip
    return b"".join(orjson.dumps(one) + b"\n" for one in (asked, *records))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_kill_in_the_middle_leaves_the_earlier_night_whole(tmp_path, workers):
    workspace = prepare(tmp_path)
    score.run(workspace, DAY, [OUTCOME], None, 1)
    promote(workspace, steady_model(seed=5), "2")
    asked = asked_of("score", workspace.tables, DAY, [OUTCOME], workers)
    with store_of(workspace) as store:
        before = rows(store)
        process = process_of(workspace)
        process.stdin.write(sent(workspace, 12, asked))
        process.stdin.flush()
        process.stdout.readline()  # the models are open, scoring has begun
        children = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert rows(store) == before
        wait_until(lambda: not any(map(is_alive, children)), "workers outlive who started them")
    again = score.run(workspace, DAY, [OUTCOME], None, 1)
    assert again["night"]["is_new"]


def children_of(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, why: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, why
        time.sleep(0.1)


def test_records_that_are_broken_off_are_not_taken_for_everybody(tmp_path):
    workspace = prepare(tmp_path)
    asked = asked_of("score", workspace.tables, DAY, [OUTCOME], 1)
    process = process_of(workspace)
    _, said = process.communicate(sent(workspace, 6, asked), timeout=120)
    assert process.returncode == EngineError.exit_code
    assert b"broken off" in said
    with store_of(workspace) as store:
        assert store.night(DAY) is None
    process = process_of(workspace)
    process.communicate(sent(workspace, 6, asked) + END, timeout=120)
    assert process.returncode == 0


def test_the_death_of_a_worker_ends_the_night_and_writes_nothing(tmp_path):
    workspace = prepare(tmp_path)
    asked = asked_of("score", workspace.tables, DAY, [OUTCOME], 2)
    process = process_of(workspace)
    process.stdin.write(sent(workspace, 0, asked))
    process.stdin.flush()
    process.stdout.readline()
    for child in children_of(process.pid):
        os.kill(child, signal.SIGKILL)
    _, said = process.communicate(sent(workspace, 12, asked).partition(b"\n")[2] + END, timeout=120)
    assert (process.returncode, b"died" in said, b"SYNTHETIC" in said) == (EngineError.exit_code, True, False)
    with store_of(workspace) as store:
        assert store.night(DAY) is None


def test_tables_that_change_while_they_are_read_are_not_scored(tmp_path, monkeypatch):
    workspace = prepare(tmp_path)
    stands = iter([{"a": (1, 1)}, {"a": (1, 2)}])
    monkeypatch.setattr("pipeline.everyone.stand", lambda _: next(stands))
    with pytest.raises(EngineError, match="were changed while they were read"):
        score.run(workspace, DAY, [OUTCOME], None, 1)
    with store_of(workspace) as store:
        assert store.night(DAY) is None
    assert not list(workspace.scores.glob("*"))


def test_a_damaged_bundle_is_refused_in_its_own_words_and_with_its_own_code(tmp_path):
    workspace = prepare(tmp_path)
    (workspace.keys / "verify.key").unlink()
    with (
        pytest.raises(NightFailed, match=r"verify\.key") as error,
        night(workspace, asked_of("score", workspace.tables, DAY, [OUTCOME], 2), []) as told,
    ):
        list(told)
    assert error.value.exit_code in (2, 5)
