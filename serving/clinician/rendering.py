"""From a template to a page. Everything that is printed is escaped; nothing is loaded from elsewhere."""

from __future__ import annotations

import hashlib
import time
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from serving.access.caller import Caller
from serving.call import Call, Language
from serving.clinician.addresses import HOME, ours
from serving.clinician.language import words

TEMPLATES, STATIC = Path(__file__).parent / "templates", Path(__file__).parent / "static"
HTML = "text/html; charset=utf-8"


@cache
def environment(language: Language) -> Environment:
    """Return the templates in a language, each read once."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    say = words(language)
    found.globals |= {"_": say, "plural": say.plural, "language": language, "static": static_address}
    found.filters |= {"said": say.said, "number": say.number, "day": say.day, "moment": say.moment}
    return found


@cache
def static_address(name: str) -> str:
    """Return where a file of ours lies; the name changes with the content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/ui/static/{digest}/{name}"


def page(call: Call, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page for whoever has made the call.

    Parameters
    ----------
    call : Call
    template : str
        File in ``templates``; it extends ``base.html``.
    status : int
    context : dict
        What the template names. ``address``: where the choice of language leads back to; without it, to what was asked for.
    """
    served = {} if call.predictor is None else call.predictor.served
    told = {"address": ours(call.address) or HOME, "is_synthetic": any(one.body.synthetic for one in served.values())}
    return rendered(call.language, template, call.caller, status, **told | context)


def rendered(language: Language, template: str, caller: Caller | None, status: int = 200, **context: Any) -> Response:
    """Return a page; without a caller, one for somebody who has not signed in."""
    told = {"address": HOME, "is_synthetic": False, "here": "", "caller": caller, "seconds_left": seconds_left(caller)}
    return Response(environment(language).get_template(template).render(told | context), status, media_type=HTML)


def seconds_left(caller: Caller | None) -> int:
    """Return how long a caller stays signed in."""
    return 0 if caller is None else max(0, int(caller.expires - time.time()))
