"""``manifest.json`` of a backup: what it holds, with the SHA-256 of every file; ``manifest.mac`` says that we wrote it.

The MAC is an HMAC-SHA-256 under the key of the audit log, as of its heads: who may change a backup and has not that key can
destroy it, and not alter it. It hides nothing: a backup is encrypted by whoever carries it away (docs/deploy/backup.md).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from data_contracts.errors import SettingsError
from serving.audit import chain
from serving.backup.errors import BackupDamaged
from serving.backup.files import LOCK, copy, sha256, write
from serving.store.tables import HEAD

FORMAT = 1
MANIFEST, MAC = "manifest.json", "manifest.mac"
STORE, AUDIT, HEADS, ERASED, BUNDLES = "store", "audit", "audit-heads.jsonl", "tombstones.json", "bundles"
_DOMAIN = b"balance-risk backup manifest 1\0"


def file_name(what: str, kind: str) -> str:
    """Return the name of a database's copy."""
    return f"{what}.{'db' if kind == 'sqlite' else 'dump'}"


def files_of(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a directory by its path, and where each link leads."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file() and name not in (MANIFEST, MAC, LOCK):
            found[name] = sha256(path)
    return found


def put(directory: Path, said: Mapping[str, Any], key: bytes) -> str:
    """Write manifest and MAC into a directory that is otherwise complete; return the name of the backup."""
    content = orjson.dumps({"format": FORMAT, **said, "files": files_of(directory)}, option=orjson.OPT_INDENT_2)
    write(directory / MANIFEST, content + b"\n")
    mac = {"key_id": chain.key_id(key), "mac": _mac(key, content + b"\n")}
    write(directory / MAC, orjson.dumps(mac) + b"\n")
    return name_of(content + b"\n")


def name_of(content: bytes) -> str:
    """Return the name of a backup: the first digits of the SHA-256 of its manifest."""
    return hashlib.sha256(content).hexdigest()[:16]


def read(directory: Path, keys: Mapping[str, bytes]) -> tuple[str, dict[str, Any]]:
    """Return name and manifest of a backup of which every file is as it was written.

    Raises
    ------
    BackupDamaged
        A file is missing, changed or too many, or the manifest is not ours.
    SettingsError
        It is of newer code, or under a key that was not given.
    """
    try:
        content, mac = (directory / MANIFEST).read_bytes(), orjson.loads((directory / MAC).read_bytes())
        said = orjson.loads(content)
        signer, signed = str(mac["key_id"]), str(mac["mac"])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        raise BackupDamaged(f"{directory}: is no backup, or one without its manifest. Take another one.") from None
    if signer not in keys:
        raise SettingsError(f"{directory}: was made under the audit key {signer}. Give that key too (--key).")
    if not hmac.compare_digest(_mac(keys[signer], content), signed):
        raise BackupDamaged(f"{directory}: the manifest is not the one that was written. Take another backup.")
    _refuse_newer(directory, said)
    _refuse_changed(directory, said["files"])
    return name_of(content), said


def copied(directory: Path, name: str, said: Mapping[str, Any], target: Path) -> None:
    """Copy a file of a backup to where nobody else writes; raises BackupDamaged unless the copy is what was backed up.

    The directory may be somebody else's, who changes a file between :func:`read` and its use.
    """
    copy(directory / name, target)
    if sha256(target) != said["files"].get(name):
        raise BackupDamaged(f"{directory}: was changed while it was read: {name}. Take another backup.")


def _refuse_newer(directory: Path, said: Mapping[str, Any]) -> None:
    if said["format"] > FORMAT or str(said["store"]["schema"] or "") > HEAD:
        raise SettingsError(
            f"{directory}: was made by balance-risk {said['balance_risk']}, whose store is newer (version "
            f"{said['store']['schema']}) than this program knows ({HEAD}). Install that version."
        )


def _refuse_changed(directory: Path, files: Mapping[str, str]) -> None:
    found = files_of(directory)
    wrong = sorted(name for name in {*files, *found} if files.get(name) != found.get(name))
    if wrong:
        shown = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        raise BackupDamaged(f"{directory}: missing, changed or not of it: {shown}. Take another backup.")


def _mac(key: bytes, content: bytes) -> str:
    return hmac.digest(key, _DOMAIN + content, "sha256").hex()
