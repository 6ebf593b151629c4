"""One method per FHIR resource type that is taken: resource in, rows of our tables out. The mapping is in docs/fhir.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from data_contracts.fhir_codes import (
    ABSENCE_GRADE_SYSTEM,
    ABSENCE_KIND_SYSTEM,
    CONSENT_PURPOSE_SYSTEM,
    CONSENT_SOURCE_SYSTEM,
    PASSED_OVER,
    RETRACTED,
    STATUSES,
)
from data_contracts.readers.fhir_elements import (
    Element,
    Gathered,
    ResourceFault,
    as_text,
    codings_of,
    condition_cells,
    known_from,
    last_updated,
    own_identifier,
    part,
    parts,
    pseudonym,
)
from data_contracts.readers.fhir_employments import employment_rows, is_job
from data_contracts.readers.fhir_entries import Entry, References
from data_contracts.readers.fhir_observations import effective, result_rows
from data_contracts.readers.fhir_questionnaires import certificate_rows, is_certificate, survey_rows
from data_contracts.readers.fhir_safety import keep_untaken_answers
from data_contracts.time_windows import local_date, today

Row = dict[str, str | None]


def read_resources(entries: list[Entry], gathered: Gathered) -> None:
    """Gather the rows of resources of the types in :data:`READERS`; a resource that is refused as a whole gives none."""
    reading = Reading(gathered, References(entries, gathered))
    order = list(READERS)
    for entry in sorted(entries, key=lambda entry: order.index(entry.type)):
        contained = entry.resource.get("contained")
        gathered.counts["contained resources, not read"] += len(contained) if isinstance(contained, list) else 0
        try:
            READERS[entry.type](reading, entry)
        except ResourceFault as found:
            gathered.refuse(entry.number, found.path, found.fault, found.value)
    keep_untaken_answers(gathered, reading.references.person)


@dataclass(frozen=True)
class Reading:
    """What is known while the entries of one source are read; one method per resource type."""

    gathered: Gathered
    references: References
    report_dates: dict[int, tuple[str | None, str | None]] = field(default_factory=dict)

    def patient(self, entry: Entry) -> None:
        """Read a Patient into persons."""
        patient = entry.resource
        if patient.get("active", True) is not True:
            raise ResourceFault("Patient.active", "modifier", "is not true: the record is not in use")
        if any(link.get("type") == "replaced-by" for link in parts(patient, "link", "Patient")):
            raise ResourceFault("Patient.link", "modifier", "another record replaces this one")
        person_id = pseudonym(patient)
        birth_date = as_text(patient.get("birthDate"))
        self.references.persons[entry.number] = person_id
        row = {
            "person_id": person_id,
            "birth_year": birth_date and birth_date[:4],
            "sex": as_text(patient.get("gender")),
        }
        self.gathered.add("persons", entry.number, row | {"known_from": known_from(patient)})

    def diagnostic_report(self, entry: Entry) -> None:
        """Keep the dates of a report for those of its results that have none."""
        dates = effective(entry.resource), as_text(entry.resource.get("issued"))
        for result in parts(entry.resource, "result", "DiagnosticReport"):
            for observation in self.references.follow(result, "DiagnosticReport.result"):
                self.report_dates[observation.number] = dates
        self.gathered.counts["DiagnosticReports, read only for the dates of their results"] += 1

    def condition(self, entry: Entry) -> None:
        """Count a Condition; it is read where an absence leads to it."""
        self.gathered.counts["Conditions, read only as the diagnosis of an absence"] += 1

    def observation(self, entry: Entry) -> None:
        """Read an Observation into lab_results, or one of a job into employments."""
        fate = self._fate(entry)
        if fate == PASSED_OVER:
            return
        if is_job(entry.resource):
            shared = self._shared(entry, as_text(entry.resource.get("issued")), fate=fate)
            for row in employment_rows(entry.resource, shared, self.gathered):
                self.gathered.add("employments", entry.number, row)
            return
        sampled, issued = self.report_dates.get(entry.number, (None, None))
        shared = self._shared(entry, as_text(entry.resource.get("issued")), issued, fate=fate)
        shared["sampled_on"] = effective(entry.resource) or sampled
        self._add("lab_results", entry, result_rows(entry.resource, shared, self.gathered), fate)

    def questionnaire_response(self, entry: Entry) -> None:
        """Read a QuestionnaireResponse into survey_answers, or NAV's certificate into absence_spells."""
        response, fate = entry.resource, self._fate(entry)
        if fate == PASSED_OVER:
            return
        authored = as_text(response.get("authored"))
        if is_certificate(response):
            shared = self._shared(entry, authored, fate=fate)
            table, shared["spell_id"] = "absence_spells", own_identifier(response)
            diagnosis = self._diagnosis_of_consultation(response)
            rows = certificate_rows(response, shared, diagnosis, self.gathered)
        else:
            shared = self._shared(entry, fate=fate)
            if shared["known_from"] is None and authored:
                shared["known_from"] = authored
                self.gathered.counts[
                    "QuestionnaireResponses without meta.lastUpdated, taken as known when authored"
                ] += 1
            table, rows = "survey_answers", survey_rows(response, shared, self.gathered)
        self._add(table, entry, rows, fate)

    def encounter(self, entry: Entry) -> None:
        """Read an Encounter that stands for an absence; others only lead from a certificate to its diagnosis."""
        encounter = entry.resource
        kinds = codings_of(parts(encounter, "type", "Encounter"), ABSENCE_KIND_SYSTEM, "Encounter.type")
        grades = codings_of(parts(encounter, "type", "Encounter"), ABSENCE_GRADE_SYSTEM, "Encounter.type")
        if not kinds:
            self.gathered.counts["Encounters that stand for no absence"] += 1
            return
        fate = self._fate(entry)
        if fate == PASSED_OVER:
            return
        if len(kinds) > 1 or len(grades) > 1:
            raise ResourceFault("Encounter.type", "codes", "an absence has one kind and one grade")
        period = part(encounter, "period", "Encounter")
        full = "100" if kinds == ["self_certified"] else None  # the law knows self-certification for full absence only
        row = self._shared(entry, fate=fate) | {
            "spell_id": own_identifier(encounter),
            "kind": kinds[0],
            "grade_percent": grades[0] if grades else full,
            "first_day": as_text(period.get("start")),
            "last_day": as_text(period.get("end")),
        }
        self.gathered.add("absence_spells", entry.number, row | self._diagnosis(encounter))

    def consent(self, entry: Entry) -> None:
        """Read a Consent into consents."""
        consent = entry.resource
        sources = codings_of(parts(consent, "category", "Consent"), CONSENT_SOURCE_SYSTEM, "Consent.category")
        if not sources:
            self.gathered.counts["Consents about none of our sources, not taken"] += 1
            return
        fate = self._fate(entry)
        if fate == PASSED_OVER:
            return
        provision = part(consent, "provision", "Consent")
        shared = self._shared(entry, as_text(consent.get("dateTime")), fate=fate)
        for version in _consent_rows(consent, provision, sources):
            self.gathered.add("consents", entry.number, shared | version)

    def _add(self, table: str, entry: Entry, rows: list[Row], fate: str) -> None:
        if fate == RETRACTED and not rows:
            raise ResourceFault(
                entry.type, "required", "what is retracted must be repeated, or nobody can tell what it was"
            )
        for row in rows:
            self.gathered.add(table, entry.number, row)

    def _fate(self, entry: Entry) -> str:
        """Return what becomes of a resource with its status."""
        status, known = as_text(entry.resource.get("status")), STATUSES[entry.type]
        if status not in known:
            reason = f"must be one of: {', '.join(known)}"
            raise ResourceFault(f"{entry.type}.status", "codes", reason, status)
        if known[status] == PASSED_OVER:
            self.gathered.counts[f"{entry.type}s of status {status}, not taken"] += 1
        return known[status]

    def _shared(self, entry: Entry, *published: str | None, fate: str) -> Row:
        """Return the cells that every row of a resource has."""
        is_retracted = fate == RETRACTED
        return {
            "person_id": self.references.person(entry.resource, "patient" if entry.type == "Consent" else "subject"),
            "known_from": known_from(entry.resource, *published, is_retracted=is_retracted),
            "is_deleted": "true" if is_retracted else None,
        }

    def _diagnosis_of_consultation(self, response: Element) -> Row:
        consultation = part(response, "encounter", "QuestionnaireResponse")
        found = self.references.follow(consultation, "QuestionnaireResponse.encounter")
        return self._diagnosis(found[-1].resource) if found else {}

    def _diagnosis(self, encounter: Element) -> Row:
        """Return the diagnosis that an Encounter ranks first, from the Condition that it leads to."""
        ranked = sorted(parts(encounter, "diagnosis", "Encounter"), key=lambda one: int(one.get("rank", 1)))
        for one in ranked:
            condition = part(one, "condition", "Encounter.diagnosis")
            for found in reversed(self.references.follow(condition, "Encounter.diagnosis.condition")):
                cells = condition_cells(found.resource)
                if cells:
                    return cells
        if ranked:
            self.gathered.counts["diagnoses of Encounters that are not in the bundle, or not in ICPC-2 or ICD-10"] += 1
        return {}


