"""One record in, explained risks out: no web, no framework. Everything that serves wraps this object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from data_contracts.errors import ArtifactError
from data_contracts.many_records import check_records
from data_contracts.records import Source
from features.record import tables_of_record
from models.bundle import current_bundle, open_bundle
from models.explanation import Explanation, explain_all
from models.horizons import risk_by_day
from models.outcomes import OUTCOMES
from models.risk_model import RiskModel, inverse_link
from models.wording import RISK_BANDS, risk_band
from serving.answer_json import answer_json
from serving.case import Case, Cases, Served, cases_of
from serving.case import case_of as case_of
from serving.caveats import caveats, not_carried, not_eligible, not_sent
from serving.ended_consents import NOTHING
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


class Answered(NamedTuple):
    """The answer for one person as JSON, and by outcome its fields and what its number is made of, None where there is none."""

    json: bytes
    outcomes: dict[str, dict[str, Any]]
    explained: dict[str, Explanation | None]


@dataclass(frozen=True)
class Predictor:
    """Calibrated models, one per outcome, applied to single records, and to many of a night at once."""

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
        served = self.asked(outcomes, case.safety_flags)
        risks = {name: OutcomeRisk(**_risk_fields(served[name], case)) for name in outcomes}
        return RiskResponse(index_date=index_date, safety_flags=case.safety_flags, outcomes=risks)

    def answers(
        self, cases: Cases, safety_flags: Sequence[tuple[SafetyNotice, ...]], index_date: date, outcomes: Sequence[str]
    ) -> list[Answered]:
        """Answer for many persons at once, each with the bytes that ``predict_json`` has for her alone."""
        served = self.asked(outcomes, ())
        found = {name: scored_all(served[name], cases) for name in outcomes}
        answers = []
        for person, flags in enumerate(safety_flags):
            explained = {name: found[name][person][0] for name in outcomes}
            fields = {name: _with_strongest(*found[name][person]) for name in outcomes}
            told = {name: (served[name].always_said, fields[name]) for name in outcomes}
            answers.append(Answered(answer_json(index_date, flags, told), fields, explained))
        return answers

    def explain_case(self, case: Case, index_date: date, outcomes: Sequence[str]) -> ExplanationResponse:
        """Return what ``explain`` returns, of a record that has been checked and numbered."""
        served = self.asked(outcomes, case.safety_flags)
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

    def predict_json_all(
        self, records: Sequence[Any], index_date: date, outcomes: Sequence[str], received_on: date
    ) -> dict[int, bytes]:
        """Return by position what ``predict_json`` returns of each record that is plainly sound; of others nothing is said."""
        checked = check_records(records, received_on)
        if not checked.sound:
            return {}
        ids = [records[position]["person"]["person_id"] for position in checked.sound]
        cases, flags = cases_of(checked.tables, ids, index_date, received_on)
        answers = self.answers(cases, flags, index_date, outcomes)
        return {position: one.json for position, one in zip(checked.sound, answers, strict=True)}

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
        served = self.asked(outcomes, case.safety_flags)
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

    def asked(self, outcomes: Sequence[str], safety_flags: tuple[SafetyNotice, ...]) -> dict[str, Served]:
        """Return the models in service; raises OutcomeNotServed if one of the outcomes has none."""
        absent = [name for name in outcomes if name not in self.models]
        if absent:
            raise OutcomeNotServed(
                f"No model of {', '.join(absent)} is in service. Promote one, or ask for another outcome.",
                safety_flags,
            )
        return self.served


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
    return scored_all(served, case)[0]


def scored_all(served: Served, cases: Cases) -> list[tuple[Explanation | None, dict[str, Any]]]:
    """Return of each person what :func:`scored` returns of one."""
    not_about = not_eligible(served, cases)
    about = [person for person, why_not in enumerate(not_about) if why_not is None]
    found = dict(zip(about, _scored(served, cases, about), strict=True)) if about else {}
    return [
        found[person]
        if why_not is None
        else (None, _numbers(served) | {"warnings": (why_not, *not_sent(served, cases, person))})
        for person, why_not in enumerate(not_about)
    ]


def _scored(served: Served, cases: Cases, persons: list[int]) -> list[tuple[Explanation | None, dict[str, Any]]]:
    """Return what is found of persons whom the model is about."""
    model, seen = served.model, cases.seen_by(served)
    days = seen.observed_on[persons]
    explained = explain_all(model, seen.values[persons], days, cases.histories.consented[persons])
    X = np.stack([one.values for one in explained])
    intervals = model.interval(X)
    told = zip(
        explained, intervals, not_carried(served, X, intervals), caveats(served, cases, persons, days, X), strict=True
    )
    return [
        (one, _numbers(served, one, interval) | {"warnings": warnings})
        if held_back is None
        else (None, _numbers(served) | {"warnings": (held_back, *warnings)})
        for one, interval, held_back, warnings in told
    ]


def _numbers(served: Served, found: Explanation | None = None, interval: np.ndarray | None = None) -> dict[str, Any]:
    """Return what every answer says of the outcome, with the numbers of one person, or without."""
    model = served.model
    is_risk = model.link == "logit"
    number, bounds, by_horizon = None, None, {}
    if found is not None and interval is not None:
        number = float(inverse_link(model.link, np.array([found.log_odds]))[0])
        bounds = tuple(interval.tolist()) if model.refits else None
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
