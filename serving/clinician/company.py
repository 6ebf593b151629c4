"""The leader's pages: what is told of a workplace as a whole, and what a workplace can do. Nothing here leads to a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from babel.dates import format_date
from starlette.responses import RedirectResponse, Response

from data_contracts.programme_offers import LEVEL_LABELS
from serving.access.caller import ANY
from serving.call import Call
from serving.clinician.language import Words, words
from serving.clinician.rendering import page
from serving.handlers.company_report import FEWEST_TO_SUGGEST, LARGE_SHARE_PERCENT, NO_REPORT, event_outcomes, report_of
from serving.handlers.company_report_bodies import FactorReport, MeasureShown, OutcomeReport
from serving.handlers.stored import named
from serving.problems import Refused
from serving.responses import Texts
from serving.store.marks import ABOVE_TIMES
from serving.store.releases import CompanyRelease

MOST_MONTHS = 12


@dataclass(frozen=True)
class Told:
    """One measure: its share in percent, or why there is none, and the shares of the months before, oldest first."""

    label: Texts
    share: int | None
    size: str
    why_not: Texts | None
    course: tuple[int | None, ...]


@dataclass(frozen=True)
class Measure:
    """Something the workplace can do, who acts, and the factors that it is for."""

    level: Mapping[str, str]
    measure: MeasureShown
    factors: tuple[Texts, ...]


def companies_page(call: Call) -> Response:
    """Show the companies that the reader acts for, or the one."""
    companies = sorted(call.caller.organisations - {ANY})
    if len(companies) == 1:
        return RedirectResponse(f"/ui/companies/{companies[0]}", 303)
    return page(call, "companies.html", here="companies", companies=companies)


def company_page(call: Call) -> Response:
    """Show what is told of a company, the newest month first."""
    company_id, say = named(call, "company_id"), words(call.language)
    months = call.parts.store.releases(company_id)[-MOST_MONTHS:]
    if not months:
        raise Refused(NO_REPORT)
    report = report_of(months[-1], event_outcomes(call.predictor))
    factors = [_factor(say, name, one, months) for name, one in report.factors.items()]
    told = sorted((one for one in factors if one.share is not None), key=lambda one: -(one.share or 0))
    return page(
        call, "company.html", here="companies", company_id=company_id, months=[_month(say, one.month) for one in months],
        outcomes=[_outcome(say, name, one, months) for name, one in report.outcomes.items()], factors=told,
        untold=_by_reason(one for one in factors if one.share is None), above_times=ABOVE_TIMES,
        suggested=suggested(report.factors.values()), to_talk_about=to_talk_about(report.factors.values()),
        large_share=LARGE_SHARE_PERCENT, fewest=FEWEST_TO_SUGGEST,
    )  # fmt: skip


def suggested(factors: Iterable[FactorReport]) -> list[Measure]:
    """Return each measure that is suggested once, that of the largest share first."""
    return _measures(one for one in factors if one.workplace_measure and one.workplace_measure.is_suggested)


def to_talk_about(factors: Iterable[FactorReport]) -> list[Measure]:
    """Return each other measure for a factor that is told of once, that of the largest share first."""
    told = list(factors)
    there = {one.measure.label.nb for one in suggested(told)}
    return _measures(one for one in told if one.workplace_measure and one.workplace_measure.label.nb not in there)


def _measures(factors: Iterable[FactorReport]) -> list[Measure]:
    with_measure = [
        (one.workplace_measure, one.label, one.share_unfavourable_percent or 0)
        for one in factors
        if one.workplace_measure
    ]
    by_name = sorted(with_measure, key=lambda one: one[0].label.nb)
    groups = [list(group) for _, group in groupby(by_name, key=lambda one: one[0].label.nb)]
    largest_first = sorted(groups, key=lambda group: -max(share for _, _, share in group))
    return [
        Measure(LEVEL_LABELS[group[0][0].level], group[0][0], tuple(label for _, label, _ in group))
        for group in largest_first
    ]


def _by_reason(untold: Iterable[Told]) -> list[tuple[Texts, list[Texts]]]:
    """Return each reason once, with what is not told because of it."""
    found: dict[str, tuple[Texts, list[Texts]]] = {}
    for one in untold:
        if one.why_not is not None:
            found.setdefault(one.why_not.nb, (one.why_not, []))[1].append(one.label)
    return list(found.values())


def _outcome(say: Words, name: str, one: OutcomeReport, months: Sequence[CompanyRelease]) -> Told:
    return Told(one.label, one.share_above_percent, _size(say, one.group_size), one.why_not, _course(name, months))


def _factor(say: Words, name: str, one: FactorReport, months: Sequence[CompanyRelease]) -> Told:
    size = _size(say, one.group_size)
    return Told(one.label, one.share_unfavourable_percent, size, one.why_not, _course(name, months))


def _course(name: str, months: Sequence[CompanyRelease]) -> tuple[int | None, ...]:
    shares = ({one.measure: one.share_percent for one in month.measures} for month in months)
    return tuple(month.get(name) for month in shares)


def _size(say: Words, size: str | None) -> str:
    """Say a range of persons, stored as "20 to 49" or "100 or more"."""
    if size is None:
        return ""
    low, _, high = size.partition(" to ")
    return say("%(low)s til %(high)s", low=low, high=high) if high else say("%(n)s eller flere", n=low.split()[0])


def _month(say: Words, month: str) -> str:
    return str(format_date(date.fromisoformat(f"{month}-01"), "MMMM yyyy", locale=say.locale))
