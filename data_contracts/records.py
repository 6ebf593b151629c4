"""The eight tables that may come in: one class = one table, one attribute = one column.

This is the one declaration. The Great Expectations suites, the Arrow schemas, the row checks, the JSON body of the API and
the data dictionary are all derived from these classes through :func:`columns`; nothing about a column is written twice.

Every row has two dates: the date of the event, and ``known_from``, the day the row could be read by us. Rows that share the
natural key are versions of one fact; the visible version with the latest ``known_from`` counts, and ``is_deleted`` removes
the fact from that day on (a deletion repeats the row with ``is_deleted`` true).
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

from data_contracts.diagnoses import ICD10_CODE, ICPC2_CHAPTERS

Source = Literal["survey", "lab", "absence", "employment"]
Purpose = Literal["risk_scoring", "model_training", "aggregate_reporting", "effect_evaluation"]

CERTIFICATE_ADVANCE_DAYS = 14
"""A sickness certificate may be issued, and so known, up to this many days before its first day."""


@dataclass(frozen=True)
class DateOrder:
    """Rule between two date columns: ``earlier`` is at most ``slack_days`` after ``later``. Empty dates pass."""

    rule: str
    earlier: str
    later: str
    slack_days: int = 0


@dataclass(frozen=True)
class NumberOrder:
    """Rule between two number columns: ``smaller`` is not above ``larger``. Empty numbers pass."""

    rule: str
    smaller: str
    larger: str


def _event_known(column: str, slack_days: int = 0) -> DateOrder:
    return DateOrder("event after known_from", earlier=column, later="known_from", slack_days=slack_days)


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2100, 12, 31))]


class Record(BaseModel):
    """What every row of every table has."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)

    table: ClassVar[str]
    natural_key: ClassVar[tuple[str, ...]]
    consent_source: ClassVar[Source | None] = None
    rules: ClassVar[tuple[DateOrder | NumberOrder, ...]] = ()
    retention_days: ClassVar[int] = 1826
    """A proposal, five years, to be settled with the controller. It runs from the last date that a table declares."""

    known_from: Day = Field(description="Day from which the row could be read by us; visible at t iff known_from < t.")
    is_deleted: bool = Field(default=False, description="True: the fact is withdrawn from known_from on.")


class Person(Record):
    """A person, under a pseudonym."""

    table = "persons"
    natural_key = ("person_id",)

    person_id: Identifier = Field(description="Keyed pseudonym of the person; never a national identity number.")
    birth_year: int = Field(ge=1900, le=2020, description="Year of birth.", json_schema_extra={"unit": "a"})
    sex: Literal["female", "male"] = Field(description="Sex as in the population register.")
    education_level: Literal["basic", "secondary", "tertiary_short", "tertiary_long"] | None = Field(
        default=None, description="Highest completed education; tertiary_short is up to four years."
    )


class Employment(Record):
    """A period of employment in one unit of one company."""

    table = "employments"
    natural_key = ("person_id", "company_id", "start_date")
    consent_source = "employment"
    rules = (DateOrder("end_date before start_date", "start_date", "end_date"),)

    person_id: Identifier = Field(description="Keyed pseudonym of the person.")
    company_id: Identifier = Field(description="Pseudonym of the company.")
    unit_id: Identifier | None = Field(default=None, description="Pseudonym of the unit within the company.")
    occupation_code: str | None = Field(
        default=None, pattern=r"^\d{4}$", description="Occupation, STYRK-08, four digits."
    )
    industry_code: str | None = Field(
        default=None,
        pattern=r"^\d{2}(\.\d{1,3})?$",
        description="Industry, SN2007 division or class, e.g. 86 or 86.101.",
    )
    position_percent: float = Field(gt=0, le=100, description="Position share.", json_schema_extra={"unit": "%"})
    shift_work: bool | None = Field(default=None, description="Works shifts, evenings or nights on a regular basis.")
    is_leader: bool | None = Field(default=None, description="Has responsibility for personnel.")
    start_date: Day = Field(description="First day of the employment.")
    end_date: Day | None = Field(default=None, description="Last day of the employment; empty while it lasts.")


