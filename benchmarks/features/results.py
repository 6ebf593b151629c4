"""The results on disk: saved after every run, with the machine and the code that they were measured with."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from environments import HERE

RESULTS = HERE.parent / "results" / "features.json"
_CODE = ("features", "data_contracts", "benchmarks/features")


class Results:
    """The document of results; rows of other code are kept, but neither taken for results of this one nor shown."""

    def __init__(self, path: Path, again: bool) -> None:
        self._path, self._again, self._code = path, again, _fingerprint()
        self.document: dict[str, Any] = {"rows": []}
        if path.is_file():
            self.document = json.loads(path.read_text(encoding="utf-8"))
        self.document |= {"machine": machine(), "code": self._code}

    def has(self, tool: str, n_persons: int, threads: int) -> bool:
        """True if the run has been measured with the code as it is, and came to its end."""
        rows = [row for row in self.document["rows"] if _key(row) == (tool, n_persons, threads)]
        return not self._again and any(row["code"] == self._code and not row["problem"] for row in rows)

    def add(self, row: dict[str, Any]) -> None:
        """Put a row in the place of an older one of the same run, and save."""
        row = row | {"date": date.today().isoformat(), "code": self._code}
        kept = [one for one in self.document["rows"] if _key(one) != _key(row)]
        self.document["rows"] = sorted([*kept, row], key=lambda one: (one["persons"], one["threads"], one["tool"]))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.document, indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Return what the numbers depend on besides the code."""
    cpu = [line.split(":")[1].strip() for line in _read("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) for line in _read("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "processor": cpu[0] if cpu else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory[0] / 1e6, 1) if memory else None,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "pyarrow": version("pyarrow"),
    }


def _read(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []


def _key(row: dict[str, Any]) -> tuple[str, int, int]:
    return row["tool"], row["persons"], row["threads"]


def _fingerprint() -> str:
    root = HERE.parents[1]
    paths = [path for folder in _CODE for path in sorted((root / folder).rglob("*")) if path.is_file()]
    kinds = (".py", ".sql", ".csv", ".txt")
    texts = [path.read_bytes() for path in paths if path.suffix in kinds and path.name != "report.py"]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:12]
