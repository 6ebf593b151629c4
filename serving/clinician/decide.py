"""What a clinician says about a score: agree, disagree, not relevant, why, and what comes next; and what was said before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from pydantic import Field, ValidationError
from starlette.responses import RedirectResponse, Response

from models.outcomes import OUTCOMES
from serving.call import Call
from serving.clinician.form_faults import Written, faults
from serving.clinician.language import words
from serving.clinician.messages import N_
from serving.clinician.person_frame import asked_outcome, person_page
from serving.clinician.person_view import person_view
from serving.clinician.sentences import headline
from serving.handlers import stored
from serving.handlers.stored_bodies import SCORE_ID, DecisionRequest
from serving.requests import Body
from serving.store.decisions import DecisionAbout, NextStep, Verdict

REMIND_AFTER = 10
"""So many times in a row a clinician has agreed before the page reminds of what the model does not know."""

VERDICT_WORDS: Mapping[Verdict, str] = MappingProxyType(
    {"agree": N_("Enig"), "disagree": N_("Uenig"), "not_relevant": N_("Ikke relevant")}
)
NEXT_STEP_WORDS: Mapping[NextStep, str] = MappingProxyType(
    {
        "none": N_("Ikke noe nå"),
        "conversation": N_("Samtale"),
        "workplace_measure": N_("Tiltak på arbeidsplassen"),
        "programme_offer": N_("Tilbud i programmet"),
        "general_practitioner": N_("Kontakt med fastlege"),
        "wait": N_("Vente og se"),
    }
)


class DecisionForm(Body):
    """The form as it was filled in, whatever is missing or wrong in it."""

    score_id: str = Field(pattern=SCORE_ID)
    outcome: Written = ""
    verdict: Written = ""
    reason: Written = ""
    next_step: Written = ""


@dataclass(frozen=True)
class ToldDecision:
    """One decision as it is shown: with whom it was, if not with the reader herself, is not told."""

    outcome: Mapping[str, str]
    verdict: str
    next_step: str
    reason: str
    is_own: bool
    decided_at: datetime


def told_decisions(call: Call) -> tuple[ToldDecision, ...]:
    """Return what has been said about the person of the address, newest first; for ``decisions.html``."""
    found = call.parts.store.decisions_about(stored.named(call, "person_id"), call.today)
    return tuple(_told(call, one) for one in found)


def _told(call: Call, one: DecisionAbout) -> ToldDecision:
    say, outcome = words(call.language), OUTCOMES[one.outcome]
    return ToldDecision(
        outcome={"nb": outcome.label_nb, "en": outcome.label_en},
        verdict=say(VERDICT_WORDS[one.verdict]),
        next_step=say(NEXT_STEP_WORDS[one.next_step]),
        reason=one.reason,
        is_own=one.caller == call.caller.subject,
        decided_at=one.decided_at,
    )


def agrees_with_everything(call: Call) -> bool:
    """True if all of the reader's latest decisions, about whomever, were to agree."""
    latest = call.parts.store.verdicts_of(call.caller.subject, REMIND_AFTER)
    return len(latest) == REMIND_AFTER and set(latest) == {"agree"}


def decide_page(call: Call) -> Response:
    """Show the form, of the outcome that is asked for, and what was said before."""
    empty = DecisionForm.model_construct(score_id=person_view(call).score.score_id, outcome=asked_outcome(call))
    return _shown(call, empty, {})


def decide(call: Call) -> Response:
    """Note the decision and show it; a form with something missing or wrong is shown again as it was filled in."""
    asked = _asked(call)
    if isinstance(asked, ValidationError):
        return _shown(call, call.body, faults(asked, words(call.language)))
    stored.decide(replace(call, body=asked))
    person = stored.named(call, "person_id")
    return RedirectResponse(f"/ui/persons/{person}/decisions?outcome={asked.outcome}", 303)


def is_wrong(call: Call) -> bool:
    """True if something is missing or wrong in the form."""
    return isinstance(_asked(call), ValidationError)


def _asked(call: Call) -> DecisionRequest | ValidationError:
    try:
        return DecisionRequest.model_validate(call.body.model_dump())
    except ValidationError as error:
        return error


def _shown(call: Call, form: DecisionForm, wrong: Mapping[str, str]) -> Response:
    say, answered = words(call.language), person_view(call).answer.outcomes
    return person_page(
        call, "decide.html", "decide", asked_outcome(call), status=422 if wrong else 200, form=form, wrong=wrong,
        said={name: headline(say, name, risk) for name, risk in answered.items()},
        decisions=told_decisions(call), verdicts=VERDICT_WORDS, next_steps=NEXT_STEP_WORDS,
        remind_after=REMIND_AFTER if agrees_with_everything(call) else 0,
    )  # fmt: skip
