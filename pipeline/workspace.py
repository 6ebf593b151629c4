"""Where each stage reads and writes, under one root directory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from data_contracts.errors import MissingInputError


@dataclass(frozen=True)
class Workspace:
    """The files of one pipeline, as paths under ``root``."""

    root: Path = Path()

    @property
    def source(self) -> Path:
        """CSV source files, one per table."""
        return self.root / "data" / "source"

    @property
    def tables(self) -> Path:
        """Accepted rows as Parquet, what was quarantined, and the ingest report."""
        return self.root / "data" / "tables"

    @property
    def validation(self) -> Path:
        """The Great Expectations report."""
        return self.root / "data" / "validation" / "report.json"

    @property
    def training(self) -> Path:
        """The training sets."""
        return self.root / "data" / "training"

    def training_set(self, outcome: str) -> Path:
        """The training set of an outcome."""
        return self.training / outcome

    def model(self, outcome: str) -> Path:
        """The champion of an outcome, with the comparison that chose it."""
        return self.root / "data" / "models" / outcome

    def evaluation(self, outcome: str) -> Path:
        """Metrics and figures of an outcome on the held-out rows."""
        return self.root / "data" / "evaluation" / outcome

    @property
    def scores(self) -> Path:
        """Scored persons."""
        return self.root / "data" / "scores"

    @property
    def tracking_uri(self) -> str:
        """MLflow's store."""
        return f"sqlite:///{(self.root / 'mlflow.db').resolve()}"

    @property
    def bundles(self) -> Path:
        """Signed bundles, one directory per outcome."""
        return self.root / "bundles"

    @property
    def keys(self) -> Path:
        """Signing and verification key."""
        return self.root / "keys"


def is_synthetic(workspace: Workspace) -> bool:
    """True if the tables say that they are of simulated persons."""
    stamp = workspace.tables / "ingest.json"
    return stamp.exists() and json.loads(stamp.read_text()).get("synthetic") is True


def require(path: Path, made_by: str) -> Path:
    """Return ``path`` if it exists; raises MissingInputError naming the verb that makes it."""
    if not path.exists():
        raise MissingInputError(f"{path}: not there yet. Make it with: balance-risk {made_by}")
    return path
