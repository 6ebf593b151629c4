"""The sections of SN2007, the Norwegian standard industrial classification (NACE Rev. 2), and the divisions in them.

Sections, divisions and Norwegian names: Statistics Norway, Klass, classification 6 (https://www.ssb.no/klass/klassifikasjoner/6),
shortened where long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One section: its letter and its divisions, the last included."""

    code: str
    first: int
    last: int
    label_nb: str
    label_en: str


SECTIONS: Mapping[str, Section] = {
    one.code: one
    for one in (
        Section("A", 1, 3, "Jordbruk, skogbruk og fiske", "Agriculture, forestry and fishing"),
        Section("B", 5, 9, "Bergverksdrift og utvinning", "Mining and quarrying"),
        Section("C", 10, 33, "Industri", "Manufacturing"),
        Section(
            "D", 35, 35, "Elektrisitets-, gass-, damp- og varmtvannsforsyning", "Electricity, gas and steam supply"
        ),
        Section("E", 36, 39, "Vannforsyning, avløps- og renovasjonsvirksomhet", "Water supply, sewerage and waste"),
        Section("F", 41, 43, "Bygge- og anleggsvirksomhet", "Construction"),
        Section("G", 45, 47, "Varehandel og reparasjon av motorvogner", "Trade and repair of motor vehicles"),
        Section("H", 49, 53, "Transport og lagring", "Transportation and storage"),
        Section("I", 55, 56, "Overnattings- og serveringsvirksomhet", "Accommodation and food service"),
        Section("J", 58, 63, "Informasjon og kommunikasjon", "Information and communication"),
        Section("K", 64, 66, "Finansierings- og forsikringsvirksomhet", "Finance and insurance"),
        Section("L", 68, 68, "Omsetning og drift av fast eiendom", "Real estate"),
        Section(
            "M", 69, 75, "Faglig, vitenskapelig og teknisk tjenesteyting", "Professional, scientific and technical"
        ),
        Section("N", 77, 82, "Forretningsmessig tjenesteyting", "Administrative and support services"),
        Section("O", 84, 84, "Offentlig administrasjon og forsvar", "Public administration and defence"),
        Section("P", 85, 85, "Undervisning", "Education"),
        Section("Q", 86, 88, "Helse- og sosialtjenester", "Human health and social work"),
        Section("R", 90, 93, "Kulturell virksomhet, underholdning og fritid", "Arts, entertainment and recreation"),
        Section("S", 94, 96, "Annen tjenesteyting", "Other services"),
        Section("T", 97, 97, "Lønnet arbeid i private husholdninger", "Households as employers"),
        Section("U", 99, 99, "Internasjonale organisasjoner", "Extraterritorial organisations"),
    )
}


def section_of(industry_code: str) -> str | None:
    """Return the letter of the section that a division or class such as 86 or 86.101 is in, None where there is none."""
    division = int(industry_code[:2])
    return next((one.code for one in SECTIONS.values() if one.first <= division <= one.last), None)
