"""The tables of docs/api.md that follow from the code: ``python -m serving.documentation [--check]``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from serving.access.policy import RULES
from serving.call import Endpoint
from serving.endpoints import ENDPOINTS
from serving.problems import KINDS

PAGE = Path(__file__).parents[1] / "docs" / "api.md"


def page(text: str) -> str:
    """Return the page with its tables as the code has them now; they stand between ``<!-- name -->`` and ``<!-- end -->``."""
    tables = {"routes": _routes(), "problems": _problems()}
    for name, table in tables.items():
        parts = re.split(rf"(<!-- {name} -->\n).*?(<!-- end -->)", text, flags=re.DOTALL)
        if len(parts) != 4:
            raise ValueError(f"docs/api.md needs one place for the table of {name}.")
        before, begin, end, after = parts
        text = before + begin + table + end + after
    return text


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def _routes() -> str:
    rows = [(f"`{one.method} {one.path}`", one.summary, _who(one)) for one in ENDPOINTS]
    return _table(("address", "answers", "who, for what purpose"), rows)


def _who(endpoint: Endpoint) -> str:
    if endpoint.is_public:
        return "anybody, without a token"
    by_role: dict[str, list[str]] = {}
    for role, purpose, action in RULES:
        if action == endpoint.action:
            by_role.setdefault(role, []).append(purpose)
    return "; ".join(f"{role}: {', '.join(purposes)}" for role, purposes in by_role.items())


def _problems() -> str:
    rows = sorted((status, kind, meaning) for kind, (status, meaning) in KINDS.items())
    return _table(("status", "`type` ends in", "what it means"), [(str(s), f"`{k}`", m) for s, k, m in rows])


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with ``--check`` say whether it is current."""
    text = PAGE.read_text(encoding="utf-8")
    current = page(text)
    if "--check" in arguments:
        if text != current:
            sys.stderr.write("docs/api.md is stale. Run: python -m serving.documentation\n")
        return int(text != current)
    PAGE.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
