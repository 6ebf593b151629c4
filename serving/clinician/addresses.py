"""Where the pages begin, and which addresses a reader may be sent to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from starlette.types import Scope

HOME, SIGN_IN = "/ui/", "/ui/sign-in"
HOMES: Mapping[str, str] = MappingProxyType({"clinician": "/ui/worklist", "employer": "/ui/companies"})
"""By role: where she begins. Other roles have no pages."""

_OURS = re.compile(r"(/ui/[A-Za-z0-9_.:/-]*)(\?[A-Za-z0-9_.:/=&%+-]*)?", re.ASCII)


def ours(address: str) -> str:
    """Return an address if it is a path of the pages, never of another host; else nothing."""
    found = _OURS.fullmatch(address)
    return address if found and not {"..", "."} & set(found[1].split("/")) and "//" not in found[1] else ""


def address_of(scope: Scope) -> str:
    """Return what was asked for, query included; without the query where it holds what no page of ours asks for."""
    path, asked = scope["path"], scope.get("query_string", b"").decode("latin-1")
    return ours(f"{path}?{asked}") or ours(path) if asked else ours(path)


def sign_in_address(following: str = "", reason: str = "") -> str:
    """Return the address of the sign-in page, which says why one comes there and sends on from there."""
    query = urlencode({name: text for name, text in (("next", following), ("reason", reason)) if text}, safe="/:")
    return f"{SIGN_IN}?{query}" if query else SIGN_IN
