"""Who is calling, as the issuer of the token says; nothing else about the caller is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["app", "clinician", "employer", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)

ANY = "*"
"""Stands for every organisation, and counts for the roles below only."""
ROLES_FOR_ANY: frozenset[Role] = frozenset({"app", "auditor"})
PEOPLE: frozenset[Role] = frozenset({"clinician", "employer"})
"""For whom pages are. What an app may compute from a record of its own, it must not read off a page about a stored one."""


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
    expires : float
        Second since 1970 at which the token ends.
    """

    subject: str
    role: Role
    organisations: frozenset[str]
    issuer: str
    expires: float = 0.0

    def acts_for(self, companies: frozenset[str]) -> bool:
        """True if the caller acts for one of the companies; one suffices, and ``ANY`` stands for all, also for none."""
        if ANY in self.organisations and self.role in ROLES_FOR_ANY:
            return True
        return not (self.organisations - {ANY}).isdisjoint(companies)
