"""QuestionnaireResponses: answers to our questionnaires, and NAV's sickness certificate.

NAV writes the certificate (sykmelding) back to the doctor's system as a QuestionnaireResponse; its ``aktivitet`` groups
are the periods of absence (github.com/navikt/syk-inn, docs/fhir/questionnaire-response.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data_contracts.fhir_codes import LOINC_ANSWERS, LOINC_PANELS, LOINC_TOTALS, NAV_CERTIFICATES, ORDINAL_VALUES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.readers.fhir_elements import (
    Element,
    Gathered,
    ResourceFault,
    as_text,
    diagnosis_cells,
    part,
    parts,
)

_HERE = "QuestionnaireResponse"
_NUMBERS = ("valueInteger", "valueDecimal")
_NO_ABSENCE = ("AVVENTENDE", "BEHANDLINGSDAGER", "REISETILSKUDD")


def is_certificate(response: Element) -> bool:
    """True for NAV's sickness certificate."""
    return str(response.get("questionnaire")).split("|")[0] in NAV_CERTIFICATES


def survey_rows(response: Element, shared: dict[str, str | None], gathered: Gathered) -> list[dict[str, str | None]]:
    """Return one row of survey_answers per answer; ``shared`` are the cells that all rows have in common."""
    instrument, item_of_link = _instrument(response)
    authored = as_text(response.get("authored"))
    shared = shared | {"instrument": instrument, "answered_on": authored}
    rows = []
    for item in _flat(response, _HERE):
        link = str(item.get("linkId")).removeprefix("/")
        answers = parts(item, "answer", f"{_HERE}.item")
        if not answers:
            continue
        if link in LOINC_TOTALS:
            gathered.counts["QuestionnaireResponse items that are total scores of a LOINC panel, not taken"] += 1
            continue
        if len(answers) > 1:
            raise ResourceFault(f"{_HERE}.item.answer", "shape", "our questions take one answer each", link)
        kind = next((name for name in answers[0] if name.startswith("value")), "no value")
        if kind not in (*_NUMBERS, "valueCoding", "valueBoolean"):
            gathered.counts[f"QuestionnaireResponse answers of type {kind}, not taken"] += 1
            continue
        rows.append(shared | {"item": item_of_link.get(link, link), "answer": _answer(answers[0], kind)})
    return rows


def _instrument(response: Element) -> tuple[str, dict[str, str]]:
    """Return the instrument, and our item ids by linkId where those are LOINC codes."""
    canonical = response.get("questionnaire")
    if not isinstance(canonical, str):
        raise ResourceFault(f"{_HERE}.questionnaire", "required", "must name the questionnaire")
    name = canonical.split("|")[0].replace(":", "/").rpartition("/")[2]
    instrument, links = LOINC_PANELS.get(name, (name, ()))
    if instrument not in INSTRUMENTS:
        known = f"must end in one of: {', '.join(INSTRUMENTS)}; or in a LOINC panel: {', '.join(LOINC_PANELS)}"
        raise ResourceFault(f"{_HERE}.questionnaire", "unknown instrument", known, canonical)
    items = [item.id for item in INSTRUMENTS[instrument].items]
    return instrument, dict(zip(links, items, strict=False))  # PHQ-2 has the first two items only


def _flat(element: Element, path: str) -> Iterator[Element]:
    for item in parts(element, "item", path):
        yield item
        yield from _flat(item, f"{path}.item")
        for answer in parts(item, "answer", f"{path}.item"):
            yield from _flat(answer, f"{path}.item.answer")


def _answer(answer: Element, kind: str) -> str | None:
    if kind != "valueCoding":
        return as_text(answer[kind])
    coding = part(answer, kind, f"{_HERE}.item.answer")
    for extension in parts(coding, "extension", f"{_HERE}.item.answer.{kind}"):
        if extension.get("url") in ORDINAL_VALUES:
            return as_text(extension.get("valueDecimal"))
    code = coding.get("code")
    return as_text(LOINC_ANSWERS.get(str(code), code))


def certificate_rows(
    response: Element, shared: dict[str, str | None], diagnosis: dict[str, str | None], gathered: Gathered
) -> list[dict[str, str | None]]:
    """Return one row of absence_spells per period of NAV's certificate.

    ``diagnosis`` holds the cells of the diagnosis of the consultation, for a certificate that states none.
    """
    top = parts(response, "item", _HERE)
    codings = [part(answer, "valueCoding", _HERE) for answer in _answers(top, "hoveddiagnose")]
    stated = diagnosis_cells(codings)
    if any(codings) and not stated:
        gathered.counts["diagnoses of certificates that are neither in ICPC-2 nor in ICD-10, left out"] += 1
    shared = shared | {"kind": "doctor_certified"} | (stated or ({} if any(codings) else diagnosis))
    rows = []
    for place, group in enumerate((item for item in top if item.get("linkId") == "aktivitet"), 1):
        inside = parts(group, "item", f"{_HERE}.item")
        kind = _only(inside, "aktivitet-type", "valueCoding")
        code = kind.get("code") if isinstance(kind, dict) else None
        if code in _NO_ABSENCE:
            gathered.counts[f"periods of a certificate of type {code}, which are no absence"] += 1
            continue
        last_day = as_text(_only(inside, "aktivitet-tom", "valueDate"))
        if last_day is None:  # an empty last_day would mean that the absence still runs; NAV's form demands the end
            raise ResourceFault(f"{_HERE}.item.aktivitet-tom", "required", "must not be empty")
        cells = {
            "spell_id": f"{shared['spell_id']}.{place}" if shared["spell_id"] else None,
            "grade_percent": _grade(code, inside),
            "first_day": as_text(_only(inside, "aktivitet-fom", "valueDate")),
            "last_day": last_day,
        }
        rows.append(shared | cells)
    return rows


def _grade(code: Any, inside: list[Element]) -> str | None:
    if code == "AKTIVITET_IKKE_MULIG":
        return "100"
    if code == "GRADERT":
        return as_text(_only(inside, "aktivitet-grad", "valueInteger"))
    known = f"must be AKTIVITET_IKKE_MULIG, GRADERT, {', '.join(_NO_ABSENCE)}"
    raise ResourceFault(f"{_HERE}.item.aktivitet-type", "codes", known, as_text(code))


def _answers(items: list[Element], link: str) -> list[Element]:
    return [one for item in items if item.get("linkId") == link for one in parts(item, "answer", f"{_HERE}.item")]


def _only(items: list[Element], link: str, kind: str) -> Any:
    answers = _answers(items, link)
    return answers[0].get(kind) if answers else None
