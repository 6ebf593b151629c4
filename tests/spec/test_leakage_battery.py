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
from features.histories import Histories, RecordViolation
from models.outcomes import OUTCOMES
from models.training_set import build_training_set
from pipeline import ingest
from pipeline.settings import IngestSettings
from pipeline.workspace import Workspace
from tests.lib.source_files import Rows, consent, employee, together, write_source

RECEIVED_ON = date(2027, 6, 1)


def spell(first: str, last: str, known: str, name: str = "A", person: str = "p", is_deleted: bool = False) -> dict:
    row = {
        "person_id": person,
        "spell_id": name,
        "kind": "doctor_certified",
        "grade_percent": 100,
        "first_day": first,
        "last_day": last,
    }
    return row | {"known_from": known} | ({"is_deleted": True} if is_deleted else {})


def spells(*rows: dict) -> Rows:
    return {"absence_spells": list(rows)}


def who5(answered: str, known: str, person: str = "p") -> Rows:
    items = [{"person_id": person, "instrument": "who5", "item": f"item_{i}", "answer": 3} for i in range(1, 6)]
    return {"survey_answers": [item | {"answered_on": answered, "known_from": known} for item in items]}


# --- the two doors ---------------------------------------------------------------------------------------------------


def through_files(rows: Rows, directory: Path) -> tuple[dict, dict]:
    workspace = Workspace(directory)
    write_source(workspace.source, rows)
    report = ingest.run(workspace, IngestSettings(received_on=RECEIVED_ON, max_quarantined_share=1))
    return read_tables(workspace.tables), report


def features_from_files(rows: Rows, t: str, directory: Path) -> dict[str, float]:
    tables, _ = through_files(rows, directory)
    histories = Histories.from_tables(
        tables, purpose="risk_scoring", consent_on=date.fromisoformat(t), person_ids=["p"]
    )
    return named(histories, t)


def features_from_json(rows: Rows, t: str, _directory: Path) -> dict[str, float]:
    mine = {table: [row for row in found if row.get("person_id", "p") == "p"] for table, found in rows.items()}
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


UNKNOWN = float("nan")

CASES = {
    "1 on the index date": (
        spells(spell("2026-03-01", "2026-03-25", "2026-03-01")),
        [("2026-03-01", {"days_doctor_365": 0})],
    ),
    "2 late record": (
        spells(spell("2026-02-01", "2026-02-10", "2026-03-05")),
        [(t, {"days_doctor_365": days}) for t, days in (("2026-03-01", 0), ("2026-03-05", 0), ("2026-03-06", 10))],
    ),
    "3 corrected record": (
        spells(spell("2026-02-01", "2026-02-28", "2026-02-03"), spell("2026-02-01", "2026-02-10", "2026-02-12")),
        [
            ("2026-02-05", {"days_doctor_365": 4, "running_doctor": 1}),
            ("2026-02-12", {"days_doctor_365": 11, "running_doctor": 1}),
            ("2026-02-13", {"days_doctor_365": 10, "running_doctor": 0, "days_since_doctor": 3}),
            ("2026-02-20", {"days_doctor_365": 10}),
        ],
    ),
    "4 interval across a boundary: p": (
        spells(spell("2026-01-25", "2026-02-03", "2026-01-26")),
        [("2026-03-01", {"days_doctor_30": 5, "days_doctor_365": 10})],
    ),
    "4 interval across a boundary: q": (
        spells(spell("2026-02-20", "2026-03-10", "2026-02-22")),
        [("2026-03-01", {"days_doctor_30": 9, "running_doctor": 1})],
    ),
    "5 same-day survey": (
        who5("2026-03-01", "2026-03-01"),
        [
            ("2026-03-01", {"who5_wellbeing": UNKNOWN}),
            ("2026-03-02", {"who5_wellbeing": 60, "who5_wellbeing_age_days": 1}),
        ],
    ),
    "6 time zone": (
        who5("2026-02-28T23:30:00Z", "2026-02-28T23:30:00Z"),
        [
            ("2026-03-01", {"who5_wellbeing": UNKNOWN}),
            ("2026-03-02", {"who5_wellbeing": 60, "who5_wellbeing_age_days": 1}),
        ],
    ),
    "8 duplicate": (
        spells(spell("2026-02-01", "2026-02-10", "2026-02-03"), spell("2026-02-01", "2026-02-10", "2026-02-03")),
        [("2026-03-01", {"days_doctor_365": 10, "starts_doctor_365": 1})],
    ),
    "9 deleted row": (
        spells(
            spell("2026-02-01", "2026-02-20", "2026-02-03", "B"),
            spell("2026-02-01", "2026-02-20", "2026-02-15", "B", is_deleted=True),
        ),
        [(t, {"days_doctor_365": days}) for t, days in (("2026-02-10", 9), ("2026-02-15", 14), ("2026-02-16", 0))],
    ),
}


@DOORS
@pytest.mark.parametrize("case", CASES)
def test_features_know_only_what_was_known(case, door, tmp_path):
    rows, moments = CASES[case]
    for n, (t, expected) in enumerate(moments):
        found = door(together(employee(), rows), t, tmp_path / str(n))
        assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True), f"{case} at {t}"


