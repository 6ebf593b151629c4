"""Where the service finds its bundles and key: environment variables, read once when the process starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Deployment settings; the defaults are what ``balance-risk promote`` writes in the working directory."""

    bundles: Path = Path("bundles")
    verify_key: Path = Path("keys/verify.key")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read BALANCE_RISK_BUNDLES and BALANCE_RISK_VERIFY_KEY; an empty value counts as not set."""
        names = {"bundles": "BALANCE_RISK_BUNDLES", "verify_key": "BALANCE_RISK_VERIFY_KEY"}
        return cls(**{field: Path(environment[name]) for field, name in names.items() if environment.get(name)})
