"""FHIR's words for ours: code systems, statuses and questionnaires that are taken, each with where it is published.

``urn:balance-risk:`` systems are ours, for what neither HL7 nor HL7 Norway nor NAV has a code system for.
"""

from __future__ import annotations

IDENTITY_NUMBER_SYSTEMS = {
    "urn:oid:2.16.578.1.12.4.1.4.1": "fødselsnummer",
    "urn:oid:2.16.578.1.12.4.1.4.2": "D-number",
    "urn:oid:2.16.578.1.12.4.1.4.3": "shared help number",
}
"""Identifier systems that are never accepted (github.com/HL7Norway/kodeverk, no-kodeverk-identifikator-namespace)."""

PERSON_SYSTEM = "urn:balance-risk:person"
"""Identifier system of the pseudonym, needed only where a Patient carries several identifiers."""

ANALYTE_SYSTEMS = {
    "urn:oid:2.16.578.1.12.4.1.1.7280": "NPU",  # Norsk laboratoriekodeverk: NPU and NOR codes
    "http://ehelse.no/fhir/CodeSystem/no-kodeverk-7280": "NPU",  # the same, by the names that HL7 Norway gave it
    "http://ehelse.no/fhir/CodeSystem/no-kodeverk-7280-nlk": "NPU",
    "http://npu-terminology.org": "NPU",  # HL7 Denmark's dk-core
    "urn:oid:1.2.208.176.2.1": "NPU",  # Danish laboratory codes: NPU and DNK
    "http://loinc.org": "LOINC",
}
"""System of ``Observation.code`` -> ``lab_results.code_system``, in order of preference."""

UCUM = "http://unitsofmeasure.org"

DIAGNOSIS_SYSTEMS = {
    "urn:oid:2.16.578.1.12.4.1.1.7170": "ICPC-2",
    "urn:oid:2.16.578.1.12.4.1.1.7171": "ICPC-2",  # ICPC-2B: an ICPC-2 code, a point, and four digits that are cut off
    "urn:oid:2.16.578.1.12.4.1.1.7110": "ICD-10",
}
"""System of a diagnosis -> ``absence_spells.diagnosis_system``, in order of preference (NAV syk-inn, docs/fhir)."""

NAV_CERTIFICATES = (
    "https://www.nav.no/samarbeidspartner/sykmelding/fhir/R4/Questionnaire/V1",
    "http://nav.no/fhir/R4/Questionnaire/v1",
)
"""Canonical URLs of NAV's sickness certificate (github.com/navikt/syk-inn, docs/fhir; the second is its draft)."""

JOB_CODE = "11341-5"
"""LOINC, history of occupation: an Observation of the profile PastOrPresentJob (hl7.org/fhir/us/odh)."""

INDUSTRY_CODE = "86188-0"
"""LOINC, history of occupation industry: the component of that profile."""

EMPLOYER_EXTENSION = "http://hl7.org/fhir/us/odh/StructureDefinition/odh-Employer-extension"

OCCUPATION_SYSTEM = "https://www.ssb.no/klass/klassifikasjoner/7"
"""STYRK-08, by its address at Statistics Norway; neither HL7 Norway nor ODH has a system for it."""

INDUSTRY_SYSTEM = "https://www.ssb.no/klass/klassifikasjoner/6"
"""SN2007, likewise."""

JOB_SYSTEM = "urn:balance-risk:job"
"""Components of a job that ODH has no code for: position-percent, shift-work, leader, unit."""

ABSENCE_KIND_SYSTEM = "urn:balance-risk:absence-kind"
ABSENCE_GRADE_SYSTEM = "urn:balance-risk:absence-grade"
CONSENT_SOURCE_SYSTEM = "urn:balance-risk:consent-source"
CONSENT_PURPOSE_SYSTEM = "urn:balance-risk:consent-purpose"

TAKEN, RETRACTED, PASSED_OVER = "taken", "retracted", "passed over"

STATUSES: dict[str, dict[str, str]] = {
    "Observation": {
        "final": TAKEN, "amended": TAKEN, "corrected": TAKEN, "entered-in-error": RETRACTED,
        "preliminary": PASSED_OVER, "registered": PASSED_OVER, "cancelled": PASSED_OVER, "unknown": PASSED_OVER,
    },
    "QuestionnaireResponse": {
        "completed": TAKEN, "amended": TAKEN, "entered-in-error": RETRACTED,
        "in-progress": PASSED_OVER, "stopped": PASSED_OVER,
    },
    "Consent": {
        "active": TAKEN, "inactive": TAKEN, "entered-in-error": RETRACTED,
        "draft": PASSED_OVER, "proposed": PASSED_OVER, "rejected": PASSED_OVER,
    },
    "Encounter": {
        "arrived": TAKEN, "triaged": TAKEN, "in-progress": TAKEN, "onleave": TAKEN, "finished": TAKEN,
        "entered-in-error": RETRACTED, "cancelled": RETRACTED, "planned": PASSED_OVER, "unknown": PASSED_OVER,
    },
}  # fmt: skip
"""All statuses of R4 (required value sets), and what becomes of a resource that has one."""

ORDINAL_VALUES = (
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/iso21090-CO-value",
)
"""Extensions that give the number behind a coded answer."""

_PHQ9 = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")

LOINC_PANELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "44249-1": ("phq9", _PHQ9),
    "55757-9": ("phq9", _PHQ9[:2]),  # PHQ-2
    "69737-5": ("gad7", ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7")),
    "72109-2": ("audit_c", ("68518-0", "68519-8", "68520-6")),
}
"""LOINC panel -> our instrument and the LOINC codes of its items, in our order of items."""

LOINC_TOTALS = frozenset({"44261-6", "69722-7", "44256-6", "55758-7", "70274-6", "75626-2"})
"""Items of those panels that are no question of ours: total scores, and how much of a difficulty it all is."""

LOINC_ANSWERS: dict[str, int] = {
    "LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3,  # LL358-3: PHQ, GAD
    "LA6270-8": 0, "LA18926-8": 1, "LA18927-6": 2, "LA18928-4": 3, "LA18929-2": 4,  # LL2179-1: AUDIT-C 1
    "LA15694-5": 0, "LA15695-2": 1, "LA18930-0": 2, "LA18931-8": 3, "LA18932-6": 4,  # LL2180-9: AUDIT-C 2
    "LA18933-4": 1, "LA18876-5": 2, "LA18891-4": 3, "LA18934-2": 4,  # LL2181-7: AUDIT-C 3
}  # fmt: skip
"""LOINC answer code -> score, for the answer lists of those panels."""
