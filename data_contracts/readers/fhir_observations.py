"""Observations to rows of lab_results: one row per value, so a blood pressure with two components gives two."""

from __future__ import annotations

from data_contracts.analytes import units_of
from data_contracts.fhir_codes import ANALYTE_SYSTEMS, UCUM
from data_contracts.readers.fhir_elements import Element, Gathered, as_text, first_known, part, parts

_HERE = "Observation"


def effective(resource: Element) -> str | None:
    """Return when the sample was taken or the measurement made: the moment given, or the start of the period."""
    period = part(resource, "effectivePeriod", resource["resourceType"])
    return as_text(resource.get("effectiveDateTime") or resource.get("effectiveInstant") or period.get("start"))


def result_rows(observation: Element, shared: dict[str, str | None], gathered: Gathered) -> list[dict[str, str | None]]:
    """Return one row per quantity of the Observation and its components; ``shared`` are the cells all have in common."""
    shared = shared | {"laboratory": _laboratory(observation)}
    components = parts(observation, "component", _HERE)
    rows = [_row(component, f"{_HERE}.component", gathered) for component in components]
    if _is_valued(observation) or not components:
        if "hasMember" in observation and not _is_valued(observation):
            gathered.counts["Observations that only group others, which are read on their own"] += 1
        else:
            rows.append(_row(observation, _HERE, gathered))
    return [shared | row for row in rows if row]


def _is_valued(measured: Element) -> bool:
    return any(name.startswith("value") for name in measured)


def _row(measured: Element, path: str, gathered: Gathered) -> dict[str, str | None] | None:
    quantity = part(measured, "valueQuantity", path)
    if quantity.get("value") is None:
        kind = next((name for name in measured if name.startswith("value")), None)
        what = f"values of type {kind}" if kind and kind != "valueQuantity" else "values that are absent"
        gathered.counts[f"Observation {what}, not taken"] += 1
        return None
    unit = as_text(quantity.get("code") if quantity.get("system") == UCUM else quantity.get("unit"))
    named = _code(parts(part(measured, "code", path), "coding", f"{path}.code"), unit)
    if named is None:
        gathered.counts["Observation values without an NPU, NLK or LOINC code, not taken"] += 1
        return None
    code_system, code = named
    return {
        "code_system": code_system,
        "code": code,
        "comparator": as_text(quantity.get("comparator")),
        "value": as_text(quantity["value"]),
        "unit": unit,
    } | _reference(measured, quantity, path, gathered)


def _code(codings: list[Element], unit: str | None) -> tuple[str, str] | None:
    """Return system and code of the coding that is declared in this unit, else in any unit, else of a known system."""
    named = [(*found, units_of(found[0], found[1])) for found in map(_known, codings) if found]
    if not named:
        return None
    order = list(dict.fromkeys(ANALYTE_SYSTEMS.values()))
    system, code, _ = min(named, key=lambda one: (unit not in one[2], not one[2], order.index(one[0])))
    return system, code


def _known(coding: Element) -> tuple[str, str] | None:
    found = first_known([coding], ANALYTE_SYSTEMS)
    return (found[0], found[1]["code"]) if found else None


def _reference(measured: Element, quantity: Element, path: str, gathered: Gathered) -> dict[str, str | None]:
    """Return the reference limits, where there is one normal interval and it is in the unit of the value."""
    ranges = parts(measured, "referenceRange", path)
    normal = [one for one in ranges if _is_normal(one, path) and not {"appliesTo", "age"} & one.keys()]
    limits = [part(one, side, f"{path}.referenceRange") for one in normal[:1] for side in ("low", "high")]
    given = [limit for limit in limits if limit]
    if not given:
        return {}
    unit = quantity.get("code", quantity.get("unit"))
    if len(normal) > 1 or any(limit.get("code", limit.get("unit", unit)) != unit for limit in given):
        gathered.counts["reference intervals left out: several, or in another unit than the value"] += 1
        return {}
    low, high = limits
    return {"reference_low": as_text(low.get("value")), "reference_high": as_text(high.get("value"))}


def _is_normal(reference_range: Element, path: str) -> bool:
    codings = parts(part(reference_range, "type", path), "coding", path)
    return not codings or any(coding.get("code") == "normal" for coding in codings)


def _laboratory(observation: Element) -> str | None:
    """Return the organisation that measured; a person who did is nothing that we keep."""
    for performer in parts(observation, "performer", _HERE):
        kind, _, name = str(performer.get("reference", "")).rpartition("/")
        if kind.rpartition("/")[2] == "Organization" or performer.get("type") == "Organization":
            return name or as_text(part(performer, "identifier", _HERE).get("value"))
    return None
