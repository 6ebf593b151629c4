"""Tokens for development, signed by a key of this workspace. Production refuses their issuer and their key.

``python -m serving.access.development --role clinician --organisation c1`` prints one token on stdout and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import ECAlgorithm

from data_contracts.errors import BalanceRiskError, SettingsError
from serving.access.caller import ANY, ROLES, ROLES_FOR_ANY, Role

DEVELOPMENT_ISSUER = "urn:balance-risk:development"
DEVELOPMENT_KEY_ID = "urn:balance-risk:development-key"
"""By this ``kid`` the key is known wherever somebody copies it to."""
PRIVATE_KEY, PUBLIC_KEYS = "development.key", "development.jwks.json"
MOST_MINUTES = 24 * 60


class Deployment(Protocol):
    """What the settings of the service say about tokens."""

    @property
    def mode(self) -> str:
        """Production or development."""
        ...

    @property
    def issuer(self) -> str:
        """Whose tokens are accepted."""
        ...

    @property
    def jwks(self) -> str:
        """File or address of the issuer's keys."""
        ...


@dataclass(frozen=True)
class DevelopmentKeys:
    """Paths of the private key and of the key set that the service reads."""

    private: Path
    public: Path


def refuse_in_production(settings: Deployment) -> None:
    """Raise SettingsError if a production service would let in whoever can make development tokens."""
    if settings.mode != "production":
        return
    if settings.issuer == DEVELOPMENT_ISSUER:
        raise SettingsError(
            f"{DEVELOPMENT_ISSUER} issues tokens for development; production does not accept them. Set "
            "BALANCE_RISK_ISSUER and BALANCE_RISK_JWKS to your issuer's, or BALANCE_RISK_MODE to development."
        )
    if _holds_development_key(settings.jwks):
        raise SettingsError(
            "BALANCE_RISK_JWKS holds the key that signs development tokens; production does not accept it. Set it to "
            "your issuer's keys."
        )


def create_development_keys(directory: Path) -> DevelopmentKeys:
    """Make the key pair, the private half readable by its owner only; one that exists is kept.

    Several processes may do so at once: all end up with the same pair.

    Raises
    ------
    SettingsError
        If others may read the private key, or if it is none.
    """
    keys = DevelopmentKeys(directory / PRIVATE_KEY, directory / PUBLIC_KEYS)
    directory.mkdir(parents=True, exist_ok=True)
    if not keys.private.exists():
        private = ec.generate_private_key(ec.SECP256R1())
        _put(keys.private, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), keep=True)
    jwk = ECAlgorithm.to_jwk(_private_key(keys.private).public_key(), as_dict=True)
    jwk |= {"kid": DEVELOPMENT_KEY_ID, "alg": "ES256", "use": "sig"}
    content = (json.dumps({"keys": [jwk]}, indent=2) + "\n").encode()
    if not keys.public.exists() or keys.public.read_bytes() != content:
        _put(keys.public, content, keep=False)
    return keys


def development_token(
    directory: Path,
    role: Role,
    organisations: Sequence[str] = (),
    subject: str | None = None,
    minutes: int = 60,
    audience: str = "balance-risk",
) -> str:
    """Return a token, signed with the key in ``directory``, which is made if need be."""
    key = _private_key(create_development_keys(directory).private)
    now = int(time.time())
    claims = {
        "iss": DEVELOPMENT_ISSUER,
        "aud": audience,
        "sub": subject or f"development-{role}",
        "iat": now,
        "nbf": now,
        "exp": now + 60 * minutes,
        "role": role,
        "organisations": list(organisations) or ([ANY] if role in ROLES_FOR_ANY else []),
    }
    return jwt.encode(claims, key, "ES256", {"kid": DEVELOPMENT_KEY_ID, "typ": "at+jwt"})


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Print a token; return the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        token = _asked_for(asked, environment)
    except BalanceRiskError as error:
        sys.stderr.write(f"balance-risk: {error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"balance-risk: {asked.workspace / 'keys'}: {error.strerror}. Choose another --workspace.\n")
        return SettingsError.exit_code
    if not asked.organisation and asked.role not in ROLES_FOR_ANY:
        sys.stderr.write("balance-risk: without --organisation this token opens no person and no company.\n")
    if asked.header is None:
        sys.stdout.write(f"{token}\n")
        return 0
    return _keep_header(asked.header, token)


def _keep_header(path: Path, token: str) -> int:
    try:
        _put(path, f"Authorization: Bearer {token}\n".encode(), keep=False)
    except OSError as error:
        sys.stderr.write(f"balance-risk: {path}: {error.strerror}. Choose another --header.\n")
        return SettingsError.exit_code
    return 0


def _asked_for(asked: argparse.Namespace, environment: Mapping[str, str]) -> str:
    if environment.get("BALANCE_RISK_MODE") == "production":
        raise SettingsError(
            "BALANCE_RISK_MODE is production, which accepts no development token. Ask your issuer for one."
        )
    if not 1 <= asked.minutes <= MOST_MINUTES:
        raise SettingsError(f"--minutes must lie between 1 and {MOST_MINUTES}: the service refuses longer lives.")
    if ANY in asked.organisation and asked.role not in ROLES_FOR_ANY:
        raise SettingsError(
            f"--organisation {ANY} counts for {' and '.join(sorted(ROLES_FOR_ANY))} only. Name companies."
        )
    audience = environment.get("BALANCE_RISK_AUDIENCE") or "balance-risk"
    keys = asked.workspace / "keys"
    return development_token(keys, asked.role, asked.organisation, asked.subject, asked.minutes, audience)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="balance-risk token", description="Print a development token.")
    parser.add_argument("--role", required=True, choices=ROLES)
    parser.add_argument("--organisation", action="append", default=[], help="company_id; repeat for several")
    parser.add_argument("--subject", help="who calls, as the audit log will say")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--workspace", type=Path, default=Path(), help="directory that holds keys/")
    parser.add_argument("--header", type=Path, help="write a header for curl to this file instead of printing")
    return parser


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"{path}: others may read this private key. Remove it, and a new one is made.")
    try:
        key: Any = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingsError(f"{path}: not an unencrypted P-256 key in PEM. Remove it, and a new one is made.")
    return key


def _put(path: Path, content: bytes, *, keep: bool) -> None:
    """Write a file that only its owner reads, whole or not at all; with ``keep`` the first of several writers wins."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        if keep:
            with suppress(FileExistsError):
                os.link(file.name, path)
        else:
            os.replace(file.name, path)
    finally:
        Path(file.name).unlink(missing_ok=True)


def _holds_development_key(jwks: str) -> bool:
    try:
        return DEVELOPMENT_KEY_ID.encode() in Path(jwks).read_bytes()
    except (OSError, ValueError):
        return False  # an address, or a file that is not there yet: the verifier refuses the key's name as well


if __name__ == "__main__":
    sys.exit(main())
