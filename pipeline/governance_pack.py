"""Verb report governance: one directory for those who answer for the system, as HTML, Markdown and JSON."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_contracts.time_windows import today
from pipeline.console import progress, write_json
from pipeline.governance.facts import cards, gather
from pipeline.governance.items import DOCUMENTS, Item, answered
from pipeline.governance.pages import render
from pipeline.workspace import Workspace

HOME = Path("data", "governance")
PAGE, MARKDOWN, FACTS = "pack.html", "pack.md", "pack.json"


def run(workspace: Workspace, out: Path | None = None) -> dict[str, Any]:
    """Write the pack and return where it is, with how much of each document is answered.

    Raises
    ------
    SettingsError
        What people wrote (study.yaml, incidents.jsonl) is wrong.
    """
    home = out or workspace.root / HOME
    with (
        progress("report governance: cards, data, versions, accesses, incidents"),
        tempfile.TemporaryDirectory() as scratch,
    ):
        facts = gather(workspace, Path(scratch))
        made_on = today().isoformat()
        found = {name: answered(name, facts) for name in DOCUMENTS}
        named = _write_cards(workspace, facts, home)
        page, markdown = render(facts, named, made_on)
        (home / PAGE).write_text(page, encoding="utf-8", newline="\n")
        (home / MARKDOWN).write_text(markdown, encoding="utf-8", newline="\n")
        documents = {name: [asdict(item) for item in items] for name, items in found.items()}
        write_json(home / FACTS, {"made_on": made_on, "facts": facts, "documents": documents, "cards": named})
    counts = {name: _counts(items) for name, items in found.items()}
    report = {"directory": str(home), "cards": named, "documents": counts, "incidents": len(facts["incidents"]),
              "synthetic": facts.get("data", {}).get("synthetic")}  # fmt: skip
    return report | {"summary": "\n".join(_lines(report))}


def _write_cards(workspace: Workspace, facts: dict[str, Any], home: Path) -> list[str]:
    """Copy the cards of what is in service, and take away those of an earlier pack."""
    place = home / "cards"
    place.mkdir(parents=True, exist_ok=True)
    for old in place.glob("*.html"):
        old.unlink()
    versions = {one["outcome"]: one["version"] for one in facts["in_service"]}
    names = []
    for outcome, card in cards(workspace)[0].items():
        names.append(f"cards/{outcome}-{versions[outcome]}.html")
        (home / names[-1]).write_bytes(card)
    return names


def _counts(items: list[Item]) -> dict[str, int]:
    return {"questions": len(items), "for_people": sum(bool(item.people) for item in items),
            "lack_facts": sum(bool(item.missing) for item in items)}  # fmt: skip


def _lines(report: dict[str, Any]) -> list[str]:
    stamp = " (SYNTHETIC)" if report["synthetic"] else ""
    lines = [f"report governance{stamp}: {report['directory']}/{PAGE}"]
    for name, one in report["documents"].items():
        lines.append(
            f"  {name:<11} {one['questions']:>3} questions, {one['for_people']:>3} with a part for people, "
            f"{one['lack_facts']} lack facts"
        )
    cards_told = ", ".join(report["cards"]) or "none: nothing with a card is in service (balance-risk promote)"
    return [*lines, f"  model cards: {cards_told}", f"  incidents: {report['incidents']}"]
