"""Diagnoses as certificates carry them: ICPC-2 or ICD-10 codes, their ICPC-2 chapter, and the four groups in use."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

ICPC2_CHAPTERS: dict[str, dict[str, str]] = {
    "A": {"nb": "Allment og uspesifisert", "en": "General and unspecified"},
    "B": {"nb": "Blod, bloddannende organer og immunsystem", "en": "Blood, blood-forming organs and immune mechanism"},
    "D": {"nb": "Fordøyelsessystemet", "en": "Digestive system"},
    "F": {"nb": "Øye", "en": "Eye"},
    "H": {"nb": "Øre", "en": "Ear"},
    "K": {"nb": "Hjerte og kar", "en": "Heart and circulation"},
    "L": {"nb": "Muskel og skjelett", "en": "Muscles and joints"},
    "N": {"nb": "Nervesystemet", "en": "Nervous system"},
    "P": {"nb": "Psykisk helse", "en": "Mental health"},
    "R": {"nb": "Luftveier", "en": "Airways"},
    "S": {"nb": "Hud", "en": "Skin"},
    "T": {"nb": "Hormoner, stoffskifte og ernæring", "en": "Hormones, metabolism and nutrition"},
    "U": {"nb": "Urinveier", "en": "Urinary system"},
    "W": {"nb": "Svangerskap, fødsel og familieplanlegging", "en": "Pregnancy, childbirth and family planning"},
    "X": {"nb": "Kvinnelige kjønnsorganer", "en": "Female genital system"},
    "Y": {"nb": "Mannlige kjønnsorganer", "en": "Male genital system"},
    "Z": {"nb": "Sosiale forhold", "en": "Social circumstances"},
}
"""Chapter letter -> plain name in Norwegian and English."""

ICD10_CODE = r"[A-Z][0-9]{2}(\.?[0-9]{1,2})?"
"""Form of an ICD-10 code as certificates write it, with or without the point: M54, M54.5, M545."""

_ICPC2 = re.compile(rf"[{''.join(ICPC2_CHAPTERS)}]([0-9]{{2}})?")
_ICD10 = re.compile(ICD10_CODE)

CHAPTER_GROUPS: dict[str, dict[str, str]] = {
    "P": ICPC2_CHAPTERS["P"],
    "L": ICPC2_CHAPTERS["L"],
    "R": ICPC2_CHAPTERS["R"],
    "other": {"nb": "Andre helseforhold", "en": "Other health matters"},
}
"""Groups of chapters, in the order in which features and reports list them."""


def chapter(code: str, system: str | None = None) -> str:
    """Return the ICPC-2 chapter letter of a code.

    Parameters
    ----------
    code : str
        ICPC-2 code or chapter letter, or ICD-10 code with or without its point.
    system : {"ICPC-2", "ICD-10"}, optional
        None is ICPC-2, as on the certificates of general practitioners.

    Raises
    ------
    ValueError
        If the text is no code of that system.

    Notes
    -----
    ICD-10 codes go where NAV's conversion of certificates (``icd10.json`` of navikt/syfosm-common, commit d304cbd) takes
    them; all codes that it takes to P or L alone are a test. The base rows of ``icd10_chapters.csv`` fill in the categories
    that it does not convert.
    """
    if system == "ICD-10":
        return _icd10_chapter(code)
    if not _ICPC2.fullmatch(code):
        raise ValueError("not an ICPC-2 code: a chapter letter, alone or with two digits")
    return code[0]


def chapter_group(code: str, system: str | None = None) -> str:
    """Return the group of a code's chapter; a certificate without a diagnosis has none, not "other"."""
    letter = chapter(code, system)
    return letter if letter in CHAPTER_GROUPS else "other"


def is_code_of(code: str, system: str | None) -> bool:
    """True if the text is a code of the system; None is ICPC-2."""
    try:
        chapter(code, system)
    except ValueError:
        return False
    return True


@cache
def _icd10_chapter(code: str) -> str:
    if not _ICD10.fullmatch(code):
        raise ValueError("not an ICD-10 code: a letter, two digits and at most two more, as M54 or M54.5")
    digits = code.replace(".", "")
    # Later rows are exceptions to earlier ones.
    for first, last, letter in reversed(_icd10_ranges()):
        if first <= digits[: len(first)] <= last:
            return letter
    raise ValueError("not an ICD-10 code: its category does not exist")


@cache
def _icd10_ranges() -> tuple[tuple[str, str, str], ...]:
    with (Path(__file__).parent / "icd10_chapters.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple((row["first"].replace(".", ""), row["last"].replace(".", ""), row["icpc2_chapter"]) for row in rows)
