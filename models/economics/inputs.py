"""What the user's own calculation rests on: every number with its unit, range, default and source.

Defaults are for 1000 workers in Norway at prices of 2024. They are a start, not facts about any workplace: what is an
assumption says so, and what is recalled must be checked before it is relied on.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator


class Estimate(BaseModel):
    """A number with the range in which it may lie; a plain number is taken as certain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float = Field(allow_inf_nan=False)
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError("low <= value <= high does not hold")
        return self


def _estimate(given: Any) -> Any:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return {"value": given, "low": given, "high": given} if is_number else given


def _input(
    value: float, low: float, high: float, unit: str, source: str, *, lowest: float = 0, highest: float = 1e9
) -> Any:
    return Field(
        default=Estimate(value=value, low=low, high=high),
        description=source,
        json_schema_extra={"unit": unit, "lowest": lowest, "highest": highest},
    )


Given = Annotated[Estimate, BeforeValidator(_estimate)]


class EconomicInputs(BaseModel):
    """All inputs of the user's own calculation; a YAML file names those that differ."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    persons: Given = _input(1000, 1000, 1000, "persons", "size of the programme", lowest=1)
    absence_percent: Given = _input(
        7.0, 5.0, 9.0, "% of working time", "concept report's base case (001:2620); Norway 7.1 % in 2024 (DOMAIN section 4)",
        highest=100,
    )  # fmt: skip
    full_time_wage: Given = _input(
        712_440,
        550_000,
        900_000,
        "NOK a year",
        "Statistics Norway, mean wage of 2024, 59 370 a month (recalled)",
        lowest=1,
    )
    on_costs: Given = _input(
        1.28, 1.20, 1.40, "times the wage", "holiday pay 12 % and employer's contribution 14.1 % (recalled)",
        lowest=1, highest=3,
    )  # fmt: skip
    sick_pay_ceiling: Given = _input(
        744_168, 744_168, 744_168, "NOK a year", "six times the basic amount of 1 May 2024, 124 028 (recalled)"
    )
    employer_days: Given = _input(
        16, 16, 16, "calendar days of a spell", "employer period; NAV pays from day 17 (DOMAIN section 4)", highest=365
    )
    position_percent: Given = _input(88, 75, 100, "% of full time", "assumption: mean position", highest=100)
    grade_percent: Given = _input(
        80, 60, 100, "% absent", "assumption: mean grade of long spells; over half of those past 90 days are graded "
        "(DOMAIN section 4)", highest=100,
    )  # fmt: skip
    output_value: Given = _input(
        1.0, 0.5, 1.5, "times what the work costs", "assumption: work lost is worth its cost; less where others catch up, "
        "more where a team waits", highest=10,
    )  # fmt: skip
    cost_per_contact: Given = _input(
        4_600, 2_300, 9_200, "NOK per person contacted", "concept report's 3 337 per worker (001:2602-2603), raised by 37 % "
        "consumer prices 2014 to 2024 (recalled)",
    )  # fmt: skip
    cost_per_person_scored: Given = _input(
        300, 0, 1000, "NOK per person", "assumption: time to answer, licence and running; not for contacting everybody"
    )
    relative_reduction_percent: Given = _input(
        5, 0, 10, "% of long spells, among those contacted", "concept report's base case and its second case "
        "(001:2620-2636); taken from data/effect/did.json where that is, or put your own", lowest=-100, highest=100,
    )  # fmt: skip
    effect_years: Given = _input(
        3, 1, 5, "years", "the trial saw its difference in three years (002:228-230); the concept report holds it for five "
        "(001:2620), and it lasts only while attention does (002:256-258)", highest=30,
    )  # fmt: skip
    discount_percent: Given = _input(4, 2, 6, "% a year", "concept report (001:2602-2603)", lowest=-5, highest=20)
    effect_follows_risk: Given = _input(
        1.0, 0.0, 1.0, "share", "assumption: 1 = the effect is proportional to the risk, 0 = the same for everybody. "
        "No trial has measured it, and all that targeting gains hangs on it", highest=1,
    )  # fmt: skip
    risk_persists: Given = _input(
        0.5, 0.2, 1.0, "share", "assumption: how much of the distance from the mean risk those chosen keep after the first "
        "year. 1 would deny regression to the mean; what drives risk correlates 0.6 to 0.7 from a year to the next, so about "
        "0.4 over two (DOMAIN section 7, recalled)", highest=1,
    )  # fmt: skip

    @field_validator("*")
    @classmethod
    def _sensible(cls, given: Estimate, info: ValidationInfo) -> Estimate:
        about = described()[str(info.field_name)]
        if given.low < about["lowest"] or given.high > about["highest"]:
            raise ValueError(f"all of it must be from {about['lowest']:g} to {about['highest']:g}")
        return given

    def with_value(self, name: str, value: float) -> EconomicInputs:
        """Return the inputs with one of them at another value."""
        return self.model_copy(update={name: Estimate(value=value, low=value, high=value)})


def described() -> dict[str, dict[str, Any]]:
    """Return unit, widest range and source of each input, by name."""
    found: dict[str, dict[str, Any]] = {}
    for name, field in EconomicInputs.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict), "declared by _input"
        found[name] = {**extra, "source": field.description}
    return found
