"""The records as one data contract in the Open Data Contract Standard (ODCS v3.1), for catalogues and for senders' tools.

https://bitol-io.github.io/open-data-contract-standard/v3.1.0/. Roles and team are a deployment's to add.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from data_contracts.fingerprints import fingerprint
from data_contracts.records import (
    RECORDS,
    AbsenceSpell,
    Column,
    DateOrder,
    LabResult,
    NumberOrder,
    Record,
    SurveyAnswer,
    columns,
)
from data_contracts.rules import RULES

VERSION = "1.0.0"
"""Raised by hand when the contract changes; each table also carries its own fingerprint."""

_LOGICAL_TYPES = {"text": "string", "code": "string", "date": "date", "integer": "integer", "number": "number",
                  "flag": "boolean"}  # fmt: skip
_PHYSICAL_TYPES = {"text": "string", "code": "string", "date": "date32", "integer": "double", "number": "double",
                   "flag": "double"}  # fmt: skip
_EVERYWHERE = {"known_from in the future": "timeliness", "national identity number": "conformity"}
_OF_RECORDS: dict[type[Record], dict[str, str]] = {
    SurveyAnswer: dict.fromkeys(("unknown instrument", "unknown item", "unknown answer code"), "conformity"),
    LabResult: {
        "unknown code": "conformity",
        "unit mismatch": "conformity",
        "outside hard limits": "accuracy",
        "systolic not above diastolic": "consistency",
    },
    AbsenceSpell: {"diagnosis system": "conformity"},
}


def open_data_contract() -> str:
    """Return the contract as YAML; it changes exactly when the records, their rules or their wording do."""
    import yaml

    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "balance-risk-input",
        "name": "Balance@Work: data for the risk of burnout and sick leave",
        "version": VERSION,
        "status": "active",
        "domain": "occupational health",
        "description": {
            "purpose": "Survey answers, laboratory results, absence and employment of persons in a preventive programme, "
            "as received from the app, laboratories, employers and NAV.",
            "usage": "Risk scoring, model training, aggregate reporting and the evaluation of effects, each only for the "
            "sources and purposes that the person has consented to.",
            "limitations": "Persons are known by keyed pseudonyms only. A national identity number in any field is refused. "
            "Every row states from which day it could be read (known_from).",
        },
        "schema": [_schema(record) for record in RECORDS],
        "slaProperties": _retention(),
    }
    heading = "# Generated from data_contracts/; do not edit.\n"
    return heading + str(yaml.safe_dump(contract, sort_keys=False, allow_unicode=True, width=120))


def _schema(record: type[Record]) -> dict[str, Any]:
    key = ", ".join(record.natural_key)
    custom = {"contractFingerprint": fingerprint(record), "consentSource": record.consent_source}
    return {
        "name": record.table,
        "physicalName": record.table,
        "physicalType": "table",
        "logicalType": "object",
        "description": record.__doc__,
        "dataGranularityDescription": f"One row per version of a fact; rows with the same {key} are versions of one fact.",
        "customProperties": _custom_properties(custom),
        "properties": [_property(record, column) for column in columns(record)],
        "quality": _table_rules(record),
    }


def _property(record: type[Record], column: Column) -> dict[str, Any]:
    key = _primary_key(record)
    found: dict[str, Any] = {
        "name": column.name,
        "logicalType": _LOGICAL_TYPES[column.kind],
        "physicalType": _PHYSICAL_TYPES[column.kind],
        "description": column.meaning,
        "required": column.required,
        "unique": False,
    }
    if column.name in key:
        found |= {"primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1}
    if options := _options(column):
        found["logicalTypeOptions"] = options
    if column.name == "person_id" and record.table != "persons":
        found["relationships"] = [{"type": "foreignKey", "to": "persons.person_id"}]
    if column.codes:
        found["quality"] = [_allowed(column)]
    if column.unit:
        found["customProperties"] = _custom_properties({"unit": column.unit})
    return found


def _primary_key(record: type[Record]) -> tuple[str, ...]:
    """Return the columns of the primary key; none where one of them may be empty, which no primary key allows."""
    key = (*record.natural_key, "known_from")
    required = {column.name for column in columns(record) if column.required}
    return key if required.issuperset(key) else ()


def _options(column: Column) -> dict[str, Any]:
    options = {
        "pattern": column.pattern,
        "exclusiveMinimum" if column.minimum_is_open else "minimum": _limit(column.minimum),
        "maximum": _limit(column.maximum),
        "format": {"date": "yyyy-MM-dd"}.get(column.kind),
    }
    return {name: value for name, value in options.items() if value is not None}


def _limit(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _allowed(column: Column) -> dict[str, Any]:
    return _quality("codes", "conformity", RULES["codes"].meaning) | {
        "type": "library",
        "metric": "invalidValues",
        "arguments": {"validValues": list(column.codes)},
        "mustBe": 0,
    }


def _table_rules(record: type[Record]) -> list[dict[str, Any]]:
    unique = _quality("conflicting versions", "uniqueness", RULES["conflicting versions"].meaning) | {
        "type": "library",
        "metric": "duplicateValues",
        "arguments": {"properties": [*record.natural_key, "known_from"]},
        "mustBe": 0,
    }
    rules = _EVERYWHERE | _OF_RECORDS.get(record, {})
    if record.table != "persons" and "person_id" in record.model_fields:
        rules["person not in persons"] = "consistency"
    orders = [_quality(rule.rule, "consistency", order_sentence(rule)) for rule in record.rules]
    return [unique, *orders, *(_quality(rule, dimension, RULES[rule].meaning) for rule, dimension in rules.items())]


def order_sentence(rule: DateOrder | NumberOrder, quote: str = "") -> str:
    """Say in words what an order between two columns demands; ``quote`` stands on both sides of a column's name."""
    if isinstance(rule, NumberOrder):
        return f"{quote}{rule.smaller}{quote} must not be above {quote}{rule.larger}{quote}."
    slack = f" by more than {rule.slack_days} days" if rule.slack_days else ""
    return f"{quote}{rule.earlier}{quote} must not be after {quote}{rule.later}{quote}{slack}."


def _quality(rule: str, dimension: str, meaning: str) -> dict[str, Any]:
    return {
        "name": rule,
        "type": "text",
        "description": f"{meaning} Such a row is quarantined. {RULES[rule].advice}",
        "dimension": dimension,
        "severity": "error",
    }


def _retention() -> list[dict[str, Any]]:
    return [
        {
            "property": "retention",
            "value": record.retention_days,
            "unit": "d",
            "element": record.table,
            "driver": "regulatory",
            "description": "Counted from the last date of a fact; a proposal, to be settled with the controller.",
        }
        for record in RECORDS
    ]


def _custom_properties(values: dict[str, str | None]) -> list[dict[str, str]]:
    return [{"property": name, "value": value} for name, value in values.items() if value]
