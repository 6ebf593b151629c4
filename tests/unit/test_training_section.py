"""The section on training beside other tools says plainly who is better, and names a rival that gave nothing."""

from __future__ import annotations

from typing import Any

from benchmarks.features.training_section import training_section
from benchmarks.training.run import asked

NUMBERS = ("auroc", "brier", "log_loss", "observed_to_expected", "calibration_slope", "ici")


def line(tool: str, times: float | None, log_loss: float, ici: float) -> dict[str, Any]:
    """A line of results; the difference of the log loss has an interval of 0.01 to either side."""
    judged = {name: {"value": 0.7, "low": 0.65, "high": 0.75} for name in NUMBERS}
    judged["ici"] = judged["ici"] | {"value": ici}
    differences = {
        f"{name}_minus_ours": {"value": value, "low": value - 0.01, "high": value + 0.01}
        for name, value in (("auroc", 0.0), ("log_loss", log_loss))
    }
    took = {"seconds": 3.0, "cpu_seconds": 2.0, "budget": times and 2.0 * times, "chosen": "lgbm", "problem": ""}
    return {"tool": tool, "times": times} | took | judged | differences


def section(*rivals: dict[str, Any]) -> str:
    sizes = {"persons": 10000, "training_rows": 9000, "training_persons": 4000, "test_rows": 500, "test_persons": 150}
    versions = {"flaml": "1", "autogluon": "2", "lightgbm": "3", "scikit-learn": "4"}
    sizes["test_events"] = 90
    runs = [sizes | {"load": 5.2, "cores": 2, "lines": [line("balance-risk", None, 0.0, 0.02), *rivals]}]
    return "\n".join(training_section({"runs": runs, "versions": versions, "beside other work": True}))


def test_better_and_worse_are_beyond_chance_and_calibration_is_told_apart():
    text = section(
        line("flaml", 1.0, -0.02, 0.03), line("autogluon", 10.0, 0.005, 0.01), line("logistic", None, 0.02, 0.04)
    )
    assert "by log loss: FLAML, 1 ×; by AUROC: none." in text
    assert "(ICI, not tested against chance): AutoGluon, 10 ×." in text
    assert "**Worse** beyond chance, by log loss: logistic regression." in text
    assert "| FLAML, 1 × | 2 | 3 | 2 | LightGBM | 0.700 (0.650 to 0.750) | +0.000 (-0.010 to +0.010) |" in text


def test_a_rival_that_gave_nothing_stands_in_the_table_with_its_reason():
    gone = {
        "tool": "autogluon",
        "times": 1.0,
        "budget": 2.0,
        "problem": "autogluon left out: RuntimeError: No model. Try.",
    }
    assert "| AutoGluon, 1 × | 2 | | | RuntimeError: No model | | | | | | | |" in section(gone)


def test_budgets_that_are_too_long_are_not_asked_for():
    assert asked(20.0, [1.0, 10.0, 100.0], 300.0) == [
        ("lightgbm", None), ("logistic", None), ("flaml", 1.0), ("autogluon", 1.0), ("flaml", 10.0), ("autogluon", 10.0)
    ]  # fmt: skip
