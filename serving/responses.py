"""What an answer looks like. Numbers are given as computed, not rounded; a number that does not exist is null."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.explanation import Comparison, DomainSum, Reason
from serving.notices import Notice, SafetyNotice


class Answer(BaseModel):
    """What all bodies of answers have in common: no field that is not declared, no number that is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Texts(Answer):
    """The same in Norwegian bokmål and English."""

    nb: str
    en: str


class Band(Answer):
    """The risk compared with the reference group."""

    name: str
    label: Texts


class ModelBody(Answer):
    """Which model has answered."""

    name: str
    version: str
    trained_on: Any = Field(description="From which to which index date the training rows come.")
    artifact_sha256: str = Field(description="SHA-256 of the manifest of the signed bundle.")
    synthetic: bool = Field(description="True: trained on simulated persons.")


_INTERVAL = (
    "5 % and 95 % quantiles of what the same method gives when it is refitted on resampled persons: how uncertain the model is "
    "because other persons might have been in the training data. Each refit has a recalibration of its own resample. It is not "
    "the range in which this person's future lies, and leaves out what all refits share: errors in the record, the choice of "
    "method and features, the out-of-fold predictions that the recalibrations are fitted to, and changes since the training. "
    "Null without refits."
)


class OutcomeRisk(Answer):
    """The number of one outcome; null, with a warning that says why, when the model has none to give for this person.

    It is a risk where the target is an event, and expected days where it is days; the fields of the other target are null.
    """

    label: Texts
    horizon_days: int
    target: Literal["event", "days"] = Field(description="Whether a risk or expected days are given.")
    risk: float | None = Field(ge=0, le=1, description="Calibrated probability of the event within the horizon.")
    interval: tuple[float, float] | None = Field(description=_INTERVAL)
    risks_by_horizon: dict[str, float] | None = Field(
        description="Probability of the event within so many days from the index date, never falling; null where not known."
    )
    expected_days: float | None = Field(ge=0, description="Calibrated expected days within the horizon.")
    expected_days_interval: tuple[float, float] | None = Field(description="In days, else as ``interval``.")
    band: Band | None
    reference_risk: float | None = Field(ge=0, le=1, description="Share of events among the training rows.")
    reference_days: float | None = Field(ge=0, description="Mean days among the training rows.")
    reasons: tuple[Reason, ...] = Field(
        description="Largest contribution first; contributions are in log-odds, or in log days where days are expected."
    )
    warnings: tuple[Notice, ...]
    model: ModelBody


class OutcomeExplanation(OutcomeRisk):
    """The number of one outcome with all contributions: base plus contributions is its log-odds (or its log days)."""

    log_odds: float | None = Field(
        description="Of the risk; the logarithm of the expected days where days are expected."
    )
    base: float | None
    domains: tuple[DomainSum, ...] = Field(description="Sums of the contributions per domain; with base: the log-odds.")
    references: tuple[Comparison, ...] = Field(
        description="The person beside everybody the model was trained on, and beside persons of like sex and age: the mean "
        "log-odds of the group, and differences per domain and feature that add up to ``difference``. Groups are of at least "
        "50 persons; empty where the model has none."
    )


class PersonAnswer(Answer):
    """What every answer about a person carries; ``safety_flags`` has no default, so that none can leave it out."""

    index_date: date
    safety_flags: tuple[SafetyNotice, ...] = Field(
        description="Answers that a human must look at today, latest first, whatever the risks say; empty: none."
    )


class RiskResponse(PersonAnswer):
    """Answer of /v1/risk."""

    outcomes: dict[str, OutcomeRisk]


class ExplanationResponse(PersonAnswer):
    """Answer of /v1/explanation."""

    outcomes: dict[str, OutcomeExplanation]
