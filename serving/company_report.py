"""The workplace report of a company, as one JSON document: ``python -m serving.company_report --company ID``.

What the API answers, and the same as a document in both languages, for ``balance-risk report workplace``. That somebody took
it out is an event of the audit log, written before anything is shown.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from typing import Any

import orjson

from data_contracts.errors import BalanceRiskError, MissingInputError
from serving.access.policy import Action, Purpose
from serving.audit.event import Decision
from serving.audit.export import append_by_operator
from serving.audit.keys import read_audit_key
from serving.call import LANGUAGES, Language
from serving.clinician.company_sections import document
from serving.clinician.language import words
from serving.clinician.rendering import STATIC, environment
from serving.handlers.company_report import report_on
from serving.handlers.company_report_bodies import CompanyReport
from serving.problems import Refused
from serving.settings import Settings
from serving.store.store import open_store

NOTHING_YET = (
    "Nothing was computed for this company yet. It is, by the first night of a month; check the name, or run a night first: "
    "balance-risk score"
)


def main(arguments: list[str]) -> int:
    """Write the report of a company to standard output."""
    options = argparse.ArgumentParser(prog="serving.company_report")
    options.add_argument("--company", required=True)
    company = options.parse_args(arguments).company
    try:
        found = taken_out(Settings.from_environment(), company)
    except BalanceRiskError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except Exception as error:  # its own text may quote rows
        if os.environ.get("BALANCE_RISK_TRACEBACK") == "1":
            raise
        sys.stderr.write(f"unexpected {type(error).__name__}; a fault of ours\n")
        return 70
    sys.stdout.buffer.write(orjson.dumps(found))
    return 0


def taken_out(settings: Settings, company_id: str) -> dict[str, Any]:
    """Return the report of a company and its documents, and write down that somebody has it, or asked for it in vain.

    Raises
    ------
    MissingInputError
        Nothing was computed for it yet.
    AuditUnavailable
        It cannot be written down, so it is not shown.
    """
    try:
        report = report_on(open_store(settings.store), company_id)
    except Refused:
        _log(settings, company_id, "denied", "nothing was computed for this company")
        raise MissingInputError(NOTHING_YET) from None
    _log(settings, company_id, "allowed", "workplace report taken out on the command line")
    return written(report)


def _log(settings: Settings, company_id: str, decision: Decision, reason: str) -> None:
    append_by_operator(
        settings.audit, read_audit_key(settings.audit_key), settings.audit_heads, Action.READ_REPORT, None, reason,
        purpose=Purpose.AGGREGATE_REPORTING, organisations=(company_id,), decision=decision,
    )  # fmt: skip


def written(report: CompanyReport) -> dict[str, Any]:
    """Return a report with its document in each language, the HTML of these, and the style of our pages."""
    documents = {language: _document(language, report) for language in LANGUAGES}
    return {
        "report": report.model_dump(mode="json"),
        "documents": documents,
        "style": (STATIC / "page.css").read_text(),
    }


def _document(language: Language, report: CompanyReport) -> dict[str, Any]:
    found = document(words(language), report)
    html = environment(language).get_template("company_document.html").render(document=found)
    return {**asdict(found), "html": html}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
