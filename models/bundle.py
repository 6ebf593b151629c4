"""The bundle: an artifact that has been sealed for serving.

``bundles/<outcome>/<version>-<first 12 digits of the manifest's SHA-256>/`` is never changed once it is there. It holds
the artifact's files, ``evaluation.json`` (what it was promoted on, for readers: :mod:`models.bundle_papers`),
``manifest.json`` with size and SHA-256 of each, and ``manifest.sig``, an Ed25519 signature over the manifest's bytes.
``bundles/<outcome>/current`` is a symbolic link to the bundle in use; it moves by atomic rename.

Opening trusts nothing before it is verified: every file is read exactly once into memory, signature and hashes are
checked on those bytes, and the same bytes are parsed, first in a child process that may die. What a signature cannot
tell is age: whoever may write the directory can point ``current`` back to an older bundle that was once signed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from data_contracts.errors import ArtifactError
from features.catalogue import FINGERPRINT
from models.artifact import FILE_NAME, read_files
from models.risk_model import RiskModel
from models.signing import create_keys, is_signed, sign
from models.trial_parse import checked_model, trial_parse

__all__ = ["EVALUATION", "MANIFEST", "bundle_name", "clear_scratch", "create_keys", "current_bundle", "export_bundle",
           "move_current", "open_bundle", "read_once"]  # fmt: skip

FORMAT = 1
MANIFEST, SIGNATURE, CURRENT = "manifest.json", "manifest.sig", "current"
EVALUATION = "evaluation.json"
LARGEST_FILE = 256 * 2**20
"""Bytes. A real model has a few hundred kilobytes; what is larger is not read into memory."""

_NEW_BUNDLE, _NEW_POINTER = ".bundle-", ".current-"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def export_bundle(
    model_dir: Path, bundles_dir: Path, outcome: str, version: str, private_key_path: Path,
    evaluation: Mapping[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Seal the artifact in ``model_dir``, with its evaluation, as an immutable bundle and return its directory.

    Exporting the same artifact as the same version with the same evaluation again returns the bundle that is there.

    Raises
    ------
    ArtifactError
        If the artifact is damaged, is of another outcome, was trained with other features than this code builds, or has
        golden rows that do not come out.
    """
    if not _VERSION.fullmatch(version):
        raise ArtifactError(f"{version!r} cannot name a bundle: letters, digits, dot, dash and underscore, at most 64.")
    files = read_files(model_dir)
    trial_parse(files)
    model = checked_model(files)
    _check_fit(str(model_dir), outcome, model.outcome, model.facts.get("fingerprint"))
    if evaluation is not None:
        files[EVALUATION] = json.dumps(evaluation, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
    manifest = _manifest(files, outcome, version)
    sealed = {**files, MANIFEST: manifest, SIGNATURE: sign(manifest, private_key_path)}
    return _put(sealed, bundles_dir / outcome, bundle_name(version, hashlib.sha256(manifest).hexdigest()))


def move_current(bundles_dir: Path, outcome: str, bundle: Path) -> None:
    """Point ``current`` of an outcome at one of its bundles, by one atomic rename."""
    home = bundles_dir / outcome
    if bundle.resolve().parent != home.resolve() or not (bundle / MANIFEST).is_file():
        raise ArtifactError(f"{bundle} is not a bundle in {home}.")
    # A fresh link renamed over the old one: a reader sees the old bundle or the new one, never none.
    scratch = Path(tempfile.mkdtemp(prefix=_NEW_POINTER, dir=home))
    (scratch / CURRENT).symlink_to(bundle.name)
    os.replace(scratch / CURRENT, home / CURRENT)
    scratch.rmdir()
    _sync(home)


def clear_scratch(bundles_dir: Path, outcome: str) -> None:
    """Remove what a process that was killed left half-written; the caller knows that no other is at work."""
    for kind in (_NEW_BUNDLE, _NEW_POINTER):
        for scratch in (bundles_dir / outcome).glob(f"{kind}*"):
            shutil.rmtree(scratch)


def current_bundle(bundles_dir: Path, outcome: str) -> Path | None:
    """Return the bundle that ``current`` of an outcome points to, None if nothing is promoted; a cheap look-up."""
    try:
        target = os.readlink(bundles_dir / outcome / CURRENT)
    except OSError:
        return None
    # Only a neighbour may be pointed at: a link elsewhere is not one that move_current has made.
    return None if "/" in target or target in (".", "..") else bundles_dir / outcome / target


def open_bundle(path: Path, public_key_path: Path) -> RiskModel:
    """Verify, try and parse a bundle.

    Parameters
    ----------
    path : Path
        The bundle's directory, itself no symbolic link.
    public_key_path : Path
        PEM of the Ed25519 verification key.

    Returns
    -------
    RiskModel, with ``version`` and ``artifact_sha256`` (the hash of the manifest) set and its trees parsed.

    Raises
    ------
    ArtifactError
        If anything about the bundle is not as it was sealed, or it was made for other features than this code builds.
    MissingInputError
        If the key is not there.
    """
    files = _verified_files(path, public_key_path)
    manifest_bytes = files.pop(MANIFEST)
    files.pop(EVALUATION, None)  # for readers; no answer depends on it
    manifest = json.loads(manifest_bytes)
    _check_fit(str(path), path.parent.name, manifest["outcome"], manifest["fingerprint"])
    trial_parse(files)
    model = checked_model(files, manifest["version"], hashlib.sha256(manifest_bytes).hexdigest())
    _check_fit(str(path), manifest["outcome"], model.outcome, model.facts.get("fingerprint"))
    return model


def _manifest(files: Mapping[str, bytes], outcome: str, version: str) -> bytes:
    seals = {name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()}
    document = {"format": FORMAT, "outcome": outcome, "version": version, "fingerprint": FINGERPRINT, "files": seals}
    return json.dumps(document, sort_keys=True, indent=1).encode()


def bundle_name(version: str, artifact_sha256: str) -> str:
    """Return the name of a bundle's directory; ``artifact_sha256`` is the hash of its manifest."""
    return f"{version}-{artifact_sha256[:12]}"


def _check_fit(where: str, wanted_outcome: str, outcome: str, fingerprint: str | None) -> None:
    if outcome != wanted_outcome:
        raise ArtifactError(f"{where}: holds a model of {outcome}, not of {wanted_outcome}.")
    if fingerprint != FINGERPRINT:
        raise ArtifactError(
            f"{where}: trained with other features (fingerprint {str(fingerprint)[:12]}) than this code builds "
            f"({FINGERPRINT[:12]}). Retrain the model and promote it again."
        )


def _put(files: Mapping[str, bytes], home: Path, name: str) -> Path:
    """Write files into a new directory and rename it into place, so that a bundle is there whole or not at all."""
    if (home / name).is_dir():
        if read_once(home / name) != files:
            raise ArtifactError(f"{home / name} was altered, or signed with another key. Remove it and promote again.")
        (home / name).chmod(0o555)  # not done yet if the process that renamed it was killed
        return home / name
    home.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=_NEW_BUNDLE, dir=home))
    try:
        for file_name, content in files.items():
            _write_durably(scratch / file_name, content)
        _sync(scratch)
        scratch.rename(home / name)
    except OSError:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    # After the rename, because some systems refuse to rename a directory that may not be written.
    (home / name).chmod(0o555)
    _sync(home)
    return home / name


