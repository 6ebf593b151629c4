"""What an answer looks like. Numbers are given as computed, not rounded; a number that does not exist is null."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from models.explanation import DomainSum, Reason
from serving.notices import Notice, SafetyNotice


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Texts(_Answer):
    """The same in Norwegian bokmål and English."""

    nb: str
    en: str


class Band(_Answer):
    """The risk compared with the reference group."""

    name: str
    label: Texts


class ModelBody(_Answer):
    """Which model has answered."""

    name: str
    version: str
    trained_on: Any = Field(description="From which to which index date the training rows come.")
    artifact_sha256: str = Field(description="SHA-256 of the manifest of the signed bundle.")
    synthetic: bool = Field(description="True: trained on simulated persons.")


class OutcomeRisk(_Answer):
    """The risk of one outcome; null, with a warning that says why, when the model does not apply to this person."""

    label: Texts
    horizon_days: int
    risk: float | None = Field(ge=0, le=1, description="Calibrated probability of the event within the horizon.")
    interval: tuple[float, float] | None = Field(
        description="5 % and 95 % quantiles of models refitted on other samples."
    )
    band: Band | None
    reference_risk: float = Field(ge=0, le=1, description="Share of events among the training rows.")
    reasons: tuple[Reason, ...] = Field(description="Largest contribution first; contributions are in log-odds.")
    warnings: tuple[Notice, ...]
    model: ModelBody


class OutcomeExplanation(OutcomeRisk):
    """The risk of one outcome with all contributions: base plus contributions is the log-odds of the risk."""

    log_odds: float | None
    base: float | None
    domains: tuple[DomainSum, ...] = Field(description="Sums of the contributions per domain; with base: the log-odds.")


class _PersonAnswer(_Answer):
    """What every answer about a person carries; ``safety_flags`` has no default, so that none can leave it out."""

    index_date: date
    safety_flags: tuple[SafetyNotice, ...] = Field(
        description="Answers that a human must look at today, latest first, whatever the risks say; empty: none."
    )


class RiskResponse(_PersonAnswer):
    """Answer of /v1/risk."""

    outcomes: dict[str, OutcomeRisk]


class ExplanationResponse(_PersonAnswer):
    """Answer of /v1/explanation."""

    outcomes: dict[str, OutcomeExplanation]
