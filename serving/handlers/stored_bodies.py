"""What is asked of the store and what it answers. No model of what employers get has a field of a person."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from data_contracts.national_identity_number import contains
from data_contracts.records import Source
from models.outcomes import OUTCOMES
from serving.requests import Body
from serving.responses import Answer, RiskResponse, Texts
from serving.store.decisions import Verdict

LONGEST_REASON = 1_000
PERSON_ID = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
SCORE_ID = r"^[0-9a-f]{32}$"
DEFAULT_CAPACITY, MOST_CAPACITY = 20, 200

_UNPRINTABLE = re.compile(r"[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f]")


def _plain(text: str) -> str:
    """Free text is kept, so nothing may stand in it that names somebody to the whole country."""
    if contains(text):
        raise ValueError("must not hold a national identity number")
    if _UNPRINTABLE.search(text):
        raise ValueError("must be plain text; of the signs that nobody sees only blanks, tabs and line breaks")
    if not text.strip():
        raise ValueError("must say something")
    return text


FreeText = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), AfterValidator(_plain)]


def _known_outcome(name: str) -> str:
    if name not in OUTCOMES:
        raise ValueError(f"must be one of: {', '.join(OUTCOMES)}")
    return name


OutcomeName = Annotated[str, AfterValidator(_known_outcome), Field(json_schema_extra={"enum": list(OUTCOMES)})]

WORKLIST_QUERY: dict[str, dict[str, Any]] = {
    "outcome": {"type": "string", "enum": list(OUTCOMES), "default": next(iter(OUTCOMES))},
    "capacity": {"type": "integer", "minimum": 1, "maximum": MOST_CAPACITY, "default": DEFAULT_CAPACITY},
    "night": {"type": "string", "format": "date", "description": "A night that was scored; default: the newest."},
}


class DecisionRequest(Body):
    """What a clinician says about one stored score."""

    score_id: str = Field(pattern=SCORE_ID, description="Of the stored answer that the decision is about.")
    outcome: OutcomeName
    verdict: Verdict
    reason: FreeText = Field(description="Why, in words; no names or numbers of persons.")


class DecisionRecorded(Answer):
    """The decision is kept with the exact score."""

    decision_id: int
    score_id: str
    outcome: str
    verdict: Verdict
    decided_at: datetime


class CareRelationRequest(Body):
    """Why the person is in the caller's care."""

    reason: FreeText


class CareRelation(Answer):
    """The caller may see the person until a day, that day included."""

    person_id: str
    until: date


class WithdrawalRequest(Body):
    """Which source may not be used any more; null or left out: none may."""

    source: Source | None = None


class Withdrawal(Answer):
    """From this day on the sources are not used, and no stored score that rests on them is shown."""

    person_id: str
    sources: tuple[Source, ...]
    withdrawn_on: date


class StoredRisk(Answer):
    """The answer of the newest night, exactly as /v1/risk gave it."""

    night: date = Field(description="Morning of the prediction.")
    score_id: str
    answer: RiskResponse


class DecisionShown(Answer):
    """The newest decision about the person and the outcome."""

    verdict: Verdict
    decided_at: datetime


class WorklistPerson(Answer):
    """One person to talk with; why, is in the stored answer, for who has the person in their care."""

    person_id: str
    score_id: str
    risk: float | None = Field(ge=0, le=1)
    interval: tuple[float, float] | None
    expected_days: float | None = Field(ge=0)
    expected_days_interval: tuple[float, float] | None
    band: str | None
    has_safety_flag: bool = Field(description="An answer that a human must look at today, whatever the risk.")
    last_decision: DecisionShown | None
    has_care_relation: bool = Field(description="Whether the person is in the caller's care now.")


class WorklistResponse(Answer):
    """Persons of the caller's organisations: those with a safety flag first, then by falling risk."""

    night: date
    outcome: str
    capacity: int
    persons: tuple[WorklistPerson, ...]
    safety_flags_left_out: int = Field(
        ge=0, description="Persons with a safety flag for whom the capacity was too small."
    )


class OutcomeReport(Answer):
    """One outcome of a company: a rounded share, or why there is none."""

    label: Texts
    group_size: str | None = Field(description="Of how many the share is told, as a range.")
    share_above_percent: int | None = Field(
        ge=0, le=100, multiple_of=5, description="Share whose risk is above the reference group, rounded to 5 percent."
    )
    why_not: Texts | None


class CompanyReport(Answer):
    """What an employer is told: of groups of ten or more, once a month, without filters."""

    company_id: str
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    outcomes: dict[str, OutcomeReport]


class AccessEvent(Answer):
    """One time that somebody looked, or was not allowed to."""

    n: int
    when: str
    who: str
    role: str
    organisations: tuple[str, ...]
    purpose: str
    action: str
    decision: Literal["allowed", "denied"]


class AccessLog(Answer):
    """A person's own log, oldest first."""

    person_id: str
    accesses: tuple[AccessEvent, ...]
    is_complete: bool = Field(description="False: there are more, and the oldest are left out.")
