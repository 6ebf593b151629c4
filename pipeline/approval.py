"""Who approves a promotion or rollback, and why: both go into the record for good."""

from __future__ import annotations

from dataclasses import dataclass

from data_contracts.errors import SettingsError
from data_contracts.national_identity_number import contains

LONGEST = {"approver": 100, "reason": 1000}


@dataclass(frozen=True)
class Approval:
    """A name and a reason in one line each; raises SettingsError if one is empty, too long or holds an identity number."""

    approver: str
    reason: str

    def __post_init__(self) -> None:
        for name, longest in LONGEST.items():
            text = str(getattr(self, name)).strip()
            object.__setattr__(self, name, text)
            if not text or len(text) > longest or not text.isprintable():
                raise SettingsError(
                    f"--{name} is needed, as one line of at most {longest} characters: who approves and why is recorded."
                )
            if contains(text):
                raise SettingsError(f"--{name} holds a national identity number, and the record is kept. Leave it out.")
