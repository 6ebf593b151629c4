"""Problems as pages: what happened and what to do, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from serving.clinician.addresses import HOME, address_of, sign_in_address
from serving.clinician.language import words
from serving.clinician.messages import N_
from serving.clinician.rendering import rendered
from serving.problems import Problem
from serving.request_head import header, language

_NOT_NOW = (
    N_("Siden kan ikke vises nå"),
    N_("Vent litt og prøv igjen. Varer det ved, si fra til den som drifter tjenesten."),
)
_TOO_OFTEN = (N_("For mange forespørsler"), N_("Vent et minutt og prøv igjen."))
_FORM = (N_("Skjemaet ble ikke forstått"), N_("Gå tilbake, se over det du skrev, og send det igjen."))
_ADDRESS = (N_("Det er ingen side her"), N_("Adressen kan være skrevet feil."))
SAID: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "no_care_relation": (
            N_("Du følger ikke opp denne personen"),
            N_("Bare den som følger opp en person, ser opplysningene. Skal du følge opp personen, kan du begynne nå."),
        ),
        "sent_by_another_site": (
            N_("Ingenting er lagret"),
            N_("Skjemaet kom ikke fra denne siden. Åpne siden på nytt og send det derfra."),
        ),
        "unauthenticated": (
            N_("Du er ikke logget inn lenger"),
            N_("Ingenting er lagret. Logg inn i en ny fane, gå så tilbake til skjemaet og send det igjen."),
        ),
        "forbidden": (
            N_("Dette kan du ikke se"),
            N_("Rollen din, eller virksomhetene du arbeider for, gir ikke tilgang."),
        ),
        "no-score": (
            N_("Ingen vurdering å vise"),
            N_("Det finnes ingen vurdering av en slik person som du kan se. Samtykket kan være trukket tilbake."),
        ),
        "no-night": (N_("Ingen vurderinger ennå"), N_("Det er ikke beregnet noen vurderinger for denne dagen.")),
        "no-report": (N_("Ingen rapport ennå"), N_("Rapporten lages en gang i måneden.")),
        "not-found": _ADDRESS,
        "uri-too-long": _ADDRESS,
        "method-not-allowed": (N_("Her er det ingenting å vise"), N_("Adressen tar bare imot skjemaer. Gå til forsiden.")),
        "invalid-request": _FORM,
        "invalid-json": _FORM,
        "not-json": _FORM,
        "body-too-slow": _FORM,
        "too-large": (N_("Skjemaet er for stort"), N_("Gå tilbake, skriv kortere, og send det igjen.")),
        "contract-violation": (
            N_("Opplysningene om personen kan ikke leses"),
            N_("De bryter med det tjenesten kan lese. Si fra til den som drifter tjenesten."),
        ),
        "change-refused": (N_("Endringen kan ikke prøves"), N_("Gå tilbake og velg et annet svar.")),
        "quota-spent": _TOO_OFTEN,
        "overloaded": _TOO_OFTEN,
        "audit-unavailable": (
            N_("Siden kan ikke vises nå"),
            N_("Innsyn kan ikke loggføres akkurat nå, og uten loggføring vises ingenting. Prøv igjen om litt."),
        ),
    }
)  # fmt: skip
"""By reason or kind of the problem: the heading, and what to do."""


def refusal(problem: Problem, scope: Scope) -> Response:
    """Return the page of a problem; who is not signed in, or not any more, is sent to where that is done.

    A part of a page gets a few lines to put in its place, or the whole page is sent to the sign-in.
    """
    is_part = header(scope, b"hx-request") == b"true"
    is_unknown = problem.status == 401
    sign_in = sign_in_address(address_of(scope), problem.reason)
    if is_unknown and scope["method"] in ("GET", "HEAD") and not is_part:
        return RedirectResponse(sign_in, 303)
    response = _told(problem, scope, "refusal_part.html" if is_part else "refusal.html")
    # Browsers would ask for a name and a password of their own.
    response.headers.update({name: value for name, value in problem.headers if name != "WWW-Authenticate"})
    if is_unknown and is_part:
        response.headers["HX-Redirect"] = sign_in
    return response


def _told(problem: Problem, scope: Scope, template: str) -> Response:
    say = words(language(scope))
    heading, what_to_do = SAID.get(problem.reason) or SAID.get(problem.kind) or _NOT_NOW
    is_read = scope["method"] == "GET"
    return rendered(
        say.language, template, scope.get("caller"), problem.status, problem=problem, heading=say(heading),
        what_to_do=say(what_to_do), person_id=scope.get("path_params", {}).get("person_id", ""),
        address=address_of(scope) if is_read else HOME, can_be_tried_again=is_read and problem.status >= 429,
    )  # fmt: skip
