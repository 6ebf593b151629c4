"""Reads a JSON Web Key Set: public RSA and P-256 keys for signatures, nothing else ever verifies a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from data_contracts.errors import BalanceRiskError

MOST_BYTES = 256 * 1024
MOST_KEYS = 100
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192
LONGEST_KEY_ID = 256
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
ALGORITHMS_OF: Mapping[str, frozenset[str]] = {"RSA": frozenset({"PS256", "RS256"}), "EC": frozenset({"ES256"})}
"""By key type. Which of them a deployment accepts is said by the verifier, never by the token."""


class KeySetRefused(BalanceRiskError):
    """What should be a key set is none, or is one that nobody should publish."""


@dataclass(frozen=True)
class VerifyKey:
    """One public key and the algorithms that it may be used with."""

    key: RSAPublicKey | EllipticCurvePublicKey
    algorithms: frozenset[str]


def parse_key_set(content: bytes) -> Mapping[str, VerifyKey]:
    """Return the keys by ``kid``.

    Keys that no token of ours is signed with (encryption, other curves, short RSA keys, no ``kid``) are passed over, as
    issuers publish such beside the others. What is never right makes the whole set worthless: a private member (that key
    is no secret any more), a ``kid`` that names two keys, nothing usable.

    Raises
    ------
    KeySetRefused
        In words that hold nothing of the content.
    """
    keys: dict[str, VerifyKey] = {}
    for jwk in _members(content):
        if PRIVATE_MEMBERS & jwk.keys():
            raise KeySetRefused(
                "The key set holds a private or symmetric key. Publish public keys only, and replace it."
            )
        key = _usable(jwk)
        if key is None:
            continue
        if jwk["kid"] in keys:
            raise KeySetRefused("Two keys of the key set have the same kid. Give each key a kid of its own.")
        keys[jwk["kid"]] = key
    if not keys:
        raise KeySetRefused("The key set holds no RSA key of 2048 bits or more and no P-256 key with a kid.")
    return MappingProxyType(keys)


def _members(content: bytes) -> list[dict[str, Any]]:
    if len(content) > MOST_BYTES:
        raise KeySetRefused(f"The key set is larger than {MOST_BYTES} bytes.")
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise KeySetRefused("The key set is not JSON.") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed) or len(listed) > MOST_KEYS:
        raise KeySetRefused(f'The key set is not {{"keys": [...]}} with at most {MOST_KEYS} objects.')
    return listed


def _usable(jwk: dict[str, Any]) -> VerifyKey | None:
    kid, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KEY_ID:
        return None
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    algorithms = _algorithms(jwk)
    if not algorithms:
        return None
    try:
        key = PyJWK(jwk, algorithm=min(algorithms)).key
    except (PyJWTError, TypeError, ValueError, KeyError, AttributeError):
        return None  # members that are missing, of another type, or no point of the curve
    if isinstance(key, RSAPublicKey):
        return VerifyKey(key, algorithms) if LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS else None
    return VerifyKey(key, algorithms) if isinstance(key, EllipticCurvePublicKey) else None


def _algorithms(jwk: dict[str, Any]) -> frozenset[str]:
    kty, named = jwk.get("kty"), jwk.get("alg")
    if not isinstance(kty, str) or (kty == "EC" and jwk.get("crv") != "P-256"):
        return frozenset()
    possible = ALGORITHMS_OF.get(kty, frozenset())
    return possible if named is None else possible & {named} if isinstance(named, str) else frozenset()
