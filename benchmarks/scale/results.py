"""The measured stages on disk, saved as each ends, so that a run that is broken off keeps what it has."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from benchmarks.meta import RESULTS, ROOT, about
from benchmarks.scale.stages import stages

PATH = RESULTS / "scale.json"
PACKAGES = ("numpy", "pyarrow", "lightgbm", "scikit-learn", "mlflow", "great_expectations", "sqlalchemy", "distributed")
_ORDER = [stage.name for stage in stages(1)]
_CODE = ("data_contracts", "features", "models", "pipeline", "serving")


class Results:
    """All runs, by stage and size; a later run of the same takes the place of an earlier one."""

    def __init__(self, path: Path = PATH, note: str = "") -> None:
        self._path, self._note, self.code = path, note, fingerprint()
        self.runs: list[dict[str, Any]] = []
        if path.is_file():
            self.runs = json.loads(path.read_text(encoding="utf-8"))["runs"]

    def has(self, stage: str, persons: int) -> bool:
        """Return whether the stage came to its end at this size with the code as it is."""
        key = (stage, persons, self.code, "")
        return any((one["stage"], one["persons"], one["code"], one["problem"]) == key for one in self.runs)

    def add(self, run: dict[str, Any]) -> None:
        """Keep a run with what it was measured under, and save."""
        meta = about(packages=PACKAGES, note=self._note)
        same = (run["stage"], run["persons"])
        kept = [one for one in self.runs if (one["stage"], one["persons"]) != same]
        found = [*kept, run | {"code": self.code, "meta": meta}]
        self.runs = sorted(found, key=lambda one: (one["persons"], _ORDER.index(one["stage"])))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        document = {"synthetic": True, "meta": meta, "runs": self.runs}
        self._path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def fingerprint() -> str:
    """Return a digest of the program: results of other code are measured anew."""
    paths = [path for folder in _CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:12]
