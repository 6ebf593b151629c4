"""Where each stage reads and writes, under one root directory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from data_contracts.errors import MissingInputError, SettingsError
from models.registry_address import VARIABLE, named_server


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
    def registry_file(self) -> Path:
        """The workspace's own registry, where no server is named."""
        return self.root / "mlflow.db"

    @property
    def registry_pin(self) -> Path:
        """Which server holds the versions of this workspace, once one does."""
        return self.root / "data" / "registry.json"

    @property
    def tracking_uri(self) -> str:
        """MLflow's store: a server by MLflow's own variable, else a file; raises SettingsError where models are elsewhere."""
        named, used = named_server(), _pinned(self.registry_pin)
        if used is not None and named != used:
            raise SettingsError(
                f"The models of this workspace are registered at {used}, and {VARIABLE} "
                f"{'is not set' if named is None else f'names {named}'}. Set it to that address; if the registry has moved, "
                f"change {self.registry_pin}."
            )
        if named is not None and self.registry_file.exists():
            raise SettingsError(
                f"{VARIABLE} names {named}, but the models of this workspace are registered in {self.registry_file}. Unset "
                "it; to begin anew on the server, move mlflow.db and mlartifacts away first."
            )
        return named or f"sqlite:///{self.registry_file.resolve()}"

    @property
    def bundles(self) -> Path:
        """Signed bundles, one directory per outcome."""
        return self.root / "bundles"

    @property
    def keys(self) -> Path:
        """Signing and verification key."""
        return self.root / "keys"


def _pinned(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        return str(json.loads(path.read_text())["address"])
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f'{path} is damaged. It holds {{"address": "https://..."}}, where models are registered.'
        ) from None


def is_synthetic(workspace: Workspace) -> bool:
    """True if the tables say that they are of simulated persons."""
    stamp = workspace.tables / "ingest.json"
    return stamp.exists() and json.loads(stamp.read_text()).get("synthetic") is True


def require(path: Path, made_by: str) -> Path:
    """Return ``path`` if it exists; raises MissingInputError naming the verb that makes it."""
    if not path.exists():
        raise MissingInputError(f"{path}: not there yet. Make it with: balance-risk {made_by}")
    return path
