"""What /v1/fhir/risk takes and answers: FHIR as it comes; the reader of FHIR checks what is in it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, PrivateAttr, RootModel, WithJsonSchema

from models.outcomes import OUTCOMES
from serving.fhir.reading import FhirRecord, record_of

MOST_ENTRIES = 5000
MAY_BE_COMPLETE = (
    "survey_answers", "lab_results", "absence_spells", "employments", "workplace_events", "guidance_sessions",
)  # fmt: skip
"""Tables of which a sender can say that nothing is missing."""

_BUNDLE = {
    "type": "object",
    "description": "A FHIR R4 Bundle about one Patient; docs/fhir.md says which resources are read, and how.",
    "properties": {
        "resourceType": {"type": "string", "const": "Bundle"},
        "type": {"type": "string"},
        "entry": {
            "type": "array",
            "maxItems": MOST_ENTRIES,
            "items": {"type": "object", "properties": {"resource": {"type": "object"}}},
        },
    },
    "required": ["resourceType", "entry"],
}
ANSWER: dict[str, Any] = {
    "type": "object",
    "description": "A FHIR R4 RiskAssessment, or a Bundle of type collection with one for each outcome asked for.",
    "properties": {"resourceType": {"type": "string", "enum": ["RiskAssessment", "Bundle"]}},
    "required": ["resourceType"],
}
QUERY: dict[str, dict[str, Any]] = {
    "index_date": {
        "type": "string",
        "format": "date",
        "description": "Morning of the prediction; today if left out. What became known on this day or later is not used.",
    },
    "outcome": {
        "type": "array",
        "items": {"type": "string", "enum": list(OUTCOMES)},
        "uniqueItems": True,
        "description": "Outcomes, by repeating the parameter; all in service if left out.",
    },
    "complete": {
        "type": "array",
        "items": {"type": "string", "enum": list(MAY_BE_COMPLETE)},
        "uniqueItems": True,
        "description": "Tables of which the Bundle holds everything: without rows, nothing has happened. Of a table neither in "
        "the Bundle nor named here nothing is known.",
    },
}


def _bundle(document: dict[str, Any]) -> dict[str, Any]:
    entries = document.get("entry")
    if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
        raise ValueError(f"must have a list named entry, of at most {MOST_ENTRIES} resources")
    return document


class FhirBundle(RootModel[Annotated[dict[str, Any], AfterValidator(_bundle), WithJsonSchema(_BUNDLE)]]):
    """A FHIR R4 Bundle, read once however often it is asked for."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    _read: FhirRecord | None = PrivateAttr(default=None)

    def read(self, received_on: date, complete: frozenset[str]) -> FhirRecord:
        """Return what the Bundle says about its person."""
        if self._read is None:
            self._read = record_of(self.root, received_on, complete)
        return self._read
