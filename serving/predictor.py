"""One record in, explained risks out: no web, no framework. Everything that serves wraps this object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import ArtifactError
from data_contracts.records import Source
from data_contracts.safety import safety_flags
from data_contracts.tables import Table
from data_contracts.time_windows import day_number
from features.as_of import as_of
from features.build import number
from features.catalogue import FEATURE_NAMES
from features.histories import Histories
from features.record import tables_of_record
from models.bundle import current_bundle, open_bundle
from models.explanation import Explanation, explain
from models.horizons import risk_by_day
from models.outcomes import OUTCOMES
from models.risk_model import RiskModel, inverse_link
from models.wording import RISK_BANDS, risk_band
from serving import notices
from serving.answer_json import answer_json
from serving.case import Case, Served
from serving.caveats import caveats, not_carried, not_eligible, not_sent
from serving.ended_consents import NOTHING, ended
from serving.notices import SafetyNotice
from serving.responses import Band, ExplanationResponse, OutcomeExplanation, OutcomeRisk, RiskResponse, Texts

RAISING, LOWERING = 5, 3
"""How many reasons of each direction ``/v1/risk`` gives; more are read by nobody, all are in ``/v1/explanation``."""

_BANDS = {one.name: Band(name=one.name, label=Texts(nb=one.label_nb, en=one.label_en)) for one in RISK_BANDS}


class OutcomeNotServed(ArtifactError):
    """An outcome is asked for that no model in service predicts; the flags of the record do not depend on a model."""

    def __init__(self, message: str, safety_flags: tuple[SafetyNotice, ...]) -> None:
        super().__init__(message)
        self.safety_flags = safety_flags


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
        self,
        record: dict[str, Any],
        index_date: date,
        outcomes: Sequence[str],
        received_on: date,
        withdrawn: Mapping[Source, date] = NOTHING,
    ) -> RiskResponse:
        """Return the risk of each outcome with its strongest reasons.

        Raises RecordViolation if the record breaks the data contract, OutcomeNotServed if an outcome has no model.
        """
        return self.predict_case(
            case_of(tables_of_record(record, received_on), index_date, received_on, withdrawn), index_date, outcomes
        )

    def predict_case(self, case: Case, index_date: date, outcomes: Sequence[str]) -> RiskResponse:
        """Return what ``predict`` returns, of a record that has been checked and numbered."""
        return self.predict_explained(case, index_date, outcomes)[0]

    def predict_explained(
        self, case: Case, index_date: date, outcomes: Sequence[str]
    ) -> tuple[RiskResponse, dict[str, Explanation | None]]:
        """Return what ``predict_case`` returns, and by outcome what its number is made of, None where there is none."""
        served = self.asked(outcomes, case)
        found = {name: scored(served[name], case) for name in outcomes}
        risks = {name: OutcomeRisk(**_with_strongest(*one)) for name, one in found.items()}
        answer = RiskResponse(index_date=index_date, safety_flags=case.safety_flags, outcomes=risks)
        return answer, {name: explained for name, (explained, _) in found.items()}

    def explain_case(self, case: Case, index_date: date, outcomes: Sequence[str]) -> ExplanationResponse:
        """Return what ``explain`` returns, of a record that has been checked and numbered."""
        served = self.asked(outcomes, case)
        explained = {name: _explanation(served[name], case) for name in outcomes}
        return ExplanationResponse(index_date=index_date, safety_flags=case.safety_flags, outcomes=explained)

    def explain(
        self,
        record: dict[str, Any],
        index_date: date,
        outcomes: Sequence[str],
        received_on: date,
        withdrawn: Mapping[Source, date] = NOTHING,
    ) -> ExplanationResponse:
        """Return the risk of each outcome with all reasons, the base and the sum per domain; raises as ``predict``."""
        return self.explain_case(
            case_of(tables_of_record(record, received_on), index_date, received_on, withdrawn), index_date, outcomes
        )

    def predict_json(
        self,
        record: dict[str, Any],
        index_date: date,
        outcomes: Sequence[str],
        received_on: date,
        withdrawn: Mapping[Source, date] = NOTHING,
    ) -> bytes:
        """Return the answer of ``predict`` as JSON, the same bytes as its model gives, sooner; raises as ``predict``."""
        case = case_of(tables_of_record(record, received_on), index_date, received_on, withdrawn)
        return self._json(case, index_date, outcomes, _risk_fields)

    def explain_json(
        self,
        record: dict[str, Any],
        index_date: date,
        outcomes: Sequence[str],
        received_on: date,
        withdrawn: Mapping[Source, date] = NOTHING,
    ) -> bytes:
        """Return the answer of ``explain`` as JSON, the same bytes as its model gives, sooner; raises as ``predict``."""
        case = case_of(tables_of_record(record, received_on), index_date, received_on, withdrawn)
        return self._json(case, index_date, outcomes, _explanation_fields)

    def _json(
        self, case: Case, index_date: date, outcomes: Sequence[str], fields: Callable[[Served, Case], dict[str, Any]]
    ) -> bytes:
        served = self.asked(outcomes, case)
        told = {name: (served[name].always_said, fields(served[name], case)) for name in outcomes}
        return answer_json(index_date, case.safety_flags, told)

    @cached_property
    def named(self) -> tuple[str, ...]:
        """Outcome, version and the first digits of the artifact's hash of every model."""
        return tuple(f"{name}:{model.version}:{model.artifact_sha256[:12]}" for name, model in self.models.items())

    @cached_property
    def served(self) -> dict[str, Served]:
        """The models with what their answers always say, by outcome."""
        return {name: Served(model) for name, model in self.models.items()}

    def warm_up(self) -> None:
        """Compute once what is kept for all answers: texts, and the refits packed together."""
        for served in self.served.values():
            served.model.interval(np.full((1, len(served.model.feature_names)), np.nan, dtype=np.float32))

    def asked(self, outcomes: Sequence[str], case: Case) -> dict[str, Served]:
        """Return the models in service; raises OutcomeNotServed if one of the outcomes has none."""
        absent = [name for name in outcomes if name not in self.models]
        if absent:
            raise OutcomeNotServed(
                f"No model of {', '.join(absent)} is in service. Promote one, or ask for another outcome.",
                case.safety_flags,
            )
        return self.served


