"""An issuer of tokens for tests: keys of each kind, the key set it publishes, tokens sound or with one thing wrong."""

from __future__ import annotations

import base64
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm, get_default_algorithms

ISSUER, AUDIENCE = "https://issuer.example", "balance-risk"


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """The key of that name, the same throughout a test run."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """As ``ec_key``."""
    return rsa.generate_private_key(65537, bits)


def public_jwk(key: Any, kid: str, **members: Any) -> dict[str, Any]:
    """The public half as a JWK."""
    kind = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    jwk = {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **members}
    return {name: value for name, value in jwk.items() if value is not None}


def key_set(*jwks: dict[str, Any]) -> bytes:
    """A key set as it is published."""
    return json.dumps({"keys": jwks}).encode()


def write_key_set(path: Path, *jwks: dict[str, Any]) -> Path:
    """Publish a key set as a file, replaced whole."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(key_set(*jwks))
    partial.replace(path)
    return path


def claims(now: float | None = None, **changes: Any) -> dict[str, Any]:
    """Sound claims; a change to None leaves the claim out."""
    at = int(time.time() if now is None else now)
    sound = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": at, "nbf": at, "exp": at + 600}
    sound |= {"role": "clinician", "organisations": ["c1"]}
    return {name: value for name, value in {**sound, **changes}.items() if value is not None}


def segment(document: Any) -> str:
    """One part of a token: JSON, or bytes as they are."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(content: Any, key: Any = None, kid: Any = "one", algorithm: str = "ES256", **header: Any) -> str:
    """A token over these claims; put together here, since a library refuses to make most of the wrong ones.

    A header that is None is left out.
    """
    members = {"alg": algorithm, "kid": kid, "typ": "at+jwt", **header}
    members = {name: value for name, value in members.items() if value is not None}
    to_sign = f"{segment(members)}.{segment(content)}"
    return f"{to_sign}.{segment(get_default_algorithms()[algorithm].sign(to_sign.encode(), key or ec_key('one')))}"