def _write_durably(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _verified_files(path: Path, public_key_path: Path) -> dict[str, bytes]:
    """Return the manifest and the files it lists, each read once and verified."""
    content = read_once(path)
    manifest = content.get(MANIFEST, b"")
    if not is_signed(manifest, content.pop(SIGNATURE, b""), public_key_path):
        raise ArtifactError(
            f"{path}: the manifest is not signed with the key of {public_key_path}. Promote the model again."
        )
    document: dict[str, Any] = json.loads(manifest)
    if document["format"] != FORMAT:
        raise ArtifactError(
            f"{path}: bundle format {document['format']}, this code reads {FORMAT}. Promote the model again."
        )
    seals = document["files"]
    named = bundle_name(document["version"], hashlib.sha256(manifest).hexdigest())
    if set(content) - {MANIFEST} != set(seals) or path.name != named:
        raise ArtifactError(
            f"{path}: has other files, or another name, than its manifest says. Promote the model again."
        )
    for name, seal in seals.items():
        if len(content[name]) != seal["size"] or hashlib.sha256(content[name]).hexdigest() != seal["sha256"]:
            raise ArtifactError(f"{path}: {name} is not the file that was sealed. Promote the model again.")
    return content


def read_once(path: Path, names: Collection[str] | None = None) -> dict[str, bytes]:
    """Return the content of the files of a bundle, of all or of those named, each opened once and never through a link."""
    try:
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        raise ArtifactError(f"{path}: no such bundle.") from None
    try:
        listed = sorted(os.listdir(directory))
        return {name: _read_file(directory, name, path) for name in listed if names is None or name in names}
    finally:
        os.close(directory)


def _read_file(directory: int, name: str, path: Path) -> bytes:
    if name not in (MANIFEST, SIGNATURE, EVALUATION) and not FILE_NAME.fullmatch(name):
        raise ArtifactError(f"{path}: holds a file that no bundle has. Promote the model again.")
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
        with open(handle, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError:
        raise ArtifactError(f"{path}: {name} is not a readable file. Promote the model again.") from None
    if len(content) > LARGEST_FILE:
        raise ArtifactError(f"{path}: {name} is larger than any model.")
    return content
