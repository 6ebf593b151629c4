"""The pack as one page of HTML and one of Markdown, from the same parts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.model_card.card import markdown_text
from models.model_card.tables import Table
from pipeline.governance.items import DOCUMENTS, Item, answered

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = Path(__file__).parents[1] / "templates" / "validation_report.css"
"""The pages for people outside the service look alike."""


@dataclass(frozen=True)
class Part:
    """One section: questions with answers, or tables; ``note`` says what it is, or which verb makes what is missing."""

    title: str
    note: str
    items: tuple[Item, ...] = ()
    tables: tuple[Table, ...] = ()


def parts(facts: Mapping[str, Any]) -> list[Part]:
    """Return the sections in their order."""
    asked = [
        Part(title, _count(found), items=tuple(found))
        for name, title in DOCUMENTS.items()
        if (found := answered(name, facts))
    ]
    return [_in_service(facts), *asked, *_lists(facts)]


def render(facts: Mapping[str, Any], cards: list[str], made_on: str) -> tuple[str, str]:
    """Return the pack as HTML and as Markdown."""
    style = _STYLE.read_text(encoding="utf-8")
    page = {
        "parts": parts(facts),
        "cards": cards,
        "made_on": made_on,
        "synthetic": facts.get("data", {}).get("synthetic"),
    }
    seal = {"style": Markup(style), "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}
    return (
        _environment(None).get_template("pack.html").render(page | seal),
        _environment(markdown_text).get_template("pack.md").render(page),
    )


def _environment(finalize: Any) -> Environment:
    return Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True, finalize=finalize)  # fmt: skip


def _count(items: list[Item]) -> str:
    people, missing = sum(bool(item.people) for item in items), sum(bool(item.missing) for item in items)
    return f"{len(items)} questions; {people} have a part that only people can answer, {missing} lack facts."


def _in_service(facts: Mapping[str, Any]) -> Part:
    rows = [{"outcome": one["outcome"], "version": one["version"], "model": one["model"] or "refused",
             "synthetic": "yes" if one["synthetic"] else "no", "bundle": one["artifact_sha256"][:12]}
            for one in facts["in_service"]]  # fmt: skip
    note = "" if rows else "Nothing is in service. Make it with: balance-risk promote"
    return Part("What is in service", note, tables=(Table.of("", rows),) if rows else ())


def _lists(facts: Mapping[str, Any]) -> list[Part]:
    access, fairness = facts.get("access"), facts["fairness"]
    told = [Table.of(f"{one['outcome']} version {one['version']}", one["groups"]) for one in fairness if one["groups"]]
    return [
        _rows("Tables of the last delivery", facts.get("data", {}).get("tables"), "", "balance-risk ingest"),
        _rows("Access statistics", access and access["by_month"], "Events of the audit log; no person and no caller is named.",
              "balance-risk serve: there is no audit log that can be read"),
        Part("Fairness history", "Groups of each registered version as it was judged then; all numbers are in pack.json."
             if told else "No registered version with groups. Make one with: balance-risk evaluate, then register",
             tables=tuple(told)),
        _rows("Promotion log", facts["promotions"], "", "balance-risk promote"),
        _rows("Incidents", facts["incidents"], "What the software stores, and what people wrote into incidents.jsonl. Failed "
              "nights are known to your scheduler only.", ""),
    ]  # fmt: skip


def _rows(title: str, rows: list[dict[str, Any]] | None, note: str, made_by: str) -> Part:
    if rows:
        return Part(title, note, tables=(Table.of("", rows),))
    return Part(title, f"Nothing here. It would come from: {made_by}" if made_by else f"None. {note}")
