"""Small builders of FHIR R4 resources, a Bundle that says the same as a JSON record, and the whole way through the check."""

from __future__ import annotations

from datetime import date
from typing import Any

from data_contracts.fhir_codes import (
    EMPLOYER_EXTENSION,
    INDUSTRY_CODE,
    INDUSTRY_SYSTEM,
    JOB_CODE,
    JOB_SYSTEM,
    OCCUPATION_SYSTEM,
    UCUM,
)
from data_contracts.readers.fhir_r4 import FhirTables, read_bundle
from data_contracts.records import TABLES
from data_contracts.tables import Coded, Table
from data_contracts.validation import check
from data_contracts.violations import Violation

Json = dict[str, Any]

NLK = "urn:oid:2.16.578.1.12.4.1.1.7280"
ICPC2 = "urn:oid:2.16.578.1.12.4.1.1.7170"
ICD10 = "urn:oid:2.16.578.1.12.4.1.1.7110"
NAV = "https://www.nav.no/samarbeidspartner/sykmelding/fhir/R4/Questionnaire/V1"
LOINC = "http://loinc.org"
OURS = "urn:balance-risk:"
SYSTEMS = {"NPU": NLK, "LOINC": LOINC, "ICPC-2": ICPC2, "ICD-10": ICD10}


def noon(day: str) -> str:
    """An instant on that day in Oslo."""
    return f"{day}T12:00:00+01:00"


def meta(day: str) -> Json:
    return {"lastUpdated": noon(day)}


def concept(system: str, *codes: str) -> Json:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def patient(person_id: str = "p", **others: Any) -> Json:
    resource = {"resourceType": "Patient", "id": person_id, "identifier": [{"value": person_id}]}
    return resource | {"birthDate": "1980-05-17", "gender": "female", "meta": meta("2025-01-01")} | others


def observation(analyte: str = "NPU27300", value: Any = 38.5, unit: str = "mmol/mol", **others: Any) -> Json:
    resource = {"resourceType": "Observation", "id": "o", "status": "final", "code": concept(NLK, analyte)}
    resource |= {"subject": {"reference": "Patient/p"}, "effectiveDateTime": "2025-05-01"}
    return resource | {"issued": noon("2025-05-03"), "valueQuantity": quantity(value, unit)} | others


