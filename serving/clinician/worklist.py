"""The first page of a clinician: whom to contact this week, within the capacity that she sets herself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from starlette.responses import Response

from data_contracts.domains import DOMAIN_LABELS
from models.outcomes import OUTCOMES
from models.wording import RISK_BANDS, RiskBand
from serving.access.caller import ANY
from serving.call import Call
from serving.clinician.alert_list import told as alerts_told
from serving.clinician.decide import NEXT_STEP_WORDS, VERDICT_WORDS
from serving.clinician.language import Words, words
from serving.clinician.messages import N_
from serving.clinician.rendering import page
from serving.clinician.sentences import of_100, short
from serving.handlers.stored_bodies import MOST_CAPACITY
from serving.handlers.stored_worklist import listed, question
from serving.store.decisions import LastDecision
from serving.store.marks import Mark
from serving.store.worklist import SET_ASIDE_DAYS, Order, WorklistEntry, WorklistQuestion

ADDRESS = "/ui/worklist"
ORDERS: Mapping[Order, tuple[str, str]] = MappingProxyType(
    {
        "benefit": (
            N_("Det som kan arbeides med"),
            N_(
                "Først kommer sikkerhetsflagg, så dem der mest av tallet, i %(unit)s, henger sammen med noe det går an å "
                "arbeide med, slik modellen regner. Det er en sammenheng, ikke en effekt av tiltak."
            ),
        ),
        "risk": (N_("Høyeste tall"), N_("Først kommer sikkerhetsflagg, så dem med høyest tall.")),
    }
)
"""By order: its name, and the sentence that explains it."""

_LEAST_TO_WORK_WITH = {"event": 0.005, "days": 0.5}
"""Of less of a number than rounds to one percentage point or one day nobody is told that it can be worked with."""

MARKS: Mapping[Mark, str] = MappingProxyType({"new": N_("Ny"), "rising": N_("Stigende")})
_BANDS = {band.name: band for band in RISK_BANDS}


@dataclass(frozen=True)
class Line:
    """One person of the list, in words; empty where there is nothing to say."""

    person_id: str
    number: str
    interval: str
    band: RiskBand | None
    mark: Mark | None
    is_workable: bool
    domain: Mapping[str, str] | None
    is_flagged: bool
    decision: str
    is_cared_for: bool


def worklist_page(call: Call) -> Response:
    """Show the list of the question that stands in the address."""
    asked, found, say = question(call), listed(call), words(call.language)
    room = min(MOST_CAPACITY, asked.capacity + found.n_flagged_left_out)
    return page(
        call, "worklist.html", here="worklist", asked=asked, night=found.night, target=found.target,
        lines=[_line(say, found.target, one) for one in found.entries],
        set_aside=[_line(say, found.target, one) for one in found.set_aside],
        n_flagged_left_out=found.n_flagged_left_out, n_flagged_aside=sum(one.is_flagged for one in found.set_aside),
        n_above_capacity=found.n_above_capacity,
        address_with_room=_address(asked, room), most_capacity=MOST_CAPACITY, set_aside_days=SET_ASIDE_DAYS,
        orders=ORDERS, why_order=_why_order(say, asked),
        marks=MARKS, domains=DOMAIN_LABELS, companies=sorted(call.caller.organisations - {ANY}),
        outcomes={name: {"nb": one.label_nb, "en": one.label_en} for name, one in OUTCOMES.items()}, **alerts_told(call),
    )  # fmt: skip


def _address(asked: WorklistQuestion, capacity: int) -> str:
    """Return the address of the same question with another capacity."""
    chosen = {"outcome": asked.outcome, "order": asked.order, "company": asked.company, "domain": asked.domain}
    return f"{ADDRESS}?{urlencode({name: one for name, one in chosen.items() if one} | {'capacity': capacity})}"


def _line(say: Words, target: str, entry: WorklistEntry) -> Line:
    return Line(
        person_id=entry.person_id,
        number=say("Uten tall") if entry.number is None else short(say, target, entry.number),
        interval=_interval(say, target, entry),
        band=_BANDS.get(entry.band or ""),
        mark=entry.mark,
        is_workable=entry.benefit is not None and entry.benefit >= _LEAST_TO_WORK_WITH[target],
        domain=None if entry.domain is None else DOMAIN_LABELS[entry.domain],
        is_flagged=entry.is_flagged,
        decision="" if entry.last_decision is None else _decision(say, entry.last_decision),
        is_cared_for=entry.has_care_relation,
    )


def _interval(say: Words, target: str, entry: WorklistEntry) -> str:
    if entry.low is None or entry.high is None:
        return ""
    low, high = ((of_100(one) if target == "event" else round(one)) for one in (entry.low, entry.high))
    if low == high:
        return ""
    return say("%(low)s til %(high)s", low=say.number(low), high=say.number(high))


def _decision(say: Words, last: LastDecision) -> str:
    """Say what was decided last; a step that leads nowhere is left out."""
    step = "" if last.next_step == "none" else f"{say(NEXT_STEP_WORDS[last.next_step])}, "
    return f"{say(VERDICT_WORDS[last.verdict])}, {step}{say.day(last.decided_at.date())}"


def _why_order(say: Words, asked: WorklistQuestion) -> str:
    is_event = OUTCOMES[asked.outcome].target == "event"
    return say(ORDERS[asked.order][1], unit=say("prosentpoeng") if is_event else say("dager"))
