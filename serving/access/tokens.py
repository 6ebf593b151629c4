"""Verifies bearer tokens (RFC 9068, RFC 8725). A token says who calls; how it is checked is said by the deployment alone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import jwt
from jwt import exceptions as faults
from jwt.types import Options
from jwt.utils import base64url_decode

from serving.access.caller import Caller
from serving.access.claims import Profile, caller_of
from serving.access.development import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID
from serving.access.jwks import LONGEST_KEY_ID, VerifyKey
from serving.access.key_sets import KeySet, KeysUnavailable
from serving.access.refusals import Reason, TokenRefused

__all__ = ["KeysUnavailable", "TokenRefused", "TokenVerifier"]

ALGORITHMS = frozenset({"PS256", "ES256", "RS256"})
TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
KEYS_FROM_ELSEWHERE = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})
"""Headers that offer a key of the sender's choice, or change what is signed. No issuer that we trust needs them."""
REQUIRED = ["exp", "nbf", "iat", "iss", "aud"]
"""And ``sub``, which claims.py asks for: HelseID names a program by ``client_id`` instead."""
# Times are checked here: the library reads "1e9" and true as times, and has a clock of its own.
OPTIONS: Options = {
    "require": REQUIRED,
    "strict_aud": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "enforce_minimum_key_length": True,
}
LEEWAY_SECONDS = 60.0
LONGEST_LIFE_SECONDS = 24 * 3600.0
LAST_SECOND = 2**53
MOST_CHARACTERS = 8 * 1024
# Without padding, so that one token has one form.
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)

FAULTS: tuple[tuple[type[Exception], Reason], ...] = (
    (faults.InvalidSignatureError, "bad_signature"),
    (faults.InvalidAlgorithmError, "algorithm_not_allowed"),
    (faults.MissingRequiredClaimError, "claim_missing"),
    (faults.InvalidAudienceError, "wrong_audience"),
    (faults.InvalidIssuerError, "wrong_issuer"),
    (faults.InvalidSubjectError, "claim_invalid"),
    (faults.InvalidJTIError, "claim_invalid"),
)


class TokenVerifier:
    """Turns a bearer token into a caller.

    Parameters
    ----------
    issuer, audience : str
        What ``iss`` and ``aud`` must be, exactly.
    keys : KeySet
    profile : {"plain", "helseid"}
        Which claims say who the caller is.
    now : callable
        Seconds since 1970.
    algorithms : frozenset of str
        Those of PS256, ES256 and RS256 that are accepted.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: KeySet,
        profile: Profile = "plain",
        now: Callable[[], float] = time.time,
        algorithms: frozenset[str] = ALGORITHMS,
    ) -> None:
        if not issuer or not audience or not algorithms or not algorithms <= ALGORITHMS:
            raise ValueError("issuer, audience and algorithms out of PS256, ES256, RS256 are needed")
        self._issuer, self._audience, self._keys = issuer, audience, keys
        self._profile, self._now, self._algorithms = profile, now, algorithms

    def verify(self, token: str) -> Caller:
        """Return who calls. Never waits for the network.

        Raises
        ------
        TokenRefused
            With a fixed code, never with anything of the token.
        KeysUnavailable
            If there are no keys to check with.
        """
        if len(token) > MOST_CHARACTERS:
            raise TokenRefused("too_large")
        if COMPACT.fullmatch(token) is None:
            raise TokenRefused("malformed")
        claims = self._verified(token, self._key(self._header(token)))
        self._check_times(claims)
        return caller_of(claims, self._profile, self._audience)

    def _header(self, token: str) -> Mapping[str, Any]:
        try:
            # The library's own look at the header decodes the whole token, which it does again when it verifies.
            header = json.loads(base64url_decode(token.partition(".")[0]))
        except (ValueError, RecursionError):
            raise TokenRefused("malformed") from None
        if not isinstance(header, dict):
            raise TokenRefused("malformed")
        if KEYS_FROM_ELSEWHERE & header.keys():
            raise TokenRefused("header_not_allowed")
        kind = header.get("typ")
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            raise TokenRefused("wrong_type")
        return header

    def _key(self, header: Mapping[str, Any]) -> tuple[VerifyKey, str]:
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise TokenRefused("algorithm_not_allowed")
        if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KEY_ID:
            raise TokenRefused("no_key_id")
        if kid == DEVELOPMENT_KEY_ID and self._issuer != DEVELOPMENT_ISSUER:
            raise TokenRefused("development_key")
        key = self._keys.find(kid)
        if key is None:
            raise TokenRefused("unknown_key")
        if algorithm not in key.algorithms:
            raise TokenRefused("algorithm_not_allowed")
        return key, algorithm

    def _verified(self, token: str, key_and_algorithm: tuple[VerifyKey, str]) -> Mapping[str, Any]:
        key, algorithm = key_and_algorithm
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],  # of our list and of the key's: see _key
                audience=self._audience,
                issuer=self._issuer,
                options=OPTIONS,
            )
        except faults.PyJWTError as error:
            _refuse(error)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        expires, not_before, issued = (_seconds(claims[name]) for name in ("exp", "nbf", "iat"))
        now = self._now()
        late: tuple[tuple[bool, Reason], ...] = (
            (expires <= now - LEEWAY_SECONDS, "expired"),
            (not_before > now + LEEWAY_SECONDS, "not_yet_valid"),
            (issued > now + LEEWAY_SECONDS, "issued_in_future"),
            (expires - min(issued, not_before) > LONGEST_LIFE_SECONDS, "lives_too_long"),
        )
        for holds, reason in late:
            if holds:
                raise TokenRefused(reason)


def _refuse(error: Exception) -> NoReturn:
    for fault, reason in FAULTS:
        if isinstance(error, fault):
            raise TokenRefused(reason) from None
    raise TokenRefused("malformed") from None


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LAST_SECOND < value < LAST_SECOND:
        raise TokenRefused("claim_invalid")
    return float(value)
