"""What an employer is told. No model here has a field of a person."""

from __future__ import annotations

from pydantic import Field

from data_contracts.programme_offers import Level
from serving.responses import Answer, Texts


class OutcomeReport(Answer):
    """One outcome of a company: a rounded share, or why there is none."""

    label: Texts
    group_size: str | None = Field(description="Of how many the share is told, as a range.")
    share_above_percent: int | None = Field(
        ge=0, le=100, multiple_of=5,
        description="Share whose risk is 1.5 times the reference group's mean or more, rounded to 5 percent; "
        "not the share that will have the outcome.",
    )  # fmt: skip
    why_not: Texts | None


class MeasureShown(Answer):
    """What the workplace can do about a factor, and who acts."""

    is_suggested: bool = Field(
        description="Whether group and share are large enough to suggest it; if not, it is something to talk about."
    )
    level: Level
    label: Texts
    text: Texts


class FactorReport(Answer):
    """One factor of the workplace, from what the employees answer about it: a rounded share, or why there is none."""

    label: Texts
    group_size: str | None = Field(description="Of how many the share is told, as a range.")
    share_unfavourable_percent: int | None = Field(
        ge=0, le=100, multiple_of=5,
        description="Share with an answer in the unfavourable third of the scale, rounded to 5 percent.",
    )  # fmt: skip
    why_not: Texts | None
    workplace_measure: MeasureShown | None = Field(description="Where there is a share: what may help.")


class CompanyReport(Answer):
    """What an employer is told: of groups of ten or more, once a month, without filters."""

    company_id: str
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    outcomes: dict[str, OutcomeReport]
    factors: dict[str, FactorReport]
