"""Who was erased, as pipeline and service both recognise it: an HMAC-SHA-256 of a name under a key of the workspace."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from data_contracts.errors import MissingInputError

KEY, TOMBSTONES = "tombstone.key", "tombstones.json"
_DOMAIN = b"balance-risk tombstone\0"
_DAMAGED = "{}: is damaged. Restore the file from a backup."


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    marks: list[str]
    by_pseudonym: dict[str, str]


def tombstone(key: bytes, name: str) -> str:
    """Return the tombstone of a name."""
    return hmac.digest(key, _DOMAIN + name.encode(), "sha256").hex()


def read_marks(path: Path) -> tuple[set[str], dict[str, str]]:
    """Return all tombstones of a file, and of which of them under which key only a pseudonym is known; none without a file.

    Raises
    ------
    MissingInputError
        The file is damaged.
    """
    if not path.exists():
        return set(), {}
    try:
        kept: Any = json.loads(path.read_text(encoding="utf-8"))
        # As before keys were noted it is a list.
        found = _Kept.model_validate({"marks": kept, "by_pseudonym": {}} if isinstance(kept, list) else kept)
    except (ValidationError, ValueError, OSError, RecursionError):
        raise MissingInputError(_DAMAGED.format(path)) from None
    return set(found.marks), found.by_pseudonym
