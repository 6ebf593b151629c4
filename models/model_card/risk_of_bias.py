"""PROBAST+AI as a self-assessment: every question answered by the first rule that holds, domains judged from the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from models.model_card.checklists import declared
from models.model_card.sentences import holds, say

Part = Literal["development", "evaluation"]
PARTS: tuple[Part, ...] = ("development", "evaluation")
NO_INFORMATION = "no information"
_GOOD, _BAD = ("yes", "probably yes"), ("no", "probably no")


@dataclass(frozen=True)
class Question:
    """A signalling question with its answer and the reason for it."""

    part: Part
    number: str
    asks: str
    answer: str
    because: str


@dataclass(frozen=True)
class Domain:
    """A domain of a part with its questions; ``concern`` is derived from the answers and is no assessor's judgement."""

    part: Part
    name: str
    questions: tuple[Question, ...]

    @property
    def concern(self) -> str:
        """High if any answer is (probably) no, else unclear if any lacks information, else low."""
        return worst([_concern(question.answer) for question in self.questions])


def _concern(answer: str) -> str:
    return "high" if answer in _BAD else "unclear" if answer == NO_INFORMATION else "low"


def worst(concerns: list[str]) -> str:
    """Return the most serious of several concerns."""
    return next((concern for concern in ("high", "unclear") if concern in concerns), "low")


def assessed(context: Mapping[str, Any]) -> list[Domain]:
    """Answer all 34 questions, by part and domain."""
    declaration = declared("probast_ai")
    return [
        Domain(part, name, tuple(
            _answer(part, question, context)
            for question in (*declaration["shared"], *declaration[part])
            if question["number"].startswith(f"{place}.")
        ))
        for part in PARTS
        for place, name in enumerate(declaration["domains"], start=1)
    ]  # fmt: skip


def _answer(part: Part, question: Mapping[str, Any], context: Mapping[str, Any]) -> Question:
    for rule in question["rules"]:
        if _has_part(part, context) and holds(rule["when"], context):
            because = say(rule["because"], context)
            if because:
                return Question(part, question["number"], question["asks"], rule["answer"], because)
    return Question(part, question["number"], question["asks"], NO_INFORMATION, "The facts of this run do not say.")


def _has_part(part: Part, context: Mapping[str, Any]) -> bool:
    """Without a trained model there is no development to judge, and without a report no evaluation."""
    return bool(context["champion"]) if part == "development" else bool(context["test"])