_UNRESTRICTED = {"id", "extension", "type", "period", "purpose"}


def _consent_rows(consent: Element, provision: Element, sources: list[str]) -> Iterator[Row]:
    """Yield the rows of a consent: every source for every purpose, and for each as many versions as are known."""
    restrictions = sorted(provision.keys() - _UNRESTRICTED)
    if restrictions:
        reason = "restricts the consent in a way that we cannot keep to"
        raise ResourceFault(f"Consent.provision.{restrictions[0]}", "restricted consent", reason)
    if provision.get("type") != "permit":  # a denial may take back what was permitted before, but names no day given
        reason = "must be permit; what was permitted is taken back by sending that consent again as inactive"
        raise ResourceFault("Consent.provision.type", "restricted consent", reason)
    purposes = codings_of(
        [{"coding": parts(provision, "purpose", "Consent.provision")}], CONSENT_PURPOSE_SYSTEM, "Consent"
    )
    if not purposes:
        reason = f"must hold a code of {CONSENT_PURPOSE_SYSTEM}"
        raise ResourceFault("Consent.provision.purpose", "required", reason)
    period = part(provision, "period", "Consent.provision")
    given = as_text(period.get("start") or consent.get("dateTime"))
    for version in _consent_versions(consent, as_text(period.get("end"))):
        for source in dict.fromkeys(sources):
            for purpose in dict.fromkeys(purposes):
                yield {"source": source, "purpose": purpose, "given_on": given} | version