class Consent(Record):
    """Consent to use one source for one purpose."""

    table = "consents"
    natural_key = ("person_id", "source", "purpose", "given_on")
    rules = (
        _event_known("given_on"),
        _event_known("withdrawn_on"),
        DateOrder("withdrawn_on before given_on", "given_on", "withdrawn_on"),
    )

    person_id: Identifier = Field(description="Keyed pseudonym of the person.")
    source: Source = Field(description="Which data the consent covers.")
    purpose: Purpose = Field(description="What the data may be used for.")
    given_on: Day = Field(description="Day from which the consent is in force.")
    withdrawn_on: Day | None = Field(default=None, description="Day from which it is no longer in force.")


class SurveyAnswer(Record):
    """One answer to one item of one questionnaire."""

    table = "survey_answers"
    natural_key = ("person_id", "instrument", "item", "answered_on")
    consent_source = "survey"
    rules = (_event_known("answered_on"),)

    person_id: Identifier = Field(description="Keyed pseudonym of the person.")
    instrument: str = Field(description="Name of the instrument, see data_contracts/instruments.")
    item: str = Field(description="Item of the instrument.")
    answer: float = Field(description="Answer code as the instrument declares it (before any reversal).")
    answered_on: Day = Field(description="Day of the answer.")


class LabResult(Record):
    """One laboratory or bedside measurement."""

    table = "lab_results"
    natural_key = ("person_id", "code_system", "code", "sampled_on")
    consent_source = "lab"
    rules = (
        _event_known("sampled_on"),
        NumberOrder("reference_low above reference_high", "reference_low", "reference_high"),
    )

    person_id: Identifier = Field(description="Keyed pseudonym of the person.")
    code_system: Literal["NPU", "LOINC"] = Field(description="System of the code; Norwegian NOR codes count as NPU.")
    code: str = Field(description="Code of the analyte, see data_contracts/analytes.csv.")
    comparator: Literal["<", "<=", ">=", ">"] | None = Field(
        default=None, description="Set where the laboratory reports a bound instead of a value (<1, >90)."
    )
    value: float = Field(description="Measured value in the given unit.")
    unit: str = Field(description="UCUM unit of value and reference limits; part of the identity of an NPU code.")
    reference_low: float | None = Field(default=None, description="Lower limit of the laboratory's reference interval.")
    reference_high: float | None = Field(
        default=None, description="Upper limit of the laboratory's reference interval."
    )
    laboratory: Identifier | None = Field(default=None, description="Laboratory that measured.")
    sampled_on: Day = Field(description="Day of the sample.")


class AbsenceSpell(Record):
    """One certified or self-certified period of sickness absence."""

    table = "absence_spells"
    natural_key = ("person_id", "spell_id")
    consent_source = "absence"
    rules = (
        _event_known("first_day", CERTIFICATE_ADVANCE_DAYS),
        DateOrder("last_day before first_day", "first_day", "last_day"),
    )

    person_id: Identifier = Field(description="Keyed pseudonym of the person.")
    spell_id: Identifier = Field(description="Identifies the spell across corrections.")
    kind: Literal["self_certified", "doctor_certified"] = Field(description="Who certified the absence.")
    grade_percent: int = Field(ge=1, le=100, description="Degree of absence.", json_schema_extra={"unit": "%"})
    diagnosis: str | None = Field(
        default=None,
        pattern=rf"^([{''.join(ICPC2_CHAPTERS)}]([0-9]{{2}})?|{ICD10_CODE})$",
        description="Diagnosis code, or the chapter letter of ICPC-2.",
    )
    diagnosis_system: Literal["ICPC-2", "ICD-10"] | None = Field(
        default=None, description="System of the diagnosis code; empty: ICPC-2."
    )
    first_day: Day = Field(description="First day of absence, included.")
    last_day: Day | None = Field(default=None, description="Last day of absence, included; empty while running.")


