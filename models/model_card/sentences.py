"""Sentences over facts: one whose facts are not there is not said, and never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, StrictUndefined, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from models.model_card.numbers import FactMissing, count, hundred, hundred_nb, number, percent, words


def _present(value: Any) -> Any:
    if value is None:
        raise FactMissing
    return value


@lru_cache(maxsize=2)
def _environment(undefined: type) -> Environment:
    environment = SandboxedEnvironment(undefined=undefined, finalize=_present, autoescape=False)
    environment.filters |= {"count": count, "number": number, "percent": percent, "hundred": hundred,
                            "hundred_nb": hundred_nb, "words": words}  # fmt: skip
    return environment


def say(sentence: str, context: Mapping[str, Any]) -> str | None:
    """Return a sentence of our own declarations filled with facts; None if a fact that it needs is missing or empty.

    Facts are values, never parsed as sentences themselves. Escaping is left to the page, which escapes all of it.
    """
    try:
        said = _environment(StrictUndefined).from_string(sentence).render(context).strip()
    except (UndefinedError, FactMissing):
        return None
    return said or None


def holds(condition: str, context: Mapping[str, Any]) -> bool:
    """Tell whether a condition over facts is true; a missing fact makes it false."""
    expression = _environment(ChainableUndefined).compile_expression(condition, undefined_to_none=True)
    try:
        return bool(expression(**context))
    except (TypeError, UndefinedError):  # a missing number compared with a number
        return False
