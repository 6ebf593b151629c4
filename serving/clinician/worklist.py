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
from serving.clinician.decide import VERDICT_WORDS
from serving.clinician.language import Words, words
from serving.clinician.messages import N_
from serving.clinician.rendering import page
from serving.clinician.sentences import of_100, short
from serving.handlers.stored_bodies import MOST_CAPACITY
from serving.handlers.stored_worklist import listed, question
from serving.store.marks import Mark
from serving.store.worklist import CONTACTED_DAYS, Order, WorklistEntry, WorklistQuestion

ADDRESS = "/ui/worklist"
ORDERS: Mapping[Order, tuple[str, str]] = MappingProxyType(
    {
        "benefit": (
            N_("Det som kan arbeides med"),
            N_(
                "Først kommer sikkerhetsflagg, så dem der mest av tallet henger sammen med noe det går an å arbeide med, slik "
                "modellen regner. Det er en sammenheng, ikke en effekt av tiltak."
            ),
        ),
        "risk": (N_("Høyeste tall"), N_("Først kommer sikkerhetsflagg, så dem med høyest tall.")),
    }
)
"""By order: its name, and the sentence that explains it."""

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
    benefit: str
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
        n_flagged_left_out=found.n_flagged_left_out, n_above_capacity=found.n_above_capacity,
        address_with_room=_address(asked, room), most_capacity=MOST_CAPACITY, contacted_days=CONTACTED_DAYS,
        orders=ORDERS, marks=MARKS, domains=DOMAIN_LABELS, companies=sorted(call.caller.organisations - {ANY}),
        outcomes={name: {"nb": one.label_nb, "en": one.label_en} for name, one in OUTCOMES.items()},
    )  # fmt: skip


def _address(asked: WorklistQuestion, capacity: int) -> str:
    """Return the address of the same question with another capacity."""
    chosen = {"outcome": asked.outcome, "order": asked.order, "company": asked.company, "domain": asked.domain}
    return f"{ADDRESS}?{urlencode({name: one for name, one in chosen.items() if one} | {'capacity': capacity})}"


def _line(say: Words, target: str, entry: WorklistEntry) -> Line:
    last = entry.last_decision
    return Line(
        person_id=entry.person_id,
        number=say("Uten tall") if entry.number is None else short(say, target, entry.number),
        interval=_interval(say, target, entry),
        band=_BANDS.get(entry.band or ""),
        mark=entry.mark,
        benefit=_benefit(say, target, entry.benefit),
        domain=None if entry.domain is None else DOMAIN_LABELS[entry.domain],
        is_flagged=entry.is_flagged,
        decision="" if last is None else f"{say(VERDICT_WORDS[last.verdict])}, {say.day(last.decided_at.date())}",
        is_cared_for=entry.has_care_relation,
    )


def _interval(say: Words, target: str, entry: WorklistEntry) -> str:
    if entry.low is None or entry.high is None:
        return ""
    low, high = ((of_100(one) if target == "event" else round(one)) for one in (entry.low, entry.high))
    return say("%(low)s til %(high)s", low=say.number(low), high=say.number(high))


def _benefit(say: Words, target: str, benefit: float | None) -> str:
    """Say how much of a number is tied to what can be worked with; of a risk in percentage points."""
    if benefit is None:
        return ""
    if target == "event":
        return say("%(n)s prosentpoeng", n=say.number(100 * benefit, 1))
    return say.plural("%(n)s dag", "%(n)s dager", round(benefit))
