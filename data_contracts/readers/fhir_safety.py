"""Safety answers of FHIR resources that could not become rows: of another status or value type, or refused as a whole.

This looks at the JSON as it came, before anything has found it sound, so it expects nothing of it and never fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from data_contracts.fhir_codes import IDENTITY_NUMBER_SYSTEMS, LOINC_ANSWERS, LOINC_PANELS, ORDINAL_VALUES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.parsing import cell_fault
from data_contracts.readers.fhir_elements import Element, Gathered, ResourceFault, as_text
from data_contracts.records import SurveyAnswer, columns
from data_contracts.safety import is_above_limit

Row = dict[str, str | None]

_DEEPEST = 60
_ITEM_OF_LOINC = {
    code: (instrument, item.id)
    for instrument, codes in LOINC_PANELS.values()
    for code, item in zip(codes, INSTRUMENTS[instrument].items, strict=False)
}
_COLUMNS = {column.name: column for column in columns(SurveyAnswer)}


def safety_answers(resource: Any) -> list[Row]:
    """Return the answers above a safety limit that a resource holds; the cells of the person are not filled in."""
    if not isinstance(resource, dict):
        return []
    if resource.get("resourceType") == "QuestionnaireResponse":
        return _of_response(resource)
    if resource.get("resourceType") == "Observation" and resource.get("status") != "entered-in-error":
        return _of_observation(resource)
    return []


def keep_untaken_answers(gathered: Gathered, person: Callable[[Element, str], str]) -> None:
    """Keep the answers above a safety limit that are in no row, so that nothing hides them.

    ``person`` gives the pseudonym of who an element of a resource refers to, or raises ResourceFault.
    """
    if not gathered.safety:
        return
    taken = {
        number
        for number, row in gathered.numbered_rows("survey_answers")
        if is_above_limit(row.get("instrument"), row.get("item"), row.get("answer"))
    }
    counts = gathered.counts.copy()  # the resources that are asked for their person here have been counted
    for number, resource in gathered.safety:
        if number not in taken:
            person_id = _person_of(resource, person)
            gathered.untaken += [row | {"person_id": person_id} for row in safety_answers(resource)]
    gathered.counts = counts


def _person_of(resource: Element, person: Callable[[Element, str], str]) -> str | None:
    try:
        return _fit_to_show("person_id", person(resource, "subject"))
    except (ResourceFault, TypeError):  # no model has seen to it that a system is a text
        return _named_person(resource)


def _named_person(resource: Element) -> str | None:
    """Return what a resource calls its person, for where the reference leads to nobody that was accepted."""
    subject = _object(resource.get("subject"))
    reference = subject.get("reference")
    if isinstance(reference, str):
        return _fit_to_show("person_id", _last_step(reference.split("/_history/")[0]))
    identifier = _object(subject.get("identifier"))
    if _word(identifier.get("system")) in IDENTITY_NUMBER_SYSTEMS:
        return None
    return _fit_to_show("person_id", identifier.get("value"))


def _fit_to_show(column: str, text: Any) -> str | None:
    """Return a cell, None where the contract would refuse it: it may be a national identity number."""
    return text if isinstance(text, str) and text and cell_fault(_COLUMNS[column], text) is None else None


def _of_response(response: Element) -> list[Row]:
    named = _last_step(_word(response.get("questionnaire")).split("|")[0].replace(":", "/"))
    instrument = LOINC_PANELS.get(named, (named, ()))[0]
    stored = _object(response.get("meta")).get("lastUpdated")
    days = _days(response.get("authored"), stored or response.get("authored"))
    rows = []
    for item in _items(response, 0):
        link = _last_step(_word(item.get("linkId")))
        asked = _ITEM_OF_LOINC.get(link, (instrument, link))
        values = (value for answer in _objects(item.get("answer")) for value in _values(answer))
        rows += _above(asked, values, days)
    return rows


def _of_observation(observation: Element) -> list[Row]:
    sampled = observation.get("effectiveDateTime") or observation.get("effectiveInstant")
    sampled = sampled or _object(observation.get("effectivePeriod")).get("start")
    stored = _object(observation.get("meta")).get("lastUpdated")
    days = _days(sampled, observation.get("issued") or stored)
    rows = []
    for measured in (observation, *_objects(observation.get("component"))):
        for coding in _objects(_object(measured.get("code")).get("coding")):
            asked = _ITEM_OF_LOINC.get(_word(coding.get("code")))
            if asked:
                rows += _above(asked, _values(measured), days)
    return rows


def _above(asked: tuple[str, str], values: Iterator[Any], days: Row) -> list[Row]:
    instrument, item = asked
    texts = [as_text(value) for value in values if is_above_limit(instrument, item, value)]
    return [{"instrument": instrument, "item": item, "answer": texts[0]} | days] if texts else []


def _days(answered_on: Any, known_from: Any) -> Row:
    return {
        "answered_on": _fit_to_show("answered_on", answered_on),
        "known_from": _fit_to_show("known_from", known_from),
    }


def _items(element: Element, depth: int) -> Iterator[Element]:
    if depth > _DEEPEST:
        return
    for item in _objects(element.get("item")):
        yield item
        yield from _items(item, depth + 1)
        for answer in _objects(item.get("answer")):
            yield from _items(answer, depth + 1)


def _values(measured: Element) -> Iterator[Any]:
    """Yield everything that may be the number of an answer."""
    for name, value in measured.items():
        if not name.startswith("value"):
            continue
        if not isinstance(value, dict):
            yield value
            continue
        yield value.get("value")  # of a quantity
        for coding in (value, *_objects(value.get("coding"))):
            yield _number_of(coding)


def _number_of(coding: Element) -> Any:
    for extension in _objects(coding.get("extension")):
        if extension.get("url") in ORDINAL_VALUES:
            return extension.get("valueDecimal")
    code = coding.get("code")
    return LOINC_ANSWERS.get(_word(code), code)


def _last_step(text: str) -> str:
    return text.rpartition("/")[2]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> Element:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Element]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]
