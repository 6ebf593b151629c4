"""The health profile of a person, from the same functions as ``/v1/profile``; no model has a part in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from starlette.responses import Response

from data_contracts.analytes import ANALYTES
from data_contracts.domains import Domain
from data_contracts.programme_offers import Offer
from features.catalogue import feature
from models.wording import shown_value
from serving.call import Call
from serving.clinician.language import Words, words
from serving.clinician.messages import N_
from serving.clinician.offers import offer_for
from serving.clinician.person_frame import person_page
from serving.clinician.person_view import person_view
from serving.clinician.reasons import range_text
from serving.domain_scores import (
    DOMAINS,
    FEWEST_DOMAINS,
    NOT_COUNTED,
    YES_NO,
    DomainIndex,
    favourable,
    health_index,
)
from serving.handlers.profile import domain_profiles
from serving.handlers.profile_bodies import DomainProfile, ProfileValue, Trend
from serving.responses import Texts

_LEVELS = {
    "minimal": N_("svært lavt nivå"),
    "low": N_("lavt nivå"),
    "poor": N_("lavt nivå"),
    "mild": N_("lett forhøyet nivå"),
    "at_risk": N_("forhøyet nivå"),
    "moderate": N_("moderat nivå"),
    "medium": N_("middels nivå"),
    "good": N_("godt nivå"),
    "excellent": N_("svært godt nivå"),
    "moderately_severe": N_("nokså høyt nivå"),
    "high": N_("høyt nivå"),
    "severe": N_("høyt nivå"),
    "very_high": N_("svært høyt nivå"),
}
"""Published ranges of scales, by their name in the instruments: words for a score, not for a person."""
_PLACES = {
    "below": N_("under referanseområdet"),
    "inside": N_("innenfor referanseområdet"),
    "above": N_("over referanseområdet"),
}
_WHY = {
    ("scale", "not_observed"): N_("ikke besvart"),
    ("measurement", "not_observed"): N_("ikke målt"),
    ("scale", "not_sent"): N_("svarene er ikke mottatt"),
    ("measurement", "not_sent"): N_("prøvesvarene er ikke mottatt"),
    ("scale", "no_consent"): N_("ikke samtykke"),
    ("measurement", "no_consent"): N_("ikke samtykke"),
}
_TAKES = {
    "survey": N_("Et nytt spørreskjema"),
    "blood_sample": N_("En blodprøve"),
    "blood_pressure": N_("En måling av blodtrykket"),
    "body_measure": N_("En måling av høyde, vekt eller midje"),
    "scale": N_("Samtykke til at svar på spørreskjema brukes"),
    "measurement": N_("Samtykke til at prøvesvar brukes"),
}
"""What it takes to know more: an examination, a questionnaire, or the consent to use what is there."""
OFFER_BELOW = 60.0
"""Of the domain's place from 0 to 100: where it lies higher and no value is at an unfavourable level, nothing is offered."""
_EXAMINATION = {one.name: one.examination for one in ANALYTES}


class Row(NamedTuple):
    """One value with all that is said about it; ``favourable`` is its place from 0 to 100 where it counts."""

    label: Texts
    shown: Texts
    observed_on: date
    is_stale: bool
    favourable: float | None
    place: str
    limits: str
    trend: str
    is_modifiable: bool


class Section(NamedTuple):
    """One domain: its place from 0 to 100, what that rests on, its values, and what the programme offers."""

    domain: Domain
    label: Texts
    score: DomainIndex | None
    rests_on: tuple[Texts, ...]
    rows: tuple[Row, ...]
    offer: Offer | None


class Lacking(NamedTuple):
    """What is missing or old for one reason."""

    why: str
    labels: list[Texts]


def show(call: Call) -> Response:
    """Show what is known of a person by domain, and what it would take to know more."""
    view, say = person_view(call), words(call.language)
    if view.case is None or view.tables is None:
        return person_page(call, "profile.html", tab="profile", index=None)
    profiles = domain_profiles(view.case, view.tables)
    index = health_index(profiles)
    sections = [_section(say, one, index.of(one.domain)) for one in profiles if one.values or one.domain in DOMAINS]
    return person_page(
        call, "profile.html", tab="profile", index=index, n_domains=len(DOMAINS), fewest=FEWEST_DOMAINS,
        sections=sections, lacking=_lacking(say, profiles),
    )  # fmt: skip


