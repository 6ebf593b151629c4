"""What stands out in a workplace's month: what is good, and what can be done, each held to the same rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from data_contracts.programme_offers import LEVEL_LABELS
from serving.clinician.company_document import Card, Section, size_of
from serving.clinician.language import Words
from serving.handlers.company_report import FEWEST_TO_SUGGEST, LARGE_SHARE_PERCENT
from serving.handlers.company_report_bodies import CompanyReport, MeasureReport, MeasureShown
from serving.store.disclosure import fewest_of

PRAISED = ("domain", "factor")
"""Kinds of measures of which the first category is said to be good; of numbers of a model and of absence it is not."""

N_THIRDS = 3
MOST_GOOD = 5
"""So that the list is read; all measures stand further down."""

Shown = tuple[MeasureShown, MeasureReport]


def told(report: CompanyReport, *kinds: str) -> list[MeasureReport]:
    """Return the measures of some kinds that have shares."""
    return [one for one in report.measures.values() if one.kind in kinds and one.categories is not None]


def favourable_percent(one: MeasureReport) -> int:
    """Return the share in the most favourable third, 0 where it is not told alone."""
    return one.categories[0].percent if one.categories and len(one.categories) == N_THIRDS else 0


def least_favourable_percent(one: MeasureReport) -> int:
    """Return the share in the least favourable category, 0 where nothing is told."""
    return one.categories[-1].percent if one.categories else 0


def strengths(report: CompanyReport) -> list[MeasureReport]:
    """Return what is good, the largest share first: as many persons and as large a share as it takes to suggest a measure."""
    found = [one for one in told(report, *PRAISED) if _is_large_group(one) and _is_mostly_good(one)]
    return sorted(found, key=favourable_percent, reverse=True)[:MOST_GOOD]


def _is_large_group(one: MeasureReport) -> bool:
    return one.group_size is not None and fewest_of(one.group_size) >= FEWEST_TO_SUGGEST


def _is_mostly_good(one: MeasureReport) -> bool:
    share = favourable_percent(one)
    return share >= LARGE_SHARE_PERCENT and share == max(each.percent for each in one.categories or ())


def suggested(report: CompanyReport) -> list[list[Shown]]:
    """Return each measure that is suggested once, with its factors; that of the largest share first."""
    return _grouped(one for one in _shown(report) if one[0].is_suggested)


def to_talk_about(report: CompanyReport) -> list[list[Shown]]:
    """Return each other measure for a factor that is told of, in the same order."""
    there = {group[0][0].label.nb for group in suggested(report)}
    return _grouped(one for one in _shown(report) if one[0].label.nb not in there)


def _shown(report: CompanyReport) -> list[Shown]:
    return [(one.workplace_measure, one) for one in told(report, "factor") if one.workplace_measure is not None]


def _grouped(shown: Iterable[Shown]) -> list[list[Shown]]:
    by_name = sorted(shown, key=lambda one: one[0].label.nb)
    groups = [list(group) for _, group in groupby(by_name, key=lambda one: one[0].label.nb)]
    return sorted(groups, key=lambda group: -max(least_favourable_percent(factor) for _, factor in group))


def cards(say: Words, groups: Sequence[Sequence[Shown]]) -> tuple[Card, ...]:
    """Return each measure with who acts and the factors that it is for."""
    return tuple(_card(say, group[0][0], [factor for _, factor in group]) for group in groups)


def _card(say: Words, measure: MeasureShown, factors: Sequence[MeasureReport]) -> Card:
    who = say("Hvem: %(who)s.", who=say.said(LEVEL_LABELS[measure.level]))
    gives = f"{say('Gjelder:')} {', '.join(say.said(one.label) for one in factors)}."
    return Card(say.said(measure.label), say.said(measure.text), f"{who} {gives}")


def good(say: Words, report: CompanyReport) -> Section:
    """Tell what is good."""
    rule = say(
        "Her står det som er bra der minst %(fewest)s har svart, og minst %(n)s prosent av dem i den gunstigste "
        "tredelen. Ta vare på det, og bygg videre på det.",
        fewest=FEWEST_TO_SUGGEST,
        n=LARGE_SHARE_PERCENT,
    )
    nothing = say(
        "Ingenting når opp til den regelen denne måneden. Det betyr ikke at lite er bra: i små grupper kan det ikke "
        "sies."
    )
    found = tuple(
        Card(
            say.said(one.label),
            say("%(n)s prosent i den gunstigste tredelen.", n=favourable_percent(one)),
            _of(say, one.group_size),
        )
        for one in strengths(report)
    )
    return Section("good", say("Det som er bra"), (rule,) if found else (rule, nothing), cards=found)


def attention(say: Words, report: CompanyReport) -> Section:
    """Tell the measures that are suggested."""
    found = cards(say, suggested(report))
    rule = say(
        "Foreslått der minst %(fewest)s har svart, og minst %(n)s prosent av dem i den minst gunstige tredelen. Ta "
        "forslagene opp med de ansatte og verneombudet først: de vet best hva som hjelper.",
        fewest=FEWEST_TO_SUGGEST,
        n=LARGE_SHARE_PERCENT,
    )
    nothing = say(
        "Ingen tiltak foreslås: det gjøres bare der minst %(fewest)s har svart, og minst %(n)s prosent av dem i den "
        "minst gunstige tredelen.",
        fewest=FEWEST_TO_SUGGEST,
        n=LARGE_SHARE_PERCENT,
    )
    return Section("attention", say("Tiltak som kan prøves"), (rule if found else nothing,), cards=found)


def talk(say: Words, report: CompanyReport) -> Section:
    """Tell the measures that are something to talk about."""
    found = cards(say, to_talk_about(report))
    some = say(
        "Tallene er ikke nok til å foreslå noe her. Spør de ansatte og verneombudet om dette er viktig hos dere."
    )
    nothing = say("Ingen andre forhold er vist denne måneden. Snakk gjerne om arbeidsmiljøet likevel.")
    return Section("talk", say("Til samtale på arbeidsplassen"), (some if found else nothing,), cards=found)


def _of(say: Words, size: str | None) -> str:
    return say("Av %(size)s som telles med.", size=size_of(say, size))
