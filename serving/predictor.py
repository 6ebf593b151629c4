"""One record in, explained risks out: no web, no framework. Everything that serves wraps this object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.errors import ArtifactError
from data_contracts.time_windows import day_number
from features.build import FeatureMatrix, build_features
from features.catalogue import FEATURES, POSITIONS, feature
from features.histories import Histories
from models.bundle import current_bundle, open_bundle
from models.explanation import Explanation, explain
from models.outcomes import OUTCOMES
from models.outcomes.outcome import ELIGIBLE, Outcome
from models.risk_model import RiskModel, risk_of
from models.wording import risk_band
from serving import notices
from serving.notices import NOT_ELIGIBLE, STALE_SURVEY_DAYS, Notice
from serving.responses import Band, ExplanationResponse, ModelBody, OutcomeExplanation, OutcomeRisk, RiskResponse, Texts

RAISING, LOWERING = 5, 3
"""How many reasons of each direction ``/v1/risk`` gives; more are read by nobody, all are in ``/v1/explanation``."""

_MOST_NAMED = 3
_AGE = POSITIONS["age_years"]
_SURVEY_AGES = {one.name: one.age_feature for one in FEATURES if one.table == "survey_answers" and one.age_feature}


@dataclass(frozen=True)
class _Case:
    """One person at one index date, numbered once for all outcomes."""

    histories: Histories
    matrix: FeatureMatrix
    t: int

    @property
    def consented(self) -> np.ndarray:
        return self.histories.consented[0]

    @property
    def values(self) -> np.ndarray:
        return self.matrix.values[0]


@dataclass(frozen=True)
class Predictor:
    """Calibrated models, one per outcome, applied to single records."""

    models: Mapping[str, RiskModel]

    @classmethod
    def from_bundles(cls, bundles_dir: Path, public_key_path: Path) -> Predictor:
        """Open every promoted bundle; raises ArtifactError if one is damaged or there is none."""
        promoted = {name: current_bundle(bundles_dir, name) for name in OUTCOMES}
        models = {name: open_bundle(path, public_key_path) for name, path in promoted.items() if path is not None}
        if not models:
            raise ArtifactError(f"{bundles_dir}: no model is promoted. Run: balance-risk promote")
        return cls(models)

    def predict(
        self, record: dict[str, Any], index_date: date, outcomes: Sequence[str], received_on: date
    ) -> RiskResponse:
        """Return the risk of each outcome with its strongest reasons.

        Raises RecordViolation if the record breaks the data contract, ArtifactError if an outcome has no model.
        """
        models, case = self._models(outcomes), _case(record, index_date, received_on)
        return RiskResponse(index_date=index_date, outcomes={name: _risk(models[name], case) for name in outcomes})

    def explain(
        self, record: dict[str, Any], index_date: date, outcomes: Sequence[str], received_on: date
    ) -> ExplanationResponse:
        """Return the risk of each outcome with all reasons, the base and the sum per domain; raises as ``predict``."""
        models, case = self._models(outcomes), _case(record, index_date, received_on)
        explained = {name: _explanation(models[name], case) for name in outcomes}
        return ExplanationResponse(index_date=index_date, outcomes=explained)

    def _models(self, outcomes: Sequence[str]) -> dict[str, RiskModel]:
        absent = [name for name in outcomes if name not in self.models]
        if absent:
            raise ArtifactError(
                f"No model of {', '.join(absent)} is in service. Promote one, or ask for another outcome."
            )
        return {name: self.models[name] for name in outcomes}


def _case(record: dict[str, Any], index_date: date, received_on: date) -> _Case:
    t = day_number(index_date)
    histories = Histories.from_record(record, purpose="risk_scoring", consent_on=t, received_on=received_on)
    return _Case(histories, build_features(histories, t), t)


def _risk(model: RiskModel, case: _Case) -> OutcomeRisk:
    found, shared = _scored(model, case)
    return OutcomeRisk(**shared, reasons=found.strongest(RAISING, LOWERING) if found else ())


def _explanation(model: RiskModel, case: _Case) -> OutcomeExplanation:
    found, shared = _scored(model, case)
    if found is None:
        return OutcomeExplanation(**shared, reasons=(), log_odds=None, base=None, domains=())
    return OutcomeExplanation(
        **shared, reasons=found.reasons, log_odds=found.log_odds, base=found.base, domains=found.domains
    )


def _scored(model: RiskModel, case: _Case) -> tuple[Explanation | None, dict[str, Any]]:
    """Return the explained log-odds (None if the model has nothing to say about this person) and what answers share."""
    outcome = OUTCOMES[model.outcome]
    not_eligible = _not_eligible(outcome, case)
    found = None if not_eligible else explain(model, case.values, case.t, case.consented)
    risk = None if found is None else float(risk_of(np.array([found.log_odds]))[0])
    return found, {
        "label": Texts(nb=outcome.label_nb, en=outcome.label_en),
        "horizon_days": outcome.horizon_days,
        "risk": risk,
        "interval": None if found is None else _interval(model, case),
        "band": None if risk is None else _band(risk, model.reference_risk),
        "reference_risk": model.reference_risk,
        "warnings": (not_eligible,) if not_eligible else _warnings(model, case),
        "model": _model_body(model),
    }


def _not_eligible(outcome: Outcome, case: _Case) -> Notice | None:
    reason = int(outcome.eligibility(case.histories, case.t, case.matrix.values[:, _AGE])[0])
    return None if reason == ELIGIBLE else NOT_ELIGIBLE[outcome.reasons[reason]]


def _interval(model: RiskModel, case: _Case) -> tuple[float, float] | None:
    if not model.refits:
        return None
    low, high = model.interval(model.select(case.matrix))[0].tolist()
    return low, high


def _band(risk: float, reference_risk: float) -> Band:
    band = risk_band(risk, reference_risk)
    return Band(name=band.name, label=Texts(nb=band.label_nb, en=band.label_en))


def _model_body(model: RiskModel) -> ModelBody:
    return ModelBody(
        name=model.name,
        version=model.version,
        trained_on=model.facts.get("trained_on"),
        artifact_sha256=model.artifact_sha256,
        # A model that does not say where it comes from must not pass for one of real persons.
        synthetic=bool(model.facts.get("synthetic", True)),
    )


def _warnings(model: RiskModel, case: _Case) -> tuple[Notice, ...]:
    consent = [notices.source_without_consent(SOURCES[i]) for i in np.flatnonzero(~case.consented)]
    return (*consent, *_survey_warnings(model, case), *_range_warnings(model, case))


def _survey_warnings(model: RiskModel, case: _Case) -> list[Notice]:
    columns = [POSITIONS[_SURVEY_AGES[name]] for name in model.feature_names if name in _SURVEY_AGES]
    if not columns or not case.consented[SOURCES.index("survey")]:
        return []
    ages = case.values[columns]
    if np.isnan(ages).all():
        return [notices.NO_SURVEY]
    return [notices.STALE_SURVEY] if np.nanmin(ages) > STALE_SURVEY_DAYS else []


def _range_warnings(model: RiskModel, case: _Case) -> list[Notice]:
    outside = np.flatnonzero(model.outside_training_range(model.select(case.matrix))[0])[:_MOST_NAMED]
    named = [feature(model.feature_names[position]) for position in outside]
    if not named:
        return []
    return [notices.outside_training_range([one.label_nb for one in named], [one.label_en for one in named])]
