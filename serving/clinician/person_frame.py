"""What all pages of a person share: who it is about, the safety flag on top, and the way from one page to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.responses import Response

from models.outcomes import OUTCOMES
from serving import problems
from serving.call import Call
from serving.clinician.language import words
from serving.clinician.messages import N_
from serving.clinician.person_view import PersonView, person_view
from serving.clinician.rendering import page
from serving.clinician.safety import flags_of
from serving.problems import Refused

OUTCOME_QUERY: dict[str, dict[str, Any]] = {"outcome": {"type": "string", "enum": list(OUTCOMES)}}
"""Of which outcome a page tells; without it, of the first that there is a score of."""


class Tab(NamedTuple):
    """One page of a person: its name, the end of its address, its label, and whether it is about one outcome."""

    name: str
    path: str
    label: str
    has_outcome: bool


TABS = (
    Tab("overview", "", N_("Oversikt"), True),
    Tab("contributions", "/contributions", N_("Bidrag"), True),
    Tab("profile", "/profile", N_("Helseprofil"), False),
    Tab("timeline", "/timeline", N_("Tidslinje"), False),
    Tab("what_if", "/what-if", N_("Hva om"), True),
    Tab("decide", "/decisions", N_("Vurder"), True),
)


def person_page(call: Call, template: str, tab: str, outcome: str | None = None, **context: Any) -> Response:
    """Return a page of the person of the address.

    Parameters
    ----------
    call : Call
    template : str
        It extends ``person_base.html`` and fills its block ``person``.
    tab : str
        Name of the page's tab.
    outcome : str, optional
        That the page is about; the tabs keep it.
    context : dict
        What the template names; ``view`` is given.
    """
    view = person_view(call)
    say = words(call.language)
    tabs = [{"name": one.name, "label": one.label, "address": _address(view, one, outcome)} for one in TABS]
    shown = next(one for one in TABS if one.name == tab)
    about = {
        "here": "worklist", "address": _address(view, shown, outcome), "view": view, "tab": tab, "tabs": tabs,
        "heading": say(shown.label), "outcome": outcome, "flags": flags_of(view, say),
    }  # fmt: skip
    return page(call, template, context.pop("status", 200), **about | context)


def _address(view: PersonView, tab: Tab, outcome: str | None) -> str:
    asked = f"?outcome={outcome}" if outcome and tab.has_outcome else ""
    return f"/ui/persons/{view.person_id}{tab.path}{asked}"


def asked_outcome(call: Call) -> str:
    """Return the outcome that is asked for, else the first of the stored answer; raises Refused where there is none."""
    answered = person_view(call).answer.outcomes
    asked = call.query.get("outcome") or next((name for name in OUTCOMES if name in answered), None)
    if asked is not None and asked not in OUTCOMES:
        raise Refused(problems.invalid_query(f"outcome must be one of: {', '.join(OUTCOMES)}"))
    if asked not in answered:
        raise Refused(problems.NO_SCORE)
    return asked
