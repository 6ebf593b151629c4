"""The leakage scoreboard: cases as in the semantics, verdicts by rule, our own column right, the page made of the results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.leakage import environments, ours
from benchmarks.leakage.cases import ASKED, BYSTANDER, Asked, case_verdict, outcomes, task, verdict, visible
from benchmarks.leakage.configured import CONFIGURED, TOPICS
from benchmarks.leakage.environments import RIVALS, MissingRivalError
from benchmarks.leakage.page import COLUMNS, OURS, VERDICTS, cell, page
from benchmarks.leakage.scoreboard import PAGE, RESULTS, SPEED, judged
from benchmarks.leakage.speed_ours import ALIKE, alike
from benchmarks.leakage.speed_population import population, tables
from tests.lib.leakage_cases import CASES, Case, at, spell, together

# The table of the semantics once more, in its own words: (person t → answers); "known" of a WHO-5 with five answers 3 is 60.
TABLE = {
    1: ["p 2026-03-01 days_doctor_365 0", "p 2026-03-01 label 1"],
    2: ["p 2026-03-01 days_doctor_365 0", "p 2026-03-05 days_doctor_365 0", "p 2026-03-06 days_doctor_365 10"],
    3: [
        "p 2026-02-05 days_doctor_365 4", "p 2026-02-05 running_doctor 1",
        "p 2026-02-12 days_doctor_365 11", "p 2026-02-12 running_doctor 1",
        "p 2026-02-13 days_doctor_365 10", "p 2026-02-13 running_doctor 0", "p 2026-02-13 days_since_doctor 3",
        "p 2026-02-20 days_doctor_365 10",
    ],
    4: [
        "p 2026-03-01 days_doctor_30 5", "p 2026-03-01 days_doctor_365 10",
        "q 2026-03-01 days_doctor_30 9", "q 2026-03-01 running_doctor 1", "q 2026-03-01 label not eligible: washout",
    ],
    5: ["p 2026-03-01 who5_wellbeing None", "p 2026-03-02 who5_wellbeing 60", "p 2026-03-02 who5_age_days 1"],
    6: ["p 2026-03-01 who5_wellbeing None", "p 2026-03-02 who5_wellbeing 60", "p 2026-03-02 who5_age_days 1"],
    7: [
        "p  quarantined 1", "p  rule sampled_on: event after known_from",
        "p 2026-03-01 hba1c None", "p 2026-06-01 hba1c None",
    ],
    8: ["p 2026-03-01 days_doctor_365 10", "p 2026-03-01 starts_doctor_365 1", "p  duplicates 1"],
    9: ["p 2026-02-10 days_doctor_365 9", "p 2026-02-15 days_doctor_365 14", "p 2026-02-16 days_doctor_365 0"],
    10: [
        "p 2026-02-20 who5_wellbeing 60", "p 2026-02-20 days_doctor_365 4",
        "p 2026-03-01 who5_wellbeing None", "p 2026-03-01 days_doctor_365 4",
        "p 2026-02-10 who5_wellbeing None", "p 2026-02-10 days_doctor_365 4",
        "p 2026-02-20 who5_wellbeing None", "p 2026-02-20 days_doctor_365 4",
        "p 2026-03-05 who5_wellbeing None", "p 2026-03-05 days_doctor_365 4",
    ],
    11: ["p 2026-03-01 label not eligible: not employed", "p 2026-02-01 label censored on 2026-02-15"],
    12: [
        "p 2026-03-01 label 1", "q 2026-03-01 label 0",
        "p 2026-03-01 label left out: label not mature", "q 2026-03-01 label left out: label not mature",
    ],
}  # fmt: skip


def answers_of(case: Case) -> list[str]:
    return [f"{q.person} {q.t} {name} {answer}" for q in case.questions for name, answer in q.expected.items()]


@pytest.fixture(scope="module")
def results() -> dict:
    return json.loads(RESULTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def speed() -> dict:
    return json.loads(SPEED.read_text(encoding="utf-8"))


# --- the cases -------------------------------------------------------------------------------------------------------


def test_the_cases_ask_what_the_table_of_the_semantics_answers():
    assert {case.number: answers_of(case) for case in CASES} == TABLE


def test_training_sets_and_labels_are_asked_as_of_the_days_of_the_table():
    days = {(case.number, q.data_as_of) for case in CASES for q in case.questions if q.data_as_of}
    mature = {(number, "2027-06-01") for number in (1, 4, 11, 12)}
    assert days == mature | {(10, "2026-03-10"), (12, "2026-12-31")}


def test_visible_rows_are_those_known_before_t_and_spells_end_the_day_before():
    rows = {
        "absence_spells": [
            spell("2026-02-20", "2026-03-10", "2026-02-22", "goes on"),
            spell("2026-02-01", "2026-02-03", "2026-03-01", "known on t"),
            spell("2026-03-01", "2026-03-02", "2026-02-20", "certified in advance"),
        ],
        "survey_answers": [{"answered_on": "2026-02-28T23:30:00Z", "known_from": "2026-02-28T23:30:00Z"}],
        "lab_results": [{"sampled_on": "2026-05-01", "known_from": "2026-02-20"}],
    }
    kept = visible(rows, "2026-03-01")
    assert [(row["spell_id"], row["last_day"]) for row in kept["absence_spells"]] == [("goes on", "2026-02-28")]
    assert (kept["survey_answers"], kept["lab_results"]) == ([], [])


def test_rivals_are_given_the_rows_of_the_case_and_of_one_bystander():
    given = task(ASKED[0])["rows"]
    assert given == together(CASES[0].rows, BYSTANDER)
    assert {row["person_id"] for row in given["absence_spells"]} == {"p", "z"}


def test_outcomes_for_rivals_are_episodes_of_17_days_and_more_known_by_a_day():
    rows = {
        "absence_spells": [
            spell("2026-01-01", "2026-01-16", "2026-01-02", person="sixteen days"),
            spell("2026-01-01", "2026-01-17", "2026-01-02", person="seventeen days"),
            spell("2026-01-01", "2026-01-17", "2026-06-01", person="known on the day"),
        ]
    }
    assert outcomes(rows, "2026-06-01") == [("seventeen days", "2026-01-01"), ("z", "2026-05-31")]


# --- the verdicts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected", "answer", "on_visible", "said"),
    [
        ("days_doctor_365", 0, 0.0, 0.0, "right"),
        ("days_doctor_365", 0, None, 0.0, "right"),  # nothing to count
        ("days_doctor_365", 10, None, 0.0, "wrong"),
        ("days_doctor_365", 0, 1.0, 0.0, "leaks"),  # the row of the index date is gone, and so is the day
        ("days_doctor_365", 10, 20.0, 20.0, "wrong"),  # counted twice, whatever is known
        ("who5_wellbeing", None, None, None, "right"),
        ("who5_wellbeing", 60, None, None, "wrong"),  # of a score, no answer is not 0
        ("who5_wellbeing", None, 60.0, None, "leaks"),
        ("hba1c", None, 40.0, 40.0, "wrong"),
        ("label", "censored on 2026-02-15", 0.0, 0.0, "wrong"),
        ("label", 1, "not offered", "not offered", "not offered"),
    ],
)
def test_a_wrong_number_leaks_if_it_rests_on_what_was_not_known(name, expected, answer, on_visible, said):
    assert verdict(name, expected, answer, on_visible) == said


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["right", "right"], "right"),
        (["right", "not offered"], "right"),
        (["right", "wrong", "not offered"], "wrong"),
        (["wrong", "leaks", "right"], "leaks"),
        (["not offered", "not offered"], "not offered"),
    ],
)
def test_a_case_is_as_good_as_its_worst_answer(parts, said):
    assert case_verdict(parts) == said


def test_a_cell_shows_the_answer_that_decided_beside_the_expected_one():
    asked = Asked(CASES[0], at("2026-03-01", days_doctor_365=0, running_doctor=0, starts_doctor_365=0))
    found = judged(
        asked,
        {"days_doctor_365": 1.0, "running_doctor": 0.0, "starts_doctor_365": "not offered"},
        {"days_doctor_365": 0.0, "running_doctor": 0.0, "starts_doctor_365": "not offered"},
    )
    assert cell({"verdict": "leaks", "answers": found}) == "leaks: days_doctor_365 1, not 0 on 2026-03-01 (2 of 3)"
    assert cell({"verdict": "right", "answers": found[1:]}) == "right: 0 (1 of 2)"
    assert cell({"verdict": "not offered", "answers": found[2:]}) == "not offered"


# --- our own column --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked", [pytest.param(one, id=f"{one.case.number} {one.question.kind} {one.question.t}") for one in ASKED]
)
def test_every_answer_of_ours_is_right(asked, tmp_path):
    answers = ours.answers(asked, tmp_path)
    assert {part["verdict"] for part in judged(asked, answers, answers)} == {"right"}


def test_a_wrong_expectation_would_be_seen(tmp_path):
    asked = replace(ASKED[0], question=at("2026-03-01", days_doctor_365=1))
    answers = ours.answers(asked, tmp_path)
    assert [part["verdict"] for part in judged(asked, answers, answers)] == ["wrong"]


# --- the rivals ------------------------------------------------------------------------------------------------------


def test_a_rival_that_cannot_be_installed_is_left_out_with_one_line(tmp_path, monkeypatch):
    (tmp_path / "rivals").mkdir()
    (tmp_path / "rivals" / "requirements-feast.txt").write_text("--no-index\nno-such-package==1.0\n", encoding="utf-8")
    monkeypatch.setattr(environments, "HERE", tmp_path)
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(environments, "CACHE", tmp_path / "cache")
    with pytest.raises(MissingRivalError, match=r"^feast left out: ERROR: .*no-such-package==1\.0[^\n]*$"):
        environments.python_of("feast")
    assert not (tmp_path / "cache" / "feast" / "ready.txt").exists()


@pytest.mark.parametrize("rival", RIVALS)
def test_a_rival_is_pinned_to_the_version_of_the_results(rival, results):
    pinned = Path(environments.HERE, "rivals", f"requirements-{rival}.txt").read_text(encoding="utf-8")
    assert f"{rival}=={results['versions'][rival]}\n" in pinned


# --- the files -------------------------------------------------------------------------------------------------------


def test_the_page_is_made_of_the_committed_results(results, speed):
    assert PAGE.read_text(encoding="utf-8") == page(results, speed)


def test_the_results_hold_every_question_and_every_verdict_follows_from_its_answers(results):
    assert [case["number"] for case in results["cases"]] == list(TABLE)
    for case in results["cases"]:
        assert set(case["columns"]) == set(COLUMNS)
        for column in case["columns"].values():
            parts = column["answers"]
            asked = [f"{part['person']} {part['t']} {part['name']} {part['expected']}" for part in parts]
            assert asked == TABLE[case["number"]]
            verdicts = [verdict(p["name"], p["expected"], p["answer"], p["answer_on_visible"]) for p in parts]
            assert verdicts == [part["verdict"] for part in parts]
            assert case_verdict(verdicts) == column["verdict"]


def test_the_table_of_the_page_shows_the_verdicts_of_the_results(results):
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for case in results["cases"]:
        (line,) = (one for one in lines if one.startswith(f"| {case['number']} {case['name']} |"))
        shown = [text.strip().partition(":")[0] for text in line.strip("|").split("|")[1:]]
        assert shown == [case["columns"][name]["verdict"] for name in COLUMNS]
        assert set(shown) <= set(VERDICTS)


def test_our_column_of_the_committed_results_is_right_throughout(results):
    assert {case["columns"][OURS]["verdict"] for case in results["cases"]} == {"right"}


def test_what_is_not_offered_is_said_to_be_so_and_nothing_else_is(results):
    for case in results["cases"]:
        for rival in RIVALS:
            sentences = [CONFIGURED[rival][topic] for topic in TOPICS[case["number"]]]
            for setting, place in (("default", 0), ("best", 1)):
                said = all(pair[place].startswith("Not offered") for pair in sentences)
                assert (case["columns"][f"{rival} {setting}"]["verdict"] == "not offered") == said


# --- speed -----------------------------------------------------------------------------------------------------------


def test_numbers_of_the_comparison_of_speed_are_those_counted_by_hand():
    arrays = population(12)
    found = alike(tables(arrays))
    t = int(arrays["t"])
    spells = list(
        zip(*(arrays[f"spell_{name}"].tolist() for name in ("person", "first", "days", "by_doctor")), strict=True)
    )
    for name in [one for one in ALIKE if one.startswith(("doctor", "self"))]:
        kind, how, window = name.split("_")
        for person in range(12):
            days = [
                length
                for of, first, length, by_doctor in spells
                if of == person and by_doctor == (kind == "doctor") and t - int(window) <= first < t
            ]
            counted = {"count": len(days), "sum": sum(days), "max": max(days, default=0)}[how]
            assert found[name][person] == counted, (name, person)
    held = arrays["guidance_day"].reshape(12, 2)
    assert found["guidance_count_365"].tolist() == (held >= t - 365).sum(axis=1).tolist()
    np.testing.assert_array_equal(found["who5_wellbeing"], arrays["who5"].reshape(12, 3)[:, -1])
    np.testing.assert_array_equal(
        np.stack([found[name] for name in arrays["latest"].tolist()], axis=1),
        arrays["lab_values"].reshape(12, 2, -1)[:, -1].astype(np.float32),
    )


def test_every_rival_of_the_comparison_of_speed_gave_our_numbers_for_every_person(speed):
    rivals = [run for run in speed["runs"] if not run["tool"].startswith(OURS)]
    assert {run["tool"].partition(",")[0] for run in rivals} == {"featuretools", "timeseriesflattener"}
    assert {run["equal"].partition(" of ")[0] for run in rivals} == {str(len(ALIKE))}


def test_speed_ratios_follow_from_the_measured_seconds(speed):
    whole = {run["persons"]: run for run in speed["runs"] if run["tool"] == f"{OURS}, whole catalogue"}
    for run in speed["runs"]:
        unit = whole[run["persons"]]
        per_number = run["seconds"] / run["features"] / (unit["seconds"] / unit["features"])
        assert run["times_ours"] == pytest.approx(per_number)
