"""What /v1/what-if takes and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from data_contracts.instruments import INSTRUMENTS
from serving.notices import Notice
from serving.requests import Body, RiskRequest
from serving.responses import Answer, Band, ModelBody, PersonAnswer, Texts

MOST_CHANGES = 20
_LONGEST_NAME = 64


class Change(Body):
    """One answer put in place of the one that the person has given."""

    instrument: str = Field(max_length=_LONGEST_NAME, json_schema_extra={"enum": list(INSTRUMENTS)})
    item: str = Field(max_length=_LONGEST_NAME, description="Item of the instrument, answered by the person.")
    answer: Annotated[float, Strict()] = Field(
        allow_inf_nan=False, description="Answer code as the instrument declares it."
    )


def _distinct(changes: list[Change]) -> list[Change]:
    if len({(one.instrument, one.item) for one in changes}) < len(changes):
        raise ValueError("must name each item once")
    return changes


class WhatIfRequest(RiskRequest):
    """A record, and answers to be tried out in place of current ones."""

    changes: Annotated[list[Change], AfterValidator(_distinct)] = Field(min_length=1, max_length=MOST_CHANGES)


class Side(Answer):
    """The number of one outcome, before or after the changes; null, with a warning that says why, where there is none."""

    risk: float | None = Field(ge=0, le=1)
    interval: tuple[float, float] | None = Field(description="As in the answer of /v1/risk.")
    expected_days: float | None = Field(ge=0)
    expected_days_interval: tuple[float, float] | None
    band: Band | None
    warnings: tuple[Notice, ...]


class ChangedInput(Answer):
    """One input of the model that the changed answers move."""

    feature: str
    label: Texts
    unit: str
    now: float | None = Field(description="Null: not known.")
    then: float | None
    now_shown: Texts
    then_shown: Texts
    modifiable: bool = Field(
        description="False for what only follows from the answers, such as the change since last time."
    )


class OutcomeWhatIf(Answer):
    """One outcome before and after the changes."""

    label: Texts
    horizon_days: int
    target: Literal["event", "days"] = Field(description="Whether a risk or expected days are given.")
    now: Side
    then: Side
    difference: float | None = Field(
        description="Then minus now: percentage points of risk, or days where days are expected. Null without both numbers."
    )
    difference_interval: tuple[float, float] | None = Field(
        description="5 % and 95 % quantiles of the same difference over the refits, each refit giving both numbers; null "
        "without refits. It tells how sure the model is of its own answer, not how sure an effect is."
    )
    changed: tuple[ChangedInput, ...] = Field(description="Empty: this model does not use these answers.")
    model: ModelBody


class WhatIfResponse(PersonAnswer):
    """Answer of /v1/what-if. ``safety_flags`` are those of the record as it was sent."""

    notice: Notice
    outcomes: dict[str, OutcomeWhatIf]
