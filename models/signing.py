"""The Ed25519 key pair by which serving recognises the bundles of this deployment."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from data_contracts.errors import ArtifactError, MissingInputError

SIGNING_KEY, VERIFY_KEY = "signing.key", "verify.key"


def create_keys(directory: Path) -> tuple[Path, Path]:
    """Make ``signing.key`` (readable by its owner only) and ``verify.key`` as PEM; a signing key that exists is kept.

    Raises
    ------
    ArtifactError
        If there is a verify.key without its signing.key: a new pair would make all bundles signed so far worthless.
    """
    signing, verify = directory / SIGNING_KEY, directory / VERIFY_KEY
    if verify.exists() and not signing.exists():
        raise ArtifactError(
            f"{verify} is here without {SIGNING_KEY}. Bring the signing key, or remove {verify} to start anew."
        )
    directory.mkdir(parents=True, exist_ok=True)
    if not signing.exists():
        private = Ed25519PrivateKey.generate()
        _write(signing, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    if not verify.exists():
        public = _private_key(signing).public_key()
        _write(verify, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return signing, verify


def sign(message: bytes, private_key_path: Path) -> bytes:
    """Return the 64 bytes of the signature."""
    return _private_key(private_key_path).sign(message)


def is_signed(message: bytes, signature: bytes, public_key_path: Path) -> bool:
    """True if the signature of the message was made with the other half of the key."""
    try:
        _public_key(public_key_path).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ArtifactError(f"{path}: not an unencrypted private key in PEM.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ArtifactError(f"{path}: not an Ed25519 key.")
    return key


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        raise ArtifactError(f"{path}: not a public key in PEM.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ArtifactError(f"{path}: not an Ed25519 key.")
    return key


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise MissingInputError(f"{path}: no such key. Keys are made at the first promotion: balance-risk promote")
    return path.read_bytes()


def _write(path: Path, content: bytes, mode: int) -> None:
    # Created with its final mode, so that a private key is at no moment readable by others.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
