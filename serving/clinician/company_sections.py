"""The chapters of the workplace report, in their order, from what the store tells of a company."""

from __future__ import annotations

from collections.abc import Callable

from serving.clinician.company_document import Document, Section, labels, month_name
from serving.clinician.company_findings import attention, good, talk
from serving.clinician.company_numbers import absence, domains, factors, industry, participation, risk, units
from serving.clinician.language import Words
from serving.handlers.company_report_bodies import CompanyReport
from serving.store.disclosure import FEWEST_BY_DIAGNOSIS, FEWEST_IN_CELL, FEWEST_PERSONS, ROUNDED_TO_PERCENT


def document(say: Words, report: CompanyReport) -> Document:
    """Return the report of a month as it is read.

    Parameters
    ----------
    say : Words
        Of the language to write in.
    report : CompanyReport
        What the API answers.
    """
    return Document(
        language=say.language,
        title=say("Arbeidsplassrapport"),
        company_id=report.company_id,
        month=month_name(say, report.month),
        labels=labels(say),
        sections=tuple(chapter(say, report) for chapter in CHAPTERS),
    )


def _about(say: Words, report: CompanyReport) -> Section:
    return Section(
        "about",
        say("Hva rapporten er, og ikke er"),
        (
            say(
                "Tallene ble lagt fram i %(month)s. Noen kan være fra en tidligere måned.",
                month=month_name(say, report.month),
            ),
            say(
                "De gjelder grupper på ti eller flere som har samtykket til å telles med, er rundet av til nærmeste "
                "5 prosent og sier ingenting om enkeltpersoner."
            ),
            say("5 prosent opp eller ned kan være én person."),
            say(
                "Rapporten er et utgangspunkt for samtale og forbedring. Den er ikke laget for avgjørelser om "
                "enkeltpersoner, og skal ikke brukes til å finne ut hvem som har svart hva."
            ),
        ),
    )


def _untold(say: Words, report: CompanyReport) -> Section:
    by_reason: dict[str, list[str]] = {}
    for one in report.measures.values():
        if one.why_not is not None:
            by_reason.setdefault(say.said(one.why_not), []).append(say.said(one.label))
    items = tuple(f"{why} {say('Gjelder:')} {', '.join(names)}." for why, names in by_reason.items())
    return Section(
        "untold",
        say("Hva som ikke er vist, og hvorfor"),
        () if items else (say("Alt er vist denne måneden."),),
        items=items,
    )


def _made(say: Words, report: CompanyReport) -> Section:
    return Section(
        "made",
        say("Hvordan rapporten er laget"),
        items=(
            say(
                "Måneden er %(month)s. Hver måned regnes ut én gang, uten utvalg, og endres ikke etterpå.",
                month=month_name(say, report.month),
            ),
            say(
                "Bare de som har samtykket til å telles med, og bare opplysninger de har samtykket til at brukes slik."
            ),
            say(
                "Minst %(n)s personer, minst %(diagnosis)s der sykefravær eller diagnoser inngår, og minst %(cell)s i og "
                "utenfor hver gruppe som vises.",
                n=FEWEST_PERSONS,
                diagnosis=FEWEST_BY_DIAGNOSIS,
                cell=FEWEST_IN_CELL,
            ),
            say(
                "Andeler er rundet av til nærmeste %(n)s prosent, så de gir ikke alltid 100 til sammen. Antall er "
                "oppgitt som spenn.",
                n=ROUNDED_TO_PERCENT,
            ),
            say(
                "Er det bare noen få endringer siden sist, gjentas forrige tall, så ingen kan kjennes igjen på "
                "forskjellen."
            ),
            say("Hver gang rapporten hentes, skrives det i loggen hvem som gjorde det, og når."),
        ),
    )


CHAPTERS: tuple[Callable[[Words, CompanyReport], Section], ...] = (
    _about,
    participation,
    good,
    attention,
    talk,
    risk,
    absence,
    factors,
    domains,
    industry,
    units,
    _untold,
    _made,
)
