"""How a deployment differs from another: environment variables, read once when the process starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from data_contracts.errors import SettingsError

PREFIX = "BALANCE_RISK_"
Mode = Literal["production", "development"]
TokenProfile = Literal["plain", "helseid"]


@dataclass(frozen=True)
class Settings:
    """Deployment settings; ``BALANCE_RISK_`` and the name in capitals set each.

    The defaults are what ``balance-risk promote`` and ``balance-risk serve`` make in the working directory.
    """

    bundles: Path = Path("bundles")
    verify_key: Path = Path("keys/verify.key")
    store: str = "sqlite:///store/store.db"
    """SQLAlchemy URL of scores, worklist and decisions."""
    audit: str = "sqlite:///store/audit.db"
    """SQLAlchemy URL of the audit log; a file of its own, so that no bulk write ever holds it up."""
    audit_key: Path = Path("keys/audit.key")
    audit_heads: Path = Path("store/audit-heads.jsonl")
    """Signed heads of the audit chain; keep them on another disk, they show a cut-off end."""
    issuer: str = ""
    """Who issues tokens; without it nobody is let in."""
    audience: str = "balance-risk"
    jwks: str = ""
    """File or https URL of the issuer's public keys."""
    token_profile: TokenProfile = "plain"
    mode: Mode = "production"
    public_url: str = ""
    """Where people reach the service; for links on CDS cards and in messages about alerts."""
    teams: Path | None = None
    """YAML file of the teams that are alerted; without it there are no alerts."""
    workers: int = 1

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the variables, of which an empty one counts as not set; raises SettingsError for a value that is not allowed."""
        given = {field.name: environment.get(PREFIX + field.name.upper(), "") for field in fields(cls)}
        return cls(**{name: _value(name, text) for name, text in given.items() if text})


_PATHS = ("bundles", "verify_key", "audit_key", "audit_heads", "teams")
_CHOICES: dict[str, tuple[str, ...]] = {"mode": get_args(Mode), "token_profile": get_args(TokenProfile)}
_MOST_WORKERS = 64


def _value(name: str, text: str) -> Any:
    if name in _PATHS:
        return Path(text)
    if name == "workers":
        if not text.isdigit() or not 1 <= int(text) <= _MOST_WORKERS:
            raise SettingsError(f"{PREFIX}WORKERS must be a number from 1 to {_MOST_WORKERS}.")
        return int(text)
    if name in _CHOICES and text not in _CHOICES[name]:
        raise SettingsError(f"{PREFIX}{name.upper()} must be one of: {', '.join(_CHOICES[name])}.")
    return text
