"""The model pages: what is in service, what it rests on, how well it works for whom, and its card."""

from __future__ import annotations

import base64
import hashlib
import re
from weakref import WeakKeyDictionary

from starlette.responses import Response

from models.outcomes import OUTCOMES
from serving import problems
from serving.call import Call, Language
from serving.case import Served
from serving.clinician.language import words
from serving.clinician.model_evidence import Evidence, State, card_of, evaluation_of
from serving.clinician.model_exhibits import Exhibits
from serving.clinician.model_view import ModelView, model_view
from serving.clinician.rendering import HTML, page
from serving.problems import Refused

_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
_CARD_POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
"""A card brings its own style and pictures; it may do nothing."""

_EXHIBITS: WeakKeyDictionary[Served, dict[tuple[Language, State], Exhibits]] = WeakKeyDictionary()


def models(call: Call) -> Response:
    """Show every model in service, and the outcomes whose newer version was refused."""
    served = call.predictor.served if call.predictor else {}
    views = [_told(one, call)[0] for one in served.values()]
    refused = [{"nb": OUTCOMES[name].label_nb, "en": OUTCOMES[name].label_en} for name in call.parts.watch.refused()]
    return page(call, "models.html", here="models", views=views, refused=refused)


def model(call: Call) -> Response:
    """Show one model: importance, calibration, groups, capacities, use and limits."""
    served, settings = _served(call), call.parts.settings
    view, evaluation = _told(served, call)
    shown = _exhibits(served, evaluation, call.language)
    card = card_of(settings.bundles, served.model, settings.verify_key)
    return page(call, "model.html", here="models", view=view, shown=shown, card=card.state)


def card(call: Call) -> Response:
    """Show the model card as it was written, or refuse one that is not what was signed."""
    settings = call.parts.settings
    found = card_of(settings.bundles, _served(call).model, settings.verify_key)
    if found.state == "lacking":
        raise Refused(problems.of_status(404))
    if found.state == "altered":
        raise Refused(problems.not_ready("The model card is not the one that was signed."))
    return Response(found.content, media_type=HTML, headers={"content-security-policy": _policy(found.content)})


def _policy(content: bytes) -> str:
    style = _STYLE.search(content)
    digest = hashlib.sha256(style[1] if style else b"").digest()
    return _CARD_POLICY.format(base64.b64encode(digest).decode())


def _served(call: Call) -> Served:
    served = call.predictor.served.get(call.path["outcome"]) if call.predictor else None
    if served is None:
        raise Refused(problems.of_status(404))
    return served


def _told(served: Served, call: Call) -> tuple[ModelView, Evidence]:
    evaluation = evaluation_of(call.parts.settings.bundles, served.model)
    return model_view(served, evaluation, words(call.language)), evaluation


def _exhibits(served: Served, evaluation: Evidence, language: Language) -> Exhibits:
    """Return the exhibits of a model, made once while it serves: drawing takes longer than a page may."""
    kept, key = _EXHIBITS.setdefault(served, {}), (language, evaluation.state)
    if key not in kept:
        kept[key] = Exhibits.of(served.model.facts, evaluation.content or {}, words(language))
    return kept[key]
