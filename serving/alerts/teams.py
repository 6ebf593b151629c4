"""Teams, as declared in the YAML file ``BALANCE_RISK_TEAMS`` names: for whom, from which risk on, how many a week."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from data_contracts.errors import MissingInputError, SettingsError
from data_contracts.records import Identifier
from models.outcomes import OUTCOMES
from serving.alerts.addresses import check_url

_OTHERS = 0o077
_PREFIX, _LEAST, _MOST = "whsec_", 24, 64
"""Of a secret, with the bytes that the specification of Standard Webhooks allows."""


def _event(name: str) -> str:
    if name not in OUTCOMES or OUTCOMES[name].target != "event":
        raise ValueError(f"must be one of: {', '.join(n for n, one in OUTCOMES.items() if one.target == 'event')}")
    return name


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Worth(_Declared):
    """What finding one person is worth to a team, of one outcome."""

    contacts_in_vain_per_person_found: float = Field(ge=0.05, le=200)

    @property
    def threshold(self) -> float:
        """The risk from which a contact does more good than harm: t with odds (1 - t) / t."""
        return 1 / (1 + self.contacts_in_vain_per_person_found)


class Webhook(_Declared):
    """Where a team's messages go."""

    url: Annotated[str, AfterValidator(check_url)]
    secret_file: Path
    allow_private: bool = False

    @model_validator(mode="after")
    def _this_machine_is_private(self) -> Self:
        if self.url.lower().startswith("http://") and not self.allow_private:
            raise ValueError("must allow_private where the url begins with http://, as that leads to this machine")
        return self


class Team(_Declared):
    """One team."""

    name: Identifier
    companies: Annotated[frozenset[Identifier], Field(min_length=1)]
    outcomes: dict[Annotated[str, AfterValidator(_event)], Worth] = {}
    per_week: int = Field(ge=0, le=200)
    valid_days: int = Field(default=14, ge=1, le=90)
    language: Literal["nb", "en"] = "nb"
    webhook: Webhook | None = None


class _Teams(_Declared):
    teams: Annotated[tuple[Team, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Receiver:
    """Where messages of a team go, with which key they are signed, and in which language they are written."""

    url: str
    secret: bytes
    language: str
    allow_private: bool


def read_teams(path: Path | None) -> tuple[Team, ...]:
    """Read and check the file; no file is no team. Raises MissingInputError or SettingsError, which quote no value."""
    if path is None:
        return ()
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingInputError(
            f"{path}: no such file. Write it (docs/alerts.md) or unset BALANCE_RISK_TEAMS."
        ) from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        raise SettingsError(f"{path}: not valid YAML in UTF-8. Mend it; docs/alerts.md shows one.") from None
    try:
        found = _Teams.model_validate(declared).teams
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        lines = (f"  {_place(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}" for fault in faults)
        raise SettingsError(f"{path}: the teams are not declared rightly.\n" + "\n".join(lines)) from None
    if len({team.name for team in found}) < len(found):
        raise SettingsError(f"{path}: two teams have one name. Give each its own.")
    if any(team.webhook for team in found) and path.stat().st_mode & _OTHERS:  # a chat's address is its password
        raise SettingsError(f"{path}: other accounts may read the addresses of webhooks. Run: chmod 600 {path}")
    return found


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location if part != "[key]") or "the file"


def receivers(teams: tuple[Team, ...], home: Path) -> Mapping[str, Receiver]:
    """Return by team where its messages go; a secret's file is looked for beside the file of the teams."""
    return {
        team.name: Receiver(team.webhook.url, _secret(home / team.webhook.secret_file), team.language,
                            team.webhook.allow_private)
        for team in teams
        if team.webhook
    }  # fmt: skip


def _secret(path: Path) -> bytes:
    try:
        text, mode = path.read_text(encoding="ascii").strip(), path.stat().st_mode
    except (OSError, UnicodeDecodeError):
        raise MissingInputError(
            f"{path}: the webhook's secret cannot be read. Make one as docs/alerts.md says."
        ) from None
    if mode & _OTHERS:
        raise SettingsError(f"{path}: other accounts may read the webhook's secret. Run: chmod 600 {path}")
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(_PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise SettingsError(f"{path}: a webhook's secret is whsec_ and 24 to 64 bytes in Base64.")
    return key
