"""What the model says to other answers, tried out together with the person: a page with one field for each answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel
from starlette.responses import Response

from serving.call import Basis, Call
from serving.clinician.answer_fields import AnswerForm, answer_form
from serving.clinician.diagnosis_groups import neutral, without_groups
from serving.clinician.language import words
from serving.clinician.person_frame import asked_outcome, person_page
from serving.clinician.person_view import PersonView, person_view
from serving.clinician.rendering import page
from serving.clinician.sentences import short
from serving.handlers.risk import named as models_named
from serving.handlers.stored import person_basis
from serving.handlers.what_if import NOTICE, answered
from serving.handlers.what_if_bodies import MOST_CHANGES, OutcomeWhatIf, WhatIfRequest
from serving.responses import OutcomeExplanation

ONLY_ANSWER = "only_answer"
"""Field that the script adds: it asks for the answer alone, not for the whole page."""

ALIKE = 0.05
"""Percentage points or days: a smaller difference is printed as nothing."""

Direction = Literal["lower", "higher", "alike", "unclear"]

_Name = Annotated[str, Field(pattern=rf"^([A-Za-z0-9_]{{1,64}}\.[A-Za-z0-9_]{{1,64}}|{ONLY_ANSWER})$")]
_Code = Annotated[float, Field(allow_inf_nan=False)]


class AnswersForm(RootModel[dict[_Name, _Code]]):
    """The answers that are tried out: by instrument and item, the code."""

    model_config = ConfigDict(hide_input_in_errors=True)


def what_if_page(call: Call) -> Response:
    """Show the answers that can be changed."""
    return _shown(call, {})


def try_answers(call: Call) -> Response:
    """Show what the model says to the answers of the form."""
    sent = dict(call.body.root)
    only_answer = sent.pop(ONLY_ANSWER, 0) == 1
    return _shown(call, sent, only_answer)


def what_if_basis(call: Call) -> Basis:
    """Return the models in service now, which answer, and the data of the night."""
    _, data = person_basis(call)
    return models_named(call.predictor, [asked_outcome(call)]), data


def _shown(call: Call, tried: Mapping[str, float], only_answer: bool = False) -> Response:
    view, outcome = person_view(call), asked_outcome(call)
    now = _explained(view, outcome)
    about: dict[str, Any] = {
        "notice": NOTICE, "most_changes": MOST_CHANGES, "only_answer": ONLY_ANSWER, "now": now,
        "stored_model": view.risk(outcome).model.artifact_sha256, "form": None,
        "short": partial(short, words(call.language)),
    }  # fmt: skip
    if now is not None and (now.risk is not None or now.expected_days is not None):
        form = _form(view, outcome, now)
        changes = {name: code for name, code in tried.items() if form.current.get(name) != code}
        found = _found(view, outcome, changes) if 0 < len(changes) <= MOST_CHANGES else None
        about |= {"form": form, "tried": {**form.current, **tried}, "found": found, "n_changes": len(changes)}
        about["direction"] = None if found is None else direction(found)
    if only_answer:
        return page(call, "what_if_answer.html", **about)
    return person_page(call, "what_if.html", "what_if", outcome, **about)


def direction(found: OutcomeWhatIf) -> Direction | None:
    """Say which way the number goes; unclear where the refits disagree about it, None where there is no difference to tell.

    Parameters
    ----------
    found : OutcomeWhatIf
        What the model says before and after.
    """
    if found.difference is None:
        return None
    low, high = found.difference_interval or (found.difference, found.difference)
    if low <= 0 <= high and max(-low, high) >= ALIKE:
        return "unclear"
    if abs(found.difference) < ALIKE:
        return "alike"
    return "lower" if found.difference < 0 else "higher"


def _explained(view: PersonView, outcome: str) -> OutcomeExplanation | None:
    """Return what the model in service says to the answers as they are; None where the record was not kept."""
    if view.case is None or view.predictor is None:
        return None
    return without_groups(view.predictor.explain_case(view.case, view.night, [outcome]).outcomes[outcome])


def _form(view: PersonView, outcome: str, now: OutcomeExplanation) -> AnswerForm:
    assert view.tables is not None  # there is a number
    assert view.case is not None
    assert view.predictor is not None
    return answer_form(view.tables, view.case, view.predictor.served[outcome], now)


def _found(view: PersonView, outcome: str, changes: Mapping[str, float]) -> OutcomeWhatIf:
    assert view.predictor is not None
    listed = [_change(name, code) for name, code in changes.items()]
    asked = {"record": view.record, "index_date": view.night.isoformat(), "outcomes": [outcome], "changes": listed}
    withdrawn = view.call.parts.withdrawals.of(view.person_id)
    found = answered(view.predictor, WhatIfRequest.model_validate(asked), view.call.today, withdrawn).outcomes[outcome]
    then = found.then.model_copy(update={"warnings": neutral(found.then.warnings)})
    return found.model_copy(update={"then": then})


def _change(name: str, code: float) -> dict[str, str | float]:
    instrument, _, item = name.partition(".")
    return {"instrument": instrument, "item": item, "answer": code}
