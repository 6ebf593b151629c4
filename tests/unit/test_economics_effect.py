"""The programme's own measured effect as an input of economics: points of absence become per cent of its level."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.economics.inputs import EconomicInputs
from pipeline import economics
from pipeline.console import write_json
from pipeline.economics_effect import with_measured_effect
from pipeline.workspace import Workspace


def measured(home: Path, measure: str = "absence_percent") -> Workspace:
    """0.7 points less absence, from 1.4 less to 0.35 more."""
    estimate = {"effect": -0.7, "low": -1.4, "high": 0.35}
    write_json(home / "data" / "effect" / "did.json", {"measure": measure, "synthetic": True, "estimate": estimate})
    return Workspace(home)


def test_the_programmes_own_effect_is_taken_with_its_interval_and_said(tmp_path):
    """Of 7 % absence 0.7 points are 10 per cent, and 0.35 points more are 5 per cent more."""
    found = economics.run(measured(tmp_path), ["burnout"], None, 10)
    taken = found["own"]["inputs"]["relative_reduction_percent"]
    assert [taken[name] for name in ("value", "low", "high")] == pytest.approx([10, -5, 20])
    assert "did.json, SYNTHETIC" in taken["source"]
    assert "-0.70 points of absence (-1.40 to +0.35)" in found["summary"]


def test_a_reduction_that_the_user_states_or_an_effect_on_something_else_leaves_it_alone(tmp_path):
    stated = EconomicInputs.model_validate({"relative_reduction_percent": 3})
    assert with_measured_effect(measured(tmp_path), stated) == (stated, None)
    given = EconomicInputs()
    assert with_measured_effect(measured(tmp_path, "cbi_work"), given) == (given, None)
    assert with_measured_effect(Workspace(tmp_path / "none"), given) == (given, None)
