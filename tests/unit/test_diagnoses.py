"""ICPC-2 chapters and the three groups."""

from __future__ import annotations

import re

import pytest

from data_contracts.diagnoses import CHAPTER_GROUPS, ICPC2_CHAPTERS, chapter_group
from data_contracts.records import AbsenceSpell, columns


@pytest.mark.parametrize(
    ("diagnosis", "group"),
    [("P76", "P"), ("P", "P"), ("L03", "L"), ("L", "L"), ("A04", "other"), ("R74", "other"), ("Z", "other")],
)
def test_group_of_a_code_and_of_a_bare_chapter_letter(diagnosis: str, group: str) -> None:
    assert chapter_group(diagnosis) == group


@pytest.mark.parametrize("text", ["", "p76", ".2", "C50", "76"])
def test_what_is_no_icpc_code_is_refused_rather_than_counted_as_other(text: str) -> None:
    with pytest.raises(ValueError, match="not an ICPC-2 code"):
        chapter_group(text)


def test_chapters_are_exactly_the_letters_that_the_record_lets_in() -> None:
    (column,) = [column for column in columns(AbsenceSpell) if column.name == "diagnosis"]
    assert column.pattern is not None
    accepted = {letter for letter in map(chr, range(ord("A"), ord("Z") + 1)) if re.fullmatch(column.pattern, letter)}
    assert set(ICPC2_CHAPTERS) == accepted


def test_every_chapter_and_group_is_named_in_both_languages() -> None:
    for labels in (*ICPC2_CHAPTERS.values(), *CHAPTER_GROUPS.values()):
        assert set(labels) == {"nb", "en"}
        assert all(labels.values())
    assert list(CHAPTER_GROUPS) == ["P", "L", "other"]
