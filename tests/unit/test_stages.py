"""What stages refuse: labels from silence, a version for two outcomes, a morning too late, metrics of another model."""

from __future__ import annotations

import json
from datetime import date

import pytest

from data_contracts.errors import ContractViolation, NotEnoughDataError, SettingsError
from models.outcomes import OUTCOMES
from models.promotion_policy import Policy
from pipeline import build_training_set, ingest, lineage, promote, score
from pipeline.approval import Approval
from pipeline.settings import IngestSettings, Settings, TrainingSettings
from pipeline.training_dates import data_as_of_for, known_spans
from pipeline.workspace import Workspace
from tests.lib.source_files import employee, together, write_source

SPELL = {"person_id": "p", "spell_id": "s", "kind": "doctor_certified", "grade_percent": 100, "first_day": "2023-03-01",
         "last_day": "2023-03-10", "known_from": "2023-03-02"}  # fmt: skip
ANSWER = {"person_id": "p", "instrument": "srh", "item": "item_1", "answer": 3, "answered_on": "2025-05-01",
          "known_from": "2025-05-01"}  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    write_source(
        tmp_path / "data" / "source", together(employee(), {"absence_spells": [SPELL], "survey_answers": [ANSWER]})
    )
    ingest.run(Workspace(tmp_path), IngestSettings(received_on=date(2026, 1, 1)))
    return Workspace(tmp_path)


def as_of(workspace, outcome: str, chosen: date | None) -> date:
    spans = known_spans(workspace.tables)
    return data_as_of_for(TrainingSettings(data_as_of=chosen), spans, OUTCOMES[outcome])


def test_labels_end_with_the_data_they_come_from_not_with_the_last_row_of_any_table(workspace):
    assert as_of(workspace, "long_sick_leave", None) == date(2023, 3, 3)
    assert as_of(workspace, "burnout", None) == date(2025, 5, 2)


def test_long_silence_is_the_end_of_the_data_and_not_the_absence_of_events(workspace):
    assert as_of(workspace, "long_sick_leave", date(2024, 3, 3)) == date(2024, 3, 3)
    with pytest.raises(SettingsError, match="absence_spells became known on 2023-03-02"):
        as_of(workspace, "long_sick_leave", date(2024, 3, 4))


def test_no_index_date_with_a_mature_label_is_said_not_trained(workspace):
    with pytest.raises(NotEnoughDataError, match=r"no label is known yet.* is known on"):
        build_training_set.run(workspace, Settings(), ["long_sick_leave"])


def test_a_version_belongs_to_one_outcome(tmp_path):
    with pytest.raises(SettingsError, match="belongs to one outcome"):
        promote.run(Workspace(tmp_path), ["burnout", "long_sick_leave"], "2", Policy(), Approval("kari", "why"))
    assert not (tmp_path / "keys").exists()


def test_nobody_is_scored_for_a_morning_that_is_more_than_a_day_away(workspace):
    with pytest.raises(SettingsError, match="--index-date 2999-01-01"):
        score.run(workspace, date(2999, 1, 1), ["burnout"], None)


def test_a_model_trained_on_other_rows_is_neither_judged_nor_registered(tmp_path):
    workspace = Workspace(tmp_path)
    home, rows = workspace.model("burnout"), workspace.training_set("burnout")
    home.mkdir(parents=True)
    rows.mkdir(parents=True)
    (rows / "rows.npz").write_bytes(b"new rows")
    (home / "lineage.json").write_text(json.dumps({"training_set_sha256": "of the old rows"}))
    with pytest.raises(ContractViolation, match="balance-risk train"):
        lineage.current_lineage(workspace, "burnout")
