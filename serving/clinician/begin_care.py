"""Beginning to follow a person up: a reason, kept, and then the person's page."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from serving.call import Call
from serving.clinician.form_faults import Written, faults
from serving.clinician.language import words
from serving.clinician.rendering import page
from serving.handlers import stored
from serving.handlers.stored_bodies import CareRelationRequest
from serving.requests import Body


class CareForm(Body):
    """Why the reader follows the person up, as it was written."""

    reason: Written = ""


def is_wrong(call: Call) -> bool:
    """True if the reason cannot be kept."""
    return isinstance(_asked(call), ValidationError)


def _asked(call: Call) -> CareRelationRequest | ValidationError:
    try:
        return CareRelationRequest(reason=call.body.reason)
    except ValidationError as error:
        return error


def begin_care(call: Call) -> Response:
    """Note the care relation and go on to the person; a reason that cannot be kept is asked for again."""
    person_id = stored.named(call, "person_id")
    asked = _asked(call)
    if isinstance(asked, ValidationError):
        wrong = faults(asked, words(call.language))
        return page(
            call, "begin_care.html", 422, here="worklist", address=f"/ui/persons/{person_id}", person_id=person_id,
            written=call.body.reason, wrong=wrong["reason"],
        )  # fmt: skip
    stored.begin_care(replace(call, body=asked))
    return RedirectResponse(f"/ui/persons/{person_id}", 303)
