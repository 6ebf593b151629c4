"""Facts of a made-up version, whole enough that every part of a model card has something to show."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np

from models.comparison import described
from models.estimators import ElasticNetEstimator
from models.estimators.literature import CORE, CURVED, FLAGGED
from models.model_card.facts import CardFacts
from models.risk_model import RiskModel

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


def interval(value: float) -> dict[str, float]:
    """A number with ends that no other number of these facts has."""
    return {"value": value, "low": value - 0.0613, "high": value + 0.0717}


def metrics(shift: float = 0.0) -> dict[str, Any]:
    """What one model reaches."""
    return {"auroc": interval(0.7123 + shift), "observed_to_expected": interval(1.0234 + shift),
            "calibration_slope": interval(0.9345 + shift)}  # fmt: skip


def champion() -> dict[str, Any]:
    """Facts of a trained model."""
    lines = [
        {"name": name, "chosen": name == "short", "log_loss": 0.41, "settings": {"penalty": 0.5}}
        for name in ("roelen", "short")
    ]
    return {
        "name": "short", "kind": "linear", "n_features": 5, "refits": 20, "reference_risk": 0.17, "synthetic": True,
        "recalibration_intercept": 0.01, "recalibration_slope": 0.97, "family": "lines",
        "terms": {"straight": 5, "bent": 0, "steps": 0, "flat": 0, "flagged": []},
        "specification": {"intercept": -1.2, "terms": [{"predictor": "age_years", "coefficients": 0.2}]},
        "label": {"en": "Sick leave of more than 16 days", "nb": "Sykefravær over 16 dager"}, "horizon_days": 365,
        "data_as_of": "2026-01-01", "trained_on": {"first_index_date": "2021-10-01", "last_index_date": "2023-01-01"},
        "n": 9105, "persons": 1849, "events": 1663, "fingerprint": "f" * 64,
        "weights": {"because": "left employment", "largest": 1.12},
        "flow": {"age outside 18-70 or unknown": 7, "event": 5383, "left employment": 3105, "no event": 24299,
            "not employed": 19265},
        "comparison": {"chosen": "short", "candidates": lines},
        "sample_size": {"enough": True, "persons": 1849, "required_persons": 900, "missing_persons": 0,
                        "parameters": 5, "criterion": "shrinkage of at most a tenth"},
        "importance": {"features": {"age_years": interval(0.2)}, "domains": {"life_situation": interval(0.3)}},
    }  # fmt: skip


def report() -> dict[str, Any]:
    """An evaluation in the shape of ``metrics.json``."""
    curve = {end: [0.1, 0.2] for end in ("value", "low", "high")}
    return {
        "outcome": "long_sick_leave", "champion": "short", "synthetic": True,
        "models": {"roelen": metrics(-0.05), "short": metrics()},
        "test": {"rows": 3128, "persons": 903, "events": 570, "persons_with_event": 254, "first_index_date": "2024-01-01",
         "last_index_date": "2024-10-01",
                 "rows_without_label": 307, "weighted_event_share": 0.174, "left_out_of_split": {"embargo": 4}},
        "methods": ["Resamples of persons."], "notes": [],
        "decision_curve": {"thresholds": [0.05, 0.06], "net_benefit": {"short": curve, "treat_all": curve},
         "gain_over_defaults": curve},
        "capacity": {"by_alerts": [{"alerts_per_100": 10.0, "ppv": interval(0.4), "sensitivity": interval(0.3)}]},
        "subgroups": {"threshold": 0.2, "attributes": [{"name": "sex", "label_en": "Sex", "groups": [
            {"name": "woman", "label_en": "Woman", "suppressed": None, "persons": 420, "events": 300, "persons_with_event": 134,
             "auroc": interval(0.7001)},
            {"name": "man", "label_en": "Man", "suppressed": "fewer than 10 persons with an event"}]}]},
        "harm": [],
        "internal_external": {"persons": 900, "by_company": {"pooled": {"auroc": interval(0.69) | {
            "prediction_low": 0.61, "prediction_high": 0.77, "clusters": 12, "tau_squared": 0.01}}},
            "by_industry": {"reason": "too few"}},
        "leakage": {"alarms": [], "checks": [{"name": "embargo", "rule": "one horizon", "alarm": False,
         "result": "nothing found"}]},
        "differences": {"roelen": {"auroc": interval(0.05)}}, "competing_exits": {"left": 3},
        "learning_curve": {"points": []},
        "horizons": {"reason": "no date"}, "ablation": {"sources": {}}, "permutation": {"p": 0.001},
        "explanation": {"additivity": 1e-12},
        "against_truth": {"attainable": {"auroc": 0.72}, "models": {"short": {"auroc": 0.71}}},
    }  # fmt: skip


def whole(**changed: Any) -> CardFacts:
    """Facts with everything there but the study team's own."""
    given: dict[str, Any] = {
        "outcome": "long_sick_leave", "definition": "A new episode.", "champion": champion(), "report": report(),
        "lineage": {"training_set_sha256": "a" * 64, "champion_sha256": "b" * 64, "contract_sha256": "c" * 64,
         "code_revision": "abc123"},
        "registration": {"version": "3", "approver": "A. Lege", "reason": "better",
         "history": "Version 3 follows version 2."},
        "pictures": dict.fromkeys(("calibration", "decision_curve", "contributions", "subgroups"), PIXEL),
    }  # fmt: skip
    return CardFacts(**given | changed)


def core_rows(n: int = 600) -> np.ndarray:
    """Rows of the predictors of ``core``, float32, one value in ten unknown."""
    random = np.random.default_rng(3)
    rows = random.gamma(2.0, 20.0, (n, len(CORE))).astype(np.float32)
    rows[random.random(rows.shape) < 0.1] = np.nan
    return rows


@cache
def core_model() -> RiskModel:
    """A fitted ``core``: an elastic net so weak that no predictor is left out."""
    X, random = core_rows(), np.random.default_rng(4)
    y = (random.random(len(X)) < 1 / (1 + np.exp(1 - np.nan_to_num(X[:, 3]) / 40))).astype(float)
    estimator = ElasticNetEstimator(CORE, CURVED, FLAGGED, strength=1e-6)
    return RiskModel(
        outcome="long_sick_leave", name="core", feature_names=CORE, reference_risk=float(y.mean()),
        facts=champion() | {"estimator": described(estimator)}, **estimator.fit(X, y, np.ones(len(X))).parts_,
    )  # fmt: skip
