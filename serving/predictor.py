"""One record in, explained risks out: no web, no framework. Everything that serves wraps this object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.errors import ArtifactError
from data_contracts.records import TABLES, Source
from data_contracts.safety import safety_flags
from data_contracts.tables import Table
from data_contracts.time_windows import NO_DAY, day_number
from features.as_of import Known, as_of
from features.build import CONTEXT_COLUMNS, days_behind, number
from features.catalogue import FEATURE_NAMES, POSITIONS, feature
from features.histories import Histories
from features.record import tables_of_record
from features.workplace_context import NAMES, WorkplaceContext, context_features, is_current
from models.bundle import current_bundle, open_bundle
from models.explanation import Explanation, explain
from models.outcomes import OUTCOMES
from models.outcomes.outcome import ELIGIBLE, Outcome, general_eligibility
from models.risk_model import RiskModel, risk_of
from models.wording import RISK_BANDS, risk_band
from serving import notices
from serving.notices import NOT_ELIGIBLE, STALE_SURVEY_DAYS, Notice, SafetyNotice
from serving.responses import Band, ExplanationResponse, ModelBody, OutcomeExplanation, OutcomeRisk, RiskResponse, Texts

RAISING, LOWERING = 5, 3
"""How many reasons of each direction ``/v1/risk`` gives; more are read by nobody, all are in ``/v1/explanation``."""

_MOST_NAMED = 3
_BANDS = {one.name: Band(name=one.name, label=Texts(nb=one.label_nb, en=one.label_en)) for one in RISK_BANDS}
_AGE = POSITIONS["age_years"]


class _Seen(NamedTuple):
    """Values and days of observation of all features, each of shape (n_features,)."""

    values: np.ndarray
    observed_on: np.ndarray


@dataclass(frozen=True)
class _Case:
    """One person at one index date, numbered once for all outcomes."""

    histories: Histories
    known: Known
    values: np.ndarray
    t: int
    safety_flags: tuple[SafetyNotice, ...]

    @cached_property
    def general_eligibility(self) -> np.ndarray:
        return general_eligibility(self.histories, self.t, self.values[:, _AGE])

    @property
    def consented(self) -> np.ndarray:
        return self.histories.consented[0]

    def told(self, source: Source) -> bool:
        """Whether anything can be known of a source: with consent, and if its table was sent."""
        return bool(self.histories.told[0, SOURCES.index(source)])

    def seen_by(self, served: _Served) -> _Seen:
        """Return the numbers as a model sees them, with the others at the workplace as its snapshot tells of them."""
        context = served.context
        if context is None or context.day > self.t:
            return self._without_others
        if context not in self._seen:
            values, observed_on = (column.copy() for column in self._without_others)
            values[CONTEXT_COLUMNS] = context_features(self.known, self.histories, context)[0]
            observed_on[CONTEXT_COLUMNS][~np.isnan(values[CONTEXT_COLUMNS])] = context.day
            self._seen[context] = _Seen(values, observed_on)
        return self._seen[context]

    @cached_property
    def _without_others(self) -> _Seen:
        return _Seen(self.values[0], days_behind(self.known)[0])

    @cached_property
    def _seen(self) -> dict[WorkplaceContext, _Seen]:
        return {}


class OutcomeNotServed(ArtifactError):
    """An outcome is asked for that no model in service predicts; the flags of the record do not depend on a model."""

    def __init__(self, message: str, safety_flags: tuple[SafetyNotice, ...]) -> None:
        super().__init__(message)
        self.safety_flags = safety_flags


class _Served:
    """A model with what its answers always say, built once."""

    def __init__(self, model: RiskModel) -> None:
        self.model = model
        self.outcome = OUTCOMES[model.outcome]
        # The model says what it was trained to predict: parameters such as min_days are part of it.
        declared = {"nb": self.outcome.label_nb, "en": self.outcome.label_en}
        self.label = Texts(**model.facts.get("label", declared))
        self.horizon_days = model.facts.get("horizon_days", self.outcome.horizon_days)
        self.has_washout = "washout" in self.outcome.own_reasons
        self.body = _model_body(model)
        own = [name for name in model.feature_names if name not in NAMES]
        self.answered = [POSITIONS[name] for name in own if feature(name).table == "survey_answers"]
        # A model that asks for nothing about others is spared the work.
        self.context = model.workplace_context if len(own) < len(model.feature_names) else None


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

        Raises RecordViolation if the record breaks the data contract, OutcomeNotServed if an outcome has no model.
        """
        case = _case(record, index_date, received_on)
        served = self._asked(outcomes, case)
        risks = {name: _risk(served[name], case) for name in outcomes}
        return RiskResponse(index_date=index_date, safety_flags=case.safety_flags, outcomes=risks)

    def explain(
        self, record: dict[str, Any], index_date: date, outcomes: Sequence[str], received_on: date
    ) -> ExplanationResponse:
        """Return the risk of each outcome with all reasons, the base and the sum per domain; raises as ``predict``."""
        case = _case(record, index_date, received_on)
        served = self._asked(outcomes, case)
        explained = {name: _explanation(served[name], case) for name in outcomes}
        return ExplanationResponse(index_date=index_date, safety_flags=case.safety_flags, outcomes=explained)

    @cached_property
    def _served(self) -> dict[str, _Served]:
        return {name: _Served(model) for name, model in self.models.items()}

    def _asked(self, outcomes: Sequence[str], case: _Case) -> dict[str, _Served]:
        absent = [name for name in outcomes if name not in self.models]
        if absent:
            raise OutcomeNotServed(
                f"No model of {', '.join(absent)} is in service. Promote one, or ask for another outcome.",
                case.safety_flags,
            )
        return self._served


