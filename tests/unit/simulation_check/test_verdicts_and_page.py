"""The simulator's acceptance check: tallies that add up, targets and verdicts, page and figures."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.simulation.world import World
from pipeline.simulation_check import Tallies, statistics, tally_block
from pipeline.simulation_check import survey_tallies as survey
from pipeline.simulation_check.figures import draw_figure
from pipeline.simulation_check.judge import Verdict, judge, summary
from pipeline.simulation_check.measured import Measured
from pipeline.simulation_check.page import render
from pipeline.simulation_check.page_texts import SECTIONS
from pipeline.simulation_check.run import FITTED, copy_to_documentation, fitted, run_check
from pipeline.simulation_check.tallies import BLOCKS_WITH_SHEETS
from pipeline.simulation_check.targets import Kind, Target, read_targets, targets_of
from tests.lib.checked_worlds import world_of

FACTS: dict[str, Any] = {
    "persons": 1200, "seed": 7, "start": "2021-01-01", "end": "2026-01-01", "scenarios": (), "parameters_sha256": "0" * 64,
}  # fmt: skip


# Tallies


def test_merged_tallies_are_the_sums_of_both(world: World, tallies: Tallies) -> None:
    one, other = tally_block(world, 1000), tally_block(world_of(1), 200)
    for theme, sums in tallies.sums.items():
        for name, total in sums.items():
            np.testing.assert_allclose(total, one.sums[theme][name] + other.sums[theme][name])
            assert total.shape == one.sums[theme][name].shape, "as much memory for two blocks as for one"


def test_later_blocks_add_absence_but_no_questionnaires(tallies: Tallies) -> None:
    later = tally_block(world_of(BLOCKS_WITH_SHEETS), 100)
    assert "survey" not in later.sums
    for merged in (tallies.merge(later), later.merge(tallies)):
        assert merged.sums["survey"] is tallies.sums["survey"]
        assert merged.sums["spells"]["days"].sum() > tallies.sums["spells"]["days"].sum()


def test_tallies_of_different_scenarios_are_not_added(tallies: Tallies) -> None:
    with pytest.raises(AssertionError, match="pandemic"):
        tallies.merge(replace(tallies, scenarios=("pandemic",)))


def test_a_short_run_has_too_little_to_tell_but_breaks_nothing() -> None:
    found = statistics(tally_block(world_of(0, date(2023, 2, 1), date(2024, 7, 1)), 40)) | fitted({}, 40)
    verdicts = {one.target.id: one.verdict for one in judge(found)}
    assert verdicts["frequent.persons"] is Verdict.TOO_FEW
    assert verdicts["five_year_risk.over_56_days.men"] is Verdict.TOO_FEW


# Targets and verdicts


def target(**tolerance: float) -> Target:
    row = {
        "id": "one",
        "section": "spells",
        "kind": "published",
        "what": "w",
        "unit": "u",
        "published": 10,
        "source": "s",
    }
    (found,) = targets_of([row | tolerance])
    return found


@pytest.mark.parametrize(
    ("tolerance", "value", "verdict"),
    [
        ({"abs": 0.3}, 10.3, Verdict.PASSED), ({"abs": 0.3}, 9.7, Verdict.PASSED), ({"abs": 0.3}, 10.301, Verdict.MISSED),
        ({"rel": 0.1}, 11, Verdict.PASSED), ({"rel": 0.1}, 8.99, Verdict.MISSED), ({"low": 9, "high": 14}, 14, Verdict.PASSED),
        ({"low": 9, "high": 14}, 14.01, Verdict.MISSED), ({"low": 9}, 1000, Verdict.PASSED), ({"low": 9}, 8.9, Verdict.MISSED),
        ({"abs": 0.3}, math.nan, Verdict.TOO_FEW),
    ],
)  # fmt: skip
def test_the_bound_itself_still_passes(tolerance: dict[str, float], value: float, verdict: Verdict) -> None:
    (one,) = judge({"one": Measured(value, 0.01)}, (target(**tolerance),))
    assert one.verdict is verdict


def test_an_error_larger_than_the_tolerance_is_neither_pass_nor_miss() -> None:
    for value in (10, 20):
        (one,) = judge({"one": Measured(value, 0.31)}, (target(abs=0.3),))
        assert one.verdict is Verdict.TOO_FEW
        assert summary([one]) == {
            "targets": 1,
            "passed": 0,
            "missed": 0,
            "too_few": 1,
            "share_passed": None,
            "by_kind": {
                "published": {"targets": 1, "passed": 0},
                "calculated": {"targets": 0, "passed": 0},
                "goal": {"targets": 0, "passed": 0},
            },
            "misses": [],
        }


def test_a_target_without_a_number_and_a_number_without_a_target_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one \(not measured\), other \(no target\)"):
        judge({"other": Measured(1, 0)}, (target(abs=1),))


@pytest.mark.parametrize("tolerance", [{}, {"abs": 1, "rel": 1}, {"high": 1}, {"abs": 1, "low": 1}])
def test_a_target_needs_one_kind_of_tolerance(tolerance: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="one needs one of"):
        target(**tolerance)


def test_a_target_listed_twice_is_refused() -> None:
    row = {
        "id": "one",
        "section": "s",
        "kind": "goal",
        "what": "w",
        "unit": "u",
        "published": 1,
        "abs": 1,
        "source": "s",
    }
    with pytest.raises(ValueError, match="more than once: one"):
        targets_of([dict(row), dict(row)])


def test_published_numbers_lie_within_their_own_tolerance() -> None:
    for one in read_targets():
        assert one.low <= one.published <= one.high, one.id
        assert one.section in SECTIONS, one.id


def test_a_number_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="hoped"):
        targets_of(
            [
                {
                    "id": "one",
                    "section": "s",
                    "kind": "hoped",
                    "what": "w",
                    "unit": "u",
                    "published": 1,
                    "abs": 1,
                    "source": "s",
                }
            ]
        )


def test_only_what_has_a_publication_is_called_published() -> None:
    for one in read_targets():
        assert ("[calc]" in one.source) == (one.kind is Kind.CALCULATED), one.id
        if one.kind is Kind.PUBLISHED:
            assert "programme's notes" not in one.source, one.id
            assert "no figure" not in one.source, one.id
    kind_of = {one.id: one.kind for one in read_targets()}
    assert {kind_of[one] for one in ("auroc.truth", *FITTED, "calibration.slope", "spells.rule_breaches")} == {
        Kind.GOAL
    }


def test_a_share_has_two_points_and_only_single_complaints_and_halves_five() -> None:
    shares = [one for one in read_targets() if one.unit.startswith("% of") and one.tolerance.startswith("±")
              and not one.tolerance.endswith("%") and one.unit != "% of agreed days"]  # fmt: skip
    wider = {one.id for one in shares if one.tolerance != "± 2"}
    assert wider == {"grading.grade_50", "grading.grade_20_to_49", *(f"cases.{name}" for name in survey.COMPLAINTS)}
    assert {one.tolerance for one in shares if one.id in wider} == {"± 5"}


def test_self_certified_absence_is_of_the_same_quarter_as_certified() -> None:
    published = {one.id: one.published for one in read_targets()}
    for sex in ("women", "men"):
        parts = [published[f"{kind}_percent.{sex}"] for kind in ("certified", "self_certified")]
        assert sum(parts) == pytest.approx(published[f"absence_percent.{sex}"], abs=0.011)


def test_reasons_are_sentences() -> None:
    for one in read_targets():
        if one.reason is not None:
            assert one.reason[0].isupper(), one.id
            assert one.reason.endswith("."), one.id


def test_models_judged_on_few_persons_cannot_be_told() -> None:
    values = dict.fromkeys(FITTED, 0.73) | {"auroc.of_something_else": 0.5}
    assert set(fitted(values, 50_000)) == set(FITTED)
    assert fitted(values, 50_000)["auroc.survey"].standard_error < 0.011
    assert fitted(values, 2_000)["auroc.survey"].standard_error > 0.02


# Page, figures, files


def test_the_page_lists_every_target_once_with_a_word_for_its_verdict(measured: dict[str, Measured]) -> None:
    judged = judge(measured)
    page = render(
        judged, FACTS | {"parameters_version": 2}, {"spells": "spell_lengths.png"}, {"auroc.attainable": 0.7654}
    )
    rows = [line for line in page.splitlines() if line.endswith(" |") and line.count(" | ") == 8 and "---" not in line]
    bodies = [line for line in rows if not line.startswith("| target |")]
    assert len(bodies) == len(judged)
    for one in judged:
        assert sum(line.startswith(f"| {one.target.what} |") and one.target.source in line for line in bodies) >= 1
    words = ("✓ passed", "✗ **missed**", "? too few to tell")
    assert sum(line.count(word) for line in bodies for word in words) == len(judged)
    assert f"version 2, sha256 `{'0' * 64}`" in page
    assert "balance-risk simulate --persons 1200 --seed 7 --check" in page
    assert "![Spells, SYNTHETIC](spell_lengths.png)" in page
    assert "AUROC of the best risk that a model could give, in the same rows as far as it is known: 0.7654" in page
    assert "whether or not they answered" not in page, "what has not been computed is not shown"
    goals = [one for one in judged if one.target.kind is Kind.GOAL]
    passed = sum(one.verdict is Verdict.PASSED for one in goals)
    assert f"{passed} of {len(goals)} set as goals of the design" in page


def test_every_target_says_something_different() -> None:
    rows = [(one.what, one.section, one.unit, one.source) for one in read_targets()]
    assert len(set(rows)) == len(rows)


@pytest.fixture(scope="module")
def written(tallies: Tallies, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    (directory / "summary.json").write_text(
        json.dumps(
            run_check(
                tallies, {"auroc.survey": 0.73, "auroc.truth_on_test": 0.79, "auroc.other": 0.5}, FACTS, directory
            )
        )
    )
    return directory


def test_a_run_writes_report_page_and_figures(written: Path) -> None:
    found = json.loads((written / "summary.json").read_text())
    report = json.loads((written / "check/report.json").read_text(encoding="utf-8"))
    assert report["summary"] == found
    assert len(report["targets"]) == found["targets"] == found["passed"] + found["missed"] + found["too_few"]
    assert report["information"] == {"auroc.truth_on_test": 0.79}
    missed = [one["id"] for one in report["targets"] if one["verdict"] == "missed"]
    assert [miss["id"] for miss in found["misses"]] == missed
    assert len(list((written / "check").glob("*.png"))) == 8


def test_equal_runs_give_equal_pictures(tallies: Tallies, written: Path, tmp_path: Path) -> None:
    judged = judge(statistics(tallies) | fitted({"auroc.survey": 0.73}, 1200))
    for section in ("season", "truth"):
        name = draw_figure(section, judged, tallies, tmp_path)
        assert (tmp_path / name).read_bytes() == (written / "check" / name).read_bytes()


def test_documentation_shows_the_copied_figures(written: Path, tmp_path: Path) -> None:
    copy_to_documentation(written / "check", tmp_path)
    page = (tmp_path / "simulation_check.md").read_text(encoding="utf-8")
    images = [part.split(")")[0] for part in page.split("](")[1:]]
    assert len(images) == 8
    assert all((tmp_path / image).is_file() for image in images)
