"""The first page of a person: how high, compared with whom, why, what can be changed, and what is not known."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from models.explanation import Comparison
from models.outcomes import OUTCOMES
from models.reference_groups import POPULATION
from serving.call import Call
from serving.clinician.allocation import Allocation, allocation
from serving.clinician.decide import told_decisions
from serving.clinician.icon_array import icon_array
from serving.clinician.language import Words, words
from serving.clinician.person_frame import asked_outcome, person_page
from serving.clinician.person_view import PersonView, person_view
from serving.clinician.reasons import column, offers
from serving.clinician.sentences import headline, short, span, trained_on
from serving.clinician.trend import Point, Trend, trend
from serving.clinician.unknown import absent, gap, stale
from serving.responses import OutcomeExplanation, OutcomeRisk

NEWEST_DECISIONS = 3
"""How many the overview shows; all stand where one decides."""


def person(call: Call) -> Response:
    """Show the overview of a person."""
    view, outcome, say = person_view(call), asked_outcome(call), words(call.language)
    risk = view.risk(outcome)
    said, decisions = headline(say, outcome, risk), told_decisions(call)[:NEWEST_DECISIONS]
    others = _outcomes(say, view, outcome)
    about = {
        "risk": risk,
        "others": others,
        "model_text": model_text(say, view, risk),
        "shows_numbers": said is not None,
    }
    if said is None:
        why, *gaps = risk.warnings
        return person_page(
            call, "withheld.html", "overview", outcome, **about, why=gap(why), gaps=[gap(one) for one in gaps],
            stale=stale(view.values.values()), decisions=decisions,
        )  # fmt: skip
    explained = view.explained(outcome)
    return person_page(
        call, "person.html", "overview", outcome, **about, said=said, decisions=decisions,
        icons=None if said.of_100 is None else icon_array(said.of_100, said.reference_of_100),
        **_why(say, view, risk, explained), **_course(say, view, outcome, risk),
    )  # fmt: skip


def _why(say: Words, view: PersonView, risk: OutcomeRisk, explained: OutcomeExplanation | None) -> dict[str, Any]:
    """Return what the number rests on and what it does not rest on."""
    parts: Allocation | None = None if explained is None else allocation(explained)
    reasons = risk.reasons if explained is None else explained.reasons
    raising, lowering = (column(say, reasons, way, view.values, parts) for way in ("raises", "lowers"))
    return {
        "raising": raising, "lowering": lowering, "is_explained": explained is not None,
        "offers": offers((*raising.work, *raising.personal)),
        "references": () if explained is None else comparisons(explained),
        "gaps": [gap(one) for one in risk.warnings],
        "absent": absent(reasons),
        "stale": stale(view.values.values()),
    }  # fmt: skip


def comparisons(explained: OutcomeExplanation) -> list[Comparison]:
    """Return the person beside each group but everybody.

    With everybody the band compares, by the mean risk. The mean of the log-odds is another, and would seem to contradict it.
    """
    return [one for one in explained.references if one.group != POPULATION]


def _course(say: Words, view: PersonView, outcome: str, risk: OutcomeRisk) -> dict[str, Any]:
    """Return the numbers by horizon, and those of earlier nights."""
    by_day = risk.risks_by_horizon or {}
    horizons = [(span(say, int(day)), short(say, "event", number)) for day, number in by_day.items()]
    call = view.call
    history = call.parts.store.history(view.person_id, outcome, call.today)
    found = trend([one for one in history if one.target == risk.target])
    return {"horizons": horizons if len(horizons) > 1 else [], "trend": found} | _told(say, risk.target, found)


def _told(say: Words, target: str, found: Trend | None) -> dict[str, Any]:
    """Return a trend in words: of the drawing, of its scale, and as the rows of a table."""
    if found is None:
        return {}
    ticks = [(one, say.number(100 * one.value if target == "event" else one.value, 1)) for one in found.ticks]
    rows = [_row(say, target, one) for one in found.points[::-1]]
    return {
        "trend_text": _summary(say, target, found), "trend_ticks": ticks, "trend_rows": rows,
        "trend_unit": say("av 100") if target == "event" else say("dager"),
    }  # fmt: skip


def _summary(say: Words, target: str, found: Trend) -> str:
    """Say from where to where the numbers of the newest model go: those of others are no measure for them."""
    comparable = found.of_newest_model
    last = comparable[-1]
    told = {"last": short(say, target, last.number or 0), "last_day": say.day(last.night)}
    if len(comparable) == 1:
        return say("%(last)s den %(last_day)s, det eneste tallet fra denne modellen.", **told)
    first = comparable[0]
    return say(
        "Fra %(first)s den %(first_day)s til %(last)s den %(last_day)s. Alle tallene står i tabellen under.",
        first=short(say, target, first.number or 0), first_day=say.day(first.night), **told,
    )  # fmt: skip


def _row(say: Words, target: str, point: Point) -> dict[str, Any]:
    one = point.score
    bounds = [short(say, target, limit) for limit in (one.low, one.high) if limit is not None]
    version = say("versjon %(version)s", version=one.version) if one.version else say("versjon ikke kjent")
    return {
        "night": one.night,
        "number": say("ikke noe tall") if one.number is None else short(say, target, one.number),
        "interval": " – ".join(bounds),
        "model": say("%(version)s (ny)", version=version) if point.is_new_model else version,
    }


def _outcomes(say: Words, view: PersonView, chosen: str) -> list[dict[str, Any]]:
    """Return every outcome of the answer, in the order of their declaration, with its number in few words."""
    return [
        {
            "name": name, "risk": one, "is_chosen": name == chosen,
            "short": "" if (said := headline(say, name, one)) is None else said.short,
        }
        for name in OUTCOMES
        if (one := view.answer.outcomes.get(name)) is not None
    ]  # fmt: skip


def model_text(say: Words, view: PersonView, risk: OutcomeRisk) -> str:
    """Say which version of the model has answered, if there is one, and for which day."""
    day, version = say.day(view.night), risk.model.version
    if version:
        said = say("Modellversjon %(version)s, beregnet for %(day)s", version=version, day=day)
    else:
        said = say("Beregnet for %(day)s", day=day)
    window = trained_on(say, risk.model.trained_on)
    return f"{said}; {window}." if window else f"{said}."
