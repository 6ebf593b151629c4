"""Who is calling, as the issuer of the token says; nothing else about the caller is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["app", "clinician", "employer", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)

ANY = "*"
"""Stands for every organisation, and counts for the roles below only."""
ROLES_FOR_ANY: frozenset[Role] = frozenset({"app", "auditor"})


@dataclass(frozen=True)
class Caller:
    """One verified caller.

    Attributes
    ----------
    subject : str
        The token's ``sub``; goes into the audit log, so it is never a national identity number.
    role : Role
    organisations : frozenset of str
        Identifiers of the companies that the caller acts for.
    issuer : str
    """

    subject: str
    role: Role
    organisations: frozenset[str]
    issuer: str

    def acts_for(self, companies: frozenset[str]) -> bool:
        """True if the caller acts for one of the companies; one suffices, and ``ANY`` stands for all, also for none."""
        if ANY in self.organisations and self.role in ROLES_FOR_ANY:
            return True
        return not (self.organisations - {ANY}).isdisjoint(companies)