def quantity(value: Any, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def response(questionnaire: str, items: Json, **others: Any) -> Json:
    """A QuestionnaireResponse with one answer per item: an int, a float, or the answer element itself."""
    resource = {"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed"}
    resource |= {"questionnaire": questionnaire, "subject": {"reference": "Patient/p"}, "authored": "2025-05-01"}
    listed = [{"linkId": link, "answer": [_answer(value)]} for link, value in items.items()]
    return resource | {"meta": meta("2025-05-02"), "item": listed} | others


def _answer(value: Any) -> Json:
    if isinstance(value, dict):
        return value
    return {"valueInteger": value} if isinstance(value, int) else {"valueDecimal": value}


def certificate(*periods: Json, diagnosis: Json | None = None, **others: Any) -> Json:
    """NAV's sickness certificate; a period is ``{"type": ..., "fom": ..., "tom": ..., "grad": ...}``."""
    kinds = {"type": "valueCoding", "fom": "valueDate", "tom": "valueDate", "grad": "valueInteger"}
    groups = [
        [
            {"linkId": f"aktivitet-{name}", "answer": [{kinds[name]: {"code": value} if name == "type" else value}]}
            for name, value in period.items()
        ]
        for period in periods
    ]
    items: list[Json] = [{"linkId": "aktivitet", "item": group} for group in groups]
    if diagnosis:
        items.insert(0, {"linkId": "hoveddiagnose", "answer": [{"valueCoding": diagnosis}]})
    return response(NAV, {}, id="s1", authored="2025-03-01T09:30:00+01:00", item=items) | others


def absence(
    kind: str = "self_certified", start: str = "2025-03-01", end: str | None = "2025-03-03", **others: Any
) -> Json:
    resource = {"resourceType": "Encounter", "id": "e1", "status": "finished", "subject": {"reference": "Patient/p"}}
    resource["class"] = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
    resource["type"] = [concept(f"{OURS}absence-kind", kind)]
    period = {"start": start} | ({"end": end} if end else {})
    return resource | {"period": period, "meta": meta("2025-03-02")} | others


def job(company: str = "c1", percent: float = 100, start: str | None = "2020-01-01", **others: Any) -> Json:
    """A job as ODH's PastOrPresentJob with our components; ``components`` are more of ours: code -> value element."""
    period = {name: day for name, day in (("start", start), ("end", others.pop("end", None))) if day}
    ours = {"position-percent": {"valueQuantity": quantity(percent, "%")}} | others.pop("components", {})
    resource = observation(id="j", code=concept(LOINC, JOB_CODE), effectivePeriod=period)
    del resource["valueQuantity"], resource["effectiveDateTime"]
    resource["extension"] = [{"url": EMPLOYER_EXTENSION, "valueReference": {"reference": f"Organization/{company}"}}]
    resource["component"] = [{"code": concept(JOB_SYSTEM, code)} | value for code, value in ours.items()]
    if occupation := others.pop("occupation", None):
        resource["valueCodeableConcept"] = concept(OCCUPATION_SYSTEM, occupation)
    if industry := others.pop("industry", None):
        coded = {"code": concept(LOINC, INDUSTRY_CODE), "valueCodeableConcept": concept(INDUSTRY_SYSTEM, industry)}
        resource["component"].append(coded)
    return resource | others


def condition(system: str, code: str, **others: Any) -> Json:
    resource = {"resourceType": "Condition", "id": "d", "subject": {"reference": "Patient/p"}}
    return resource | {"code": concept(system, code)} | others


def consent(sources: list[str], purposes: list[str], provision: Json | None = None, **others: Any) -> Json:
    resource: Json = {"resourceType": "Consent", "id": "c", "status": "active", "patient": {"reference": "Patient/p"}}
    resource["scope"] = concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")
    resource["category"] = [concept(f"{OURS}consent-source", source) for source in sources]
    permitted = {"type": "permit", "purpose": [{"system": f"{OURS}consent-purpose", "code": one} for one in purposes]}
    return resource | {"dateTime": "2025-01-10", "provision": permitted | (provision or {})} | others


def bundle(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def bundle_of(record: Json) -> Json:
    """The Bundle that says what a JSON record says, but for education, events and guidance, for which there is no place."""
    person = record["person"]
    resources = [patient(person["person_id"], birthDate=str(person["birth_year"]), gender=person["sex"],
                         meta=meta(person["known_from"]))]  # fmt: skip
    resources += [_answer_resource(row) for row in record.get("survey_answers", [])]
    resources += [_result_resource(row) for row in record.get("lab_results", [])]
    for place, row in enumerate(record.get("absence_spells", [])):
        resources += _absence_resources(row, f"d{place}")
    resources += [_consent_resource(row) for row in record.get("consents", [])]
    resources += [_job_resource(row) for row in record.get("employments", [])]
    about = {"reference": f"Patient/{person['person_id']}"}
    for one in resources[1:]:
        one["patient" if one["resourceType"] == "Consent" else "subject"] = about
    return bundle(*resources)


def _job_resource(row: Json) -> Json:
    flag = "valueBoolean"
    ours = {"unit": ("unit_id", "valueString"), "shift-work": ("shift_work", flag), "leader": ("is_leader", flag)}
    components = {code: {kind: row[name]} for code, (name, kind) in ours.items() if row.get(name) is not None}
    return job(row["company_id"], row["position_percent"], row["start_date"], end=row.get("end_date"),
               occupation=row.get("occupation_code"), industry=row.get("industry_code"), components=components,
               issued=noon(row["known_from"]))  # fmt: skip


def _answer_resource(row: Json) -> Json:
    status = "entered-in-error" if row.get("is_deleted") else "completed"
    return response(f"https://example.org/Questionnaire/{row['instrument']}", {row["item"]: row["answer"]}, status=status,
                    authored=row["answered_on"], meta=meta(row["known_from"]))  # fmt: skip


def _result_resource(row: Json) -> Json:
    measured = quantity(row["value"], row["unit"])
    if "comparator" in row:
        measured["comparator"] = row["comparator"]
    resource = observation(valueQuantity=measured, effectiveDateTime=row["sampled_on"], issued=noon(row["known_from"]),
                           code=concept(SYSTEMS[row["code_system"]], row["code"]))  # fmt: skip
    if "reference_low" in row:
        limits = {side: quantity(row[f"reference_{side}"], row["unit"]) for side in ("low", "high")}
        resource["referenceRange"] = [limits]
    return resource


def _absence_resources(row: Json, diagnosis_id: str) -> list[Json]:
    resource = absence(row["kind"], row["first_day"], row.get("last_day"), meta=meta(row["known_from"]))
    resource["type"].append(concept(f"{OURS}absence-grade", str(row["grade_percent"])))
    resource["identifier"] = [{"value": row["spell_id"]}]
    if not row.get("diagnosis"):
        return [resource]
    resource["diagnosis"] = [{"condition": {"reference": f"Condition/{diagnosis_id}"}}]
    return [condition(SYSTEMS[row.get("diagnosis_system") or "ICPC-2"], row["diagnosis"], id=diagnosis_id), resource]


def _consent_resource(row: Json) -> Json:
    period = {"start": row["given_on"]}
    others: Json = {"dateTime": row["known_from"]}
    if row.get("withdrawn_on"):
        period["end"] = row["withdrawn_on"]
        others |= {"status": "inactive", "meta": meta(row["known_from"])}
    return consent([row["source"]], [row["purpose"]], {"period": period}, **others)


def rows(read: FhirTables, table: str) -> list[Json]:
    """The rows of a table as text, without empty cells."""
    columns = {name: column.texts() for name, column in read.tables.get(table, {}).items()}
    count = len(read.row_numbers.get(table, ()))
    return [{name: cells[row] for name, cells in columns.items() if cells[row] is not None} for row in range(count)]


def checked(document: Any, received_on: date) -> tuple[dict[str, Table], list[Violation]]:
    """Read a document and check its tables; all violations, of the reader first."""
    read = read_bundle(document, "bundle.json")
    tables, violations = {}, list(read.violations)
    for name, record in TABLES.items():
        raw: dict[str, Coded] = read.tables.get(name, {})
        numbers = read.row_numbers.get(name)
        done = check(record, raw, received_on=received_on, origin="bundle.json", row_numbers=numbers)
        tables[name] = done.table
        violations += done.violations
    return tables, violations


def patient_view(person: str) -> dict[str, Any]:
    """What CDS Hooks asks when the chart is opened of somebody whose answer is a sign of danger."""
    answers = response("https://example.org/Questionnaire/phq9", {"item_9": 1}, id="phq9",
                       subject={"reference": f"Patient/{person}"})  # fmt: skip
    patient = {"resourceType": "Patient", "id": person, "birthDate": "1980-01-01", "gender": "female"}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": answers}]}
    return {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
             "context": {"userId": "Practitioner/1", "patientId": person},
             "prefetch": {"patient": patient, "answers": bundle}}  # fmt: skip
