"""What is wrong with a field of a form, in words that say what to do; what was written is kept and never quoted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from serving.clinician.language import Words
from serving.clinician.messages import N_
from serving.handlers.stored_bodies import LONGEST_REASON

_MOST_SENT = 20 * LONGEST_REASON


def _one_kind_of_line_break(text: str) -> str:
    return text.replace("\r\n", "\n")


Written = Annotated[str, Field(max_length=_MOST_SENT), AfterValidator(_one_kind_of_line_break)]
"""Text of a form before its check: a browser ends lines in its own way."""

_EMPTY = N_("Skriv en begrunnelse.")
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "string_too_short": _EMPTY,
        "string_too_long": N_("Begrunnelsen er for lang: høyst %(n)s tegn."),
        "must say something": _EMPTY,
        "must not hold a national identity number": N_(
            "Begrunnelsen ser ut til å inneholde et fødselsnummer. Ta det bort."
        ),
    }
)
"""By kind or message of the fault."""
_REASON_ELSE = N_("Begrunnelsen har tegn som ikke kan lagres. Skriv den som vanlig tekst.")
_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "outcome": N_("Velg hva vurderingen gjelder."),
        "verdict": N_("Velg om du er enig, uenig, eller om det ikke er relevant."),
        "next_step": N_("Velg neste steg."),
    }
)


def faults(error: ValidationError, say: Words) -> dict[str, str]:
    """Return by field what is wrong with a form.

    Parameters
    ----------
    error : ValidationError
        Of the body that the form is to become.
    say : Words
    """
    found = {}
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        field, message = str(one["loc"][0]), one["msg"].removeprefix("Value error, ")
        text = _FIELDS.get(field) or _REASONS.get(one["type"]) or _REASONS.get(message, _REASON_ELSE)
        found[field] = say(text, n=say.number(LONGEST_REASON))
    return found