def _case(record: dict[str, Any], index_date: date, received_on: date) -> _Case:
    t = day_number(index_date)
    tables = tables_of_record(record, received_on)
    histories = Histories.from_tables(tables, purpose="risk_scoring", consent_on=t)
    known = as_of(histories, t)
    values = np.empty((1, len(FEATURE_NAMES)), dtype=np.float32)
    number(known, values)
    return _Case(histories, known, values, t, _safety_notices(tables))


def _safety_notices(tables: dict[str, Table]) -> tuple[SafetyNotice, ...]:
    """Everything a human must look at, whatever the index date and the consents: nobody asks a model about it."""
    answers = tables.get("survey_answers")
    return () if answers is None else tuple(map(notices.safety_notice, safety_flags(answers)))


def _risk(served: _Served, case: _Case) -> OutcomeRisk:
    found, shared = _scored(served, case)
    return OutcomeRisk(**shared, reasons=found.strongest(RAISING, LOWERING) if found else ())


def _explanation(served: _Served, case: _Case) -> OutcomeExplanation:
    found, shared = _scored(served, case)
    if found is None:
        return OutcomeExplanation(**shared, reasons=(), log_odds=None, base=None, domains=())
    return OutcomeExplanation(
        **shared, reasons=found.reasons, log_odds=found.log_odds, base=found.base, domains=found.domains
    )


def _scored(served: _Served, case: _Case) -> tuple[Explanation | None, dict[str, Any]]:
    """Return the explained log-odds (None if the model has nothing to say about this person) and what answers share."""
    model = served.model
    same_for_all = {
        "label": served.label,
        "horizon_days": served.horizon_days,
        "reference_risk": model.reference_risk,
        "model": served.body,
    }
    not_eligible = _not_eligible(served.outcome, case)
    if not_eligible:
        warnings = (not_eligible, *_not_sent(served, case))
        return None, same_for_all | {"risk": None, "interval": None, "band": None, "warnings": warnings}
    seen = case.seen_by(served)
    found = explain(model, seen.values, seen.observed_on, case.consented)
    risk = float(risk_of(np.array([found.log_odds]))[0])
    X = found.values[np.newaxis]
    return found, same_for_all | {
        "risk": risk,
        "interval": _interval(model, X),
        "band": _band(risk, model.reference_risk),
        "warnings": (
            *_source_warnings(case),
            *_not_sent(served, case),
            *_survey_warnings(served, case, seen.observed_on),
            *_workplace_warnings(served, case),
            *_range_warnings(model, X),
        ),
    }


def _not_eligible(outcome: Outcome, case: _Case) -> Notice | None:
    reason = int(outcome.eligibility_given(case.general_eligibility, case.histories, case.t)[0])
    return None if reason == ELIGIBLE else NOT_ELIGIBLE[outcome.reasons[reason]]


def _interval(model: RiskModel, X: np.ndarray) -> tuple[float, float] | None:
    if not model.refits:
        return None
    low, high = model.interval(X)[0].tolist()
    return low, high


def _band(risk: float, reference_risk: float) -> Band:
    return _BANDS[risk_band(risk, reference_risk).name]


def _model_body(model: RiskModel) -> ModelBody:
    return ModelBody(
        name=model.name,
        version=model.version,
        trained_on=model.facts.get("trained_on"),
        artifact_sha256=model.artifact_sha256,
        # A model that does not say where it comes from must not pass for one of real persons.
        synthetic=bool(model.facts.get("synthetic", True)),
    )


def _source_warnings(case: _Case) -> list[Notice]:
    return [notices.source_without_consent(SOURCES[i]) for i in np.flatnonzero(~case.consented)]


def _not_sent(served: _Served, case: _Case) -> list[Notice]:
    """Name what the record left out, but for sources without consent, of which nothing had to be sent."""
    consented = {source for source, holds in zip(SOURCES, case.consented.tolist(), strict=True) if holds}
    return [
        notices.not_sent(table, served.has_washout)
        for table in notices.SENT
        if table not in case.histories.delivered and TABLES[table].consent_source in consented
    ]


def _survey_warnings(served: _Served, case: _Case, observed_on: np.ndarray) -> list[Notice]:
    if not served.answered or not case.told("survey"):
        return []
    days = observed_on[served.answered]
    days = days[days != NO_DAY]
    if not len(days):
        return [notices.NO_SURVEY]
    return [notices.STALE_SURVEY] if case.t - days.max() > STALE_SURVEY_DAYS else []


def _workplace_warnings(served: _Served, case: _Case) -> list[Notice]:
    if served.context is None or not case.told("employment") or is_current(served.context, case.t):
        return []
    return [notices.LATER_WORKPLACE if served.context.day > case.t else notices.STALE_WORKPLACE]


def _range_warnings(model: RiskModel, X: np.ndarray) -> list[Notice]:
    outside = np.flatnonzero(model.outside_training_range(X)[0])[:_MOST_NAMED]
    named = [feature(model.feature_names[position]) for position in outside]
    if not named:
        return []
    return [notices.outside_training_range([one.label_nb for one in named], [one.label_en for one in named])]
