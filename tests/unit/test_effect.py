"""The verb effect: published numbers, power, panels from CSV with every fault named, and from tables as known."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from data_contracts.errors import (
    BalanceRiskError,
    MissingInputError,
    NotEnoughDataError,
    SettingsError,
    SourceFileError,
)
from data_contracts.readers.parquet_files import write_tables
from pipeline.cli import app
from pipeline.effect import Question, left_out, run
from pipeline.effect_csv import read_panel, read_scores
from pipeline.effect_lines import left_out_lines
from pipeline.effect_panel import ABSENCE, panel_of, risks_and_absence
from pipeline.settings import Settings, TrainingSettings
from pipeline.workspace import Workspace
from tests.lib.records import consent, event, job, person, rows_of, spell, tables

HEADER = "company,period,outcome,start,weight\n"


def verb(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["effect", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_published_effect_as_one_document():
    found = json.loads(verb("--published", "--json"))
    assert found["difference_in_change_percentage_points"] == 1.3
    assert found["workdays_gained_per_full_time_year"] == {"low": 9.43, "high": 10.0}
    assert "9.4 to 10.0 workdays" in found["summary"]


def test_power_names_three_designs():
    found = json.loads(verb("--power", "--sd", "18", "--icc", "0.02", "--companies", "97", "--expected", "2", "--json"))
    assert set(found["designs"]) == {"parallel", "parallel-with-baseline", "stepped-wedge"}
    assert all(0 < row["power"] < 1 for row in found["designs"].values())


@pytest.mark.parametrize(
    "arguments", [[], ["--published", "--power"], ["--power"], ["--power", "--sd", "1", "--icc", "1"]]
)
def test_questions_that_are_none_are_refused(arguments):
    with pytest.raises(SettingsError):
        verb(*arguments)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("company,period,outcome\nc,1,2\n", "column start is missing"),
        (HEADER, "has no rows"),
        (HEADER + "c,1,2,,1\nc,x,2,,1\n", "row 3, column period"),
        (HEADER + "c,1,nan,,1\n", "row 2, column outcome"),
        (HEADER + "c,1,2,,0\n", "row 2, column weight"),
        (HEADER + ",1,2,,1\n", "row 2, column company"),
        (HEADER + "c,1,2,,1\nc,1,3,,1\n", "row 3: this company and period"),
        (HEADER + "c,1,2,,1\nc,2,3,2,1\n", "row 3, column start"),
    ],
)
def test_a_fault_of_a_panel_is_told_by_row_and_column(tmp_path, text, told):
    path = tmp_path / "panel.csv"
    path.write_text(text)
    with pytest.raises(SourceFileError, match=told):
        read_panel(path)


def test_scores_and_files_that_are_not_there(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("score,outcome,contacted\n0.2,3,maybe\n")
    with pytest.raises(SourceFileError, match="row 2, column contacted: must be 0 or 1"):
        read_scores(path)
    with pytest.raises(MissingInputError):
        read_panel(tmp_path / "nowhere.csv")


def test_quarters_are_read_and_an_effect_is_written(tmp_path):
    rows = [
        f"{arm}{n},202{year}Q{quarter},{n + year - 2 * (arm == 'a' and year == 5) + 0.01 * (n * quarter % 3)},"
        f"{'2025Q1' if arm == 'a' else ''}"
        for arm in "ab" for n in range(4) for year in (4, 5) for quarter in (1, 2, 3, 4)
    ]  # fmt: skip
    path = tmp_path / "panel.csv"
    path.write_text("company,period,outcome,start\n" + "\n".join(rows) + "\n")
    assert read_panel(path)["start"].iloc[0] == 2025 * 4
    for design in ("did", "event-study"):
        found = run(Workspace(tmp_path), Settings(), Question(design, panel=path))
        assert json.loads((tmp_path / f"data/effect/{design}.json").read_text()) == found
    assert (tmp_path / "data/effect/event_study.png").exists()
    did = json.loads((tmp_path / "data/effect/did.json").read_text())
    assert did["estimate"]["effect"] == pytest.approx(-2)
    assert did["estimate"]["details"]["p_by_permuted_arms"] == pytest.approx(2 / 70)


def written(home, **changes):
    """Two persons at c (sessions) and d (none); q of d does not consent to effect_evaluation."""
    people = ("p", "r", "q")
    rows = rows_of(
        persons=[person(name) for name in people],
        consents=[
            consent(source, name, "effect_evaluation") for source in ("absence", "employment") for name in ("p", "r")
        ],
        employments=[job(person_id="p"), job(person_id="r", company_id="d"), job(person_id="q", company_id="d")],
        absence_spells=[
            spell("2025-04-07", "2025-04-11", person_id="p"),
            spell("2025-04-07", "2025-04-11", person_id="q"),
            spell("2025-12-01", "2025-12-01", person_id="p", spell_id="B"),
        ],
        workplace_events=changes.get("events", [event("intervention_session", "2025-02-10")]),
    )
    home.mkdir()
    write_tables(home, tables(rows))
    return home


def test_a_panel_from_tables_counts_those_who_consent_and_leaves_out_the_quarter_of_the_first_session(tmp_path):
    found, as_of = panel_of(written(tmp_path / "tables"), ABSENCE, TrainingSettings())
    assert as_of == date(2025, 12, 2)
    cells = found.set_index(["company", "period"])
    second, first = 2025 * 4 + 1, 2025 * 4
    assert ("c", first) not in cells.index
    assert ("d", first) in cells.index
    assert cells.loc[("c", second), "outcome"] == pytest.approx(100 * 5 / cells.loc[("c", second), "weight"])
    assert cells.loc[("d", second), "outcome"] == 0, "the one with absence has not consented"
    assert cells.loc[("c", second), "start"] == second
    assert np.isnan(cells.loc[("d", second), "start"])
    assert found["period"].max() == 2025 * 4 + 2, "the last quarter that is over"


def test_who_has_no_absence_that_may_be_counted_is_left_out_and_told_by_side_of_the_threshold():
    """Of two below one has no outcome, of three at or above the threshold two."""
    rows = [(0.1, 2.0), (0.2, None), (0.5, None), (0.6, None), (0.7, 1.0)]
    frame = pd.DataFrame(rows, columns=["score", "outcome"])
    assert left_out(frame, 0.5) == {
        "below": {"listed": 2, "without_outcome": 1}, "above": {"listed": 3, "without_outcome": 2},
    }  # fmt: skip
    told = left_out_lines(left_out(frame, 0.5))
    assert "below 1 of 2, above 2 of 3" in told[0]
    assert left_out_lines(left_out(frame.dropna(), 0.5)) == []


def test_risks_without_consent_keep_their_place_with_no_outcome(tmp_path):
    scores = tmp_path / "2025-04-01.csv"
    scores.write_text("person_id,outcome,risk\np,long_sick_leave,0.4\nq,long_sick_leave,0.6\nr,burnout,0.9\n")
    found, _ = risks_and_absence(written(tmp_path / "tables"), scores, "long_sick_leave", 30, TrainingSettings())
    assert found["score"].tolist() == [0.4, 0.6]
    assert found["outcome"].notna().tolist() == [True, False], "q has not consented to effect_evaluation"


def test_without_a_session_nobody_knows_who_had_the_intervention(tmp_path):
    with pytest.raises(NotEnoughDataError, match="intervention_session"):
        panel_of(written(tmp_path / "tables", events=[]), ABSENCE, TrainingSettings())


def test_a_scale_that_there_is_not_and_tables_that_are_not_there(tmp_path):
    with pytest.raises(SettingsError, match="no such scale"):
        panel_of(written(tmp_path / "tables"), "happiness", TrainingSettings())
    for question in (
        Question("did"),
        Question("regression-discontinuity", threshold=0.2),
        Question("regression-discontinuity"),
    ):
        with pytest.raises(BalanceRiskError):
            run(Workspace(tmp_path / "none"), Settings(), question)
