"""What a request must look like; the record inside it is checked against the data contract, not here."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from data_contracts.records import RECORDS, Day, Record
from models.outcomes import OUTCOMES


def _iso_date(value: Any) -> date:
    # Stricter than Pydantic, which would take a number for seconds since 1970.
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value)
    raise ValueError("must be an ISO date such as 2026-03-01")


def _known_outcomes(names: list[str]) -> list[str]:
    if len(set(names)) < len(names) or not set(names) <= set(OUTCOMES):
        raise ValueError(f"must name each outcome once; known are: {', '.join(OUTCOMES)}")
    return names


def _row_schema(record: type[Record], is_person: bool = False) -> dict[str, Any]:
    """Return the schema of a row as it may be sent: what need not be there may also be null or an empty text."""
    schema = record.model_json_schema()
    # In a row the person may be left out; she is the one of the record.
    required = [name for name in schema["required"] if is_person or name != "person_id"]
    properties = {name: one if name in required else _or_empty(one) for name, one in schema["properties"].items()}
    return schema | {"required": required, "properties": properties}


def _or_empty(one: dict[str, Any]) -> dict[str, Any]:
    about = {name: one[name] for name in ("title", "description", "default", "unit") if name in one}
    rest = {name: value for name, value in one.items() if name not in about}
    choices = [choice for choice in rest.get("anyOf", [rest]) if choice != {"type": "null"}]
    texts = [{"const": ""}] if any(choice.get("type") == "string" for choice in choices) else []
    return about | {"anyOf": [*choices, *texts, {"type": "null"}]}


def _record_schema() -> dict[str, Any]:
    person, *rows = RECORDS
    # Null stands for a list that is left out: not known.
    tables = {record.table: {"type": ["array", "null"], "items": _row_schema(record)} for record in rows}
    properties = {"person": _row_schema(person, is_person=True), **tables}
    return {"type": "object", "properties": properties, "required": ["person"], "additionalProperties": False}


IndexDate = Annotated[Day, BeforeValidator(_iso_date)]


class Body(BaseModel):
    """What all bodies of requests have in common: an unknown field is an error, and no error quotes what was sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AskedFor(Body):
    """The outcomes asked for, and the morning for which they are asked."""

    index_date: IndexDate = Field(
        description="Morning of the prediction: what became known on this day or later is not used. "
        "To use what is known today, send tomorrow."
    )
    outcomes: Annotated[
        list[str],
        Field(min_length=1, json_schema_extra={"items": {"type": "string", "enum": list(OUTCOMES)}}),
        AfterValidator(_known_outcomes),
    ] = Field(description="Names of the outcomes.")


RecordJson = Annotated[dict[str, Any], WithJsonSchema(_record_schema())]
MOST_RECORDS = 1000


class RiskRequest(AskedFor):
    """One person's record, the outcomes asked for, and the morning for which they are asked."""

    record: RecordJson = Field(
        description="The rows of one person, columns as in the data dictionary: all versions of every fact. An empty list says "
        "that nothing happened; a list that is left out, or null, is unknown, and the answer warns of it."
    )


class BatchRequest(AskedFor):
    """Records of several persons, answered for the same morning and outcomes."""

    records: list[RecordJson] = Field(
        min_length=1, max_length=MOST_RECORDS, description="Each as ``record`` of /v1/risk."
    )
