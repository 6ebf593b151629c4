"""What no page of a person tells: under which group of diagnoses an absence was recorded.

Models may count absence by chapter of ICPC-2. What that adds to a number stays in it, as one contribution, so that all
contributions still add up; for what somebody was away is not the reader's to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from features.absence_history import BY_CHAPTER
from features.catalogue import feature
from models.explanation import Reason
from serving.notices import Notice
from serving.responses import OutcomeRisk

LABEL = {"nb": "Tidligere fravær, etter diagnosegruppe", "en": "Earlier absence, by group of diagnoses"}
NOT_SHOWN = {"nb": "vises ikke her", "en": "not shown here"}

_NAMED = tuple({"nb": one.label_nb, "en": one.label_en} for one in map(feature, sorted(BY_CHAPTER)))
_Answered = TypeVar("_Answered", bound=OutcomeRisk)


def without_groups(answer: _Answered) -> _Answered:
    """Return an answer about one outcome with all absence by group of diagnoses as one reason, and no group in a warning."""
    hidden = [one for one in answer.reasons if one.feature in BY_CHAPTER]
    others = [one for one in answer.reasons if one.feature not in BY_CHAPTER]
    together = [_together(hidden)] if hidden else []
    reasons = tuple(sorted([*others, *together], key=lambda one: -abs(one.contribution)))
    return answer.model_copy(update={"reasons": reasons, "warnings": neutral(answer.warnings)})


def neutral(warnings: Iterable[Notice]) -> tuple[Notice, ...]:
    """Return warnings that name no group of diagnoses."""
    return tuple(
        replace(one, message={language: _neutral(text, language) for language, text in one.message.items()})
        for one in warnings
    )


def _together(hidden: Sequence[Reason]) -> Reason:
    total = sum(one.contribution for one in hidden)
    strongest = max(hidden, key=lambda one: abs(one.contribution))
    is_missing = all(one.missing for one in hidden)
    shown = strongest.shown if is_missing else NOT_SHOWN
    return replace(
        strongest, label=LABEL, shown=shown, value=None, missing=is_missing, contribution=total,
        text={language: f"{LABEL[language]}: {shown[language]}." for language in LABEL},
        direction="raises" if total > 0 else "lowers" if total < 0 else "none",
    )  # fmt: skip


def _neutral(text: str, language: str) -> str:
    for label in _NAMED:
        text = text.replace(label[language], LABEL[language])
    head, found, rest = text.partition(LABEL[language])
    # A list of several groups names what stands for them once.
    return head + found + rest.replace(f"; {LABEL[language]}", "")
