"""The card itself: facts in, one page of HTML and one of Markdown out, the same bytes for the same facts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from models.model_card.checklists import answered, declared
from models.model_card.facts import CardFacts, context_of
from models.model_card.numbers import count
from models.model_card.risk_of_bias import PARTS, assessed, worst
from models.model_card.sentences import holds, say
from models.model_card.shapes import shaped
from models.model_card.tables import Table, tables_of

HTML, MARKDOWN = "model_card.html", "model_card.md"
_TEMPLATES = Path(__file__).parent / "templates"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_LINE_BREAKS = re.compile(r"\s*[\r\n]+\s*")
_INTERVAL = re.compile(r"\(?-?\d[\d.]* to -?\d[\d.]*\)?")
_MISSING = "(missing)"


@dataclass(frozen=True)
class Part:
    """A table, a picture, or the words that it is missing."""

    title: str
    meaning: str
    tables: tuple[Table, ...] = ()
    picture: str = ""
    missing: str = ""
    note: str = ""


@dataclass(frozen=True)
class Card:
    """A model card as HTML and as Markdown."""

    html: str
    markdown: str


def model_card(facts: CardFacts) -> Card:
    """Write the card of one version.

    Parameters
    ----------
    facts : CardFacts
        What is not there is shown as missing, with what would provide it.
    """
    page = _page(facts)
    style = (_TEMPLATES / "model_card.css").read_text(encoding="utf-8")
    styled = {
        "style": Markup(style),  # the file is ours, and the page allows no style but the one with this hash
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    }
    return Card(
        html=_environment(is_html=True).get_template("model_card.html").render(page | styled),
        markdown=_environment(is_html=False).get_template("model_card.md").render(page),
    )


def write_card(destination: Path, facts: CardFacts) -> None:
    """Write ``model_card.html`` and ``model_card.md`` into a directory; equal facts give equal bytes."""
    card = model_card(facts)
    destination.mkdir(parents=True, exist_ok=True)
    (destination / HTML).write_text(card.html, encoding="utf-8", newline="\n")
    (destination / MARKDOWN).write_text(card.markdown, encoding="utf-8", newline="\n")


def _environment(*, is_html: bool) -> Environment:
    """Both pages escape all they print: HTML by Jinja's own rule, Markdown by :func:`markdown_text`, which comes first."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=None if is_html else markdown_text,
    )  # fmt: skip
    environment.filters |= {"count": count, "together": together, "picture_file": lambda name: Markup(f"{name}.png")}
    return environment


def together(text: str) -> Markup:
    """Escape a text and mark its intervals, so that a narrow column on a screen breaks before the bracket only."""
    return Markup(_INTERVAL.sub(r'<span class="together">\g<0></span>', str(escape(text))))


def markdown_text(value: Any) -> Any:
    """Escape what Markdown would read as its own marks, so that a label stays a label and a table keeps its columns."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value  # our own: what a macro made of escaped texts, or the name of a picture
    return Markup(_SPECIAL.sub(r"\\\1", _LINE_BREAKS.sub(" ", value)))


def _page(facts: CardFacts) -> dict[str, Any]:
    context = context_of(facts)
    domains = assessed(context)
    tripod = answered("tripod_ai", context)
    return {
        "names": context | {"horizon_days": context.get("horizon_days", _MISSING)},
        "stamp": _stamp(facts),
        "approval_reason": facts.registration.get("reason") or _MISSING,
        "notes": context["report"].get("notes", []),
        "headline": context.get("headline", ""),
        "facts": facts,
        "use": declared("use")["en"],
        "summaries": _summaries(context),
        "flow": context.get("flow"),
        "sections": [(one["id"], one["title"], [_part(part, facts, context) for part in one["parts"] if _asked(part, context)])
                     for one in declared("sections")],
        "tripod": tripod,
        "tripod_counts": Counter(item.status for item in tripod),
        "domains": domains,
        "overall": {part: worst([domain.concern for domain in domains if domain.part == part]) for part in PARTS},
        "annex": answered("annex_iv", context),
        "lineage": {name: facts.lineage.get(name) or facts.champion.get(name) or _MISSING
                    for name in ("training_set_sha256", "champion_sha256", "contract_sha256", "code_revision", "fingerprint")},
        "pictures": {name: base64.b64encode(png).decode() for name, png in facts.pictures.items()},
    }  # fmt: skip


def _stamp(facts: CardFacts) -> str:
    told = [
        facts.champion.get("name") or "no model",
        f"version {facts.registration.get('version') or 'not registered'}",
        f"approved by {facts.registration.get('approver') or 'nobody yet'}",
        f"data as known on {facts.champion.get('data_as_of') or _MISSING}",
        *([f"written on {facts.written_on}"] if facts.written_on else []),
        "not clinically validated",
    ]
    return " · ".join(told)


def _asked(part: dict[str, Any], context: dict[str, Any]) -> bool:
    return "only_if" not in part or holds(part["only_if"], context)


def _part(part: dict[str, Any], facts: CardFacts, context: dict[str, Any]) -> Part:
    absent = Part(part["title"], part["meaning"], missing=part["otherwise"])
    if "picture" in part:
        there = part["picture"] in facts.pictures
        return Part(part["title"], part["meaning"], picture=part["picture"]) if there else absent
    found, value = fact_at(context, part["fact"])
    if not found:
        return absent
    if value in ({}, []):
        return Part(part["title"], part["meaning"], note=part.get("empty", "Nothing to report."))
    tables = tables_of(shaped(part["fact"], value, context["report"].get("champion", "")))
    return Part(part["title"], part["meaning"], tables=tuple(tables))


def fact_at(context: dict[str, Any], path: str) -> tuple[bool, Any]:
    """Return whether there is a fact at a path such as ``report.models``, and the fact."""
    found: Any = context
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found is not None, found


def _summaries(context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The half page in both languages; of a model, a sentence without its facts is named as missing by its own words."""
    return {
        language: {"heading": told["heading"], "sentences": _said(told, context)}
        for language, told in declared("summary").items()
    }


def _said(told: Mapping[str, Any], context: dict[str, Any]) -> list[str]:
    missing = told["missing"] if context["champion"] else ""
    return [said for sentence in told["sentences"] if (said := _summary_sentence(sentence, context, missing))]


def _summary_sentence(sentence: str, context: dict[str, Any], missing: str) -> str | None:
    said = say(sentence, context)
    if said or not missing or sentence.startswith("{%") or sentence == "{{ shortage }}":
        return said
    return missing.format(re.sub(r"\{\{.*?\}\}", "…", sentence))
