"""ICPC-2 chapters and the four groups."""

from __future__ import annotations

import re

import pytest

from data_contracts.diagnoses import CHAPTER_GROUPS, ICPC2_CHAPTERS, chapter, chapter_group, is_code_of
from data_contracts.records import AbsenceSpell, columns


@pytest.mark.parametrize(
    ("diagnosis", "group"),
    [("P76", "P"), ("P", "P"), ("L03", "L"), ("L", "L"), ("R74", "R"), ("R", "R"), ("A04", "other"), ("Z", "other")],
)
def test_group_of_a_code_and_of_a_bare_chapter_letter(diagnosis: str, group: str) -> None:
    assert chapter_group(diagnosis) == group


@pytest.mark.parametrize("text", ["", "p76", ".2", "C50", "76", "M54.5", "P761"])
def test_what_is_no_icpc_code_is_refused_rather_than_counted_as_other(text: str) -> None:
    with pytest.raises(ValueError, match="not an ICPC-2 code"):
        chapter_group(text)


@pytest.mark.parametrize(
    ("diagnosis", "letter"),
    [
        ("F32", "P"), ("F43.2", "P"), ("F99", "P"), ("M54.5", "L"), ("M545", "L"), ("M54", "L"), ("S52.5", "L"),
        # Exceptions to their ICD-10 chapter: gout is metabolic, a rash and worry are symptoms with a home of their own.
        ("M10.9", "T"), ("R45.7", "P"), ("R53", "A"), ("G45", "K"), ("A09", "D"), ("A35", "N"),
        # Burn-out is the only subcategory with a row of its own.
        ("Z73.0", "P"), ("Z730", "P"), ("Z73", "A"), ("Z73.3", "A"),
        # The same text means something else in ICPC-2: F is the eye, L the skin, P the newborn in ICD-10.
        ("H25", "F"), ("L20", "S"), ("P07", "A"), ("U07.1", "R"), ("M5", None), ("54.5", None), ("P76x", None),
    ],
)  # fmt: skip
def test_chapter_of_an_icd_10_code(diagnosis: str, letter: str | None) -> None:
    if letter is None:
        with pytest.raises(ValueError, match="not an ICD-10 code"):
            chapter(diagnosis, "ICD-10")
    else:
        assert chapter(diagnosis, "ICD-10") == letter


# The codes that NAV's conversion of certificates (navikt/syfosm-common, commit d304cbd) takes to one chapter, P or L; some of
# those that it takes elsewhere.
CONVERTED_BY_NAV = {
    "P": "F03 F069 F100 F101 F131 F171 F191 F209 F29 F319 F329 F409 F419 F431 F439 F459 F480 F509 F519 F520 F529 F609 F669 "
         "F799 F819 F909 F919 F980 F981 F982 F985 F99 R418 R450 R452 R454 R458 R54 Z600",
    "L": "C419 D481 M009 M069 M169 M179 M199 M219 M255 M259 M439 M489 M542 M543 M545 M549 M759 M771 M779 M790 M796 M799 "
         "M819 M939 M999 Q799 S529 S628 S729 S829 S832 S836 S934 T142 T143 T146",
    "R": "A379 J069 R05",
    "other": "A049 B349 C509 D509 E119 G439 H269 H919 I10 K30 L309 M109 N309 N951 O200 R53 S060 T149 T300",
}  # fmt: skip


@pytest.mark.parametrize(("group", "codes"), CONVERTED_BY_NAV.items())
def test_the_groups_are_those_of_nav(group: str, codes: str) -> None:
    assert [code for code in codes.split() if chapter_group(code, "ICD-10") != group] == []


def test_the_system_decides_and_not_the_letter() -> None:
    assert (chapter_group("F32", "ICPC-2"), chapter_group("F32", "ICD-10")) == ("other", "P")
    assert (chapter_group("L20", "ICPC-2"), chapter_group("L20", "ICD-10")) == ("L", "other")
    assert is_code_of("F32.1", "ICD-10")
    assert not is_code_of("F32.1", None)


def test_every_icd_10_category_of_the_classification_has_a_chapter() -> None:
    last = {"A": 99, "B": 99, "C": 96, "D": 89, "E": 90, "F": 99, "G": 99, "H": 95, "I": 99, "J": 99, "K": 93, "L": 99,
            "M": 99, "N": 99, "O": 99, "P": 96, "Q": 99, "R": 99, "S": 99, "T": 98, "Z": 99}  # fmt: skip
    for letter, highest in last.items():
        for number in range(highest + 1):
            assert is_code_of(f"{letter}{number:02}", "ICD-10"), f"{letter}{number:02}"


def test_chapters_are_exactly_the_letters_that_the_record_lets_in() -> None:
    (column,) = [column for column in columns(AbsenceSpell) if column.name == "diagnosis"]
    assert column.pattern is not None
    accepted = {letter for letter in map(chr, range(ord("A"), ord("Z") + 1)) if re.fullmatch(column.pattern, letter)}
    assert set(ICPC2_CHAPTERS) == accepted


def test_every_chapter_and_group_is_named_in_both_languages() -> None:
    for labels in (*ICPC2_CHAPTERS.values(), *CHAPTER_GROUPS.values()):
        assert set(labels) == {"nb", "en"}
        assert all(labels.values())
    assert list(CHAPTER_GROUPS) == ["P", "L", "R", "other"]
