"""Reads the caller out of verified claims, in our own words (profile plain) or in HelseID's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from data_contracts.national_identity_number import contains, was_national_identity_number
from serving.access.caller import ANY, ROLES, ROLES_FOR_ANY, Caller, Role
from serving.access.refusals import TokenRefused

Profile = Literal["plain", "helseid"]

LONGEST_SUBJECT = 200
MOST_ORGANISATIONS = 500
ORGANISATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)  # as company_id in the data contract

HPR_NUMBER = "helseid://claims/hpr/hpr_number"
SECURITY_LEVEL = "helseid://claims/identity/security_level"
IDENTITY_NUMBER = "helseid://claims/identity/pid"
ORGANISATION_NUMBERS = ("helseid://claims/client/claims/orgnr_parent", "helseid://claims/client/claims/orgnr_child")
HIGHEST_LEVEL = "4"
SCOPED_ROLES: tuple[Role, ...] = ("app", "auditor")
"""Roles that HelseID has no word for: read from the scope ``<audience>/<role>``."""


def caller_of(claims: Mapping[str, Any], profile: Profile, audience: str) -> Caller:
    """Return the caller; raises TokenRefused if the claims do not say who it is and for whom it acts."""
    if "cnf" in claims:
        # Bound to a key of the client (DPoP, mutual TLS). Taken as a bearer token it would lose what it was bound for.
        raise TokenRefused("proof_of_possession")
    role = _helseid_role(claims, audience) if profile == "helseid" else _role(claims.get("role"))
    organisations = _helseid_organisations(claims) if profile == "helseid" else claims.get("organisations", [])
    named_by = "client_id" if profile == "helseid" and role == "app" and "sub" not in claims else "sub"
    return Caller(
        _subject(claims, named_by), role, _organisations(organisations, role), claims["iss"], _expires(claims)
    )


def _expires(claims: Mapping[str, Any]) -> float:
    expires = claims.get("exp", 0.0)  # checked by who verifies the token
    return float(expires) if isinstance(expires, int | float) else 0.0


def _subject(claims: Mapping[str, Any], named_by: str) -> str:
    subject = claims.get(named_by)
    if subject is None:
        raise TokenRefused("claim_missing")
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= LONGEST_SUBJECT
        or not subject.isprintable()
        or not subject.strip()
    ):
        raise TokenRefused("claim_invalid")
    # Subjects go into the audit log for years.
    if subject == claims.get(IDENTITY_NUMBER) or contains(subject) or was_national_identity_number(subject):
        raise TokenRefused("identity_number")
    return subject


def _role(value: Any) -> Role:
    for role in ROLES:
        if value == role:
            return role
    raise TokenRefused("no_role")


def _organisations(value: Any, role: Role) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_ORGANISATIONS:
        raise TokenRefused("organisations_invalid")
    for one in value:
        is_any = one == ANY and role in ROLES_FOR_ANY
        if not is_any and not (isinstance(one, str) and ORGANISATION.fullmatch(one)):
            raise TokenRefused("organisations_invalid")
    return frozenset(value)


def _helseid_role(claims: Mapping[str, Any], audience: str) -> Role:
    number, scopes = claims.get(HPR_NUMBER), claims.get("scope", [])
    listed = scopes.split() if isinstance(scopes, str) else scopes if isinstance(scopes, list) else []
    scoped = [role for role in SCOPED_ROLES if f"{audience}/{role}" in listed]
    is_registered = isinstance(number, str) and number.isascii() and number.isdigit()
    roles: list[Role] = [*scoped, "clinician"] if is_registered else scoped
    if len(roles) != 1:
        raise TokenRefused("no_role")  # none, or two between which nobody has chosen
    # A person has logged in unless this is a program's own token; HelseID gives those no level.
    if (roles != ["app"] or SECURITY_LEVEL in claims) and claims.get(SECURITY_LEVEL) != HIGHEST_LEVEL:
        raise TokenRefused("security_level")
    return roles[0]


def _helseid_organisations(claims: Mapping[str, Any]) -> list[Any]:
    numbers = [claims[name] for name in ORGANISATION_NUMBERS if name in claims]
    if not all(isinstance(one, str) and one.isascii() and one.isdigit() for one in numbers):
        raise TokenRefused("organisations_invalid")
    return numbers
