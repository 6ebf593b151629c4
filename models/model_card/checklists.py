"""TRIPOD+AI and Annex IV answered from facts: each item once, in the order of its source, missing where facts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from models.model_card.sentences import say

Status = Literal["answered", "partly", "missing"]


@dataclass(frozen=True)
class Answered:
    """One item of a checklist.

    Parameters
    ----------
    number, heading, asks, applies : str
    said : tuple of str
        What the facts and the study team answer.
    missing : str
        What would provide the rest, empty if nothing is missing.
    """

    number: str
    heading: str
    asks: str
    applies: str
    said: tuple[str, ...]
    missing: str

    @property
    def status(self) -> Status:
        """How much of it is answered."""
        if not self.missing:
            return "answered"
        return "partly" if self.said else "missing"


@cache
def declared(name: str) -> Any:
    """Return a declaration of this package, a YAML file beside this module."""
    return yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))


def answered(name: str, context: Mapping[str, Any]) -> list[Answered]:
    """Answer every item of ``tripod_ai`` or ``annex_iv``."""
    return [_answer(item, context) for item in declared(name)]


def _answer(item: Mapping[str, Any], context: Mapping[str, Any]) -> Answered:
    said = [say(sentence, context) for sentence in item["answers"]]
    by_team = context["study"].get(item.get("study", ""), "")
    found = tuple(dict.fromkeys(sentence for sentence in (by_team, *said) if sentence))
    # The team's own words complete an item; otherwise every sentence must have its facts, and there must be one.
    is_whole = bool(by_team) or (bool(said) and None not in said)
    missing = "" if is_whole else f"missing — to be provided by {_by_whom(item)}"
    return Answered(
        item["number"],
        item.get("topic", item.get("heading", "")),
        item.get("asks", ""),
        item.get("applies", ""),
        found,
        missing,
    )


def _by_whom(item: Mapping[str, Any]) -> str:
    who = "the study team" if "study" in item else "a further run"
    return f"{who}: {item['otherwise']}" if item["otherwise"] else who