class WorkplaceEvent(Record):
    """Something that happened to a whole company or unit."""

    table = "workplace_events"
    natural_key = ("company_id", "unit_id", "kind", "occurred_on")
    consent_source = "employment"
    rules = (_event_known("occurred_on"),)

    company_id: Identifier = Field(description="Pseudonym of the company.")
    unit_id: Identifier | None = Field(default=None, description="Pseudonym of the unit; empty: the whole company.")
    kind: Literal["leader_change", "reorganisation", "downsizing", "intervention_session"] = Field(
        description="What happened."
    )
    value: float | None = Field(
        default=None, description="Size of the event where it has one (e.g. share made redundant)."
    )
    occurred_on: Day = Field(description="Day of the event.")


class GuidanceSession(Record):
    """One session of personal guidance within the programme."""

    table = "guidance_sessions"
    natural_key = ("person_id", "domain", "held_on")
    consent_source = "survey"
    rules = (_event_known("held_on"),)

    person_id: Identifier = Field(description="Keyed pseudonym of the person.")
    domain: Literal["sleep", "stress", "physical_activity", "diet", "pain", "mental_health", "work"] = Field(
        description="Main subject of the session."
    )
    held_on: Day = Field(description="Day of the session.")


RECORDS: tuple[type[Record], ...] = (
    Person, Employment, Consent, SurveyAnswer, LabResult, AbsenceSpell, WorkplaceEvent, GuidanceSession,
)  # fmt: skip
"""All record classes, in the order in which tables are read, checked and shown."""

TABLES: dict[str, type[Record]] = {record.table: record for record in RECORDS}

Kind = Literal["text", "code", "date", "integer", "number", "flag"]


@dataclass(frozen=True)
class Column:
    """One column as every derived artefact needs it."""

    name: str
    kind: Kind
    required: bool
    meaning: str
    unit: str | None = None
    minimum: Any = None
    maximum: Any = None
    minimum_is_open: bool = False
    codes: tuple[str, ...] = ()
    pattern: str | None = None


@cache
def columns(record: type[Record]) -> tuple[Column, ...]:
    """Return the columns of a table, its own first, ``known_from`` and ``is_deleted`` last."""
    shared = tuple(Record.model_fields)
    names = [name for name in record.model_fields if name not in shared] + list(shared)
    return tuple(_column(name, record.model_fields[name]) for name in names)


_KINDS: dict[type, Kind] = {str: "text", date: "date", int: "integer", float: "number", bool: "flag"}


def _column(name: str, field: Any) -> Column:
    annotation, metadata = _unwrap(field.annotation, list(field.metadata))
    is_code = get_origin(annotation) is Literal
    constraints = {key: getattr(item, key) for item in metadata for key in ("ge", "gt", "le", "pattern")
                   if getattr(item, key, None) is not None}  # fmt: skip
    return Column(
        name=name,
        kind="code" if is_code else _KINDS[annotation],
        required=field.is_required(),
        meaning=field.description or "",
        unit=(field.json_schema_extra or {}).get("unit"),
        minimum=constraints.get("ge", constraints.get("gt")),
        maximum=constraints.get("le"),
        minimum_is_open="gt" in constraints,
        codes=get_args(annotation) if is_code else (),
        pattern=constraints.get("pattern"),
    )


def _unwrap(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """Strip ``| None`` and ``Annotated`` from an annotation, collecting the constraints on the way."""
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = [arg for arg in get_args(annotation) if arg is not type(None)]
    if get_origin(annotation) is Annotated:
        annotation, *extra = get_args(annotation)
        for item in extra:
            metadata += getattr(item, "metadata", None) or [item]
    return annotation, metadata
