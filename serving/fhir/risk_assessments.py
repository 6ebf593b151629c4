"""An answer about one person as FHIR R4: a RiskAssessment per outcome, or a collection of them.

Texts are in Norwegian bokmål, the language of the resource. What FHIR has no element for (the interval, the reference group,
expected days, the code of a warning) is in extensions of ours, listed in docs/fhir.md. Empty elements are left out, as FHIR
demands. Nothing here imports the models of ``fhir.resources``: tests hold the result against them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from data_contracts.fhir_codes import PERSON_SYSTEM, UCUM
from models.explanation import Reason
from serving.notices import Notice, SafetyNotice
from serving.responses import OutcomeRisk, RiskResponse

Json = dict[str, Any]

OURS = "urn:balance-risk:"
OUTCOME_SYSTEM, BAND_SYSTEM, MODEL_SYSTEM = f"{OURS}outcome", f"{OURS}band", f"{OURS}model"
ARTIFACT_SYSTEM = f"{OURS}artifact-sha256"
INTERVAL, REFERENCE, EXPECTED_DAYS = f"{OURS}fhir:interval", f"{OURS}fhir:reference", f"{OURS}fhir:expected-days"
NOTICE_CODE = f"{OURS}fhir:notice-code"
_TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
"""HL7's mark of what must not be used in care."""

_DECIMALS = 6
SYNTHETIC = Notice(
    "synthetic_model",
    {
        "nb": "SYNTHETIC: modellen er trent på simulerte personer og ikke klinisk validert.",
        "en": "SYNTHETIC: the model is trained on simulated persons and not clinically validated.",
    },
)
ABOUT = Notice(
    "association_only",
    {
        "nb": "Tallet beskriver hva modellen forbinder med risiko hos lignende personer. Det stiller ingen diagnose og sier "
        "ingenting om hva som ligger bak; det er et utgangspunkt for en samtale, og legen vurderer.",
        "en": "The number describes what the model associates with risk in similar persons. It makes no diagnosis and says "
        "nothing of what lies behind; it is a starting point for a conversation, and the doctor judges.",
    },
)
MITIGATION = (
    "Kan være et utgangspunkt for en samtale: {}. "
    "Det er ikke noe løfte om at risikoen endrer seg om noe av dette gjør det."
)


def answer_resource(response: RiskResponse, person_id: str, basis: Sequence[str], request_id: str) -> Json:
    """Return the RiskAssessment of the one outcome, or a Bundle of type collection with one for each."""
    made = {
        name: _assessment(name, one, response.index_date, response.safety_flags, person_id, basis)
        for name, one in response.outcomes.items()
    }
    if len(made) == 1:
        return next(iter(made.values()))
    entries = [
        {"fullUrl": uuid.uuid5(uuid.NAMESPACE_OID, f"{request_id} {name}").urn, "resource": resource}
        for name, resource in made.items()
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _assessment(
    name: str, one: OutcomeRisk, index_date: date, flags: Sequence[SafetyNotice], person_id: str, basis: Sequence[str]
) -> Json:
    outcome = _concept(OUTCOME_SYSTEM, name, one.label.nb)
    starters = [reason.label["nb"] for reason in one.reasons if is_starter(reason)]
    resource = {
        "resourceType": "RiskAssessment",
        "meta": {"security": [_TEST_DATA]} if one.model.synthetic else {},
        "language": "nb",
        "contained": [_device(one)],
        "status": "final",
        "method": _concept(
            MODEL_SYSTEM, one.model.name, f"{one.model.name} {one.model.version}".strip(), one.model.version
        ),
        "code": outcome,
        "subject": {"type": "Patient", "identifier": {"system": PERSON_SYSTEM, "value": person_id}},
        "occurrenceDateTime": index_date.isoformat(),
        "performer": {"reference": "#model"},
        "basis": [{"reference": reference} for reference in basis],
        "prediction": [_prediction(one, outcome, index_date)],
        "mitigation": MITIGATION.format("; ".join(starters)) if starters else "",
        "note": [_annotation(notice) for notice in _notices(one, flags)],
    }
    return _without_empty(resource)


def is_starter(reason: Reason) -> bool:
    """True for what raises the number in the model, is known, and about which something can often be done."""
    return reason.modifiable and not reason.missing and reason.direction == "raises"


def _notices(one: OutcomeRisk, flags: Sequence[SafetyNotice]) -> list[Notice]:
    # What a human must see today stands first, and once however many answers ask for it.
    safety = list({flag.notice.code: flag.notice for flag in flags}.values())
    return [*safety, *one.warnings, ABOUT, *([SYNTHETIC] if one.model.synthetic else [])]


def _prediction(one: OutcomeRisk, outcome: Json, index_date: date) -> Json:
    last = index_date + timedelta(days=one.horizon_days - 1)
    prediction = {
        "extension": _extensions(one),
        "outcome": outcome,
        "probabilityDecimal": None if one.risk is None else _percent(one.risk),
        "qualitativeRisk": _concept(BAND_SYSTEM, one.band.name, one.band.label.nb) if one.band else {},
        "relativeRisk": round(one.risk / one.reference_risk, _DECIMALS) if one.risk and one.reference_risk else None,
        "whenPeriod": {"start": index_date.isoformat(), "end": last.isoformat()},
        "rationale": " ".join(reason.text["nb"] for reason in one.reasons),
    }
    return _without_empty(prediction)


def _extensions(one: OutcomeRisk) -> list[Json]:
    found: list[Json] = []
    if one.expected_days is not None:
        found.append({"url": EXPECTED_DAYS, "valueQuantity": _quantity(round(one.expected_days, _DECIMALS), "d")})
    if one.interval is not None:
        low, high = map(_percent, one.interval)
        found.append(_range(INTERVAL, low, high, "%"))
    if one.expected_days_interval is not None:
        low, high = (round(bound, _DECIMALS) for bound in one.expected_days_interval)
        found.append(_range(INTERVAL, low, high, "d"))
    reference = one.reference_days if one.reference_risk is None else _percent(one.reference_risk)
    if reference is not None:
        unit = "d" if one.reference_risk is None else "%"
        found.append({"url": REFERENCE, "valueQuantity": _quantity(round(reference, _DECIMALS), unit)})
    return found


def _percent(risk: float) -> float:
    # FHIR's probabilityDecimal is a percentage.
    return round(100 * risk, _DECIMALS)


def _device(one: OutcomeRisk) -> Json:
    return {
        "resourceType": "Device",
        "id": "model",
        "identifier": [{"system": ARTIFACT_SYSTEM, "value": one.model.artifact_sha256 or "none"}],
        "deviceName": [{"name": f"balance-risk {one.model.name}", "type": "model-name"}],
        "version": [{"value": one.model.version or "none"}],
    }


def _concept(system: str, code: str, text: str, version: str = "") -> Json:
    coding = {"system": system, "code": code} | ({"version": version} if version else {})
    return {"coding": [coding], "text": text}


def _quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _range(url: str, low: float, high: float, unit: str) -> Json:
    return {"url": url, "valueRange": {"low": _quantity(low, unit), "high": _quantity(high, unit)}}


def _annotation(notice: Notice) -> Json:
    return {"extension": [{"url": NOTICE_CODE, "valueCode": notice.code}], "text": notice.message["nb"]}


def _without_empty(element: Json) -> Json:
    return {name: value for name, value in element.items() if value not in (None, "", [], {})}
