"""The results on disk: saved after every run, with the machine and the code that they were measured with."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

from environments import HERE

from benchmarks import meta

RESULTS = meta.RESULTS / "features.json"
_CODE = ("features", "data_contracts", "benchmarks/features")


class Results:
    """The document of results; rows of other code are kept, but neither taken for results of this one nor shown."""

    def __init__(self, path: Path, again: bool) -> None:
        self._path, self._again, self._code = path, again, _fingerprint()
        self.document: dict[str, Any] = {"rows": []}
        if path.is_file():
            self.document = json.loads(path.read_text(encoding="utf-8"))
        self.document["code"] = self._code

    def has(self, tool: str, n_persons: int, threads: int) -> bool:
        """True if the run has been measured with the code as it is, and came to its end."""
        rows = [row for row in self.document["rows"] if _key(row) == (tool, n_persons, threads)]
        return not self._again and any(row["code"] == self._code and not row["problem"] for row in rows)

    def add(self, row: dict[str, Any]) -> None:
        """Put a row in the place of an older one of the same run, and save."""
        row = row | {"date": date.today().isoformat(), "code": self._code}
        kept = [one for one in self.document["rows"] if _key(one) != _key(row)]
        self.document["rows"] = sorted([*kept, row], key=lambda one: (one["persons"], one["threads"], one["tool"]))
        rivals = {one["tool"]: one["version"] for one in self.document["rows"] if one["tool"] != "ours"}
        kept = {name: part for name, part in self.document.items() if name != "meta"}
        meta.save(self._path, kept, packages=("numpy", "pyarrow"), rivals=rivals)


def _key(row: dict[str, Any]) -> tuple[str, int, int]:
    return row["tool"], row["persons"], row["threads"]


def _fingerprint() -> str:
    root = HERE.parents[1]
    paths = [path for folder in _CODE for path in sorted((root / folder).rglob("*")) if path.is_file()]
    kinds = (".py", ".sql", ".csv", ".txt")
    pages = ("report.py", "training_section.py")
    texts = [path.read_bytes() for path in paths if path.suffix in kinds and path.name not in pages]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:12]
