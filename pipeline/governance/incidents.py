"""What went wrong, from what is stored; what nobody stores, people write into a list of their own.

Kept by the software: the promotion log, what is refused now, the audit chain, runs of monitor. Not kept by it: failed nights
(the scheduler has their exit codes), outages, complaints. Those belong in ``data/governance/incidents.jsonl``, one JSON object
a line with ``on``, ``what``, ``done`` and ``by``; it is made empty with the first pack, and only people write in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_contracts.errors import SettingsError
from data_contracts.national_identity_number import contains
from pipeline.workspace import Workspace

FILE = Path("data", "governance", "incidents.jsonl")


class KeptIncident(BaseModel):
    """One line of the list that people keep."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=2000)

    on: date
    what: str = Field(min_length=1)
    done: str = ""
    by: str = ""


def incidents(workspace: Workspace, facts: Mapping[str, Any], broken: Sequence[str]) -> list[dict[str, str]]:
    """Return all incidents: first those that hold now, then by day; raises SettingsError if people's list is wrong."""
    dated = [*_of_promotions(facts), *_of_monitoring(facts), *kept(workspace.root / FILE)]
    return [*_now(facts, broken), *sorted(dated, key=lambda one: one["on"])]


def kept(path: Path) -> list[dict[str, str]]:
    """Read people's list; an empty one is made where there is none. Raises SettingsError with the line that is wrong."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        if contains(line):
            raise SettingsError(
                f"{path}, line {number}: holds what looks like a national identity number. Take it out."
            )
        try:
            one = KeptIncident.model_validate_json(line)
        except ValidationError:
            form = json.dumps({"on": "2026-03-01", "what": "…", "done": "…", "by": "…"}, ensure_ascii=False)
            raise SettingsError(f"{path}, line {number}: not an incident. Write it as {form}") from None
        found.append({"on": one.on.isoformat(), "what": one.what, "done": one.done, "told_by": one.by or "people"})
    return found


def _one(on: str, what: str, told_by: str, done: str = "") -> dict[str, str]:
    return {"on": on, "what": what, "done": done, "told_by": told_by}


def _now(facts: Mapping[str, Any], broken: Sequence[str]) -> Iterator[dict[str, str]]:
    for name in broken:
        yield _one("now", f"the promotion log of {name} was altered", "promotion log")
    for one in facts.get("refused", ()):
        yield _one("now", f"the bundle of {one['outcome']}, version {one['version']}, is refused", "bundle")
    for name in facts.get("cards_refused", ()):
        yield _one("now", f"the model card of {name} is not one that was signed for what is in service", "bundle")
    if not facts.get("access", {}).get("chain_is_sound", True):
        yield _one("now", "the audit log is not as it was written: balance-risk audit verify", "audit log")
    for one in facts.get("fairness", ()):
        if one["fault"]:
            yield _one("now", f"{one['outcome']} version {one['version']}: {one['fault']}", "registry")


def _of_promotions(facts: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for one in facts["promotions"]:
        if one["what"] != "promote":
            yield _one(one["at"][:10], f"{one['outcome']}: {one['what']} to {one['to'] or 'nothing'}", "promotion log",
                       one["reason"] or "")  # fmt: skip


def _of_monitoring(facts: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for one in facts.get("monitoring", {}).get("list", ()):
        if one["alarm"]:
            yield _one(one["run"], "alarm of balance-risk monitor", "monitoring")
