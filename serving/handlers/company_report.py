"""GET /v1/companies/{company_id}/report: shares of groups, and what a workplace can do about what it is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from data_contracts.industries import SECTIONS
from data_contracts.programme_offers import measure_for
from models.outcomes import OUTCOMES
from serving.call import Call
from serving.handlers.company_report_bodies import (
    Categories,
    CategoryShare,
    CompanyReport,
    EarlierMonth,
    IndustryShown,
    MeasureReport,
    MeasureShown,
    Shares,
)
from serving.handlers.stored import named
from serving.predictor import Predictor
from serving.problems import Problem, Refused
from serving.responses import Texts
from serving.store import Store
from serving.store.disclosure import Told, fewest_of
from serving.store.released import CompanyRelease, Release
from serving.workplace_measures import ALWAYS_TOLD, MEASURES, Measure

NO_REPORT = Problem(404, "no-report", "No report", "Nothing was computed for this company yet. It is, once a month.")

WHY_NOT = {
    "too_few_persons": Texts(
        nb="Det er for få ansatte som har samtykket til at de telles med, så ingenting er vist.",
        en="Too few employees have consented to being counted, so nothing is shown.",
    ),
    "too_few_in_cell": Texts(
        nb="Det er for få på den ene siden av grensen, så tallet kunne ha sagt noe om enkeltpersoner.",
        en="There are too few on one side of the limit, so the number could have told of single persons.",
    ),
}
LARGE_SHARE_PERCENT, FEWEST_TO_SUGGEST = 40, 50
"""From here on a measure is suggested; ours, not a limit of anything. In a small group every share that can be shown is large:
of 10 to 22 persons, five on each side are a quarter or more, whatever they answer."""

MOST_EARLIER = 24
_NOT_TOLD = Told(None, None, "too_few_persons")


def company_report(call: Call) -> CompanyReport:
    """Answer the newest month of a company."""
    return report_on(call.parts.store, named(call, "company_id"), event_outcomes(call.predictor))


def event_outcomes(predictor: Predictor | None) -> tuple[str, ...]:
    """Return the outcomes in service of which a share can be told."""
    served = () if predictor is None else predictor.models
    return tuple(name for name in served if OUTCOMES[name].target == "event")


def report_on(store: Store, company_id: str, outcomes: Collection[str] = ()) -> CompanyReport:
    """Return the report of a company; raises Refused where nothing was computed for it."""
    months = store.releases(company_id)
    if not months:
        raise Refused(NO_REPORT)
    newest = months[-1]
    return report_of(months, store.industry(newest.section, newest.month) if newest.section else (), outcomes)


def report_of(
    months: Sequence[CompanyRelease], industry: Sequence[Release] = (), outcomes: Collection[str] = ()
) -> CompanyReport:
    """Return what is said of the last of some months, of the outcomes in service whether or not it has an entry of them.

    Every measure is in it: one of which nobody is counted looks like one of which too few are, or it would tell that
    somebody is.
    """
    newest = months[-1]
    told = dict.fromkeys((*ALWAYS_TOLD, *outcomes), _NOT_TOLD) | _by_measure(newest.measures)
    earlier = [(one.month, _by_measure(one.measures)) for one in months[-1 - MOST_EARLIER : -1]]
    of_industry = _by_measure(industry)
    return CompanyReport(
        company_id=newest.company_id,
        month=newest.month,
        industry=_industry(newest.section),
        measures={
            name: _measure(measure, told[name], earlier, of_industry.get(name, _NOT_TOLD))
            for name, measure in MEASURES.items()
            if name in told
        },
        units={unit: _unit(there) for unit, there in sorted(newest.units.items())},
    )


def _by_measure(releases: Sequence[Release]) -> dict[str, Told]:
    return {one.measure: one.told for one in releases}


def _unit(releases: Sequence[Release]) -> dict[str, MeasureReport]:
    return {one.measure: _measure(MEASURES[one.measure], one.told) for one in releases}


def _industry(section: str | None) -> IndustryShown | None:
    if section is None:
        return None
    one = SECTIONS[section]
    return IndustryShown(code=one.code, label=Texts(nb=one.label_nb, en=one.label_en))


def _measure(
    measure: Measure, told: Told, earlier: Sequence[tuple[str, Mapping[str, Told]]] = (), industry: Told = _NOT_TOLD
) -> MeasureReport:
    before = (
        EarlierMonth(month=month, categories=_shares(measure, there.get(measure.name, _NOT_TOLD)))
        for month, there in earlier
    )
    return MeasureReport(
        kind=measure.kind,
        label=Texts(nb=measure.label_nb, en=measure.label_en),
        group_size=told.persons,
        categories=_shares(measure, told),
        industry=_shares(measure, _as_divided_as(told, industry)),
        why_not=WHY_NOT[told.why_not] if told.why_not else None,
        earlier=tuple(before),
        workplace_measure=_workplace_measure(measure.name, told),
    )


def _shares(measure: Measure, told: Told) -> Shares:
    return None if told.shares is None else _named(measure, told.shares)


def _named(measure: Measure, shares: Sequence[int]) -> Categories:
    categories = measure.categories(len(shares))
    return tuple(
        CategoryShare(name=one.name, label=Texts(nb=one.label_nb, en=one.label_en), percent=percent)
        for one, percent in zip(categories, shares, strict=True)
    )


def _as_divided_as(told: Told, industry: Told) -> Told:
    """Return the industry in the categories that are told of the company; nothing where it is told in fewer."""
    if told.shares is None or industry.shares is None or len(told.shares) == len(industry.shares):
        return industry
    if len(told.shares) > len(industry.shares):
        return _NOT_TOLD
    last = industry.shares[-1]
    return Told(industry.persons, (100 - last, last), None)


def _workplace_measure(name: str, told: Told) -> MeasureShown | None:
    measure = measure_for(name)
    if measure is None or told.shares is None or told.persons is None:
        return None
    is_large = told.shares[-1] >= LARGE_SHARE_PERCENT and fewest_of(told.persons) >= FEWEST_TO_SUGGEST
    texts = {"label": Texts(**measure.label), "text": Texts(**measure.text)}
    return MeasureShown(is_suggested=is_large, level=measure.level, **texts)
