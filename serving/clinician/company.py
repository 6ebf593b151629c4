"""The leader's pages: what is told of a workplace as a whole, and what a workplace can do. Nothing here leads to a person."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from serving.access.caller import ANY
from serving.call import Call
from serving.clinician.company_sections import document
from serving.clinician.language import words
from serving.clinician.rendering import page
from serving.handlers.company_report import company_report
from serving.store.disclosure import FEWEST_IN_CELL, FEWEST_PERSONS, ROUNDED_TO_PERCENT
from serving.store.marks import ABOVE_TIMES


def companies_page(call: Call) -> Response:
    """Show the companies that the reader acts for, or the one."""
    companies = sorted(call.caller.organisations - {ANY})
    if len(companies) == 1:
        return RedirectResponse(f"/ui/companies/{companies[0]}", 303)
    return page(call, "companies.html", here="companies", companies=companies)


def company_page(call: Call) -> Response:
    """Show the workplace report of a company's newest month; the API answers the same numbers."""
    report = document(words(call.language), company_report(call))
    return page(call, "company.html", here="companies", document=report)


def company_help_page(call: Call) -> Response:
    """Explain the report to leaders; about no company."""
    return page(
        call, "company_help.html", here="company_help", above_times=ABOVE_TIMES, rounded=ROUNDED_TO_PERCENT,
        fewest=FEWEST_PERSONS, fewest_in_cell=FEWEST_IN_CELL,
    )  # fmt: skip
