"""Declared questions answered from facts: what the facts say, what is missing, and what only people can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.model_card.sentences import say

DOCUMENTS = {
    "data_sheet": "Data sheet (Gebru et al.)",
    "dpia": "Data protection impact assessment: skeleton",
    "risk_file": "Risk file in the manner of ISO 14971: skeleton",
    "questions": "Where the questions of the AI Act and Normen are answered",
}


@dataclass(frozen=True)
class Item:
    """One question.

    Parameters
    ----------
    number, asks : str
    said : tuple of str
        What facts and study team answer.
    missing : str
        The verb that would provide facts that are not there; empty if none are missing.
    people : str
        What people must still answer; empty if nothing, or the study team has.
    """

    number: str
    asks: str
    said: tuple[str, ...]
    missing: str
    people: str


def answered(name: str, facts: Mapping[str, Any]) -> list[Item]:
    """Answer all questions of one of :data:`DOCUMENTS`."""
    declared = yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))
    return [_answer(item, facts) for item in declared]


def _answer(item: Mapping[str, Any], facts: Mapping[str, Any]) -> Item:
    said = [say(sentence, facts) for sentence in item["answers"]]
    by_team = facts["study"].get(item.get("study", ""), "")
    missing = item["otherwise"] if None in said else ""
    told = tuple(sentence for sentence in (by_team, *said) if sentence)
    return Item(item["number"], item["asks"], told, missing, "" if by_team else item.get("people", ""))
