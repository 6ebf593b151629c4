"""What /v1/profile takes and answers."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from data_contracts.domains import Domain
from data_contracts.published_norms import WhyNot
from models.scale_norms import WhyNone
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


class NormBody(Answer):
    """A published population that a score is seen beside."""

    population: str
    persons: int
    sex: Literal["female", "male"] | None = Field(description="Null: of both together.")
    mean: float
    sd: float
    source: str
    why_no_percentile: WhyNot | None = Field(description="Why its figures carry no percentile; null where they do.")


class Percentile(Answer):
    """Of 100 persons, how many have a lower score; or why that is not told."""

    value: int | None = Field(
        ge=5, le=95, multiple_of=5,
        description="Among the programme's own persons of like sex and age, counting half of those with the same score; else "
        "in a published population of the person's sex, taken as normally distributed, up to half a point below the score.",
    )  # fmt: skip
    why_not: WhyNone | Literal["no_model", "no_norm"] | None = Field(
        description="no_model: none is in service, whose training persons would be compared with. no_norm: none that is says "
        "how they answered. too_few: fewer than 100 of like sex and age have a score."
    )
    kind: Literal["programme", "published"] | None = Field(description="Where the population is from.")
    population: Texts | None = Field(description="With whom the person is compared.")
    synthetic: bool | None = Field(description="True: the population is of simulated persons.")
    norm: NormBody | None = Field(description="A published population, whether or not the percentile is of it.")


class ReliabilityBody(Answer):
    """How much of the differences between persons on a scale is no error of measurement, as published."""

    alpha: float = Field(description="Cronbach's alpha, agreement of items on one day; the lowest of several samples.")
    sample: str = Field(description="Whom alpha is of.")
    source: str
    smallest_real_change: float | None = Field(
        description="A rough guide: error of measurement explains a smaller change well. From alpha alone, so what varies from "
        "day to day is not in it, and the true bound is rather larger. Null where no standard deviation is published."
    )
    sd_of: str | None = Field(
        description="Population of the standard deviation in ``smallest_real_change``, which need not be that of alpha."
    )


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
    percentile: Percentile | None = Field(description="Of a scale; a measurement has its interval instead.")
    reliability: ReliabilityBody | None = Field(description="Null for a measurement, and where none is published.")
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
    score: float | None = Field(
        description="0 to 100, 100 at the best end: the mean of the questionnaires about the domain, each placed in its range. "
        "Current scores only; null where none counts."
    )
    score_of: tuple[str, ...] = Field(description="Scales that the score rests on.")
    values: tuple[ProfileValue, ...]
    missing: tuple[Missing, ...]


class Index(Answer):
    """The mean of the domain scores."""

    value: float | None = Field(description="Null where fewer domains than ``fewest_domains`` have a score.")
    domains: int
    fewest_domains: int


class ProfileResponse(PersonAnswer):
    """Answer of /v1/profile: no risk; of a model only how its training persons answered."""

    consents: dict[str, bool] = Field(description="Consent per source in force on the index date.")
    domains: tuple[DomainProfile, ...]
    index: Index
    statement: Texts = Field(description="What this is not.")