def test_case_1_an_episode_that_starts_on_the_index_date_is_the_outcome_not_a_feature(tmp_path):
    rows = together(employee(), spells(spell("2026-03-01", "2026-03-25", "2026-03-01")))
    assert answers(rows, "2027-06-01", "2026-03-01", tmp_path).y.tolist() == [1.0]


def test_case_4_who_is_absent_at_the_index_date_is_not_eligible(tmp_path):
    rows = together(employee(), spells(spell("2026-02-20", "2026-03-10", "2026-02-22")))
    found = answers(rows, "2027-06-01", "2026-03-01", tmp_path)
    assert (len(found.y), found.flow["washout"]) == (0, 1)


FUTURE_LAB = {
    "lab_results": [
        {"person_id": "p", "code_system": "NPU", "code": "NPU27300", "value": 40, "unit": "mmol/mol",
         "sampled_on": "2026-05-01", "known_from": "2026-02-20"}
    ]
}  # fmt: skip


def test_case_7_a_future_dated_lab_is_quarantined_and_never_a_feature(tmp_path):
    _, report = through_files(together(employee(), FUTURE_LAB), tmp_path / "a")
    assert report["tables"]["lab_results"] | {"sha256": 0, "notes": 0} == {
        "rows": 1, "accepted": 0, "quarantined": 1, "duplicates": 0, "sha256": 0, "notes": 0,
    }  # fmt: skip
    assert list(report["rules"]) == ["lab_results.csv: sampled_on: event after known_from"]
    for n, t in enumerate(("2026-03-01", "2026-06-01")):
        assert np.isnan(features_from_files(together(employee(), FUTURE_LAB), t, tmp_path / f"b{n}")["hba1c"])


def test_case_7_the_api_refuses_a_future_dated_lab(tmp_path):
    with pytest.raises(RecordViolation) as refusal:
        features_from_json(together(employee(), FUTURE_LAB), "2026-03-01", tmp_path)
    assert [(v.origin, v.row, v.column, v.rule) for v in refusal.value.violations] == [
        ("record.lab_results", 0, "sampled_on", "event after known_from")
    ]


def test_case_8_the_duplicate_is_reported(tmp_path):
    row = spell("2026-02-01", "2026-02-10", "2026-02-03")
    _, report = through_files(together(employee(), spells(row, row)), tmp_path)
    assert report["tables"]["absence_spells"]["duplicates"] == 1


def withdrawn_survey_consent() -> Rows:
    everybody = employee()
    withdrawals = [
        consent("survey", purpose, withdrawn_on="2026-02-25", known="2026-02-25")
        for purpose in ("risk_scoring", "model_training")
    ]
    absence = spells(spell("2026-01-01", "2026-01-04", "2026-01-02"))
    return together(everybody, {"consents": withdrawals}, who5("2026-02-01", "2026-02-01"), absence)


@DOORS
def test_case_10_a_withdrawn_consent_takes_its_source_away_and_no_other(door, tmp_path):
    before = door(withdrawn_survey_consent(), "2026-02-20", tmp_path / "before")
    after = door(withdrawn_survey_consent(), "2026-03-01", tmp_path / "after")
    assert before["who5_wellbeing"] == 60
    assert np.isnan(after["who5_wellbeing"])
    assert after["days_doctor_365"] == 4


def test_case_10_training_sets_built_after_the_withdrawal_hold_no_survey_row_for_any_index_date(tmp_path):
    rows = withdrawn_survey_consent()
    tables, _ = through_files(rows, tmp_path)
    histories = Histories.from_tables(
        tables, purpose="model_training", consent_on=date(2026, 3, 10), data_as_of=date(2026, 3, 10)
    )
    for t in ("2026-02-10", "2026-02-20", "2026-03-05"):
        assert np.isnan(named(histories, t)["who5_wellbeing"])
        assert named(histories, t)["days_doctor_365"] == 4


def test_case_11_who_has_left_is_not_eligible_and_who_leaves_is_censored_not_healthy(tmp_path):
    rows = together(employee(last_day="2026-02-15"))
    gone = answers(rows, "2027-06-01", "2026-03-01", tmp_path / "gone")
    assert (len(gone.y), gone.flow["not employed"]) == (0, 1)
    leaving = answers(rows, "2027-06-01", "2026-02-01", tmp_path / "leaving")
    assert np.isnan(leaving.y).tolist() == [True]
    assert leaving.censored_on.tolist() == [day_number("2026-02-15")]
    assert leaving.weight.tolist() == [0.0]


def test_case_12_the_label_window_is_half_open_and_immature_labels_are_left_out(tmp_path):
    rows = together(
        employee("p"),
        employee("q"),
        spells(
            spell("2027-02-28", "2027-03-19", "2027-03-01", person="p"),
            spell("2027-03-01", "2027-03-20", "2027-03-02", person="q"),
        ),
    )
    mature = answers(rows, "2027-06-01", "2026-03-01", tmp_path / "mature")
    assert dict(zip(mature.person_ids, mature.y.tolist(), strict=True)) == {"p": 1.0, "q": 0.0}
    immature = answers(rows, "2026-12-31", "2026-03-01", tmp_path / "immature")
    assert (len(immature.y), immature.flow["label not mature"]) == (0, 2)
