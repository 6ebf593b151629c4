"""Bad JSON: FHIR files and the record of a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from data_contracts.errors import SourceFileError
from data_contracts.violations import shown
from tests.lib.bad_inputs import (
    BUNDLE,
    IDENTITY_NUMBER,
    NAME,
    NEW_PERSON,
    OTHER_PERSON,
    BadInput,
    Found,
    sound_record,
)
from tests.lib.fhir_bundles import (
    NLK,
    absence,
    bundle_of,
    certificate,
    concept,
    consent,
    meta,
    observation,
    patient,
    quantity,
    response,
)

Json = dict[str, Any]

FNR = "urn:oid:2.16.578.1.12.4.1.4.1"
WHO5 = "https://example.org/Questionnaire/who5"
ABOUT = {"subject": {"reference": f"Patient/{OTHER_PERSON}"}}
IDENTITY = "national identity number"
FROM_FHIR = ("persons", "consents", "survey_answers", "lab_results", "absence_spells")


def sound_bundle() -> Json:
    """What the sound source says, as far as FHIR can say it; the narrative of each resource holds a name."""
    bundle = bundle_of(sound_record() | {"employments": []})  # these come by CSV
    resources = [entry["resource"] for entry in bundle["entry"]]
    resources.append(patient(OTHER_PERSON, birthDate="1980"))
    for one in resources:
        one["text"] = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NAME}</div>'}
        if one["resourceType"] == "Observation":
            one["performer"] = [{"reference": "Organization/lab1"}]
    return bundle | {"entry": [{"resource": one} for one in resources]}


NEXT_ENTRY = len(sound_bundle()["entry"]) + 1


def _plant_json(directory: Path, text: str | bytes) -> None:
    for table in FROM_FHIR:
        (directory / f"{table}.csv").unlink()
    (directory / BUNDLE).write_bytes(text if isinstance(text, bytes) else text.encode())


def _entry(name: str, entry: Any, *found: tuple[str, str]) -> BadInput:
    """One bad entry at the end of the sound bundle."""

    def plant(directory: Path) -> None:
        bundle = sound_bundle()
        bundle["entry"].append(entry)
        _plant_json(directory, json.dumps(bundle).replace('"1e999"', "1e999"))

    return BadInput(f"FHIR {name}", plant, tuple(Found(BUNDLE, NEXT_ENTRY, *one) for one in found))


def _resource(name: str, resource: Any, *found: tuple[str, str]) -> BadInput:
    return _entry(name, {"resource": resource}, *found)


def _file(name: str, text: Callable[[str], str | bytes], word: str) -> BadInput:
    """The text of the sound bundle is spoilt so that the file must be refused as a whole."""

    def plant(directory: Path) -> None:
        _plant_json(directory, text(json.dumps(sound_bundle())))

    return BadInput(f"FHIR file {name}", plant, refused=SourceFileError, word=word)


LAUGHS = '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {one} "{f"&{other};" * 10}">' for other, one in zip("abcdefgh", "bcdefghi", strict=True)
) + '] ><Bundle xmlns="http://hl7.org/fhir"><id value="&i;"/></Bundle>'  # fmt: skip


def _files() -> Iterator[BadInput]:
    yield _file("that is XML and laughs a billion times", lambda _: LAUGHS, "not JSON")
    yield _file("that is XML", lambda _: '<Bundle xmlns="http://hl7.org/fhir"/>', "not JSON")
    yield _file("cut off", lambda text: text[:-40], "not JSON")
    yield _file("empty", lambda _: "", "not JSON")
    yield _file("nested in lists", lambda _: "[" * 100_000 + "]" * 100_000, "not JSON")
    yield _file("nested in objects", lambda _: '{"a":' * 100_000 + "1" + "}" * 100_000, "not JSON")
    yield _file(
        "nested inside a resource",
        lambda text: text[:-2] + ', {"x": ' + "[" * 99_999 + "]" * 99_999 + "}]}",
        "not JSON",
    )
    for word in ("NaN", "Infinity", "-Infinity"):
        yield _file(f"with {word}", lambda text, word=word: text.replace("38.5", word), "not JSON")
    yield _file("with a number of 10 000 digits", lambda text: text.replace("38.5", "9" * 10_000), "not JSON")
    yield _file("in UTF-16", lambda text: text.encode("utf-16"), "UTF-8")
    yield _file(
        "in latin-1", lambda text: text.replace("Kari", "Kåre").encode("latin-1") + "å".encode("latin-1"), "UTF-8"
    )
    yield _file("with a comment", lambda text: text + "// the end", "not JSON")
    yield _file("of two documents", lambda text: text + text, "not JSON")
    yield _file("that is gzip", lambda _: b"\x1f\x8b" + bytes(30), "gzip")
    yield _file("with a key twice", lambda text: text.replace('"value": 38.5', '"value": 99.5, "value": 38.5'), "twice")
    for name, head in {
        "a list": "[1]",
        "a word": '"x"',
        "null": "null",
    }.items():
        yield _file(f"that is {name}", lambda _, head=head: head, BUNDLE)
    yield _file("without entries", lambda _: '{"resourceType": "Bundle"}', "persons is missing")
    number = {"identifier": {"value": IDENTITY_NUMBER}}
    yield _file("with an identity number in the head", lambda text: json.dumps(json.loads(text) | number), IDENTITY)
    yield _file(
        "with modifiers in the head", lambda text: json.dumps(json.loads(text) | {"implicitRules": "x"}), "modifier"
    )
    yield BadInput(
        "FHIR file named by an identity number", _named_by_number, refused=SourceFileError, word="identity number"
    )
    yield BadInput("FHIR ndjson with a line cut off", _ndjson, (Found("bulk.ndjson", NEXT_ENTRY, "", "shape"),))


def _named_by_number(directory: Path) -> None:
    _plant_json(directory, json.dumps(sound_bundle()))
    (directory / BUNDLE).rename(directory / f"{IDENTITY_NUMBER}.json")


def _ndjson(directory: Path) -> None:
    lines = [json.dumps(entry["resource"]) for entry in sound_bundle()["entry"]]
    _plant_json(directory, "")
    (directory / BUNDLE).unlink()
    (directory / "bulk.ndjson").write_text("\n".join([*lines, lines[0][:-9], ""]))


def _measured(**others: Any) -> Json:
    return observation(**(ABOUT | others))


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _entries() -> Iterator[BadInput]:
    here, not_fhir = "Observation", "not FHIR R4"
    yield _resource("modifierExtension", _measured(modifierExtension=[{"url": "x:y", "valueBoolean": True}]),
                    (f"{here}.modifierExtension", "modifier"))  # fmt: skip
    yield _resource("implicitRules", _measured(implicitRules="x:y"), (f"{here}.implicitRules", "modifier"))
    for kind in ("Pasient", "observation", "", None, 7, ["Observation"], "x" * 5000, "BaseModel", "Quantity"):
        wrong = _measured() | {"resourceType": kind}
        yield _resource(f"resourceType {str(kind)[:20]}", wrong, ("resourceType", not_fhir))
    yield _entry("entry that is a number", 5, ("Bundle.entry", "shape"))
    yield _entry("entry that is a list", [_measured()], ("Bundle.entry", "shape"))
    yield _resource("resource that is a text", "Observation", ("Bundle.entry.resource", "shape"))
    yield _resource(
        "nested 80 deep", _measured(extension=_nested(80)), (shown(f"{here}.extension" + "[0]" * 58), "shape")
    )
    yield _resource("text of 2 MB", _measured(id="x" * 2_100_000), (f"{here}.id", not_fhir))
    yield _resource("broken Unicode", _measured(id="\ud800"), (f"{here}.id", not_fhir))
    yield _resource("infinite number", _measured(value="1e999"), (f"{here}.valueQuantity.value", "type"))
    yield _resource("number of 40 digits", _measured(value=10**40), (f"{here}.valueQuantity.value", "type"))
    yield _resource("unknown element", _measured(colour="x"), (f"{here}.colour", "unknown field"))
    yield _resource("status of its own", _measured(status="done"), (f"{here}.status", "codes"))
    yield _resource("two values", _measured(valueString="x"), (here, not_fhir))
    yield _resource("date as a number", _measured(effectiveDateTime=20250501), (f"{here}.effectiveDateTime", not_fhir))
    yield _resource("birth date as a number", _new(birthDate=1980), ("Patient.birthDate", not_fhir))
    yield _resource(
        "value as a text", _measured(valueQuantity={"value": "many"}), (f"{here}.valueQuantity.value", not_fhir)
    )


def _references() -> Iterator[BadInput]:
    here = "Observation.subject"
    for target in ("Patient/nobody-here", "https://example.test/fhir/Patient/x", "urn:uuid:0", "#contained"):
        yield _resource(
            f"subject {target!r}", _measured(subject={"reference": target}), (f"{here}.reference", "reference")
        )
    yield _resource(
        "subject that is no Patient", _measured(subject={"reference": "Observation/o"}), (here, "reference")
    )
    yield _resource("no subject", _without(_measured(), "subject"), (here, "required"))
    yield _resource(
        "two identifiers", _new(identifier=[{"value": "x1"}, {"value": "x2"}]), ("Patient.identifier", "required")
    )
    yield _resource("record not in use", _new(active=False), ("Patient.active", "modifier"))
    link = [{"other": {"reference": "Patient/x"}, "type": "replaced-by"}]
    yield _resource("record that was replaced", _new(link=link), ("Patient.link", "modifier"))


def _without(resource: Json, element: str) -> Json:
    return {name: value for name, value in resource.items() if name != element}


def _new(**others: Any) -> Json:
    return patient(NEW_PERSON, **others)


def _identity_numbers() -> Iterator[BadInput]:
    number = IDENTITY_NUMBER
    yield _resource("fødselsnummer as identifier", _new(identifier=[{"system": FNR, "value": number}]),
                    ("Patient.identifier[0].value", IDENTITY))  # fmt: skip
    yield _resource("identifier of the system of fødselsnumre", _new(identifier=[{"system": FNR, "value": "1234"}]),
                    ("Patient.identifier.value", IDENTITY))  # fmt: skip
    places: dict[str, tuple[Any, str]] = {
        "id": (number, "id"),
        "name": ([{"text": f"{NAME} {number}"}], "name[0].text"),
        "text": ({"status": "generated", "div": f"<div>{number}</div>"}, "text.div"),
        "telecom": ([{"system": "phone", "value": number}], "telecom[0].value"),
        "contained": ([{"resourceType": "Patient", "id": number}], "contained[0].id"),
        "extension": ([{"url": "x:y", "valueString": f"nr. {number}."}], "extension[0].valueString"),
        "link": ([{"other": {"reference": f"Patient/{number}"}, "type": "seealso"}], "link[0].other.reference"),
    }
    for name, (value, path) in places.items():
        yield _resource(f"identity number in {name}", _new(**{name: value}), (f"Patient.{path}", IDENTITY))
    url = {"fullUrl": f"https://example.test/Patient/{number}", "resource": _new()}
    yield _entry("identity number in fullUrl", url, ("Bundle.entry.fullUrl", IDENTITY))
    subject = {"identifier": {"system": FNR, "value": "1234"}}
    yield _resource(
        "fødselsnummer as subject", _measured(subject=subject), ("Observation.subject.identifier.value", IDENTITY)
    )
    yield _resource("identity number as a key", _new(**{number: 1}), (f"Patient.[{IDENTITY}]", "unknown field"))


def _facts() -> Iterator[BadInput]:
    yield _resource("Patient without sex", _without(_new(), "gender"), ("sex", "required"))
    yield _resource("Patient of unknown sex", _new(gender="unknown"), ("sex", "codes"))
    yield _resource("Patient without birth date", _without(_new(), "birthDate"), ("birth_year", "required"))
    yield _resource("Patient never stored", _without(_new(), "meta"), ("known_from", "required"))
    yield _resource(
        "Observation without a date", _without(_measured(), "effectiveDateTime"), ("sampled_on", "required")
    )
    yield _resource("Observation never issued", _without(_measured(), "issued"), ("known_from", "required"))
    yield _resource("Observation in another unit", _measured(unit="%"), ("unit", "unit mismatch"))
    yield _resource("Observation without a unit", _measured(valueQuantity={"value": 1}), ("unit", "required"))
    yield _resource("Observation outside limits", _measured(value=385), ("value", "outside hard limits"))
    yield _resource(
        "Observation of an unknown code", _measured(code=concept(NLK, "NPU99999")), ("code", "unknown code")
    )
    early = _measured(effectiveDateTime="2025-06-01")
    yield _resource("Observation issued before the sample", early, ("sampled_on", "event after known_from"))
    year = _measured(effectiveDateTime="2025")
    yield _resource("Observation of a year", year, ("sampled_on", "type"))
    twice = _measured(id="x", valueQuantity=quantity(40, "mmol/mol"), meta=meta("2025-05-03"))
    yield _versions(twice)


def _papers() -> Iterator[BadInput]:
    here = "QuestionnaireResponse"
    yield _resource("questionnaire of an unknown name", response("x:who6", {"item_1": 3}) | ABOUT,
                    (f"{here}.questionnaire", "unknown instrument"))  # fmt: skip
    yield _resource("unknown question", response(WHO5, {"item_9": 3}) | ABOUT, ("item", "unknown item"))
    yield _resource("answer that is none", response(WHO5, {"item_1": 6}) | ABOUT, ("answer", "unknown answer code"))
    words = {"item_1": {"valueCoding": {"code": NAME.split()[0]}}}
    yield _resource("answer in words", response(WHO5, words) | ABOUT, ("answer", "type"))
    kinds = [concept("urn:balance-risk:absence-kind", "x"), concept("urn:balance-risk:absence-grade", "50")]
    yield _resource("absence of an unknown kind", absence("graded") | {"type": kinds} | ABOUT, ("kind", "codes"))
    yield _resource("absence that ends before it starts", absence(end="2025-02-01") | ABOUT,
                    ("last_day", "last_day before first_day"))  # fmt: skip
    open_end = certificate({"type": "AKTIVITET_IKKE_MULIG", "fom": "2025-03-01"})
    yield _resource("certificate without an end", open_end | ABOUT, (f"{here}.item.aktivitet-tom", "required"))
    graded = certificate({"type": "GRADERT", "fom": "2025-03-01", "tom": "2025-03-09"})
    yield _resource("certificate without its grade", graded | ABOUT, ("grade_percent", "required"))
    about = {"patient": ABOUT["subject"]}
    nested = consent(["survey"], ["risk_scoring"], {"provision": [{"type": "deny"}]}) | about
    yield _resource("consent with an exception", nested, ("Consent.provision.provision", "restricted consent"))
    yield _resource(
        "consent without a purpose", consent(["survey"], []) | about, ("Consent.provision.purpose", "required")
    )


def _versions(measured: Json) -> BadInput:
    """Two entries of one fullUrl that differ."""

    def plant(directory: Path) -> None:
        bundle = sound_bundle()
        bundle["entry"] += [{"fullUrl": "urn:x:1", "resource": measured | {"id": name}} for name in "ab"]
        _plant_json(directory, json.dumps(bundle))

    found = [Found(BUNDLE, NEXT_ENTRY + place, "Bundle.entry.fullUrl", "repeated fullUrl") for place in (0, 1)]
    return BadInput("FHIR fullUrl twice", plant, tuple(found))


# Records of requests


def _record(name: str, spoil: Callable[[Json], Any], *found: Found, gone: tuple[str, ...] = ()) -> BadInput:
    """``spoil`` changes the sound record and returns another one, or None where it changed it in place."""

    def plant(_: Path) -> Any:
        record = sound_record()
        other = spoil(record)
        return record if other is None else other

    return BadInput(f"record {name}", plant, found, gone=gone, door="record")


def _added(name: str, table: str, cells: Json, *found: tuple[str, str]) -> BadInput:
    """A second row in a table, with some cells changed."""

    def spoil(record: Json) -> None:
        record[table].append(record[table][0] | cells)

    return _record(f"{table} {name}", spoil, *(Found(f"record.{table}", 1, *one) for one in found))


EVERYTHING = ("persons", "employments", *FROM_FHIR[1:], "workplace_events", "guidance_sessions")
NO_RECORD = (Found("record", 0, "", "shape"),)


def _records() -> Iterator[BadInput]:
    whole: dict[str, Any] = {"a list": [], "a text": "x", "a number": 1, "true": True}
    for name, value in whole.items():
        yield _record(f"that is {name}", lambda _, value=value: value, *NO_RECORD, gone=EVERYTHING)
    yield _record("without a person", lambda record: record.pop("person") and None, Found("record", 0, "person", "required"),
                  gone=("persons",))  # fmt: skip
    for name, value in {"a list": [], "a text": "x", "a number": 7}.items():
        yield _record(f"whose person is {name}", lambda record, value=value: record.update(person=value),
                      Found("record.person", 0, "", "shape"), gone=("persons",))  # fmt: skip
    for name, value in {"a text": "x", "a number": 7, "an object": {}}.items():
        yield _record(f"whose lab_results are {name}", lambda record, value=value: record.update(lab_results=value),
                      Found("record.lab_results", 0, "", "shape"), gone=("lab_results",))  # fmt: skip
    for name, value in {"a text": "x", "a number": 7, "a list": []}.items():
        yield _record(f"whose lab_results hold {name}", lambda record, value=value: record["lab_results"].append(value),
                      Found("record.lab_results", 1, "", "shape"))  # fmt: skip
    yield _record(
        "with an unknown field", lambda record: record.update(labs=[]), Found("record", 0, "labs", "unknown field")
    )
    named = {IDENTITY_NUMBER: 1}
    yield _record("with an identity number as field", lambda record: record.update(named),
                  Found("record", 0, f"[{IDENTITY}]", "unknown field"))  # fmt: skip
    yield _record("nested deep", lambda record: record.update(lab_results=_nested(50_000)),
                  Found("record.lab_results", 0, "", "shape"), gone=("lab_results",))  # fmt: skip
    yield _added(
        "of another person",
        "survey_answers",
        {"person_id": "somebody", "item": "item_2"},
        ("person_id", "other person"),
    )
    yield _added(
        "with an unknown column", "survey_answers", {"item": "item_2", "note": NAME}, ("note", "unknown field")
    )
    yield _added("with an identity number as column", "survey_answers", {"item": "item_2", IDENTITY_NUMBER: 1},
                 (f"[{IDENTITY}]", "unknown field"))  # fmt: skip
    versions = [Found("record.absence_spells", row, "known_from", "conflicting versions") for row in (0, 1)]
    yield _record("absence_spells in two versions", _second_version, *versions, gone=("absence_spells",))


def _second_version(record: Json) -> None:
    record["absence_spells"].append(record["absence_spells"][0] | {"grade_percent": 50})


def _typed() -> Iterator[BadInput]:
    lab = {"sampled_on": "2025-04-01"}
    for value in (True, "38.5", [38.5], {"value": 38.5}, 1e999, -1e999, float("nan"), 10**400):
        yield _added(
            f"value {str(value)[:16]!r} of {type(value).__name__}",
            "lab_results",
            lab | {"value": value},
            ("value", "type"),
        )
    for value in (20250401, 1.5, True, ["2025-04-01"], {"day": 1}):
        yield _added(f"day {value!r}", "guidance_sessions", {"domain": "pain", "held_on": value}, ("held_on", "type"))
    for value in ("true", 1, 0.0, [], {}):
        flag = {"start_date": "2021-01-01", "shift_work": value}
        yield _added(f"flag {value!r}", "employments", flag, ("shift_work", "type"))
    for value in (7, False, ["survey"]):
        yield _added(f"code {value!r}", "consents", {"given_on": "2024-01-01", "source": value}, ("source", "type"))
    number = int(IDENTITY_NUMBER)
    for value in (number, float(number), IDENTITY_NUMBER):
        cells = lab | {"value" if isinstance(value, (int, float)) else "laboratory": value}
        column = "laboratory" if isinstance(value, str) else "value"
        yield _added(f"identity number as {type(value).__name__}", "lab_results", cells, (column, IDENTITY))
    for text in ("p\u200b", "\ud800", "p" * 65, "../x", "two words"):
        yield _added(f"identifier {text[:12]!r}", "absence_spells", {"spell_id": text}, ("spell_id", "pattern"))


def cases() -> list[BadInput]:
    parts = (_files(), _entries(), _references(), _identity_numbers(), _facts(), _papers(), _records(), _typed())
    return [case for part in parts for case in part]
