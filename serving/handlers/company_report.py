"""GET /v1/companies/{company_id}/report: shares of groups, and what a workplace can do about what it is told."""

from __future__ import annotations

from collections.abc import Collection

from data_contracts.programme_offers import measure_for
from data_contracts.workplace_factors import WORKPLACE_FACTORS
from models.outcomes import OUTCOMES
from serving.call import Call
from serving.handlers.company_report_bodies import CompanyReport, FactorReport, MeasureShown, OutcomeReport
from serving.handlers.stored import named
from serving.predictor import Predictor
from serving.problems import Problem, Refused
from serving.responses import Texts
from serving.store.releases import CompanyRelease, Release, fewest_of

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


def company_report(call: Call) -> CompanyReport:
    """Answer the newest month of a company."""
    found = call.parts.store.release(named(call, "company_id"))
    if found is None:
        raise Refused(NO_REPORT)
    return report_of(found, event_outcomes(call.predictor))


def event_outcomes(predictor: Predictor | None) -> tuple[str, ...]:
    """Return the outcomes in service of which a share can be told."""
    served = () if predictor is None else predictor.models
    return tuple(name for name in served if OUTCOMES[name].target == "event")


def report_of(month: CompanyRelease, outcomes: Collection[str] = ()) -> CompanyReport:
    """Return what is said of a month, of the outcomes in service whether or not it has an entry of them.

    Every factor is in it: one that nobody has answered looks like one that too few have, or it would tell that somebody has.
    """
    untold = {name: Release(name, None, None, "too_few_persons") for name in (*outcomes, *WORKPLACE_FACTORS)}
    told = untold | {release.measure: release for release in month.measures}
    return CompanyReport(
        company_id=month.company_id,
        month=month.month,
        outcomes={name: _outcome(release) for name, release in told.items() if name in OUTCOMES},
        factors={name: _factor(told[name]) for name in WORKPLACE_FACTORS},
    )


def _outcome(release: Release) -> OutcomeReport:
    outcome = OUTCOMES[release.measure]
    return OutcomeReport(
        label=Texts(nb=outcome.label_nb, en=outcome.label_en),
        group_size=release.persons,
        share_above_percent=release.share_percent,
        why_not=WHY_NOT[release.why_not] if release.why_not else None,
    )


def _factor(release: Release) -> FactorReport:
    scale = WORKPLACE_FACTORS[release.measure]
    return FactorReport(
        label=Texts(nb=scale.label_nb, en=scale.label_en),
        group_size=release.persons,
        share_unfavourable_percent=release.share_percent,
        why_not=WHY_NOT[release.why_not] if release.why_not else None,
        workplace_measure=_measure(release),
    )


def _measure(release: Release) -> MeasureShown | None:
    measure = measure_for(release.measure)
    if measure is None or release.share_percent is None or release.persons is None:
        return None
    is_large = release.share_percent >= LARGE_SHARE_PERCENT and fewest_of(release.persons) >= FEWEST_TO_SUGGEST
    texts = {"label": Texts(**measure.label), "text": Texts(**measure.text)}
    return MeasureShown(is_suggested=is_large, level=measure.level, **texts)