def _section(say: Words, profile: DomainProfile, index: DomainIndex | None) -> Section:
    labels = {one.name: one.label for one in profile.values}
    return Section(
        domain=profile.domain,
        label=profile.label,
        score=index,
        rests_on=tuple(labels[name] for name in index.scales) if index else (),
        rows=tuple(_row(say, one) for one in profile.values),
        offer=offer_for(profile.domain) if _asks_for_an_offer(profile, index) else None,
    )


def _asks_for_an_offer(profile: DomainProfile, index: DomainIndex | None) -> bool:
    return (index is not None and index.value < OFFER_BELOW) or any(map(is_unfavourable, profile.values))


def is_unfavourable(one: ProfileValue) -> bool:
    """True if a current value is at a published level in the middle or beyond it, or on the wrong side of its interval."""
    if one.stale:
        return False
    if one.cutoff:
        levels = [level.name for level in one.cutoffs]
        place = levels.index(one.cutoff)
        return 2 * (place if one.higher_is == "worse" else len(levels) - 1 - place) >= len(levels) - 1
    wrong_sides = {"worse": ("above",), "better": ("below",), "neither": ("above", "below")}
    return one.position in wrong_sides[one.higher_is]


def _row(say: Words, one: ProfileValue) -> Row:
    place = _LEVELS[one.cutoff] if one.cutoff else _PLACES[one.position] if one.position else ""
    return Row(
        label=one.label,
        shown=one.shown,
        observed_on=one.observed_on,
        is_stale=one.stale,
        favourable=favourable(one),
        place=say(place) if place else "",
        limits=_limits(say, one),
        trend=_trend(say, one, one.trend) if one.trend else "",
        is_modifiable=one.modifiable,
    )


def _limits(say: Words, one: ProfileValue) -> str:
    """Say the reference interval, or the range of the scale with the levels that begin within it."""
    levels = [
        say("%(level)s fra %(lowest)s", level=say(_LEVELS[cutoff.name]), lowest=say.number(cutoff.lowest, 2))
        for cutoff in one.cutoffs[1:]
    ]
    # What says yes or no has no range that is worth a word.
    limits = range_text(say, one) if one.name not in YES_NO else ""
    return "; ".join(filter(None, [limits, ", ".join(levels)]))


def _trend(say: Words, one: ProfileValue, trend: Trend) -> str:
    before = say.said(shown_value(feature(one.name), trend.previous, False))
    if trend.change == 0:
        return say("uendret siden %(day)s", day=say.day(trend.observed_on))
    is_up = trend.change > 0
    if one.higher_is == "neither":
        how = say("høyere") if is_up else say("lavere")
    else:
        how = say("mer gunstig") if is_up == (one.higher_is == "better") else say("mindre gunstig")
    sign = "▲" if is_up else "▼"
    return say("%(sign)s %(how)s, før %(before)s (%(day)s)", sign=sign, how=how, before=before,
               day=say.day(trend.observed_on))  # fmt: skip


def _lacking(say: Words, profiles: Sequence[DomainProfile]) -> list[tuple[str, list[Lacking]]]:
    """Return what is missing or old, by what it would take to know it and by why, in the order of ``_TAKES``."""
    found: dict[str, dict[str, list[Texts]]] = {what: {} for what in _TAKES}
    for what, why, label in _each_lacking(say, profiles):
        found[what].setdefault(why, []).append(label)
    return [
        (say(_TAKES[what]), [Lacking(why, labels) for why, labels in of_what.items()])
        for what, of_what in found.items()
        if of_what
    ]


def _each_lacking(say: Words, profiles: Sequence[DomainProfile]) -> Iterator[tuple[str, str, Texts]]:
    for profile in profiles:
        for one in profile.values:
            if one.stale and one.name not in NOT_COUNTED:
                yield _examination(one.name), say("fra %(day)s", day=say.day(one.observed_on)), one.label
        for missing in profile.missing:
            # Scales that rest on the same answers as another need not be asked for beside it.
            if missing.name not in NOT_COUNTED:
                what = missing.kind if missing.reason == "no_consent" else _examination(missing.name)
                yield what, say(_WHY[missing.kind, missing.reason]), missing.label


def _examination(name: str) -> str:
    return _EXAMINATION.get(name, "survey")
