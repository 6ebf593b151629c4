"""Rates by group against fairlearn: its stored answers on COMPAS (``../shared/vectors/fairness``), and itself on other rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate

from models.evaluation.attributes import Attribute, Group
from models.evaluation.group_sums import at_threshold, terms
from models.evaluation.held_out import HeldOut
from models.evaluation.subgroups import subgroups
from models.target import EVENT

VECTORS = Path(__file__).parents[2] / "../shared/vectors/fairness"
OURS = {"selection_rate": "selection_rate", "fpr": "false_positive_rate", "fnr": "false_negative_rate",
        "ppv": "positive_predictive_value"}  # fmt: skip

with_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/vectors is not here")


def compas() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ethnicity, outcome and log-odds of each person."""
    with (VECTORS / "compas.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    risk = np.array([float(row["probability"]) for row in rows])
    y = np.array([float(row["Two_yr_Recidivism_01"]) for row in rows])
    return np.array([row["ethnicity"] for row in rows]), y, np.log(risk / (1 - risk))


def held_out(y: np.ndarray, linear: np.ndarray) -> HeldOut:
    n = np.arange(len(y))
    return HeldOut("o", "m", ("none",), np.zeros((len(y), 1), np.float32), y, np.ones(len(y)), n, np.full(len(y), -1),
                   np.zeros(len(y), np.int32), np.full(len(y), 365, np.int32), {"m": linear})  # fmt: skip


def divided_by(names: np.ndarray) -> Attribute:
    groups = sorted(set(names.tolist()))
    place = np.array([groups.index(name) for name in names])
    return Attribute("group", "Gruppe", "Group", tuple(Group(name, name, name) for name in groups), lambda rows: place)


def judged(names: np.ndarray, y: np.ndarray, linear: np.ndarray) -> dict[str, dict]:
    found = subgroups(held_out(y, linear), threshold=0.5, attributes=[divided_by(names)], repeats=20)
    return {group["name"]: group for group in found["subgroups"]["attributes"][0]["groups"]}


def rates(y: np.ndarray, linear: np.ndarray) -> dict[str, float]:
    sums = np.ones((1, len(y))) @ terms(linear, y, 0.5, EVENT)
    return {name: float(value[0]) for name, value in at_threshold(sums, 0.5).items()}


@with_vectors
def test_the_rates_are_fairlearns_and_the_small_groups_are_hidden():
    names, y, linear = compas()
    expected = json.loads((VECTORS / "expected_fairlearn.json").read_text())["by_group"]
    found = judged(names, y, linear)
    assert {name for name, group in found.items() if group["suppressed"]} == {"Asian", "Native_American"}
    assert not {"rows", "persons", "events", "auroc", "selection_rate"} & set(found["Asian"])
    for name in set(expected) - {"Asian", "Native_American"}:
        for theirs, ours in OURS.items():
            assert found[name][ours]["value"] == pytest.approx(expected[name][theirs], abs=1e-6), (name, theirs)
        assert 1 - found[name]["false_negative_rate"]["value"] == pytest.approx(expected[name]["tpr"], abs=1e-6)
        assert 1 - found[name]["false_positive_rate"]["value"] == pytest.approx(expected[name]["tnr"], abs=1e-6)


@with_vectors
def test_the_rates_of_the_hidden_groups_would_be_fairlearns_too():
    names, y, linear = compas()
    expected = json.loads((VECTORS / "expected_fairlearn.json").read_text())["by_group"]
    for name in ("Asian", "Native_American"):
        chosen = names == name
        found = rates(y[chosen], linear[chosen])
        for theirs, ours in OURS.items():
            assert found[ours] == pytest.approx(expected[name][theirs], abs=1e-6), (name, theirs)


def test_the_rates_are_those_of_fairlearns_metric_frame():
    random = np.random.default_rng(5)
    names = random.choice(["a", "b", "c"], 3000)
    linear = random.normal(0, 1.5, 3000) + (names == "b")
    y = (random.random(3000) < 1 / (1 + np.exp(-0.7 * linear))).astype(float)
    frame = MetricFrame(
        metrics={"selection_rate": selection_rate, "false_negative_rate": false_negative_rate,
                 "false_positive_rate": false_positive_rate},
        y_true=y, y_pred=linear >= 0, sensitive_features=names,
    )  # fmt: skip
    found = judged(names, y, linear)
    for name in "abc":
        for metric, value in frame.by_group.loc[name].items():
            assert found[name][metric]["value"] == pytest.approx(value, abs=1e-12)
