"""What a bundle tells its readers: the evaluation's numbers, sealed inside it, and the model card, signed beside it.

A card says who approved what when, and may be written again, so it lies outside. Its signature covers the name of its
bundle, which names the hash of the manifest: the card of one version cannot be shown as that of another.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from data_contracts.errors import ArtifactError
from models.bundle import EVALUATION, MANIFEST, read_once
from models.signing import is_signed, sign

_PAPERS = (MANIFEST, EVALUATION)

LARGEST_CARD = 16 * 2**20
"""Bytes. A card with its four pictures has about one million."""


def card_path(bundle: Path) -> Path:
    """Return where the card of a bundle's version lies; its signature is beside it, with the ending ``.sig``."""
    return bundle.with_name(f"model_card-{bundle.name.rpartition('-')[0]}.html")


def write_card(html: str, bundle: Path, private_key_path: Path) -> None:
    """Write and sign the card of a bundle; one that was there is replaced."""
    card, content = card_path(bundle), html.encode()
    _replace(card.with_suffix(".sig"), sign(_signed(content, bundle), private_key_path))
    _replace(card, content)


def read_card(bundle: Path, public_key_path: Path) -> bytes | None:
    """Return the card of a bundle, None if none was written.

    Raises
    ------
    ArtifactError
        It is not signed, not with this key, or not as the card of this bundle.
    """
    card = card_path(bundle)
    if not card.exists():
        return None
    content, signature = _read(card), _read(card.with_suffix(".sig"))
    if not is_signed(_signed(content, bundle), signature, public_key_path):
        raise ArtifactError(f"{card}: not the card that was signed for {bundle.name}. Promote the version again.")
    return content


def read_evaluation(bundle: Path, artifact_sha256: str) -> dict[str, Any] | None:
    """Return the evaluation of the model that was opened with the manifest of this hash; None where none was sealed.

    The hash was verified with the key when the model was opened, so that it vouches for the rest.

    Raises
    ------
    ArtifactError
        Manifest or evaluation are not those that were sealed.
    """
    return _verified(bundle, artifact_sha256, tuple(_state(bundle / name) for name in _PAPERS))


def _state(path: Path) -> tuple[int, ...] | None:
    """Return what a file cannot be replaced or written without changing; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=32)
def _verified(bundle: Path, artifact_sha256: str, states: tuple[Any, ...]) -> dict[str, Any] | None:
    """Read manifest and evaluation alone: a page must not read whole models, nor the same numbers twice."""
    content = read_once(bundle, _PAPERS)
    if hashlib.sha256(content.get(MANIFEST, b"")).hexdigest() != artifact_sha256:
        raise ArtifactError(f"{bundle}: not the bundle that the model in service was opened from. Promote it again.")
    seal = json.loads(content[MANIFEST])["files"].get(EVALUATION)
    if seal is None:
        return None
    if hashlib.sha256(content.get(EVALUATION, b"")).hexdigest() != seal["sha256"]:
        raise ArtifactError(f"{bundle}: {EVALUATION} is not the file that was sealed. Promote the model again.")
    found: dict[str, Any] = json.loads(content[EVALUATION])
    return found


def _signed(content: bytes, bundle: Path) -> bytes:
    return f"model card of {bundle.parent.name}/{bundle.name}\n".encode() + content


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _read(path: Path) -> bytes:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(LARGEST_CARD)
    except OSError:
        raise ArtifactError(f"{path}: not a readable file. Promote the version again.") from None
