"""The fallback: how far up the ladder so many events carry, what it says about itself, and when there is none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from data_contracts.errors import NotEnoughDataError
from models import artifact
from models.comparison import Comparison
from models.out_of_fold import TrainingRows
from models.published_models import ROELEN_COEFFICIENTS, ROELEN_FEATURES, ROELEN_INTERCEPT
from models.risk_model import RiskModel, risk_of
from models.sample_size import Verdict, verdict
from models.small_data import fallback
from tests.lib.models import FACTS

ALL = ["roelen_as_published", "roelen_intercept", "roelen_line", "roelen_shrunken"]


def cohort(n_persons: int, coefficients: tuple[float, ...] = ROELEN_COEFFICIENTS, level: float = 0.0,
           n_companies: int = 4, between: float = 0.0) -> TrainingRows:  # fmt: skip
    """Two index dates of each person, in five folds."""
    random = np.random.default_rng(4)
    person = np.tile(np.arange(n_persons), 2)
    age, health = random.uniform(20, 66, n_persons), random.integers(1, 6, n_persons)
    X = np.column_stack([age[person], random.gamma(0.3, 40, len(person)), health[person]]).astype(np.float32)
    company = (person % n_companies).astype(np.int32)
    effect = random.normal(0, between, n_companies)
    risk = risk_of(ROELEN_INTERCEPT + level + X @ np.array(coefficients) + effect[company])
    y = (random.random(len(person)) < risk).astype(np.float64)
    n = len(person)
    return TrainingRows(
        feature_names=ROELEN_FEATURES, X=X, y=y, weight=np.ones(n), person=person, fold=(person // 7 % 5).astype(np.int8),
        company=company, followed_days=np.full(n, 365, dtype=np.int32),
    )  # fmt: skip


def smallest(rows: TrainingRows, outcome: str = "long_sick_leave") -> Verdict:
    return verdict(outcome, 5, len(np.unique(rows.person)), float(rows.y.mean()))


def fallen(rows: TrainingRows) -> tuple[RiskModel, dict[str, RiskModel], Comparison]:
    def facts(comparison: Comparison) -> dict[str, Any]:
        return {**FACTS, "comparison": comparison.to_json()}

    return fallback(rows, "long_sick_leave", smallest(rows), facts, refits=4, seed=1)


def test_with_few_events_the_formula_stays_as_published():
    rows = cohort(36)
    assert 6 <= len(np.unique(rows.person[rows.y == 1])) < 10
    champion, models, comparison = fallen(rows)
    assert list(models) == [champion.name] == ["roelen_as_published"]
    assert champion.risks(np.array([[45, 10, 4]])) == pytest.approx([0.0511], abs=5e-5)
    assert np.isnan(champion.interval(champion.golden[0])).all()
    assert "too few to learn even a level" in comparison.reason
    assert champion.facts["small_data"]["gains"]["partially pooled by company"]["spread"] is None


def test_another_level_is_all_that_150_persons_are_taken_for():
    champion, models, comparison = fallen(cohort(150, level=1.2))
    assert list(models) == ALL
    assert comparison.chosen.name == champion.name == "roelen_intercept"
    assert champion.coefficients == pytest.approx(ROELEN_COEFFICIENTS)
    assert len(champion.refits) == 4
    low, high = champion.interval(champion.golden[0])[0]
    assert 0 < low < high < 1


def test_other_coefficients_are_learnt_where_the_rows_are_clear_and_the_gain_is_told():
    rows = cohort(400, coefficients=(0.07, 0.007, -0.3), level=-2.5)
    champion, _, comparison = fallen(rows)
    assert champion.name == "roelen_shrunken"
    assert champion.coefficients[0] > 0.03
    gains = champion.facts["small_data"]["gains"]
    assert gains["over"] == "roelen_line"
    assert gains["by_level"]["roelen_line"]["value"] == 0.0
    found = gains["by_level"]["roelen_shrunken"]
    assert 0 < found["low"] < found["value"] < found["high"]
    losses = {line.name: line.log_loss for line in comparison.candidates}
    assert found["value"] == pytest.approx(losses["roelen_line"] - losses["roelen_shrunken"])


def test_companies_that_differ_are_told_of_and_never_served():
    pooled = fallen(cohort(300, level=1.0, n_companies=10, between=1.5))[0].facts["small_data"]["gains"]
    about = pooled["partially pooled by company"]
    assert (about["companies"], about["served"]) == (10, False)
    assert about["spread"]["low"] > 0.2
    assert about["gain"]["low"] > 0
    alike = fallen(cohort(300, level=1.0, n_companies=10))[0].facts["small_data"]["gains"]
    assert alike["partially pooled by company"]["spread"]["low"] == 0.0
    assert alike["partially pooled by company"]["gain"]["low"] <= 0


def test_an_interval_that_reaches_beyond_what_was_tried_has_no_upper_end_and_says_so():
    wide = fallen(cohort(300, level=1.0, n_companies=3, between=6.0))[0].facts["small_data"]["gains"]
    spread = wide["partially pooled by company"]["spread"]
    assert spread["high"] is None
    assert spread["note"] == "the interval reaches to 2 or beyond"


def test_the_champion_can_be_stored_and_served_and_holds_nobody(tmp_path):
    rows = cohort(150, level=1.2)
    champion = fallen(rows)[0]
    artifact.save(champion, tmp_path)
    loaded = artifact.load(tmp_path)
    assert loaded.log_odds(loaded.golden[0]).tolist() == champion.golden[1].tolist()
    json.dumps(dict(champion.facts), allow_nan=False)
    people = {row.tobytes() for row in rows.X}
    assert not people & {row.tobytes() for row in champion.golden[0]}
    assert "training_range" not in champion.facts


def test_the_verdict_and_the_caution_are_said_first_and_no_alarm_is_read_from_a_few_events():
    rows = cohort(30)
    rows.y[:] = rows.X[:, 2] == 1  # an AUROC of nearly 1
    notes = fallen(rows)[2].notes
    assert notes[0].startswith("not enough data for long_sick_leave;")
    assert "30 or more absence days" in notes[1]
    assert len(notes) == 2


def test_an_outcome_without_a_published_formula_has_no_model_and_says_how_many_persons_it_takes():
    rows = cohort(80, level=1.0)
    needs = smallest(rows, "burnout")
    with pytest.raises(
        NotEnoughDataError, match=f"not enough data for burnout; {needs.missing_persons} more persons"
    ) as raised:
        fallback(rows, "burnout", needs, lambda comparison: {}, refits=4, seed=1)
    assert raised.value.verdict == needs.to_json()


def test_without_any_event_nothing_is_held_against_anything():
    rows = cohort(40)
    rows.y[:] = 0.0
    with pytest.raises(NotEnoughDataError, match="0 events in 80 rows"):
        fallen(rows)
