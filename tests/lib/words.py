"""Words that the pages do not use, each with its reason: ``words.csv``."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from data_contracts.instruments import INSTRUMENTS

NAMES = tuple(one.title for one in INSTRUMENTS.values())
"""What questionnaires are called by their authors is no word of ours."""


class Word(NamedTuple):
    """One pattern of a language."""

    language: str
    pattern: re.Pattern[str]
    reason: str


@cache
def word_list() -> tuple[Word, ...]:
    with (Path(__file__).parent / "words.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(Word(row["language"], re.compile(row["word"], re.IGNORECASE), row["reason"]) for row in rows)


def words_found(text: str, language: str) -> list[str]:
    """Every word of the list in a text, with the reason and the words around it."""
    for name in NAMES:
        text = text.replace(name, "")
    return [
        f"…{text[max(0, found.start() - 40) : found.end() + 40]}…: {word.reason}"
        for word in word_list()
        if word.language == language
        for found in word.pattern.finditer(text)
    ]
