"""Verb report workplace: what an employer is told, as pages to read and print: HTML, PDF and JSON, in both languages.

The numbers and the words come from the service's package, as a process (``serving.company_report``), which writes down that
somebody took them out. Here they are only laid out: the HTML is one file without script, the PDF is set by Typst.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipeline.nightly import NightFailed
from pipeline.serve import PROJECT, environment
from pipeline.workspace import Workspace, is_synthetic

REPORT = "serving.company_report"
LANGUAGES = ("nb", "en")
FORMATS = ("html", "pdf", "json")
PDF_STANDARD: Literal["ua-1"] = "ua-1"
"""PDF/UA-1: tagged, with title and language, for whoever reads by ear."""

PICTURE_PPI = 100
_TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = _TEMPLATES / "workplace_report.typ"


def run(
    workspace: Workspace, company: str, languages: Sequence[str] = LANGUAGES, formats: Sequence[str] = FORMATS,
    out: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write the newest report of a company.

    Parameters
    ----------
    workspace : Workspace
    company : str
        The company's identifier in the tables.
    languages : sequence of {"nb", "en"}
    formats : sequence of {"html", "pdf", "json"}
        JSON is what the API answers, once for both languages.
    out : Path, optional
        Directory; default: data/workplace_reports/COMPANY/MONTH.

    Raises
    ------
    NightFailed
        Nothing was computed for the company yet, or the reading cannot be logged.
    """
    found = fetched(workspace, company)
    report = found["report"]
    directory = out or workspace.root / "data" / "workplace_reports" / company / report["month"]
    contents = rendered(found, languages, formats, synthetic=is_synthetic(workspace))
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    told = sum(one["categories"] is not None for one in report["measures"].values())
    counts = {"measures": len(report["measures"]), "told": told, "units": len(report["units"])}
    paths = [str(directory / name) for name in contents]
    summary = (
        f"report workplace: {company}, {report['month']}: {told} of {counts['measures']} measures told\n"
        + "\n".join(paths)
    )
    return {"company_id": company, "month": report["month"], **counts, "files": paths, "summary": summary}


def fetched(workspace: Workspace, company: str) -> dict[str, Any]:
    """Return report, documents and style from the service's package."""
    words = [sys.executable, "-m", REPORT, f"--company={company}"]
    done = subprocess.run(words, cwd=PROJECT, env=environment(workspace), capture_output=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise NightFailed(lines[-1] if lines else "The report cannot be read.", done.returncode)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rendered(
    found: Mapping[str, Any], languages: Sequence[str], formats: Sequence[str], *, synthetic: bool
) -> dict[str, bytes]:
    """Return the content of each file by its name."""
    files: dict[str, bytes] = {}
    for language in languages:
        document = found["documents"][language]
        if "html" in formats:
            files[f"workplace_report.{language}.html"] = page(document, found["style"], synthetic=synthetic)
        if "pdf" in formats:
            files[f"workplace_report.{language}.pdf"] = printed(document, found["report"]["month"], synthetic=synthetic)
    if "json" in formats:
        files["workplace_report.json"] = json.dumps(found["report"], ensure_ascii=False, indent=2).encode()
    return files


def page(document: Mapping[str, Any], style: str, *, synthetic: bool) -> bytes:
    """Return the report as one HTML page that loads nothing and runs nothing."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    pages = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return pages.get_template("workplace_report.html").render(
        document=document, content=Markup(document["html"]), style=Markup(style), style_hash=hashed, is_synthetic=synthetic
    ).encode()  # fmt: skip


def printed(document: Mapping[str, Any], month: str, *, synthetic: bool) -> bytes:
    """Return the report as PDF/UA-1, with Typst's own fonts and no network; the same document gives the same bytes."""
    import typst

    return typst.compile(
        TEMPLATE,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=PDF_STANDARD,
        sys_inputs=inputs(document, synthetic=synthetic),
        timestamp=datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC),
    )


def first_page(document: Mapping[str, Any], *, synthetic: bool) -> bytes:
    """Return the first page of the PDF as a picture (PNG), for the documentation."""
    import typst

    said = inputs(document, synthetic=synthetic)
    # Of several pages it returns a list, which its annotations leave out.
    pages: Any = typst.compile(TEMPLATE, format="png", ppi=PICTURE_PPI, ignore_system_fonts=True, sys_inputs=said)
    found: bytes = pages[0] if isinstance(pages, list) else pages
    return found


def inputs(document: Mapping[str, Any], *, synthetic: bool) -> dict[str, str]:
    """Return what the Typst template reads."""
    said = {name: value for name, value in document.items() if name != "html"}
    return {"document": json.dumps(said), "synthetic": "yes" if synthetic else "no"}