def _consent_versions(consent: Element, end: str | None) -> list[Row]:
    """Return what changes between the versions of a consent: the giving of it, and its end once that has come.

    An end that is still to come cannot be stored: the row then breaks the rule "event after known_from", lest the consent
    outlive its end.
    """
    if consent["status"] == "entered-in-error":
        return [{}]
    known = known_from(consent, as_text(consent.get("dateTime")))
    if consent["status"] == "inactive":
        stored = last_updated(consent)
        ends = [one for one in (end, stored) if one]
        if not ends:
            reason = "must say when the consent ended, or meta.lastUpdated must"
            raise ResourceFault("Consent.provision.period.end", "required", reason)
        return [
            {
                "withdrawn_on": min(ends, key=_day_text),
                "known_from": stored or max(end or "", known or "", key=_day_text),
            }
        ]
    if end is None:
        return [{}]
    if known and _day_text(known) < _day_text(end) <= today().isoformat():
        return [{}, {"withdrawn_on": end, "known_from": end}]
    return [{"withdrawn_on": end}]


def _day_text(text: str) -> str:
    """Return a date or moment as a text that sorts by its Oslo calendar day; what is neither is left to the check."""
    try:
        return local_date(text).isoformat()
    except (ValueError, OverflowError):
        return text


READERS: dict[str, Callable[[Reading, Entry], None]] = {
    "Patient": Reading.patient,
    "Condition": Reading.condition,
    "DiagnosticReport": Reading.diagnostic_report,
    "Observation": Reading.observation,
    "QuestionnaireResponse": Reading.questionnaire_response,
    "Encounter": Reading.encounter,
    "Consent": Reading.consent,
}
"""Resource types that are read, in the order in which they are: first what others lead to."""
