"""What /v1/profile takes and answers."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from data_contracts.domains import Domain
from serving.requests import Body, IndexDate, RecordJson
from serving.responses import Answer, PersonAnswer, Texts

Position = Literal["below", "inside", "above"]


class ProfileRequest(Body):
    """One person's record and the morning for which it is asked what is known."""

    index_date: IndexDate = Field(description="What became known on this day or later is not used.")
    record: RecordJson = Field(description="As in /v1/risk.")


class Interval(Answer):
    """A reference interval; null is no limit. Whether a limit itself is inside is for ``position`` to tell."""

    low: float | None
    high: float | None
    source: Literal["laboratory", "fallback"] = Field(
        description="The laboratory's own, sent with the result, or the published one for sex and age."
    )


class Cutoff(Answer):
    """A published range of scores: from ``lowest`` up to where the next one begins."""

    name: str
    lowest: float


class Trend(Answer):
    """From the value before to this one."""

    previous: float
    observed_on: date
    change: float


class ProfileValue(Answer):
    """One current or stale value: the score of a scale, or the level of a measurement."""

    name: str = Field(description="Name of the feature in the catalogue.")
    kind: Literal["scale", "measurement"]
    label: Texts
    value: float
    comparator: Literal["<", "<=", ">=", ">"] | None = Field(description="Set where a laboratory gave a bound.")
    shown: Texts = Field(description="The value with its unit, as text.")
    unit: str = Field(description="UCUM, or score.")
    observed_on: date
    days_old: int
    stale: bool = Field(description="Older than it is called current.")
    valid_days: int | None
    higher_is: Literal["worse", "better", "neither"]
    interval: Interval | None
    position: Position | None = Field(
        description="Where the value lies to the interval; null where that cannot be told."
    )
    cutoffs: tuple[Cutoff, ...] = Field(description="Published ranges of the scale for the person's sex, lowest first.")
    cutoff: str | None = Field(description="Name of the range that the score lies in.")
    trend: Trend | None
    modifiable: bool


class Missing(Answer):
    """A scale of the recommended set, or a measurement that is followed, of which nothing is known."""

    name: str
    kind: Literal["scale", "measurement"]
    label: Texts
    reason: Literal["no_consent", "not_sent", "not_observed"]


class DomainProfile(Answer):
    """What is known of one domain, and what is not."""

    domain: Domain
    label: Texts
    values: tuple[ProfileValue, ...]
    missing: tuple[Missing, ...]


class ProfileResponse(PersonAnswer):
    """Answer of /v1/profile: no risk, no model."""

    consents: dict[str, bool] = Field(description="Consent per source in force on the index date.")
    domains: tuple[DomainProfile, ...]
