"""The chapters of the workplace report that are numbers: each measure that is told, its months, its industry, its units."""

from __future__ import annotations

from dataclasses import replace

from data_contracts.published_absence import ABSENCE_BY_INDUSTRY, ABSENCE_IN_ALL, PUBLISHED_IN
from serving.clinician.company_document import Section, compared, figure
from serving.clinician.company_findings import told
from serving.clinician.language import Words
from serving.handlers.company_report_bodies import CompanyReport, Shares
from serving.store.marks import ABOVE_TIMES
from serving.workplace_measures import Kind


def participation(say: Words, report: CompanyReport) -> Section:
    """Tell who has answered."""
    told_of = say(
        "Hvor mange som har svart på et spørreskjema det siste året eller litt mer. Å svare er frivillig, og det "
        "finnes gode grunner til å la være. Jo færre som svarer, jo mindre sier de andre tallene om hele "
        "arbeidsplassen."
    )
    return _of_kind(say, report, "participation", say("Deltakelse"), told_of, shows_course=True)


def risk(say: Words, report: CompanyReport) -> Section:
    """Tell the numbers of the models, with what they do not say."""
    text = say(
        "Modellens tall for gruppen, sammenlignet med gjennomsnittet i referansegruppen. Høyere betyr minst "
        "%(times)s ganger gjennomsnittet. Det er ikke andelen som får utfallet, og det sier ingenting om hva "
        "arbeidsplassen har gjort.",
        times=say.number(ABOVE_TIMES, 2),
    )
    return _of_kind(say, report, "risk", say("Hele arbeidsplassen sammenlignet med referansegruppen"), text)


def absence(say: Words, report: CompanyReport) -> Section:
    """Tell absence, with its months and what is published of the country."""
    counted = say(
        "Personer etter hvor mange dager med legemeldt fravær de har hatt det siste året. Årsaken er ikke med. "
        "Fravær kan ha mange grunner, også utenfor arbeidet."
    )
    section = _of_kind(say, report, "absence", say("Legemeldt fravær"), counted, shows_course=True)
    return replace(section, paragraphs=(*section.paragraphs, _published(say, report)))


def _published(say: Words, report: CompanyReport) -> str:
    """Say what was published of the whole country, and of the industry where it was."""
    values = {"all": say.number(ABSENCE_IN_ALL, 1), "source": say.said(PUBLISHED_IN)}
    own = ABSENCE_BY_INDUSTRY.get(report.industry.code) if report.industry else None
    if own is None:
        return say(
            "Til orientering: i hele landet gikk %(all)s prosent av de avtalte dagsverkene tapt i legemeldt fravær "
            "(%(source)s). Det er dager, ikke personer, og kan ikke trekkes fra tallene her.",
            **values,
        )
    return say(
        "Til orientering: i hele landet gikk %(all)s prosent av de avtalte dagsverkene tapt i legemeldt fravær, i "
        "bransjen %(own)s prosent (%(source)s). Det er dager, ikke personer, og kan ikke trekkes fra tallene her.",
        own=say.number(own, 1),
        **values,
    )


def factors(say: Words, report: CompanyReport) -> Section:
    """Tell how work is, as it is answered."""
    text = say(
        "Hvor de som har svart, ligger på hver skala. Svarene forteller hvordan arbeidet oppleves, ikke hvem som "
        "har rett. I små grupper kan bare andeler nær midten vises. At et forhold vises her, betyr ikke at det er "
        "verre enn et som ikke vises."
    )
    return _of_kind(say, report, "factor", say("Forhold på arbeidsplassen"), text)


def domains(say: Words, report: CompanyReport) -> Section:
    """Tell health and everyday life, as it is answered."""
    text = say(
        "Svar på spørreskjema om helse og hverdag, samlet til tall fra 0 til 100 der 100 er best, og delt i tre "
        "like store deler av skalaen. Det er ingen diagnose og ingen grense for hva som er friskt."
    )
    return _of_kind(say, report, "domain", say("Helse og hverdag"), text)


def industry(say: Words, report: CompanyReport) -> Section:
    """Tell the company beside its industry."""
    shown = [
        one for one in told(report, "participation", "domain", "risk", "absence", "factor") if one.industry is not None
    ]
    found = tuple(compared(say, one, {say("Her"): one.categories, say("Bransjen"): one.industry}) for one in shown)
    if report.industry is None or not found:
        return Section(
            "industry",
            say("Sammenlignet med bransjen"),
            (say("Ingen tall for bransjen er vist: det er for få virksomheter i den, eller én av dem er for stor."),),
        )
    text = say(
        "%(industry)s, slik den er blant virksomhetene i programmet, regnet ut én gang i kvartalet. Arbeidsplasser er "
        "ulike: en forskjell er noe å undre seg over, ikke et mål.",
        industry=say.said(report.industry.label),
    )
    return Section("industry", say("Sammenlignet med bransjen"), (text,), found)


def units(say: Words, report: CompanyReport) -> Section:
    """Tell the units that are told of."""
    text = say(
        "Enheter vises bare når ingen tall for en enhet, og heller ikke for resten av virksomheten, kan fortelle om "
        "enkeltpersoner. Noen deler er slått sammen her."
    )
    nothing = say("Ingen enheter er vist denne måneden.")
    figures = tuple(
        compared(say, measure, groups)
        for name, measure in report.measures.items()
        if (groups := _told_of_units(report, name))
    )
    return Section("units", say("Enheter"), (text,) if figures else (text, nothing), figures)


def _told_of_units(report: CompanyReport, name: str) -> dict[str, Shares]:
    shown = {unit: measures[name].categories for unit, measures in sorted(report.units.items()) if name in measures}
    return {unit: categories for unit, categories in shown.items() if categories is not None}


def _of_kind(
    say: Words, report: CompanyReport, kind: Kind, heading: str, text: str, *, shows_course: bool = False
) -> Section:
    """Return the chapter of all measures of a kind that are told."""
    figures = tuple(figure(say, one, report.month) for one in told(report, kind))
    nothing = say("Dette kan ikke vises denne måneden. Grunnen står under «Hva som ikke er vist, og hvorfor».")
    return Section(kind, heading, (text,) if figures else (nothing,), figures, shows_course=shows_course)