def case_of(
    tables: dict[str, Table], index_date: date, received_on: date, withdrawn: Mapping[Source, date] = NOTHING
) -> Case:
    """Return what the checked tables of one person tell at an index date.

    Consent must be in force on the index date, and still on the day of the request, whatever the record knows of it:
    ``withdrawn`` gives by source the day from which the person has withdrawn it through the service.
    """
    t, now = day_number(index_date), day_number(received_on)
    tables = ended(tables, withdrawn)
    histories = Histories.from_tables(tables, purpose="risk_scoring", consent_on=t, still_on=now if now > t else None)
    known = as_of(histories, t)
    values = np.empty((1, len(FEATURE_NAMES)), dtype=np.float32)
    number(known, values)
    return Case(histories, known, values, t, _safety_notices(tables))


def _safety_notices(tables: dict[str, Table]) -> tuple[SafetyNotice, ...]:
    """Everything a human must look at, whatever the index date and the consents: nobody asks a model about it."""
    answers = tables.get("survey_answers")
    return () if answers is None else tuple(map(notices.safety_notice, safety_flags(answers)))


def _risk_fields(served: Served, case: Case) -> dict[str, Any]:
    return _with_strongest(*scored(served, case))


def _with_strongest(found: Explanation | None, shared: dict[str, Any]) -> dict[str, Any]:
    return shared | {"reasons": found.strongest(RAISING, LOWERING) if found else ()}


def _explanation(served: Served, case: Case) -> OutcomeExplanation:
    return OutcomeExplanation(**_explanation_fields(served, case))


def _explanation_fields(served: Served, case: Case) -> dict[str, Any]:
    found, shared = scored(served, case)
    if found is None:
        return shared | {"reasons": (), "log_odds": None, "base": None, "domains": (), "references": ()}
    return shared | {
        "reasons": found.reasons,
        "log_odds": found.log_odds,
        "base": found.base,
        "domains": found.domains,
        "references": tuple(found.beside(group) for group in case.reference_groups(served)),
    }


def scored(served: Served, case: Case) -> tuple[Explanation | None, dict[str, Any]]:
    """Return the explained log-odds (None if the model has nothing to say about this person) and what answers share."""
    why_not = not_eligible(served, case)
    if why_not:
        return None, _numbers(served) | {"warnings": (why_not, *not_sent(served, case))}
    model = served.model
    seen = case.seen_by(served)
    found = explain(model, seen.values, seen.observed_on, case.consented)
    X = found.values[np.newaxis]
    interval = model.interval(X)
    warnings = caveats(served, case, seen.observed_on, X)
    held_back = not_carried(served, X, interval)
    if held_back:
        return None, _numbers(served) | {"warnings": (held_back, *warnings)}
    return found, _numbers(served, found, interval) | {"warnings": warnings}


def _numbers(served: Served, found: Explanation | None = None, interval: np.ndarray | None = None) -> dict[str, Any]:
    """Return what every answer says of the outcome, with the numbers of one person, or without."""
    model = served.model
    is_risk = model.link == "logit"
    number, bounds, by_horizon = None, None, {}
    if found is not None and interval is not None:
        number = float(inverse_link(model.link, np.array([found.log_odds]))[0])
        bounds = tuple(interval[0].tolist()) if model.refits else None
        by_horizon = risk_by_day(np.array([found.log_odds]), model.facts)
    return {
        "label": served.label,
        "horizon_days": served.horizon_days,
        "target": "event" if is_risk else "days",
        "risk": number if is_risk else None,
        "interval": bounds if is_risk else None,
        "risks_by_horizon": {day: float(risks[0]) for day, risks in by_horizon.items()} or None,
        "expected_days": None if is_risk else number,
        "expected_days_interval": None if is_risk else bounds,
        "band": None if number is None else _band(number, model.reference_risk),
        "reference_risk": model.reference_risk if is_risk else None,
        "reference_days": None if is_risk else model.reference_risk,
        "model": served.body,
    }


def _band(risk: float, reference_risk: float) -> Band:
    return _BANDS[risk_band(risk, reference_risk).name]
