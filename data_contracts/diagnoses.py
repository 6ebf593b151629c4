"""Diagnoses as certificates carry them: the chapters of ICPC-2, and the three groups that features and outcomes use."""

from __future__ import annotations

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

CHAPTER_GROUPS: dict[str, dict[str, str]] = {
    "P": ICPC2_CHAPTERS["P"],
    "L": ICPC2_CHAPTERS["L"],
    "other": {"nb": "Andre helseforhold", "en": "Other health matters"},
}
"""Groups of chapters, in the order in which features and reports list them."""


def chapter_group(diagnosis: str) -> str:
    """Return the group of an ICPC-2 code or chapter letter; a certificate without a diagnosis has none, not "other"."""
    chapter = diagnosis[:1]
    if chapter not in ICPC2_CHAPTERS:
        raise ValueError("not an ICPC-2 code: its first character is no chapter letter")
    return chapter if chapter in CHAPTER_GROUPS else "other"
