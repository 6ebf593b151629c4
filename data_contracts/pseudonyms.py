"""Keyed pseudonyms: the customer's own number of a person in, a name that only the holder of the key can make out.

HMAC-SHA-256 (RFC 2104) under a secret key, cut to 128 bits and written in base32 behind the name of its key, such as
``p1-`` and 26 letters and digits. A plain hash would not do: all national identity numbers, and all personnel numbers,
can be tried in minutes. A pseudonym is still personal data (EDPB Guidelines 01/2025); the key belongs apart from them.

The keys stand in a file, one ``name: hexadecimal key`` a line, the current one first. A key is made by
``openssl rand -hex 32``. The file must be readable by its owner alone. Rotation: put the new key on top, keep the old
one until an ingest has carried the tombstones over (docs/decisions/10-pseudonyms.md).
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from data_contracts.errors import ContractViolation, SettingsError
from data_contracts.national_identity_number import contains
from data_contracts.tables import Coded

VARIABLE = "BALANCE_RISK_PSEUDONYM_KEYS"
"""Environment variable that names the file of keys."""

SHORTEST_KEY_BYTES = 16
PSEUDONYM_BYTES = 16

_LINE = re.compile(r"([a-z][a-z0-9]{0,7})\s*:\s*([0-9a-fA-F]+)")
# Keeps these names apart from anything else that may ever be computed under the same key.
_DOMAIN = b"balance-risk person\0"


class Pseudonymiser:
    """Makes pseudonyms under the first of its keys; the others are there to know older ones."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self._known: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Pseudonymiser(keys={list(self._keys)})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Pseudonymiser:
        """Read the keys from the file that ``BALANCE_RISK_PSEUDONYM_KEYS`` names; raises SettingsError."""
        named = (os.environ if environment is None else environment).get(VARIABLE)
        if not named:
            raise SettingsError(
                f"{VARIABLE} is not set: it names the file with the keys of the pseudonyms, one 'name: hexadecimal key' "
                "a line (make a key with: openssl rand -hex 32)."
            )
        return cls(read_keys(Path(named)))

    def pseudonym(self, identifier: str) -> str:
        """Return the pseudonym of a person under the current key; raises ContractViolation for an identity number."""
        found = self._known.get(identifier)
        if found is None:
            found = self._known[identifier] = self._under(next(iter(self._keys)), identifier)
        return found

    def all_pseudonyms(self, identifier: str) -> tuple[str, ...]:
        """Return the pseudonyms of a person under every key, the current one first."""
        return tuple(self._under(name, identifier) for name in self._keys)

    def rename(self, column: Coded) -> Coded:
        """Return the column with a pseudonym for every identifier.

        An identity number is not renamed: it stays what it is, and the checks that follow refuse it.
        """
        words = tuple(word if not word or contains(word) else self.pseudonym(word) for word in column.vocabulary)
        return Coded(column.codes, words)

    def _under(self, name: str, identifier: str) -> str:
        if contains(identifier):
            raise ContractViolation(
                "A national identity number is never made into a pseudonym: whoever gets the key could try them all. "
                "Send the employee number, or another number of your own."
            )
        digest = hmac.digest(self._keys[name], _DOMAIN + identifier.encode(), "sha256")[:PSEUDONYM_BYTES]
        return f"{name}-{base64.b32encode(digest).decode().rstrip('=').lower()}"


def read_keys(path: Path) -> dict[str, bytes]:
    """Return the keys of a file by name, in its order; raises SettingsError, which never shows a key."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{VARIABLE}: {path} is not a text file that can be read.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path}: may be read or written by others than its owner. Run: chmod 600 {path}")
    keys: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, key = _read_line(path, number, line)
            if name in keys or key in keys.values():
                raise SettingsError(f"{path}, line {number}: this name or this key is there already.")
            keys[name] = key
    if not keys:
        raise SettingsError(f"{path}: holds no key.")
    return keys


def _read_line(path: Path, number: int, line: str) -> tuple[str, bytes]:
    match = _LINE.fullmatch(line.strip())
    if match is None or len(match[2]) % 2 or len(match[2]) < 2 * SHORTEST_KEY_BYTES:
        raise SettingsError(
            f"{path}, line {number}: not 'name: key' with a name such as p1 (a letter, then letters and digits, at most "
            f"8) and a key of at least {2 * SHORTEST_KEY_BYTES} hexadecimal digits."
        )
    return match[1], bytes.fromhex(match[2])
