"""Observations of a job (HL7's profile PastOrPresentJob of Occupational Data for Health) to rows of employments.

The profile has no place for the share of a position, without which a row says too little; a component of ours adds it. A
job without that component is somebody else's note of an occupation: counted, not taken.
"""

from __future__ import annotations

from typing import Any

from data_contracts.fhir_codes import (
    EMPLOYER_EXTENSION,
    INDUSTRY_CODE,
    INDUSTRY_SYSTEM,
    JOB_CODE,
    JOB_SYSTEM,
    OCCUPATION_SYSTEM,
)
from data_contracts.readers.fhir_elements import (
    Element,
    Gathered,
    ResourceFault,
    as_text,
    codings_of,
    identifier_value,
    part,
    parts,
)

_HERE = "Observation"
_LOINC = "http://loinc.org"
_EMPLOYER = f"{_HERE}.extension.valueReference"


def is_job(observation: Element) -> bool:
    """True for an Observation of a past or present job."""
    return JOB_CODE in codings_of([part(observation, "code", _HERE)], _LOINC, f"{_HERE}.code")


def employment_rows(
    observation: Element, shared: dict[str, str | None], gathered: Gathered
) -> list[dict[str, str | None]]:
    """Return the row of a job, none if nothing tells its share of a position; ``shared`` are the cells given already."""
    ours = _components(observation, JOB_SYSTEM)
    if "position-percent" not in ours:
        gathered.counts["Observations of a job without our component position-percent, not taken"] += 1
        return []
    period = part(observation, "effectivePeriod", _HERE)
    industry = _components(observation, _LOINC).get(INDUSTRY_CODE, {})
    cells = {
        "company_id": _company(observation),
        "unit_id": as_text(ours.get("unit", {}).get("valueString")),
        "occupation_code": _code(observation, OCCUPATION_SYSTEM, _HERE, gathered),
        "industry_code": _code(industry, INDUSTRY_SYSTEM, f"{_HERE}.component", gathered),
        "position_percent": _percent(ours["position-percent"]),
        "shift_work": as_text(ours.get("shift-work", {}).get("valueBoolean")),
        "is_leader": as_text(ours.get("leader", {}).get("valueBoolean")),
        "start_date": as_text(period.get("start")),
        "end_date": as_text(period.get("end")),
    }
    return [shared | cells]


def _components(observation: Element, system: str) -> dict[str, Element]:
    """Return the components that have a code of a system, by that code; one that comes twice is a fault."""
    found: dict[str, Element] = {}
    for component in parts(observation, "component", _HERE):
        for code in codings_of([part(component, "code", _HERE)], system, f"{_HERE}.component.code"):
            if code in found:
                raise ResourceFault(f"{_HERE}.component", "shape", "has two components of one code")
            found[code] = component
    return found


def _code(measured: Element, system: str, path: str, gathered: Gathered) -> str | None:
    concept = part(measured, "valueCodeableConcept", path)
    codes = codings_of([concept], system, path)
    if concept and not codes:
        gathered.counts["occupations and industries of jobs in other code systems, left out"] += 1
    return codes[0] if codes else None


def _percent(component: Element) -> str | None:
    share = part(component, "valueQuantity", f"{_HERE}.component")
    if share.get("code", share.get("unit")) != "%":  # a share of 0.8 would pass for less than one percent
        raise ResourceFault(f"{_HERE}.component.valueQuantity.code", "codes", "must be %")
    return as_text(share.get("value"))


def _company(observation: Element) -> str:
    """Return the pseudonym of the employer: the identifier of the reference, else the id that it leads to."""
    employers: list[Any] = [
        part(one, "valueReference", f"{_HERE}.extension")
        for one in parts(observation, "extension", _HERE)
        if one.get("url") == EMPLOYER_EXTENSION
    ]
    if len(employers) != 1:
        raise ResourceFault(f"{_HERE}.extension", "required", f"must name the employer once, in {EMPLOYER_EXTENSION}")
    value = identifier_value(part(employers[0], "identifier", _EMPLOYER), f"{_EMPLOYER}.identifier")
    kind, _, name = str(employers[0].get("reference", "")).split("/_history/")[0].rpartition("/")
    if value is None and kind.rpartition("/")[2] == "Organization":
        value = name
    if not value:
        reason = "must hold the pseudonym of the employer: identifier.value, or a reference to Organization/<pseudonym>"
        raise ResourceFault(_EMPLOYER, "required", reason)
    return value
