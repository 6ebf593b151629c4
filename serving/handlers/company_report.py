"""GET /v1/companies/{company_id}/report: shares of groups, and what a workplace can do about what it is told."""

from __future__ import annotations

from data_contracts.programme_offers import measure_for
from data_contracts.workplace_factors import WORKPLACE_FACTORS
from models.outcomes import OUTCOMES
from serving.call import Call
from serving.handlers.company_report_bodies import CompanyReport, FactorReport, MeasureSuggested, OutcomeReport
from serving.handlers.stored import named
from serving.problems import Problem, Refused
from serving.responses import Texts
from serving.store.releases import CompanyRelease, Release

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
LARGE_SHARE_PERCENT = 25
"""From here on a measure is suggested: one in four. Ours, to begin a talk with; not a limit of anything."""


def company_report(call: Call) -> CompanyReport:
    """Answer the newest month of a company."""
    found = call.parts.store.release(named(call, "company_id"))
    if found is None:
        raise Refused(NO_REPORT)
    return report_of(found)


def report_of(month: CompanyRelease) -> CompanyReport:
    """Return what is said of a month.

    Every factor is in it: one that nobody has answered looks like one that too few have, or it would tell that somebody has.
    """
    told = {release.measure: release for release in month.measures}
    factors = {name: told.get(name, Release(name, None, None, "too_few_persons")) for name in WORKPLACE_FACTORS}
    return CompanyReport(
        company_id=month.company_id,
        month=month.month,
        outcomes={name: _outcome(release) for name, release in told.items() if name in OUTCOMES},
        factors={name: _factor(release) for name, release in factors.items()},
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
        workplace_measure=_suggested(release),
    )


def _suggested(release: Release) -> MeasureSuggested | None:
    measure = measure_for(release.measure)
    if measure is None or (release.share_percent or 0) < LARGE_SHARE_PERCENT:
        return None
    return MeasureSuggested(level=measure.level, label=Texts(**measure.label), text=Texts(**measure.text))
