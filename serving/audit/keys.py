"""The file that holds the key of the chain: 64 hexadecimal digits, readable by its owner alone."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from pathlib import Path

from data_contracts.errors import MissingInputError, SettingsError
from serving.audit.chain import SHORTEST_KEY_BYTES, checked

_OTHERS = 0o077


def create_audit_key(path: Path) -> bytes:
    """Return the key in the file; make file and key if there is none.

    Whoever loses the key can no longer prove the log, so one that exists is never replaced; processes that start at the
    same time get the same key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=".audit-key-")  # made with mode 600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(SHORTEST_KEY_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(scratch, path)
        except FileExistsError:
            pass  # another process was first
        finally:
            os.unlink(scratch)
    return read_audit_key(path)


def read_audit_key(path: Path) -> bytes:
    """Return the key in the file; raises MissingInputError or SettingsError."""
    try:
        text, mode = path.read_text(encoding="ascii").strip(), path.stat().st_mode
    except FileNotFoundError:
        raise MissingInputError(
            f"{path}: the key of the audit log is not there. Bring it; only if there is no log yet, make one with: "
            "balance-risk audit key"
        ) from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path}: the key of the audit log cannot be read as text of this account.") from None
    if mode & _OTHERS:
        raise SettingsError(f"{path}: other accounts may read the key of the audit log. Run: chmod 600 {path}")
    try:
        return checked(bytes.fromhex(text))
    except ValueError:
        raise SettingsError(f"{path}: the key of the audit log must be 64 hexadecimal digits.") from None


def hold(path: Path, mode: int) -> int | None:
    """Return a handle that holds the key's file until it is closed, None where others do; raises OSError.

    Services share it (``LOCK_SH``), a restore has it alone (``LOCK_EX``). The key is what both need and what stays where it is
    when a broken store is moved aside.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        raise
    return handle
