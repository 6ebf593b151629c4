"""What an erasure or an expiry leaves: how much went from where, what was searched, what could not be."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from data_contracts.fingerprints import fingerprint
from data_contracts.records import RECORDS
from pipeline.erasure import cache

FORMAT = 1


def certificate(
    root: Path, files: Mapping[str, Mapping[str, Any]], reason: str, on: date, searched: int, **others: Any
) -> dict[str, Any]:
    """Return a certificate; ``files`` has, by place, the rows that went and the SHA-256 of what is left."""
    before = Counter[str]()
    for name, file in files.items():
        before[_place(name)] += int(file["rows"])
    return {
        "format": FORMAT,
        "reason": reason,
        "date": on.isoformat(),
        "contract_sha256": hashlib.sha256("".join(fingerprint(record) for record in RECORDS).encode()).hexdigest(),
        "places": {place: {"before": count, "after": 0} for place, count in sorted(before.items())},
        "files": dict(files),
        "files_searched": searched,
        "not_searched": not_searched(root) + others.pop("not_searched", []),
        **others,
    }


def not_searched(root: Path) -> list[str]:
    """Return what lies beyond the workspace, for whoever has to look there."""
    remotes = [f"the DVC remote {name}: clean it with dvc gc --workspace --cloud" for name in cache.remotes(root)]
    return [*remotes, "version control and tools (.git, .venv)", "backups", "sources outside the workspace"]


def as_text(found: Mapping[str, Any]) -> str:
    """Return a certificate for people."""
    lines = [
        f"Certificate of erasure, {found['date']}, reason: {found['reason']}",
        f"  {found['files_searched']} files searched, decoded where packed; nothing is found any more",
    ]
    lines += [f"  person (keyed hash): {found['person']}"] if "person" in found else []
    lines += [f"  {table}: {count} rows expired" for table, count in found.get("expired", {}).items()]
    lines += [f"  {place}: {counts['before']} rows or objects before, {counts['after']} after"
              for place, counts in found["places"].items()]  # fmt: skip
    lines += [
        f"  of them in the store: {count} rows of {table}" for table, count in sorted(found.get("store", {}).items())
    ]
    lines += [f"  not searched: {place}" for place in found["not_searched"]]
    if found.get("stages_to_run_again"):
        lines.append(f"  dvc repro runs again: {', '.join(found['stages_to_run_again'])}, and what depends on them")
    return "\n".join(lines + [f"  {note}" for note in found.get("retrain_due", [])])


def _place(name: str) -> str:
    parts = Path(name).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0] if len(parts) == 2 else "."
