"""What an employer is told. No model here has a field of a person."""

from __future__ import annotations

from pydantic import Field

from data_contracts.programme_offers import Level
from serving.responses import Answer, Texts
from serving.workplace_measures import Kind


class MeasureShown(Answer):
    """What the workplace can do about a factor, and who acts."""

    is_suggested: bool = Field(
        description="Whether group and share are large enough to suggest it; if not, it is something to talk about."
    )
    level: Level
    label: Texts
    text: Texts


class CategoryShare(Answer):
    """One category of a measure, and the share of the group that is in it."""

    name: str
    label: Texts
    percent: int = Field(
        ge=0, le=100, multiple_of=5,
        description="Rounded to 5 percent; the categories of a measure need not add up to 100.",
    )  # fmt: skip


Categories = tuple[CategoryShare, ...]
Shares = Categories | None


class EarlierMonth(Answer):
    """What was told in a month before."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    categories: Shares


class MeasureReport(Answer):
    """One measure of a group: rounded shares of two or three categories, the most favourable first, or why there are none."""

    kind: Kind
    label: Texts
    group_size: str | None = Field(description="Of how many it is told, as a range.")
    categories: Shares
    industry: Shares = Field(description="The same of all companies of the industry, told once a quarter.")
    why_not: Texts | None
    earlier: tuple[EarlierMonth, ...] = Field(description="The months before, oldest first, at most 24; of units none.")
    workplace_measure: MeasureShown | None = Field(description="Of a workplace factor with shares: what may help.")


class IndustryShown(Answer):
    """The section of SN2007 that a company is counted in."""

    code: str = Field(pattern="^[A-U]$")
    label: Texts


class CompanyReport(Answer):
    """What an employer is told: of groups of ten or more, once a month, without filters."""

    company_id: str
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    industry: IndustryShown | None
    measures: dict[str, MeasureReport]
    units: dict[str, dict[str, MeasureReport]] = Field(
        description="Of the units that can be told of, by measure, in two categories each."
    )
