"""What is asked of the store and what it answers. No model of what employers get has a field of a person."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field

from data_contracts.domains import DOMAIN_LABELS, Domain
from data_contracts.national_identity_number import contains, contains_spread
from data_contracts.records import Source
from models.outcomes import OUTCOMES
from serving.requests import Body
from serving.responses import Answer, RiskResponse
from serving.store.decisions import NextStep, Verdict
from serving.store.marks import Mark
from serving.store.worklist import Order

LONGEST_REASON = 1_000
PERSON_ID = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
SCORE_ID = r"^[0-9a-f]{32}$"
DEFAULT_CAPACITY, MOST_CAPACITY = 20, 200

_SEEN_BLANKS = frozenset(" \n\t")
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""Categories of signs that nobody sees, or that turn the order of others: a number could hide behind them."""


def _plain(text: str) -> str:
    """Free text is kept, so nothing may stand in it that names somebody to the whole country."""
    if contains(text) or contains_spread(text):
        raise ValueError("must not hold a national identity number")
    if any(unicodedata.category(sign) in _UNSEEN for sign in set(text) - _SEEN_BLANKS):
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
    "order": {"type": "string", "enum": [*get_args(Order)], "default": "benefit",
              "description": "By what can be worked with, or by the number; safety flags first in either."},
    "company": {"type": "string", "pattern": PERSON_ID, "description": "Only this one of the caller's companies."},
    "domain": {"type": "string", "enum": [*DOMAIN_LABELS],
               "description": "Only persons with this leading domain, and whoever has a safety flag."},
}  # fmt: skip


class DecisionRequest(Body):
    """What a clinician says about one stored score."""

    score_id: str = Field(pattern=SCORE_ID, description="Of the stored answer that the decision is about.")
    outcome: OutcomeName
    verdict: Verdict
    reason: FreeText = Field(description="Why, in words; no names or numbers of persons.")
    next_step: NextStep = Field(default="none", description="What is agreed or planned.")


class DecisionRecorded(Answer):
    """The decision is kept with the exact score."""

    decision_id: int
    score_id: str
    outcome: str
    verdict: Verdict
    next_step: NextStep
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
    """The newest decision about the person and the outcome, or of a follow-up that began with another outcome."""

    outcome: str
    verdict: Verdict
    next_step: NextStep
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
    benefit: float | None = Field(
        description="The number, less what it would be without what raises it and can be worked with, as the model counts; "
        "no promise. Not a sum of percentage points of the contributions, which share out the way from base to number."
    )
    domain: Domain | None = Field(description="Where most of that part lies.")
    mark: Mark | None = Field(
        description="Since the newest night 5 to 35 days before, of the same model: new at 1.5 times the reference "
        "group's mean or more, or rising."
    )
    has_safety_flag: bool = Field(description="An answer that a human must look at today, whatever the risk.")
    last_decision: DecisionShown | None
    has_care_relation: bool = Field(description="Whether the person is in the caller's care now.")


class WorklistResponse(Answer):
    """Persons of the caller's organisations: those with a safety flag first, then in the order that was asked for."""

    night: date
    outcome: str
    capacity: int
    order: Order
    persons: tuple[WorklistPerson, ...]
    set_aside: tuple[WorklistPerson, ...] = Field(
        description="Assessed for this outcome, or offered follow-up, in the last 28 days; a safety flag only where the next "
        "step is a conversation or the general practitioner. They take no place from the others."
    )
    safety_flags_left_out: int = Field(
        ge=0, description="Persons with a safety flag for whom the capacity was too small."
    )
    above_capacity: int = Field(ge=0, description="How many more have a number; nobody needs to get to them.")


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
