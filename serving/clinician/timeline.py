"""A person's timeline: what the record tells, the assessments and what was decided, newest first and by year."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

from starlette.responses import Response

from data_contracts.consent import SOURCES
from data_contracts.records import Source
from data_contracts.time_windows import OSLO
from models.outcomes import OUTCOMES
from models.wording import RISK_BANDS
from serving import problems
from serving.call import Call
from serving.case import Case
from serving.clinician.decide import told_decisions
from serving.clinician.language import Words, words
from serving.clinician.messages import N_
from serving.clinician.person_frame import person_page
from serving.clinician.person_view import PersonView, person_view
from serving.clinician.sentences import short
from serving.clinician.timeline_entries import KINDS, Entry, Kind, of_record
from serving.problems import Refused
from serving.store.history import PastScore

TIMELINE_QUERY: dict[str, dict[str, Any]] = {"kind": {"type": "string", "enum": list(KINDS)}}

_KIND_LABELS: dict[Kind, str] = {
    "survey": N_("Spørreskjema"),
    "lab": N_("Prøver og mål"),
    "absence": N_("Sykefravær"),
    "guidance": N_("Veiledning"),
    "workplace": N_("Arbeidsplassen"),
    "score": N_("Vurdering fra modell"),
    "decision": N_("Behandlers vurdering"),
}
_SOURCE_LABELS: dict[Source, str] = {
    "survey": N_("spørreskjema og veiledning"),
    "lab": N_("prøver og mål"),
    "absence": N_("sykefravær"),
    "employment": N_("arbeidsforhold og arbeidsplassen"),
}
_BANDS = {one.name: {"nb": one.label_nb, "en": one.label_en} for one in RISK_BANDS}


def show(call: Call) -> Response:
    """Show what happened, newest first; one kind only, where that is asked for."""
    view, say = person_view(call), words(call.language)
    asked = _asked_kind(call)
    entries = sorted(_entries(call, view, say), key=lambda one: (one.day, KINDS.index(one.kind)), reverse=True)
    there = {one.kind for one in entries}
    shown = [one for one in entries if asked in (None, one.kind)]
    return person_page(
        call, "timeline.html", tab="timeline", asked=asked, has_record=view.case is not None,
        kinds=[(kind, say(_KIND_LABELS[kind])) for kind in KINDS if kind in there or kind == asked],
        labels={kind: say(label) for kind, label in _KIND_LABELS.items()},
        years=[(year, list(of_year)) for year, of_year in groupby(shown, key=lambda one: one.day.year)],
        without_consent=[say(label) for label in _without_consent(view.case)],
        not_sent=[say(label) for label in _not_sent(view.case)],
    )  # fmt: skip


def _asked_kind(call: Call) -> str | None:
    asked = call.query.get("kind")
    if asked is not None and asked not in KINDS:
        raise Refused(problems.invalid_query(f"kind must be one of: {', '.join(KINDS)}"))
    return asked


def _entries(call: Call, view: PersonView, say: Words) -> Iterator[Entry]:
    if view.case is not None:
        yield from of_record(say, view.case.known)
    for outcome in OUTCOMES:
        yield from _scores(say, outcome, call.parts.store.history(view.person_id, outcome, call.today))
    for decision in told_decisions(call):
        who = say("av deg") if decision.is_own else say("av en kollega")
        text = f"{say.said(decision.outcome)}: {decision.verdict}, {who}"
        step = say("neste steg: %(step)s", step=decision.next_step)
        yield Entry(decision.decided_at.astimezone(OSLO).date(), "decision", text, (step,))


def _scores(say: Words, outcome: str, past: tuple[PastScore, ...]) -> Iterator[Entry]:
    """Yield the first score, each whose band or model is another than before, and the last: not every night."""
    told = {id(past[0]), id(past[-1])} if past else set()
    told |= {
        id(now)
        for before, now in pairwise(past)
        if (now.band, now.artifact_sha256) != (before.band, before.artifact_sha256)
    }
    for one in past:
        if id(one) in told:
            text = f"{_outcome(say, outcome)}: {_number(say, one)}"
            version = (say("Modellversjon %(version)s", version=one.version),) if one.version else ()
            yield Entry(one.night, "score", text, version)


def _number(say: Words, one: PastScore) -> str:
    if one.number is None:
        return say("tallet ble holdt tilbake")
    number = short(say, one.target, one.number)
    return f"{number}, {say.said(_BANDS[one.band])}" if one.band else number


def _outcome(say: Words, name: str) -> str:
    return say.said({"nb": OUTCOMES[name].label_nb, "en": OUTCOMES[name].label_en})


def _without_consent(case: Case | None) -> list[str]:
    if case is None:
        return []
    return [_SOURCE_LABELS[source] for source, given in zip(SOURCES, case.consented.tolist(), strict=True) if not given]


def _not_sent(case: Case | None) -> list[str]:
    """Return the sources with consent of which nobody has told anything: no line is no news there."""
    if case is None:
        return []
    consented = zip(SOURCES, case.consented.tolist(), strict=True)
    return [_SOURCE_LABELS[source] for source, given in consented if given and not case.told(source)]
