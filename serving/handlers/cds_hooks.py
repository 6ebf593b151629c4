"""CDS Hooks 2.0: one service for patient-view, at most one card, and no card unless it is worth an interruption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response

from models.wording import RISK_BANDS
from serving import problems
from serving.access.policy import Subject
from serving.call import Basis, Call
from serving.fhir.risk_assessments import ABOUT, SYNTHETIC, is_starter
from serving.handlers.cds_bodies import DISCOVERY, LONGEST_SUMMARY, CdsRequest
from serving.notices import SAFETY
from serving.predictor import Predictor, case_of
from serving.problems import FieldError, Refused
from serving.responses import OutcomeRisk

Json = dict[str, Any]

RAISED = tuple(band.name for band in RISK_BANDS[2:])
"""Bands in which somebody is interrupted: those above the reference group."""

_MOST_REASONS = 3
_OVERRIDE_SYSTEM = "urn:balance-risk:override-reason"
_OVERRIDES = (
    ("already-followed-up", "Personen følges allerede opp"),
    ("disagree", "Uenig i vurderingen"),
    ("not-relevant", "Ikke relevant nå"),
    ("data-wrong", "Opplysningene stemmer ikke"),
)
_NOT_READ = "Opplysningene kunne ikke leses i sin helhet, så ingen risiko er beregnet."


def services(call: Call) -> Response:
    """Say which services there are and what they want to be sent."""
    return _json(DISCOVERY)


def cards(call: Call) -> Response:
    """Return the card about the patient, or none."""
    request: CdsRequest = call.body
    record = request.read(call.today)
    if record.problem is not None:
        # Whatever else is wrong, an answer that a clinician must see today is not lost with it; a card needs somebody whom
        # it is about, else the problem carries the flag.
        if record.safety_flags and record.subject(call.today).person_id is not None:
            return _json({"cards": [_card(call, "warning", SAFETY.message["nb"], _NOT_READ)]})
        raise Refused(record.problem)
    if not request.is_about_patient():
        error = FieldError("/prefetch/patient/id", "other person", "must be the patient of the context")
        problem = problems.unprocessable("contract-violation", "The resources are of another patient", [error])
        raise Refused(problems.flagged_notices(problem, record.safety_flags))
    raised = [] if call.predictor is None else _raised(call.predictor, call)
    detail = _detail(raised)
    if record.safety_flags:
        return _json({"cards": [_card(call, "warning", SAFETY.message["nb"], detail)]})
    if call.predictor is None:
        raise Refused(problems.not_ready(call.parts.watch.not_ready_because()))
    return _json({"cards": [_card(call, "info", _summary(raised[0]), detail)] if raised else []})


def subject(call: Call) -> Sequence[Subject]:
    """Return whom the prefetched resources are about."""
    return (call.body.read(call.today).subject(call.today),)


def basis(call: Call) -> Basis:
    """Return all models in service, and what was prefetched."""
    return (() if call.predictor is None else call.predictor.named), call.sent


def _raised(predictor: Predictor, call: Call) -> list[OutcomeRisk]:
    """Return the outcomes above the reference group, the most raised first."""
    record = call.body.read(call.today)
    withdrawn = call.parts.withdrawals.of(next(iter(record.person_ids), None))
    case = case_of(record.tables, call.today, call.today, withdrawn)
    found = predictor.predict_case(case, call.today, tuple(predictor.models)).outcomes.values()
    raised = [one for one in found if one.band is not None and one.band.name in RAISED]
    return sorted(raised, key=_times_reference, reverse=True)


def _times_reference(one: OutcomeRisk) -> float:
    number, reference = (
        (one.risk, one.reference_risk) if one.target == "event" else (one.expected_days, one.reference_days)
    )
    return (number or 0.0) / reference if reference else 0.0


def _summary(one: OutcomeRisk) -> str:
    text = f"{_number(one)}: {one.label.nb}"
    text = f"SYNTHETIC · {text}" if one.model.synthetic else text
    return text if len(text) < LONGEST_SUMMARY else f"{text[: LONGEST_SUMMARY - 2]}…"


def _number(one: OutcomeRisk) -> str:
    if one.risk is not None and one.reference_risk is not None:
        return f"{100 * one.risk:.0f} av 100 med lignende profil (referansegruppen {100 * one.reference_risk:.0f})"
    return f"Forventet {one.expected_days or 0:.0f} dager (referansegruppen {one.reference_days or 0:.0f})"


def _detail(raised: Sequence[OutcomeRisk]) -> str:
    """Return a paragraph per outcome, and once what must be known of all of them."""
    if not raised:
        return ""
    notices = [ABOUT, *(notice for one in raised for notice in one.warnings)]
    notices += [SYNTHETIC] if any(one.model.synthetic for one in raised) else []
    texts = dict.fromkeys(notice.message["nb"] for notice in notices)
    return "\n\n".join([*map(_paragraph, raised), *texts])


def _paragraph(one: OutcomeRisk) -> str:
    known = [reason for reason in one.reasons if not reason.missing]
    raising = [reason for reason in known if reason.direction == "raises"][:_MOST_REASONS]
    lowering = [reason for reason in known if reason.direction == "lowers"][:_MOST_REASONS]
    starters = [reason.label["nb"] for reason in known if is_starter(reason)][:_MOST_REASONS]
    lines = [f"**{one.label.nb}** · {_number(one)}{_interval(one)}", ""]
    lines += [f"- ▲ {reason.label['nb']}: {reason.shown['nb']}" for reason in raising]
    lines += [f"- ▼ {reason.label['nb']}: {reason.shown['nb']}" for reason in lowering]
    lines += ["", f"Mulige utgangspunkt for en samtale: {'; '.join(starters)}."] if starters else []
    return "\n".join(lines)


def _interval(one: OutcomeRisk) -> str:
    if one.interval is None:
        return ""
    low, high = (f"{100 * end:.0f}" for end in one.interval)
    return f", usikkerhet {low}–{high} (90 %)"


def _card(call: Call, indicator: str, summary: str, detail: str) -> Json:
    card: Json = {
        "summary": summary,
        "indicator": indicator,
        "source": {"label": "Balance@Work"},
        "overrideReasons": [
            {"code": code, "system": _OVERRIDE_SYSTEM, "display": display} for code, display in _OVERRIDES
        ],
    }
    address = call.parts.settings.public_url
    if detail:
        card["detail"] = detail
    if address:
        card["links"] = [{"label": "Åpne Balance@Work", "url": f"{address.rstrip('/')}/ui", "type": "absolute"}]
    return card


def _json(document: Json) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
