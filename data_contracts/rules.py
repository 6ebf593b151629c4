"""Every rule by which a row can be refused: what breaks it, and what the sender should do about it.

Reports, the data dictionary and the Open Data Contract take their words from here; tests demand an entry for every rule.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """What breaks a rule, and what to ask the sender to do.

    ``only_on_arrival`` says why no accepted table can break the rule, so that no expectation states it; empty otherwise.
    """

    meaning: str
    advice: str
    only_on_arrival: str = ""


RULES: dict[str, Rule] = {
    "required": Rule(
        "A column that must be filled is empty.",
        "Fill the column in every row, or leave the row out.",
    ),
    "type": Rule(
        "The text is not a number, whole number, ISO date or true/false, as the column demands.",
        "Write plain numbers, dates as 2026-03-01, and true or false; no words such as 'unknown'.",
    ),
    "decimal comma": Rule(
        "A number is written with a comma; 12.5 is right, 12,5 is not.",
        "Export numbers with a decimal point, or declare the decimal comma in the mapping file.",
        "it is about the text of a number; once read, a number has no comma",
    ),
    "thousands separator": Rule(
        "A number is written with thousands separators, which read differently by country.",
        "Export numbers without thousands separators.",
        "it is about the text of a number; once read, a number has no separators",
    ),
    "mixed number conventions": Rule(
        "Other numbers of the column show that this one's comma or point may not be a decimal sign.",
        "Write all numbers of the column in one way, or declare the decimal sign in the mapping file.",
        "it is about the text of numbers; once read, all numbers are written alike",
    ),
    "ambiguous date": Rule(
        "A date is written with slashes: nothing says which number is the day and which the month.",
        "Write dates as 2026-03-01 or 01.03.2026, or declare the order in the mapping file.",
        "it is about the text of a date; once read, day and month are told apart",
    ),
    "bounds": Rule(
        "A number or date lies outside the column's limits.",
        "Look the number or date up where it was first recorded; a typing error or another unit is likely.",
    ),
    "codes": Rule(
        "The text is not one of the column's codes.",
        "Use the codes of the data dictionary, or translate yours in the mapping file.",
    ),
    "pattern": Rule(
        "The text does not have the column's form.",
        "Send the code in the form that the data dictionary shows, without spaces or names.",
    ),
    "national identity number": Rule(
        "The cell holds a national identity number; its text is never shown or stored.",
        "Replace identity numbers by pseudonyms before sending, and delete the copy that was sent.",
    ),
    "known_from in the future": Rule(
        "The row claims to be known later than the day on which it was received.",
        "State the day on which the row was first recorded; check the clock and the date format.",
    ),
    "unknown instrument": Rule(
        "No questionnaire of that name is declared.",
        "Use the questionnaire's name from the data dictionary, or ask us to declare the questionnaire.",
    ),
    "unknown item": Rule(
        "The questionnaire has no item of that name.",
        "Use the item names of the data dictionary; check that the right version was used.",
    ),
    "unknown answer code": Rule(
        "The item does not take that answer.",
        "Send the answer codes of the data dictionary as given, neither reversed nor rescaled.",
    ),
    "unknown code": Rule(
        "No analyte is declared for that code.",
        "Check the code of the analysis; ask us to declare it if it is right.",
    ),
    "unit mismatch": Rule(
        "The code is not reported in that unit.",
        "Send the result in the unit that belongs to its code; do not relabel it.",
    ),
    "outside hard limits": Rule(
        "The measurement cannot be true: it lies outside the analyte's hard limits.",
        "Look the result up in the laboratory's system; the unit or the decimal sign is probably wrong.",
    ),
    "systolic not above diastolic": Rule(
        "Two blood pressures of one person and day contradict each other; both are set aside.",
        "Look both pressures up; they may be swapped, or belong to two measurements.",
    ),
    "diagnosis system": Rule(
        "The diagnosis is no code of the system that the row names (none named: ICPC-2).",
        "Name the system of the code (ICPC-2 or ICD-10) in diagnosis_system, or check the code.",
    ),
    "conflicting versions": Rule(
        "Rows share natural key and known_from but differ; all of them are set aside.",
        "Send one row per fact and day, or give the correction the later day on which it was made.",
    ),
    "person not in persons": Rule(
        "The row's person is not in the table persons.",
        "Send the person's row in the table persons too, or mend it if it was refused there.",
    ),
    "consent in doubt": Rule(
        "A refused row of the same person, source and purpose may have withdrawn this consent, so it does not count.",
        "Mend the refused row of the table consents and send it again; until then the source is not used for that person.",
        "it is about a row that was refused; a table holds accepted rows only",
    ),
    "unknown field": Rule(
        "The record has a field that the contract does not know.",
        "Leave the field out, or use the name that the data dictionary gives.",
    ),
    "shape": Rule(
        "An object or a list was expected.",
        "Send objects and lists as the description of the interface shows.",
        "it is about the JSON of a request; a table has rows and columns",
    ),
    "other person": Rule(
        "A row of a record belongs to another person than the record.",
        "Send each record with the rows of its own person only.",
        "it is about one request; a table holds many persons",
    ),
    "event after known_from": Rule(
        "The row says that something was known before it happened.",
        "Nothing is known before it happens: check both dates and their format.",
    ),
    "end_date before start_date": Rule(
        "The employment ends before it begins.",
        "Check the two dates of the employment; they may be swapped.",
    ),
    "withdrawn_on before given_on": Rule(
        "The consent is withdrawn before it is given.",
        "Check the two dates of the consent; they may be swapped.",
    ),
    "reference_low above reference_high": Rule(
        "The lower limit of the reference interval lies above the upper one.",
        "Check the two limits of the reference interval; they may be swapped.",
    ),
    "last_day before first_day": Rule(
        "The absence ends before it begins.",
        "Check the first and last day of the absence; they may be swapped.",
    ),
    "not FHIR R4": Rule(
        "The resource does not follow FHIR R4.",
        "Mend the element named; a FHIR validator shows the same fault.",
        "it is about the resources of a FHIR source; a table has none",
    ),
    "modifier": Rule(
        "The resource says that something we do not read changes its meaning or replaces it.",
        "Send the resource without modifier elements, or the record that replaces it.",
        "it is about the resources of a FHIR source; a table has none",
    ),
    "reference": Rule(
        "A reference does not lead to exactly one resource.",
        "Send the resource that is referred to in the same bundle, once, with the fullUrl or id referred to.",
        "it is about the resources of a FHIR source; a table has none",
    ),
    "repeated fullUrl": Rule(
        "Two entries that differ have the same fullUrl.",
        "Send each resource once, or give its versions their meta.versionId.",
        "it is about the resources of a FHIR source; a table has none",
    ),
    "restricted consent": Rule(
        "The consent has a condition or an exception that the contract has no column for.",
        "Send a consent that permits whole sources for whole purposes, and its end when it has come.",
        "it is about the resources of a FHIR source; a table has none",
    ),
}
