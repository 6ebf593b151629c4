"""Models against the truth of synthetic data: joins and shares counted by hand, and where there is nothing to compare."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from data_contracts.time_windows import day_number
from models.evaluation.net_benefit import net_benefit
from models.outcomes import OUTCOMES
from pipeline import simulation
from pipeline.against_truth import THRESHOLDS, TestRows, against_truth, lines, truth_column
from pipeline.simulation.truth.known_risks import ABSENT, KnownRisks

T = day_number("2024-01-01")
TRUE = [0.05, 0.15, 0.30, 0.60]
SEEN = [0.10, 0.10, 0.45, 0.45]
"""What a model may see tells the first two apart from the last two, and no more: each has the mean of its pair."""


def write(path: Path, risks: list[float], outcome: str = "burnout", day: str = "2024-01-01") -> None:
    path.parent.mkdir(exist_ok=True)
    rows = "".join(f"P{number},{day},true,{risk}\n" for number, risk in enumerate(risks))
    path.write_text(f"person_id,index_date,at_work,{outcome}\n{rows}", encoding="utf-8")


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    write(tmp_path / "truth" / "truth.csv", TRUE)
    write(tmp_path / "truth" / "attainable.csv", SEEN)
    return tmp_path / "truth"


def rows_of(n: int = 4, **risks: list[float]) -> TestRows:
    log_odds = {name: np.log(np.array(values) / (1 - np.array(values))) for name, values in risks.items()}
    ids = np.array([f"P{number}" for number in range(n)])
    y = np.array([0.0, 0.0, 0.0, 1.0] + [0.0] * (n - 4))
    return TestRows(ids, np.arange(n), np.full(n, T), y, np.ones(n), log_odds)


# Joins


def test_a_pair_is_found_by_person_and_day_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(
        "person_id,index_date,burnout\nB,2024-01-01,0.2\nA,2024-04-01,0.3\nA,2024-01-01,0.1\n", encoding="utf-8"
    )
    known, april = KnownRisks.read(path), day_number("2024-04-01")
    found = known.rows(np.array(["A", "B", "Z"]), np.array([0, 0, 1, 1, 2]), np.array([T, april, T, april, T]))
    assert known.columns["burnout"][found[:3]].tolist() == [0.1, 0.3, 0.2]
    assert found[3:].tolist() == [ABSENT, ABSENT]


def test_a_file_without_rows_holds_no_pair(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("person_id,index_date,burnout\n", encoding="utf-8")
    assert KnownRisks.read(path).rows(np.array(["A"]), np.array([0]), np.array([T])).tolist() == [ABSENT]


def test_rows_without_a_true_or_an_attainable_risk_are_left_out_and_counted(truth: Path) -> None:
    """Filled with anything, they would move every mean; dropped in silence, nobody would see how many."""
    write(truth / "truth.csv", [*TRUE, 0.5])
    found = against_truth(truth, "burnout", rows_of(7, model=[*SEEN, 0.5, 0.5, 0.5]))
    assert (found["rows"], found["rows_without_truth"], found["rows_without_attainable"]) == (4, 2, 1)


def test_an_index_date_between_two_quarters_is_no_match_and_the_way_out_is_said(truth: Path) -> None:
    write(truth / "truth.csv", TRUE, day="2024-04-01")
    found = against_truth(truth, "burnout", rows_of(model=SEEN))
    assert list(found) == ["notes"]
    assert "training.first_index_date" in found["notes"][0]
    assert lines(found, "model") == [f"    note: {found['notes'][0]}"]


def test_an_outcome_that_the_simulator_has_no_truth_of_is_not_compared_and_those_it_has_are_named(truth: Path) -> None:
    """Other index dates would not help, so none are asked for; flags beside the risks are no outcomes."""
    found = against_truth(truth, "long_sick_leave_28", rows_of(model=SEEN))
    assert list(found) == ["notes"]
    assert "no truth of long_sick_leave_28; it knows: burnout." in found["notes"][0]
    assert "first_index_date" not in found["notes"][0]


@pytest.mark.parametrize(("name", "changes", "column"), [
    ("long_sick_leave", {}, "long_sick_leave"),
    ("long_sick_leave", {"min_days": 56}, "long_sick_leave_56"),
    ("long_sick_leave_mental", {}, "long_sick_leave_mental"),
    ("long_sick_leave_musculoskeletal", {}, "long_sick_leave_musculoskeletal"),
    ("burnout", {}, "burnout"),
])  # fmt: skip
def test_outcomes_have_the_name_of_their_truth(name: str, changes: dict[str, int], column: str) -> None:
    parameters = yaml.safe_load((Path(simulation.__file__).parent / "parameters.yaml").read_text(encoding="utf-8"))
    assert truth_column(replace(OUTCOMES[name], **changes)) == column
    assert column in {"burnout", *parameters["truth"]["events"]["value"]}


@pytest.mark.parametrize(("name", "changes"), [
    ("long_sick_leave", {"horizon_days": 180}), ("long_sick_leave_mental", {"min_days": 56}), ("absence_days", {}),
])  # fmt: skip
def test_what_the_simulator_knows_no_truth_of_is_said_and_not_taken_for_another(
    name: str, changes: dict[str, int], truth: Path
) -> None:
    write(truth / "truth.csv", TRUE, outcome=name if changes else "burnout")
    column = truth_column(replace(OUTCOMES[name], **changes))
    (note,) = against_truth(truth, column, rows_of(model=SEEN))["notes"]
    assert f"no truth of {column};" in note


def test_an_outcome_that_the_attainable_lacks_is_named_instead_of_asking_to_make_the_file_again(truth: Path) -> None:
    write(truth / "truth.csv", TRUE, outcome="long_sick_leave_90")
    found = against_truth(truth, "long_sick_leave_90", rows_of(model=SEEN))
    assert found["rows"] == 4
    assert "holds no long_sick_leave_90; it holds: burnout." in found["notes"][1]
    assert "--attainable" not in found["notes"][1]


def test_an_attainable_of_other_days_is_to_be_made_again(truth: Path) -> None:
    write(truth / "attainable.csv", SEEN, day="2024-04-01")
    notes = against_truth(truth, "burnout", rows_of(model=SEEN))["notes"]
    assert "none of the test rows" in notes[1]
    assert "--attainable" in notes[1]


def test_without_an_attainable_risk_the_truth_alone_is_compared(truth: Path) -> None:
    (truth / "attainable.csv").unlink()
    found = against_truth(truth, "burnout", rows_of(model=SEEN))
    assert "attainable" not in found
    assert "is not there. Make it with: balance-risk simulate --attainable" in found["notes"][1]
    assert "share_of_attainable_auroc" not in found["models"]["model"]
    assert "attainable" not in lines(found, "model")[0]


@pytest.mark.parametrize(
    ("events", "n", "is_said"), [(74, 100, False), (60, 100, True), (90, 100, True), (2, 4, False)]
)
def test_labels_that_do_not_agree_with_the_true_risks_are_said(truth: Path, events: int, n: int, is_said: bool) -> None:
    """With leakage the labels are not what the truth is about; a ratio that chance explains is no sign of it."""
    write(truth / "truth.csv", [0.75] * n)
    write(truth / "attainable.csv", [0.75] * n)
    rows = replace(rows_of(n, model=[0.75] * n), y=(np.arange(n) < events).astype(float))
    notes = against_truth(truth, "burnout", rows)["notes"]
    assert [f"{events} events where {0.75 * n:.0f} are expected" in note for note in notes] == [False, True][
        : 1 + is_said
    ]


# Shares


def test_the_attainable_reaches_all_and_a_constant_nothing(truth: Path) -> None:
    found = against_truth(truth, "burnout", rows_of(best=SEEN, constant=[0.275] * 4))
    best, constant = found["models"]["best"], found["models"]["constant"]
    for share in ("share_of_attainable_auroc", "share_of_attainable_expected_auroc"):
        assert (best[share], constant[share]) == (1, 0)
    assert best["slope_of_attainable"] == pytest.approx(1)
    assert constant["slope_of_attainable"] is None
    assert best["mean_absolute_error_to_attainable"] == pytest.approx(0)
    for place, threshold in enumerate(THRESHOLDS):
        shares = [model["net_benefit"][place]["share_of_attainable"] for model in (best, constant)]
        assert shares == ([None, None] if threshold <= 0.10 else [1, 0])


def test_auroc_of_truth_and_attainable_on_the_same_rows_by_hand(truth: Path) -> None:
    """One event, in row 4: the truth ranks it above all three others, the attainable ties it with the third."""
    found = against_truth(truth, "burnout", rows_of(model=SEEN))
    assert found["truth"]["auroc"] == 1
    assert found["attainable"]["auroc"] == pytest.approx((1 + 1 + 0.5) / 3)


def test_expected_auroc_weighs_every_pair_by_its_probability(truth: Path) -> None:
    found = against_truth(truth, "burnout", rows_of(model=SEEN))
    wins = total = 0.0
    for p, seen in zip(TRUE, SEEN, strict=True):
        for q, other in zip(TRUE, SEEN, strict=True):
            total += p * (1 - q)
            wins += p * (1 - q) * ((seen > other) + (seen == other) / 2)
    assert found["attainable"]["expected_auroc"] == pytest.approx(wins / total)


def test_net_benefit_is_expected_over_the_true_risks() -> None:
    """At 0.2 a false positive costs 1/4: flagging rows 3 and 4 gives .3 - .7/4 + .6 - .4/4 over 4 rows."""
    found = float(net_benefit(np.array(SEEN), np.array(TRUE), np.ones((1, 4)), np.array([0.2]))[0, 0])
    assert found == pytest.approx((0.3 - 0.7 / 4 + 0.6 - 0.4 / 4) / 4)


def test_a_model_no_better_than_treating_all_or_nobody_has_no_share_of_the_net_benefit(truth: Path) -> None:
    reversed_model = against_truth(truth, "burnout", rows_of(model=SEEN[::-1]))["models"]["model"]
    at_25 = reversed_model["net_benefit"][THRESHOLDS.index(0.25)]
    assert at_25["default_is_better"]
    assert at_25["share_of_attainable"] == 0
    assert reversed_model["share_of_attainable_auroc"] < 0


def test_risks_twice_too_extreme_have_slope_one_half_and_their_own_mean(truth: Path) -> None:
    twice = [1 / (1 + math.exp(-2 * math.log(risk / (1 - risk)))) for risk in SEEN]
    found = against_truth(truth, "burnout", rows_of(model=twice))["models"]["model"]
    assert found["slope_of_attainable"] == pytest.approx(0.5)
    assert found["mean_risk"] == pytest.approx(np.mean(twice))
    assert found["mean_true_risk"] == pytest.approx(np.mean(TRUE))
    assert found["mean_absolute_error_to_truth"] == pytest.approx(np.abs(np.array(twice) - TRUE).mean())


def test_weights_count_rows_as_often_as_they_say(truth: Path) -> None:
    rows = rows_of(model=SEEN)
    weighted = TestRows(rows.person_ids, rows.person, rows.t, rows.y, np.array([1.0, 1, 1, 3]), rows.log_odds)
    found = against_truth(truth, "burnout", weighted)["models"]["model"]
    assert found["mean_true_risk"] == pytest.approx((0.05 + 0.15 + 0.30 + 3 * 0.60) / 6)


def test_the_summary_says_shares_as_percentages_and_what_the_numbers_are(truth: Path) -> None:
    found = against_truth(truth, "burnout", rows_of(best=SEEN))
    text = "\n".join(lines(found, "best"))
    assert "reaches 100% of the attainable" in text
    assert "nothing to reach at 0.05" in text
    assert "synthetic" in text
