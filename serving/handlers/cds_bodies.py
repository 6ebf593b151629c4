"""What the CDS Hooks service takes and answers (CDS Hooks 2.0, hook patient-view)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr
from pydantic.alias_generators import to_camel

from serving.fhir.reading import FhirRecord

SERVICE_ID = "balance-risk"
LONGEST_SUMMARY = 140
MOST_ENTRIES = 5000
_LONGEST_ID = 256

PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "consents": "Consent?patient={{context.patientId}}&_count=1000",
    "answers": "QuestionnaireResponse?subject=Patient/{{context.patientId}}&_count=1000",
    "results": "Observation?subject=Patient/{{context.patientId}}&_count=1000",
    "absences": "Encounter?subject=Patient/{{context.patientId}}&type=urn:balance-risk:absence-kind|&_count=1000",
    "diagnoses": "Condition?subject=Patient/{{context.patientId}}&_count=1000",
}
"""What the client is to send along. Keys are ours; of a key that is missing or null nothing is known."""

_COMPLETES = {"answers": "survey_answers", "results": "lab_results", "absences": "absence_spells"}
"""The table of which a search found everything."""

DISCOVERY: dict[str, Any] = {
    "services": [
        {
            "hook": "patient-view",
            "id": SERVICE_ID,
            "title": "Balance@Work: risk of sick leave and burnout",
            "description": "At most one card, and none unless a calibrated risk is above the reference group or an answer must "
            "be seen by a clinician today. SYNTHETIC models are not clinically validated.",
            "prefetch": PREFETCH,
        }
    ]
}
DISCOVERY_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {"services": {"type": "array", "items": {"type": "object"}}},
    "required": ["services"],
}
_TEXT = {"type": "string"}
CARDS_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "cards": {
            "type": "array",
            "maxItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "summary": {"type": "string", "maxLength": LONGEST_SUMMARY - 1},
                    "detail": _TEXT,
                    "indicator": {"type": "string", "enum": ["info", "warning"]},
                    "source": {"type": "object", "properties": {"label": _TEXT}, "required": ["label"]},
                    "overrideReasons": {"type": "array", "items": {"type": "object"}},
                    "links": {"type": "array", "items": {"type": "object"}},
                },
                "required": ["summary", "indicator", "source"],
            },
        }
    },
    "required": ["cards"],
}


class _Cds(BaseModel):
    # Other members, of extensions and later versions, are allowed by the standard and not read; fhirServer and
    # fhirAuthorization are among them: this service calls nobody.
    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, alias_generator=to_camel, populate_by_name=True
    )


class CdsContext(_Cds):
    """Who is looking at whom."""

    user_id: str = Field(max_length=_LONGEST_ID)
    patient_id: str = Field(max_length=_LONGEST_ID)


def _few(prefetch: dict[str, Any]) -> dict[str, Any]:
    if sum(1 for _ in _resources(prefetch)) > MOST_ENTRIES:
        raise ValueError(f"must hold at most {MOST_ENTRIES} resources")
    return prefetch


class CdsRequest(_Cds):
    """The call of a CDS client. ``fhirServer`` and ``fhirAuthorization`` are ignored: nothing is fetched."""

    hook: Literal["patient-view"]
    hook_instance: str = Field(max_length=_LONGEST_ID)
    context: CdsContext
    prefetch: Annotated[dict[str, dict[str, Any] | None], AfterValidator(_few)] = Field(
        default_factory=dict, max_length=len(PREFETCH)
    )
    _read: FhirRecord | None = PrivateAttr(default=None)

    def read(self, received_on: date) -> FhirRecord:
        """Return what the prefetched resources say about the patient."""
        if self._read is None:
            found = list(_resources(self.prefetch))
            document = {"resourceType": "Bundle", "type": "collection", "entry": [entry for _, entry in found]}
            places = [("prefetch", *place) for place, _ in found]
            self._read = FhirRecord(document, places, received_on, self._complete())
        return self._read

    def _complete(self) -> frozenset[str]:
        """Return the tables of which everything was found: what is not in them has not happened."""
        bundles = {table: self.prefetch.get(key) for key, table in _COMPLETES.items()}
        return frozenset(table for table, bundle in bundles.items() if bundle is not None and _is_last_page(bundle))

    def is_about_patient(self) -> bool:
        """True if the Patient that was sent along is the one in the context."""
        patient = self.prefetch.get("patient") or {}
        return patient.get("id") == self.context.patient_id.removeprefix("Patient/")


def _resources(prefetch: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield place and entry of every resource: those of a Bundle, or the one that stands by itself."""
    for key, document in prefetch.items():
        if not isinstance(document, dict):
            continue
        entries = document.get("entry", [])
        if document.get("resourceType") != "Bundle":
            yield (key,), {"resource": document}
        elif isinstance(entries, list):
            yield from (((key, "entry", place, "resource"), entry) for place, entry in enumerate(entries))


def _is_last_page(bundle: dict[str, Any]) -> bool:
    links = bundle.get("link", [])
    is_paged = isinstance(links, list) and any(isinstance(one, dict) and one.get("relation") == "next" for one in links)
    return bundle.get("resourceType") == "Bundle" and not is_paged
