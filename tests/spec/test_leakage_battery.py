"""The twelve cases in which prediction projects let the future into the past, with their answers to the day.

Every case goes through two doors: CSV files → ingest → tables → histories, and the JSON record of the API. Labels and
eligibility come from the training set, which only the files can give.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data_contracts.readers.parquet_files import read_tables
from data_contracts.time_windows import day_number
from features.build import build_features
from features.histories import Histories
from features.record import RecordViolation
from models.outcomes import OUTCOMES
from models.training_set import build_training_set
from pipeline import ingest
from pipeline.settings import IngestSettings
from pipeline.workspace import Workspace
from tests.lib.leakage_cases import CASES, Case, Question
from tests.lib.source_files import Rows, write_source

RECEIVED_ON = date(2027, 6, 1)
UNKNOWN = float("nan")


def rows_of(number: int) -> Rows:
    return next(case.rows for case in CASES if case.number == number)


# --- the two doors ---------------------------------------------------------------------------------------------------


def through_files(rows: Rows, directory: Path) -> tuple[dict, dict]:
    workspace = Workspace(directory)
    write_source(workspace.source, rows)
    report = ingest.run(workspace, IngestSettings(received_on=RECEIVED_ON, max_quarantined_share=1))
    return read_tables(workspace.tables), report


def features_from_files(rows: Rows, t: str, directory: Path, person: str = "p") -> dict[str, float]:
    tables, _ = through_files(rows, directory)
    histories = Histories.from_tables(
        tables, purpose="risk_scoring", consent_on=date.fromisoformat(t), person_ids=[person]
    )
    return named(histories, t)


def features_from_json(rows: Rows, t: str, _directory: Path, asked: str = "p") -> dict[str, float]:
    mine = {table: [row for row in found if row.get("person_id", asked) == asked] for table, found in rows.items()}
    (person,) = mine.pop("persons")
    record = json.loads(json.dumps({"person": person, **mine}))
    histories = Histories.from_record(
        record, purpose="risk_scoring", consent_on=date.fromisoformat(t), received_on=RECEIVED_ON
    )
    return named(histories, t)


def named(histories: Histories, t: str) -> dict[str, float]:
    matrix = build_features(histories, day_number(t))
    return dict(zip(matrix.names, matrix.values[0].tolist(), strict=True))


DOORS = pytest.mark.parametrize("door", [features_from_files, features_from_json])


def answers(rows: Rows, data_as_of: str, t: str, directory: Path, outcome: str = "long_sick_leave"):
    """Return status, label and censoring day of each person at t, by the training set as of a day."""
    tables, _ = through_files(rows, directory)
    return build_training_set(tables, OUTCOMES[outcome], [date.fromisoformat(t)], date.fromisoformat(data_as_of))


# Case 7 cannot enter through the record (below); every other feature must come out the same through both doors.
ASKED = [
    pytest.param(case, question, id=f"{case.number} {case.name} {question.person} {question.t}")
    for case in CASES
    for question in case.of_kind("features")
    if case.number != 7
]


@DOORS
@pytest.mark.parametrize(("case", "question"), ASKED)
def test_features_know_only_what_was_known(case: Case, question: Question, door, tmp_path):
    expected = {name: UNKNOWN if answer is None else answer for name, answer in question.expected.items()}
    found = door(case.rows, question.t, tmp_path, question.person)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_case_1_an_episode_that_starts_on_the_index_date_is_the_outcome_not_a_feature(tmp_path):
    assert answers(rows_of(1), "2027-06-01", "2026-03-01", tmp_path).y.tolist() == [1.0]


def test_case_4_who_is_absent_at_the_index_date_is_not_eligible(tmp_path):
    found = answers(rows_of(4), "2027-06-01", "2026-03-01", tmp_path)
    assert (found.person_ids.tolist(), found.flow["washout"]) == (["p"], 1)


def test_case_7_a_future_dated_lab_is_quarantined_and_never_a_feature(tmp_path):
    _, report = through_files(rows_of(7), tmp_path / "a")
    assert report["tables"]["lab_results"] | {"sha256": 0, "notes": 0} == {
        "rows": 1, "accepted": 0, "quarantined": 1, "duplicates": 0, "sha256": 0, "notes": 0,
    }  # fmt: skip
    assert list(report["rules"]) == ["lab_results.csv: sampled_on: event after known_from"]
    for n, t in enumerate(("2026-03-01", "2026-06-01")):
        assert np.isnan(features_from_files(rows_of(7), t, tmp_path / f"b{n}")["hba1c"])


def test_case_7_the_api_refuses_a_future_dated_lab(tmp_path):
    with pytest.raises(RecordViolation) as refusal:
        features_from_json(rows_of(7), "2026-03-01", tmp_path)
    assert [(v.origin, v.row, v.column, v.rule) for v in refusal.value.violations] == [
        ("record.lab_results", 0, "sampled_on", "event after known_from")
    ]


def test_case_8_the_duplicate_is_reported(tmp_path):
    _, report = through_files(rows_of(8), tmp_path)
    assert report["tables"]["absence_spells"]["duplicates"] == 1


@DOORS
def test_case_10_a_withdrawn_consent_takes_its_source_away_and_no_other(door, tmp_path):
    before = door(rows_of(10), "2026-02-20", tmp_path / "before")
    after = door(rows_of(10), "2026-03-01", tmp_path / "after")
    assert before["who5_wellbeing"] == 60
    assert np.isnan(after["who5_wellbeing"])
    assert after["days_doctor_365"] == 4


def test_case_10_training_sets_built_after_the_withdrawal_hold_no_survey_row_for_any_index_date(tmp_path):
    tables, _ = through_files(rows_of(10), tmp_path)
    histories = Histories.from_tables(
        tables, purpose="model_training", consent_on=date(2026, 3, 10), data_as_of=date(2026, 3, 10)
    )
    for t in ("2026-02-10", "2026-02-20", "2026-03-05"):
        assert np.isnan(named(histories, t)["who5_wellbeing"])
        assert named(histories, t)["days_doctor_365"] == 4


def test_case_11_who_has_left_is_not_eligible_and_who_leaves_is_censored_not_healthy(tmp_path):
    rows = rows_of(11)
    gone = answers(rows, "2027-06-01", "2026-03-01", tmp_path / "gone")
    assert (len(gone.y), gone.flow["not employed"]) == (0, 1)
    leaving = answers(rows, "2027-06-01", "2026-02-01", tmp_path / "leaving")
    assert np.isnan(leaving.y).tolist() == [True]
    assert leaving.censored_on.tolist() == [day_number("2026-02-15")]
    assert leaving.weight.tolist() == [0.0]


def test_case_12_the_label_window_is_half_open_and_immature_labels_are_left_out(tmp_path):
    rows = rows_of(12)
    mature = answers(rows, "2027-06-01", "2026-03-01", tmp_path / "mature")
    assert dict(zip(mature.person_ids, mature.y.tolist(), strict=True)) == {"p": 1.0, "q": 0.0}
    immature = answers(rows, "2026-12-31", "2026-03-01", tmp_path / "immature")
    assert (len(immature.y), immature.flow["label not mature"]) == (0, 2)
